"""Whose job runs next, who is running it, and how long that holds."""

from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Now
from django.db.models.lookups import IsNull

from accounts.models import Membership, Pause
from accounts.models.exclusion import kept_out
from accounts.prepared import Slot, prepared

from ..models import Attempt, Job, Seat
from .opening import Changed, held_seat, open_attempt

LOOKS = 20  # in one claim, each of which may find that things have changed, before it gives up and is called again
PATIENCE = timedelta(seconds=5)  # how long a job waits at most for the worker that has its model warm


def claim_next(
    worker: str, *, runs: Collection[str] | None = None, leaves: Collection[str] = ()
) -> Attempt | None:
    """Takes the next job by fair share: first the member who was served longest ago, up to a cap each.

    `runs` are the models that this worker can run, None for all: others' jobs are as if they weren't there, and each
    member's own keep their order. A member whose first job is of one that it `leaves`, to somebody who has it warm, is
    passed over for PATIENCE at most.

    The member's seat is found and locked in one statement, which passes over seats that another worker holds. What lets
    a member be served is asked again under that lock, in a statement of its own: the first one may have read an older
    truth. If it has changed, the first one is asked anew, and reads the new one. What it `leaves` is a preference, and
    not asked again.
    """
    next_seat, first_job = _questions(None if runs is None else tuple(sorted(runs)), tuple(sorted(leaves)))
    for _look in range(LOOKS):
        with suppress(Changed):
            return open_attempt(next_seat, first_job, worker, most=settings.MAX_RUNNING)
    return None


@lru_cache(maxsize=64)  # a worker changes what it leaves as others load their models
def _questions(runs, leaves):
    """What a claim asks, put together once: who is next, and what they get if they may still be served."""
    most, owner = Slot("most", IntegerField()), held_seat()

    def next_seat():
        seats = in_turn(_as_seen(_may_be_served(runs, leaves, most)))
        locked = seats.select_for_update(skip_locked=True, no_key=True, of=("self",))
        return locked.values_list("pk", flat=True)[:1]

    def first_job():
        may_be = _may_be_served(runs, most=most).filter(pk=owner)
        return _in_order(runs).filter(Exists(may_be), owner=owner)[:1]

    return prepared(next_seat), prepared(first_job)


def _as_seen(seats):
    """Less those that were served between the look at all and the lock of one: it is somebody else's turn now.

    PostgreSQL asks once more of a row that changed until it was locked, and of that row alone reads what is new.
    """
    seen = Subquery(Seat.objects.filter(pk=OuterRef("pk")).values("last_served_at"))
    return seats.filter(Q(last_served_at=None) | Q(last_served_at__lte=seen))


def _may_be_served(runs=None, leaves=(), most=None):
    """Seats with a job waiting and room under their cohort's cap, or the usual one (`most`); none of those kept out,
    none during a pause."""
    running = Job.objects.running().filter(owner=OuterRef("pk")).values("owner").annotate(count=Count("pk"))
    usual = most or Value(settings.MAX_RUNNING)
    # Who is kept out has no cap, so no number is below it. As a condition of its own, it would make PostgreSQL expect
    # that hardly anybody is left, and sort all seats instead of reading them in turn.
    let_in = Membership.objects.filter(~Exists(kept_out().filter(pk=OuterRef("pk"))), user=OuterRef("pk"))
    cap = Coalesce("cohort__max_running", usual, output_field=IntegerField())
    seats = Seat.objects.annotate(
        running=Coalesce(Subquery(running.values("count")), 0), cap=Subquery(let_in.values(cap=cap))
    ).filter(
        Exists(_in_order(runs).filter(owner=OuterRef("pk"))),
        ~Exists(Pause.objects.in_force()),
        running__lt=F("cap"),
    )
    return _without_left(seats, runs, leaves) if leaves else seats


def _without_left(seats, runs, leaves):
    """Less those whose turn has just come, with a job of a model that another worker has warm."""
    first = _in_order(runs).filter(owner=OuterRef("pk"))
    since = Now() - PATIENCE
    has_waited = Q(last_served_at=None) | Q(last_served_at__lte=since)
    return seats.annotate(
        model=Subquery(first.values("model")[:1]), asked_at=Subquery(first.values("created_at")[:1])
    ).filter(~Q(model__in=leaves) | (Q(asked_at__lte=since) & has_waited))


def _in_order(runs):
    """What waits for somebody who `runs` these models, in the order in which each member gets theirs."""
    queued = Job.objects.queued() if runs is None else Job.objects.queued().filter(model__in=runs)
    return queued.order_by("created_at", "pk")


def in_turn(seats):
    """Least recently served first, and before them who never was: said so that one index serves both databases."""
    return seats.order_by(IsNull(F("last_served_at"), False), "last_served_at", "pk")


def renew(attempt: Attempt, *, stage: str, step: int, preview: bytes | None = None) -> bool:
    """Extends the lease and tells the progress, in one write; False when the attempt is no longer this worker's.

    So it ends within a second of a suspension, too. Every condition stands in the update itself, without a join:
    Django would move it into a subquery, which PostgreSQL doesn't ask again after waiting for the row.
    A `preview` (JPEG) takes the place of the one before; without one, that one stays.
    """
    theirs = Job.objects.filter(pk=OuterRef("job_id"), owner__in=kept_out().values("user"))
    held = Attempt.objects.filter(~Exists(theirs), pk=attempt.pk, ended_at=None, lease_until__gt=Now())
    picture = {} if preview is None else {"preview": preview}
    return bool(held.update(lease_until=Now() + settings.LEASE, stage=stage, step=step, **picture))


def is_waiting(runs: Collection[str] | None = None) -> bool:
    """Is there anything to do for a worker that `runs` these models?"""
    return (
        _may_be_served(runs).exists()
        or Attempt.objects.filter(ended_at=None, lease_until__lte=Now()).exists()
    )
