"""How cohorts are made and changed."""

from django.db import transaction

from . import audit
from .exclusion import check_runs_program
from .grants import adjust, present
from .membership import Cohort
from .user import User

SETTINGS = ("name", "model_ids", "max_queued", "max_running", "allowance")


@transaction.atomic
def create(*, by: User | None, **settings) -> Cohort:
    check_runs_program(by)
    made = Cohort.objects.create(**settings)
    audit.record("cohort.created", by=by, subject=made, words=_told({}, settings))
    return made


@transaction.atomic
def change(cohort: Cohort, *, by: User | None, **settings) -> Cohort:
    """Sets what its members may use. A new allowance is granted to those who are in it by `grants.adjust`."""
    # Who joins meanwhile waits for this lock, and reads the new allowance after it.
    before = Cohort.objects.select_for_update().get(pk=cohort.pk)
    check_runs_program(by)
    old = {name: getattr(before, name) for name in SETTINGS}
    changed = {name: value for name, value in settings.items() if value != old[name]}
    if changed:
        Cohort.objects.filter(pk=cohort.pk).update(**changed)
        if "allowance" in changed:
            adjust(present(cohort), before=before.allowance, after=changed["allowance"], by=by)
        audit.record("cohort.changed", by=by, subject=cohort, words=_told(old, changed))
    return Cohort.objects.get(pk=cohort.pk)


def _told(old: dict, new: dict) -> str:
    return "; ".join(
        f"{name}: {old.get(name)} → {value}" if old else f"{name}: {value}" for name, value in new.items()
    )
