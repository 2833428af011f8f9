"""What a reviewer sees next: the queue by deadline, and claims, which are exclusive, lapse and are given back.

A claim holds while its holder is there: the room's page renews it, and shortens it on the way out. Stepping aside is
here too, because it is about who is offered what.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import User, audit
from accounts.permissions import reviewers

from . import news
from .models import Claim, Clock, Pass, Recusal, Submission
from .models.submission import STATE_FACTS
from .permissions import (
    check_can_decide,
    check_can_hand_over,
    check_can_pass,
    check_can_recuse,
    check_still_in,
)

RACES = 5  # how often the head of the queue may be snatched away before we call it empty
PASS_HOLDS = timedelta(hours=1)  # after a pass, "the next one" is another one for this long
FAR = 1000  # how many come first is counted up to here: nobody waits for the exact number
HANDED_OVER_HOLDS = timedelta(hours=1)  # who gets a claim from a lead may be busy with another clip just now
# A page that goes away may only be reloading: it has this long to come back before others are offered the clip.
COMING_BACK = timedelta(seconds=10)


def open_to(reviewer):
    """Submissions that this reviewer could decide on."""
    return _impartial(Submission.objects.waiting(), reviewer)


def waiting_for(reviewer):
    """Those of them whose clock runs, the earliest deadline first."""
    running = _impartial(Submission.objects.on_the_clock(), reviewer).filter(clock__paused_at=None)
    return running.order_by("clock__due_at", "clock__submission")


def asked_about(reviewer):
    """Those whose clock stands still, because something was asked of their artist."""
    waiting = _impartial(Submission.objects.on_the_clock(), reviewer)
    return waiting.filter(clock__paused_at__isnull=False).order_by("clock__due_at", "clock__submission")


def _impartial(submissions, reviewer):
    """Without one's own, and without what one is recused from."""
    recused = Recusal.objects.filter(by=reviewer, submission__clip=OuterRef("clip"))
    return submissions.exclude(artist=reviewer).filter(~Exists(recused))


def claim_next(reviewer) -> Submission | None:
    """The reviewer's own open claim, or else the submission with the earliest deadline that nobody holds."""
    mine = waiting_for(reviewer).filter(claim__in=Claim.objects.live().filter(reviewer=reviewer)).first()
    if mine is not None and claim(mine, by=reviewer):
        return mine
    free = free_for(reviewer)
    for _try in range(RACES):
        with transaction.atomic():
            found = free.select_for_update(skip_locked=True, of=("self",)).first()
            if found is None:
                return None
            if claim(found, by=reviewer):
                return found
    return None


def free_for(reviewer):
    """What "the next one" chooses from: held by nobody, and not passed on lately by this reviewer."""
    passed = Pass.objects.filter(by=reviewer, submission=OuterRef("pk"), at__gt=timezone.now() - PASS_HOLDS)
    return waiting_for(reviewer).filter(~_is_held(), ~Exists(passed))


@transaction.atomic
def claim(submission: Submission, *, by) -> bool:
    """Takes or renews the claim on one submission; False if somebody else holds it or nothing is left to decide."""
    _lock(submission)
    if not open_to(by).filter(pk=submission.pk).exists():
        return False
    held = Claim.objects.live().filter(submission=submission).first()
    if held is None:
        Claim.objects.filter(submission=submission).delete()  # what is left of one that holds no more
        Claim.objects.create(submission=submission, reviewer=by, expires_at=_lapses_at())
    elif held.reviewer_id == by.pk:
        Claim.objects.filter(pk=held.pk).update(expires_at=_lapses_at())
    return held is None or held.reviewer_id == by.pk


def renew(submission: Submission, *, by) -> datetime:
    """When the claim lapses from now on. Takes none and revives none: raises the sentence that says why it ended."""
    until = _lapses_at()
    if not Claim.objects.live().filter(submission=submission, reviewer=by).update(expires_at=until):
        check_can_decide(submission, by, content_hash=submission.content_hash)
    return until


def leave(submission: Submission, *, by, until: datetime) -> None:
    """Ends the claim shortly, unless somebody comes back: `until` is what the page that goes away knew of it.

    Another tab, or the same page reloaded, has renewed the claim by then: its time differs, and nothing happens.
    """
    soon = timezone.now() + COMING_BACK
    left = Claim.objects.live().filter(submission=submission, reviewer=by, expires_at=until)
    left.filter(expires_at__gt=soon).update(expires_at=soon)


def release(submission: Submission, *, by) -> None:
    Claim.objects.filter(submission=submission, reviewer=by).delete()


@transaction.atomic
def pass_on(submission: Submission, *, by, reason: str) -> None:
    """Gives a claimed submission back, with a reason: this reviewer is offered others first."""
    check_can_pass(_lock(submission), by)
    made = Pass.objects.create(submission=submission, by=by, reason=reason.strip())
    release(submission, by=by)
    audit.record("submission.passed_on", by=by, subject=submission, words=made.reason)


@transaction.atomic
def recuse(submission: Submission, *, by, reason: str) -> Recusal:
    """Keeps this person from ever deciding on this clip; asked twice, it gives the same recusal."""
    submission = _lock(submission)
    made = Recusal.objects.filter(submission=submission, by=by).first()
    if made is None:
        check_can_recuse(submission, by)
        made = Recusal.objects.create(submission=submission, by=by, reason=reason.strip())
        release(submission, by=by)
        audit.record("submission.recused", by=by, subject=submission, words=made.reason)
    return made


def takers(submission: Submission):
    """Users to whom this submission's claim could be handed over; a query."""
    recused = Recusal.objects.filter(submission__clip=submission.clip_id).values("by")
    others = reviewers().exclude(user=submission.artist_id).exclude(user__in=recused)
    return User.objects.filter(pk__in=others.values("user")).order_by("name", "pk")


@transaction.atomic
def hand_over(submission: Submission, *, by, to) -> Claim:
    """A lead gives somebody's claim to another reviewer; asked twice, it is done once."""
    submission = _lock(submission)
    check_still_in(by)
    held = check_can_hand_over(submission, by, to=to)
    if held.reviewer_id == to.pk:
        return held
    now = timezone.now()
    Claim.objects.filter(pk=held.pk).update(
        reviewer=to,
        claimed_at=now,
        expires_at=now + HANDED_OVER_HOLDS,
        handed_by=by,
        handed_from=held.reviewer_id,
    )
    audit.record(
        "submission.handed_over", by=by, subject=submission, words=f"{held.reviewer.name} → {to.name}"
    )
    if to.pk != by.pk:
        news.tell_of_handover(submission, to=to)
    return Claim.objects.get(pk=held.pk)


def with_holders(submissions, *, now=None):
    """Adds `is_held`, which says whether `claim` holds now: in the same query, for however many."""
    return submissions.annotate(is_held=_is_held(now)).select_related("claim__reviewer", "claim__handed_by")


def place(submission: Submission) -> int | None:
    """Place in line by deadline, from 1 and counted no further than FAR; None unless its clock runs."""
    clock = getattr(submission, "clock", None)
    if submission.state != "waiting" or clock is None or clock.paused_at:
        return None
    return 1 + Clock.objects.running().filter(due_at__lt=clock.due_at)[:FAR].count()


def recently_decided(reviewer, limit: int = 5):
    """What this reviewer decided last, to find one's way back to it: pk, content, and what its state follows from."""
    decided = Submission.objects.at_the_desk().filter(decision__by=reviewer).order_by("-decision__at")
    return decided.values_list("pk", "content", *STATE_FACTS)[:limit]


def _is_held(now=None) -> Exists:
    return Exists(Claim.objects.live(now=now).filter(submission=OuterRef("pk")))


def _lapses_at() -> datetime:
    return timezone.now() + settings.CLAIM_LIFETIME


def _lock(submission: Submission) -> Submission:
    return Submission.objects.select_for_update().get(pk=submission.pk)
