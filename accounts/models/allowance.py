"""GPU seconds that a member may spend, as a ledger in which each entry tells what is left after it.

Entries about one job are at most three: reserved at enqueue, settled once when the clip is there, or given back. A
job is known here by its id alone: what a job is, is generation's.
"""

import uuid

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .membership import Cohort, Membership
from .user import User


class NotEnough(Exception):
    """A member whose allowance doesn't reach; says how much is left."""


class AllowanceEntry(models.Model):
    class Kind(models.TextChoices):
        GRANTED = "granted", gettext_lazy("Granted")
        RESERVED = "reserved", gettext_lazy("Reserved")
        SETTLED = "settled", gettext_lazy("Settled")
        GIVEN_BACK = "given-back", gettext_lazy("Given back")

    membership = models.ForeignKey(Membership, models.PROTECT, related_name="allowance_entries")
    kind = models.CharField(max_length=16, choices=Kind)
    seconds = models.IntegerField()  # GPU seconds; below zero where it takes away
    balance = models.IntegerField()  # what is left after this entry
    job = models.UUIDField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job", "kind"], condition=Q(job__isnull=False), name="allowance_entry_once_per_job"
            ),
            models.CheckConstraint(
                condition=Q(kind="granted", job=None) | (~Q(kind="granted") & Q(job__isnull=False)),
                name="allowance_entry_names_its_job",
            ),
        ]
        indexes = [models.Index(fields=["membership", "-id"], name="allowance_newest_of_member")]

    def __str__(self):
        return f"{self.kind} {self.seconds} s of membership {self.membership_id}"


def left(membership: Membership) -> int | None:
    """GPU seconds that a member can still spend; None where the cohort has no limit."""
    return None if membership.cohort.allowance is None else _balance(membership)


@transaction.atomic
def grant(membership: Membership, seconds: int, *, by: User | None) -> AllowanceEntry:
    _locked(membership)
    return _enter(membership, AllowanceEntry.Kind.GRANTED, seconds, by=by)


@transaction.atomic
def reserve(membership: Membership, seconds: int, *, job: uuid.UUID) -> None:
    """Sets seconds aside for a job. Raises NotEnough, with a sentence, where the cohort's limit doesn't allow it."""
    _locked(membership)
    remaining = left(membership)
    if remaining is not None and remaining < seconds:
        raise NotEnough(
            _(
                "This take needs about %(needed)s GPU seconds and you have %(left)s left. "
                "Ask the program's team for more."
            )
            % {"needed": seconds, "left": max(remaining, 0)}
        )
    _enter(membership, AllowanceEntry.Kind.RESERVED, -seconds, job=job)


@transaction.atomic
def settle(job: uuid.UUID, spent: int) -> None:
    """Charges what a finished job really took, and never more than was reserved; once."""
    reserved = _reserved(job)
    if reserved and not _is_closed(reserved):
        unused = max(-reserved.seconds - spent, 0) if _counts(reserved) else 0
        _enter(reserved.membership, AllowanceEntry.Kind.SETTLED, unused, job=job)


@transaction.atomic
def give_back(job: uuid.UUID) -> None:
    """Returns all that a job still costs: it failed, was cancelled, or its clip was refused. Once."""
    reserved = _reserved(job)
    if reserved is None:
        return
    entries = AllowanceEntry.objects.filter(job=job)
    if not entries.filter(kind=AllowanceEntry.Kind.GIVEN_BACK).exists():
        costs = -sum(entries.values_list("seconds", flat=True)) if _counts(reserved) else 0
        _enter(reserved.membership, AllowanceEntry.Kind.GIVEN_BACK, costs, job=job)


def _reserved(job: uuid.UUID) -> AllowanceEntry | None:
    """The job's reservation, with its member's row locked: whoever else closes it waits, and finds it closed."""
    entry = (
        AllowanceEntry.objects.filter(job=job, kind=AllowanceEntry.Kind.RESERVED)
        .select_related("membership__cohort")
        .first()
    )
    if entry:
        _locked(entry.membership)
    return entry


def _counts(reserved: AllowanceEntry) -> bool:
    """Not if it went below zero, as only members without a limit go, and there is a limit now: that one began anew,
    whatever had been spent, so nothing of it can come back on top."""
    limited = Cohort.objects.filter(memberships=reserved.membership_id, allowance__isnull=False)
    return reserved.balance >= 0 or not limited.exists()


def _is_closed(reserved: AllowanceEntry) -> bool:
    return AllowanceEntry.objects.filter(job=reserved.job).exclude(pk=reserved.pk).exists()


def _enter(membership: Membership, kind: str, seconds: int, *, job=None, by=None) -> AllowanceEntry:
    """Whoever calls it holds the member's row: the balance is that of all entries before."""
    return AllowanceEntry.objects.create(
        membership=membership,
        kind=kind,
        seconds=seconds,
        balance=_balance(membership) + seconds,
        job=job,
        by=by,
    )


def _balance(membership: Membership) -> int:
    latest = AllowanceEntry.objects.filter(membership=membership).order_by("-pk").first()
    return latest.balance if latest else 0


def _locked(membership: Membership) -> None:
    Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
