"""How a member's role and cohort change; each act ends up as a record, in the audit log, and in the member's inbox."""

from django.db import transaction
from django.utils.translation import gettext as _

from . import audit
from .exclusion import Impossible, check_an_admin_stays, check_runs_program, end_sessions, locked
from .grants import adjust
from .membership import Cohort, Membership, Role, RoleChange
from .notice import Notice, notify
from .user import User


def check_can_change_role(membership: Membership, by: User | None) -> None:
    check_runs_program(by)
    if by is not None and membership.user_id == by.pk:
        raise Impossible(_("Nobody changes their own role. Ask another admin."))
    if hasattr(membership, "ending"):
        raise Impossible(_("This membership has ended: its role stays as it was."))
    check_an_admin_stays(membership)


@transaction.atomic
def change_role(membership: Membership, to: str, *, by: User | None) -> RoleChange | None:
    """Gives a member another role and ends their sessions; None if they have it already."""
    membership = locked(membership)
    check_can_change_role(membership, by)
    before, after = membership.role, Role(to)
    if before == after:
        return None
    Membership.objects.filter(pk=membership.pk).update(role=after)
    made = RoleChange.objects.create(membership=membership, before=before, after=after, by=by)
    end_sessions(membership.user)
    audit.record("member.role_changed", by=by, subject=membership, words=f"{before} → {after.value}")
    notify(membership.user, Notice.Kind.ROLE_CHANGED)
    return made


def check_can_move(membership: Membership, by: User | None) -> None:
    check_runs_program(by)
    if hasattr(membership, "ending"):
        raise Impossible(_("This membership has ended: it stays in its cohort."))


@transaction.atomic
def move(membership: Membership, to: Cohort, *, by: User | None) -> bool:
    """Puts a member into another cohort, with the difference between the two allowances; False if they are in it."""
    # Cohorts before members, as cohorts.change does: it waits for us or we for it, and neither for the other.
    to = Cohort.objects.select_for_update(no_key=True).get(pk=to.pk)
    membership = locked(membership)
    check_can_move(membership, by)
    before = Cohort.objects.get(pk=membership.cohort_id)
    if before.pk == to.pk:
        return False
    Membership.objects.filter(pk=membership.pk).update(cohort=to)
    adjust([membership], before=before.allowance, after=to.allowance, by=by)
    audit.record("member.moved", by=by, subject=membership, words=f"{before.name} → {to.name}")
    return True
