"""Who hears what about a submission: a line in the inbox, written with the act itself, and a mail, never in its words.

A mail that gets lost leaves the line in the inbox, so nothing is sent twice to make up for it.
"""

import logging
from collections.abc import Iterable

from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse

from accounts import emails
from accounts.models import Membership, Notice, User
from accounts.models.exclusion import admins, is_kept_out
from accounts.permissions import leads, reviewers

from .models import Milestone, Question, Recusal, Reply, Submission

log = logging.getLogger(__name__)

Kind = Notice.Kind
MAIL_EVERY = 600  # seconds: of many clips that get late together, the first one sends a mail to each reviewer
# Where a reminder leads: an address of its own, so that the desk knows when it was followed.
FREE, ALL = "?show=free", "?show=all"


def tell_of_question(question: Question) -> None:
    submission = question.submission
    _tell([submission.artist_id], Kind.QUESTION, reverse("submission", args=[submission.pk]))


def tell_of_reply(reply: Reply) -> None:
    question = reply.question
    if reviewers().filter(user=question.by_id).exists():
        _tell([question.by_id], Kind.REPLY, reverse("room", args=[question.submission_id]))


def tell_of_handover(submission: Submission, *, to: User) -> None:
    _tell([to.pk], Kind.HANDED_OVER, reverse("room", args=[submission.pk]))


def tell_of_milestone(submission: Submission, kind: str) -> None:
    """Who is told of many clips hears it once, until they have looked: the desk shows which ones they are."""
    match kind:
        case Milestone.Kind.REMINDER:
            _tell(
                _impartial(reviewers(), submission),
                Kind.REVIEW_HALF,
                reverse("desk") + FREE,
                every=MAIL_EVERY,
            )
        case Milestone.Kind.ESCALATION:
            if found := _impartial(leads(), submission):
                _tell(found, Kind.REVIEW_LATE, reverse("desk") + ALL, every=MAIL_EVERY)
            else:  # somebody must hear of it: admins can make a lead
                _tell(_users(admins()), Kind.REVIEW_LATE, reverse("program"), every=MAIL_EVERY)
        case Milestone.Kind.OVERDUE:
            path = reverse("submission", args=[submission.pk])
            _tell([submission.artist_id], Kind.SUBMISSION_LATE, path)


def _impartial(members, submission: Submission) -> list:
    """Not the artist, who may be a reviewer, and nobody who has recused themselves from the clip."""
    recused = Recusal.objects.filter(submission__clip=submission.clip_id).values("by")
    return _users(members.exclude(user=submission.artist_id).exclude(user__in=recused))


def _users(members: Iterable[Membership]) -> list:
    return list(members.order_by("pk").values_list("user", flat=True))


def _tell(users: list, kind: str, path: str, *, every: int = 0) -> None:
    """One unread line of a kind and a place is enough. `every`: seconds in which one person gets one mail of a kind."""
    unread = Notice.objects.filter(user__in=users, kind=kind, path=path, read_at=None)
    told = set(unread.values_list("user", flat=True))
    new = [user for user in users if user not in told]
    Notice.objects.bulk_create(Notice(user_id=user, kind=kind, path=path) for user in new)
    for user in new:
        transaction.on_commit(lambda user=user: _send(user, kind, path, every), robust=True)


def _send(user, kind: str, path: str, every: int) -> None:
    # No retries: a click must not wait for a broker that is down.
    if not every or cache.add(f"news-mailed:{kind}:{user}", True, every):
        mail_news.apply_async([str(user), str(kind), path], retry=False)


@shared_task(name="review.mail_news", autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def mail_news(user_id: str, kind: str, path: str) -> None:
    """Says that there is something to see, if it hasn't been seen by now."""
    user = User.objects.filter(pk=user_id, is_active=True, wants_mail=True).first()
    if user is None or is_kept_out(user):
        return
    if user.notices.filter(read_at=None, kind=kind, path=path).exists():
        context = {"user": user, "kind": kind, "href": settings.SITE_URL + path}
        emails.send("review_news", to=user.email, context=context)
