"""What would come of a list of people, and doing it, once.

The dry run and the act read the same Plan. A plan's digest is shown with it and comes back with the confirmation, so
that nobody confirms anything but what they saw.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ..models import Cohort, Invitation, User, audit
from ..models.invitation import hashed, new_key
from ..permissions import check_can_invite
from .roster import Person, Problem, Roster

CHUNK = 500  # rows in one query


@dataclass(frozen=True)
class Plan:
    """Who would be invited, and what stands in the way of the others, by line."""

    people: tuple[Person, ...]
    problems: tuple[Problem, ...]
    remarks: tuple[str, ...]
    new_cohorts: tuple[str, ...]

    @property
    def digest(self) -> str:
        told = [(person.email, person.role, person.cohort, person.note) for person in self.people]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def plan(roster: Roster) -> Plan:
    """Asks the database about everybody on the list, with two queries for five hundred people."""
    existing = list(Cohort.objects.values_list("name", flat=True))
    spelled = {name.casefold(): name for name in existing}  # "spring" is the Spring that there is
    people, problems = [], list(roster.problems)
    for chunk in chunks(roster.people):
        standing = _standing([person.email for person in chunk])
        for person in chunk:
            if sentence := standing.get(person.email):
                problems.append(Problem(person.line, person.email, sentence))
            else:
                cohort = spelled.setdefault(person.cohort.casefold(), person.cohort)
                people.append(replace(person, cohort=cohort))
    new = dict.fromkeys(person.cohort for person in people if person.cohort not in existing)
    problems.sort(key=lambda problem: problem.line)
    return Plan(tuple(people), tuple(problems), roster.remarks, tuple(new))


def _standing(emails: list[str]) -> dict[str, str]:
    """Why these addresses can't be invited, in a sentence each: members, and those who hold an open invitation."""
    told = {}
    opened = Invitation.objects.open().filter(email__in=emails).select_related("invited_by")
    for invitation in opened:
        said = {
            "when": date_format(timezone.localtime(invitation.created_at), "j F Y"),
            "who": invitation.invited_by.name if invitation.invited_by else _("the operator"),
        }
        told[invitation.email] = _("Already invited on %(when)s, by %(who)s.") % said
    for email in User.objects.filter(email__in=emails).values_list("email", flat=True):
        told[email] = _("Already a member.")
    return told


@transaction.atomic
def invite_all(
    plan: Plan, *, by: User, lifetime: timedelta, batch: uuid.UUID, key: str | None = None
) -> list[Invitation]:
    """Makes the plan's invitations, all or none, and leaves their mails to the workers.

    With `key`, the plan's one person gets no mail: an admin passes on the link with that key.
    IntegrityError: somebody invited one of these addresses at the same moment. Plan anew, and show it.
    """
    check_can_invite(by)
    now = timezone.now()
    _take_back_expired([person.email for person in plan.people], by=by)
    names = sorted({person.cohort for person in plan.people})
    cohorts = {name: Cohort.objects.get_or_create(name=name)[0] for name in names}
    made = [
        Invitation(
            email=person.email,
            role=person.role,
            cohort=cohorts[person.cohort],
            note=person.note,
            key_hash=hashed(key or new_key()),  # a new one is known to nobody: the mail brings its own
            invited_by=by,
            created_at=now,
            expires_at=now + lifetime,
            mail_due_at=None if key else now,
            batch=batch,
        )
        # In one order, so that two admins with the same list wait for each other and don't lock each other out.
        for person in sorted(plan.people, key=lambda person: person.email)
    ]
    Invitation.objects.bulk_create(made, batch_size=CHUNK)
    audit.record_all(
        "invitation.created", by=by, told=[(invitation, invitation.email) for invitation in made]
    )
    return made


def _take_back_expired(emails: list[str], *, by: User) -> None:
    """An expired invitation makes room for the new one of its address."""
    now = timezone.now()
    for chunk in chunks(emails):
        found = Invitation.objects.in_state("expired").filter(email__in=chunk).order_by("email")
        expired = list(found.select_for_update())
        if expired:
            Invitation.objects.filter(pk__in=[one.pk for one in expired]).update(
                revoked_at=now, revoked_by=by
            )
            audit.record_all("invitation.revoked", by=by, told=[(one, "") for one in expired])


def chunks(items: Iterable) -> Iterator[list]:
    """As many as one query takes well."""
    left = iter(items)
    while chunk := list(islice(left, CHUNK)):
        yield chunk
