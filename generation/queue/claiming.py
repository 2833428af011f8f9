"""Whose job runs next, who is running it, and how long that holds."""

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Now

from accounts.models import Pause
from accounts.models.exclusion import kept_out

from ..models import Attempt, Job, Seat

CANDIDATES = 20  # members looked at in one claim before it gives up and is called again
PATIENCE = timedelta(seconds=5)  # how long a job waits at most for the worker that has its model warm


@transaction.atomic
def claim_next(
    worker: str, *, runs: Collection[str] | None = None, leaves: Collection[str] = ()
) -> Attempt | None:
    """Takes the next job by fair share: first the member who was served longest ago, up to a cap each.

    `runs` are the models that this worker can run, None for all: others' jobs are as if they weren't there, and each
    member's own keep their order. A member whose first job is of one that it `leaves`, to somebody who has it warm, is
    passed over for PATIENCE at most.

    The member's seat is locked, passing over seats that another worker holds. What lets a member be served is asked
    again under that lock, in a statement of its own: the one that found the seat may have read an older truth. What it
    `leaves` is a preference, and not asked again.
    """
    for owner in list(in_turn(_may_be_served(runs, leaves)).values_list("pk", flat=True)[:CANDIDATES]):
        seat = Seat.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=owner).first()
        if seat is None or not _may_be_served().filter(pk=owner).exists():
            continue
        job = _in_order(runs).filter(owner=owner).first()
        if job is None:
            continue
        taken = (
            Job.objects.queued()
            .filter(pk=job.pk)
            .update(status=Job.Status.RUNNING, started_at=Now(), attempts_made=F("attempts_made") + 1)
        )
        if not taken:
            continue
        Seat.objects.filter(pk=owner).update(last_served_at=Now())
        return Attempt.objects.create(
            job=job, number=job.attempts_made + 1, worker=worker, lease_until=Now() + settings.LEASE
        )
    return None


def _may_be_served(runs=None, leaves=()):
    """Seats with a job waiting and room under their cohort's cap; none of those kept out, none during a pause."""
    running = Job.objects.running().filter(owner=OuterRef("pk")).values("owner").annotate(count=Count("pk"))
    seats = Seat.objects.annotate(
        running=Coalesce(Subquery(running.values("count")), 0),
        cap=Coalesce(
            "owner__membership__cohort__max_running",
            Value(settings.MAX_RUNNING),
            output_field=IntegerField(),
        ),
    ).filter(
        Exists(_in_order(runs).filter(owner=OuterRef("pk"))),
        ~Exists(kept_out().filter(user=OuterRef("pk"))),
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
    """Least recently served first."""
    return seats.order_by(F("last_served_at").asc(nulls_first=True), "pk")


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
