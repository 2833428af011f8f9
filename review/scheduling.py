"""A work goes public at a time that its artist has set: setting it, calling it off, and what is due.

The gate checks again when the time has come. Whatever it says, the schedule ends there, once: with a publication, or
with a reason that its artist reads. A worker that comes late publishes late, and none publishes early.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import audit, exclusion

from . import gate, journal, news
from .models import Schedule, ScheduleEnd, Submission
from .permissions import Conflict, NotAllowed, check_still_in

log = logging.getLogger(__name__)

Outcome = ScheduleEnd.Outcome
FARTHEST = timedelta(days=366)
STATES = ("preparing", "unprepared", "waiting", "approved")  # what can still go public


class BadTime(NotAllowed):
    """A time that can't be set."""


def told(submission: Submission) -> list[Schedule]:
    """All that were set, the latest first."""
    return list(submission.schedules.select_related("end").order_by("-number"))


def check_time(publish_at: datetime) -> None:
    if publish_at <= timezone.now():
        raise BadTime(_("This time is past already. Choose one that is still to come."))
    if publish_at > timezone.now() + FARTHEST:
        raise BadTime(_("Choose a time within a year from now."))


def check_can_schedule(submission: Submission, by) -> None:
    if submission.artist_id != by.pk:
        raise NotAllowed(_("Only the artist decides when a clip goes public."))
    if submission.publish_on_approval and submission.state != "approved":
        raise Conflict(_("It goes public as soon as it is approved: you chose that when you submitted it."))
    if submission.state not in STATES:
        raise Conflict(
            _("There is nothing to schedule: this clip is public already, or doesn’t become so any more.")
        )


@transaction.atomic
def schedule(submission: Submission, *, by, publish_at: datetime, zone: str) -> Schedule:
    """Sets a time in place of the one before; the same time set twice is set once."""
    submission = _locked(submission)
    check_still_in(by)
    check_can_schedule(submission, by)
    held = submission.schedules.open().first()
    if held is not None and held.publish_at == publish_at:
        return held
    check_time(publish_at)
    if held is not None:
        _call_off(held, by=by)
    return begin(submission, by=by, publish_at=publish_at, zone=zone)


def begin(submission: Submission, *, by, publish_at: datetime, zone: str) -> Schedule:
    """For acts that hold the submission's row, or have just made it, and have checked the time."""
    number = 1 + submission.schedules.count()
    made = Schedule.objects.create(
        submission=submission, number=number, by=by, publish_at=publish_at, zone=zone
    )
    audit.record("schedule.set", by=by, subject=made)
    return made


@transaction.atomic
def call_off(submission: Submission, *, by) -> None:
    """The clip stays unpublished until its artist publishes it. Called off twice, it is called off once."""
    submission = _locked(submission)
    check_still_in(by)
    if submission.artist_id != by.pk:
        raise NotAllowed(_("Only the artist calls off what they have scheduled."))
    held = submission.schedules.open().first()
    if held is not None:
        _call_off(held, by=by)
    elif submission.state == "published":
        raise Conflict(_("It went public before you called it off. You can take it down."))


def _call_off(held: Schedule, *, by) -> None:
    ScheduleEnd.objects.create(schedule=held, outcome=Outcome.CALLED_OFF, by=by, at=timezone.now())
    entry = audit.record("schedule.called_off", by=by, subject=held)
    transaction.on_commit(lambda: journal.write(entry), robust=True)


@transaction.atomic
def replay_calling_off(held: Schedule) -> None:
    """After a restore, in the name of its artist, who may have been kept out since."""
    _locked(held.submission)
    _call_off(held, by=held.by)


# --- When the time has come ------------------------------------------------------------------------


def publish_due() -> int:
    """Ends every schedule whose time has come; returns how many that were. One transaction each."""
    due = Schedule.objects.due().order_by("publish_at", "pk")
    ended = sum(_carry_out(pk) for pk in list(due.values_list("pk", flat=True)))
    if ended:
        log.info("schedules: %s came due", ended)
    return ended


def _carry_out(pk) -> bool:
    """The submission's row first, as every act locks it; whoever holds it now is about to change the answer, so the
    next round looks. Under the lock the schedule is read again: it may have been called off, or carried out."""
    publication = None
    with transaction.atomic():
        # Of the submission alone: the program's role may lock no row of a schedule, which nobody ever changes.
        free = Submission.objects.select_for_update(skip_locked=True, of=("self",))
        found = free.filter(schedules=pk).first()
        due = Schedule.objects.due().annotate(read_at=Now()).filter(pk=pk).first()
        if found is None or due is None:
            return False
        try:
            publication = gate.make_public(found, by=found.artist)
            outcome = Outcome.PUBLISHED
        except NotAllowed:
            outcome = _why_not(found)
        ScheduleEnd.objects.create(schedule=due, outcome=outcome, by=None, at=due.read_at)
        audit.record(f"schedule.{'kept' if publication else 'failed'}", by=None, subject=due)
        news.tell_of_schedule(found, outcome)
    if publication is not None:
        gate.put_files_in_place(publication)
    return True


def _why_not(submission: Submission) -> str:
    """What the gate had against it, in a word that stays."""
    if exclusion.kept_out().filter(user=submission.artist_id).exists():
        return Outcome.KEPT_OUT
    states = {
        "refused": Outcome.REFUSED,
        "withdrawn": Outcome.WITHDRAWN,
        "taken-down": Outcome.TAKEN_DOWN,
        "approved": Outcome.CHANGED if gate.allows_gallery(submission) else Outcome.REVOKED,
    }
    return states.get(submission.state, Outcome.UNDECIDED)


def _locked(submission: Submission) -> Submission:
    return Submission.objects.select_for_update().get(pk=submission.pk)
