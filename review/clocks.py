"""The clock of each submission: started by its seal, paused by a question, stopped by the decision or the withdrawal,
and what follows when a share of its time is over.

Whoever moves a clock holds the lock on its submission's row. What it passes is recorded and told in one transaction,
so that a worker which dies has done both or neither, and two at once do it once.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from accounts.models import audit

from . import news
from .models import Clock, Flag, Milestone, Submission

log = logging.getLogger(__name__)

Kind = Milestone.Kind
MISSED = timedelta(days=7)  # how far back the sweep looks for a submission whose clock nobody has started


def start(submission: Submission) -> Clock:
    """What a machine has flagged by now comes up as if its deadline were earlier: by so much and never by more, so that
    nothing waits for ever behind it. The promise to its artist stays the same."""
    allowed, is_flagged = settings.REVIEW_DEADLINE, Flag.objects.filter(submission=submission).exists()
    return Clock.objects.create(
        submission=submission,
        started_at=Now(),
        allowed=allowed,
        due_at=Now() + allowed,
        turn_at=Now() + allowed - (settings.FLAG_HEAD_START if is_flagged else timedelta()),
        is_flagged=is_flagged,
        rings_at=Now() + Milestone.SHARES[Kind.REMINDER] * allowed,
    )


def pause(submission: Submission) -> None:
    Clock.objects.running().filter(submission=submission).update(paused_at=Now())


def resume(submission: Submission) -> None:
    """Goes on where it stood: all that lies ahead is moved on by as long as the pause was."""
    clock = Clock.objects.paused().annotate(read_at=Now()).filter(submission=submission).first()
    if clock is None:
        return
    stood = clock.read_at - clock.paused_at
    Clock.objects.filter(pk=clock.pk).update(
        paused_at=None,
        due_at=clock.due_at + stood,
        turn_at=clock.turn_at + stood,
        rings_at=clock.rings_at and clock.rings_at + stood,
    )


def stop(submission: Submission) -> None:
    Clock.objects.filter(submission=submission, stopped_at=None).update(stopped_at=Now())


def ring_due() -> int:
    """Records and tells what running clocks have passed; returns how many milestones that were.

    One transaction for each submission: what was done stays done, and the next sweep goes on with the rest.
    """
    _start_missing()
    due = Clock.objects.running().filter(rings_at__lte=Now()).order_by("rings_at", "pk")
    rung = sum(_ring(pk) for pk in list(due.values_list("pk", flat=True)))
    if rung:
        log.info("clocks: %s milestones passed", rung)
    return rung


@transaction.atomic
def _ring(pk) -> int:
    """The submission's row first, as every act locks it; who holds it now may be deciding, so the next sweep looks."""
    found = Submission.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    clock = Clock.objects.running().filter(pk=pk, rings_at__lte=Now()).annotate(read_at=Now()).first()
    if found is None or clock is None:
        return 0
    told = set(Milestone.objects.filter(submission=pk).values_list("kind", flat=True))
    ahead = [kind for kind in Kind if kind not in told]
    passed = [kind for kind in ahead if clock.moment(kind) <= clock.read_at]
    audit.lock()  # two sweeps at two submissions would each find that nobody was told yet
    for kind in passed:
        Milestone.objects.create(submission=found, kind=kind, at=clock.read_at, due_at=clock.due_at)
        news.tell_of_milestone(found, kind)
    if Kind.OVERDUE in passed:
        audit.record("submission.overdue", by=None, subject=found)
    next_one = min((clock.moment(kind) for kind in ahead if kind not in passed), default=None)
    Clock.objects.filter(pk=pk).update(rings_at=next_one)
    return len(passed)


def _start_missing() -> None:
    """No submission is lost to the desk because whatever sealed it has forgotten its clock."""
    started = Clock.objects.filter(submission=OuterRef("pk"))
    recent = Submission.objects.waiting().filter(~Exists(started), created_at__gte=Now() - MISSED)
    for pk in list(recent.values_list("pk", flat=True)):
        with transaction.atomic():
            found = Submission.objects.select_for_update().get(pk=pk)
            if not Clock.objects.filter(submission=found).exists():
                log.error("submission %s had no clock", pk)
                start(found)
