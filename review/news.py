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

from .models import (
    Appeal,
    AppealMessage,
    Assessment,
    Dismissal,
    Milestone,
    Question,
    Reply,
    Report,
    ReportAnswer,
    ScheduleEnd,
    Submission,
)
from .parts import impartial, uninvolved

log = logging.getLogger(__name__)

Kind = Notice.Kind
MAIL_EVERY = 600  # seconds: of many clips that get late together, the first one sends a mail to each reviewer
# Where a reminder leads: an address of its own, so that the desk knows when it was followed.
FREE, ALL, APPEALS = "?show=free", "?show=all", "?show=appeals"


def tell_of_question(question: Question) -> None:
    submission = question.submission
    _tell([submission.artist_id], Kind.QUESTION, reverse("submission", args=[submission.pk]))


def tell_of_reply(reply: Reply) -> None:
    question = reply.question
    if reviewers().filter(user=question.by_id).exists():
        _tell([question.by_id], Kind.REPLY, reverse("room", args=[question.submission_id]))


def tell_of_use(submission: Submission) -> None:
    _tell([submission.artist_id], Kind.USED, reverse("submission", args=[submission.pk]))


def tell_of_schedule(submission: Submission, outcome: str) -> None:
    """Nothing about what the artist has taken back themselves."""
    if outcome == ScheduleEnd.Outcome.WITHDRAWN:
        return
    kind = Kind.SCHEDULE_KEPT if outcome == ScheduleEnd.Outcome.PUBLISHED else Kind.SCHEDULE_FAILED
    _tell([submission.artist_id], kind, reverse("submission", args=[submission.pk]))


def tell_of_handover(submission: Submission, *, to: User) -> None:
    _tell([to.pk], Kind.HANDED_OVER, reverse("room", args=[submission.pk]))


def tell_of_milestone(submission: Submission, kind: str) -> None:
    """Who is told of many clips hears it once, until they have looked: the desk shows which ones they are."""
    match kind:
        case Milestone.Kind.REMINDER:
            assessed = Assessment.objects.filter(submission=submission).values(
                "by"
            )  # they have done their part
            _tell(
                _impartial(reviewers().exclude(user__in=assessed), submission),
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


def tell_of_takedown(submission: Submission) -> None:
    _tell([submission.artist_id], Kind.TAKEN_DOWN, reverse("submission", args=[submission.pk]))


def tell_of_appeal_message(said: AppealMessage) -> None:
    """The artist hears of the hearer's words; of the artist's, whoever hears the appeal, or wrote in it last."""
    appeal = said.appeal
    if not said.is_artists:
        _tell([appeal.by_id], Kind.APPEAL_MESSAGE, reverse("submission", args=[appeal.submission_id]))
        return
    others = appeal.messages.exclude(by=appeal.by_id).order_by("-pk").values_list("by", flat=True)
    hearer = appeal.hearing.holder_id or others.first()
    if hearer and reviewers().filter(user=hearer).exists():
        _tell([hearer], Kind.APPEAL_ANSWER, reverse("appeal", args=[appeal.pk]))


def tell_of_upholding(appeal: Appeal) -> None:
    _tell([appeal.by_id], Kind.APPEAL_UPHELD, reverse("submission", args=[appeal.submission_id]))


def tell_of_dismissal(ended: Dismissal) -> None:
    """With the reasons, and whether they wish for mail or not: who dismisses an appeal owes them."""
    appeal = ended.appeal
    path = reverse("submission", args=[appeal.submission_id])
    Notice.objects.create(user_id=appeal.by_id, kind=Kind.APPEAL_DISMISSED, path=path)
    transaction.on_commit(lambda: mail_dismissal.apply_async([ended.pk], retry=False), robust=True)


def tell_of_appeal_milestone(appeal: Appeal, kind: str) -> None:
    desk = reverse("desk") + APPEALS
    match kind:
        case Milestone.Kind.REMINDER:
            found = _users(uninvolved(reviewers(), appeal.submission))
            _tell(found, Kind.APPEAL_HALF, desk, every=MAIL_EVERY)
        case Milestone.Kind.ESCALATION:
            if found := _users(uninvolved(leads(), appeal.submission)):
                _tell(found, Kind.APPEAL_LATE, desk, every=MAIL_EVERY)
            else:  # somebody must hear of it: admins can make a lead, or a reviewer who had no part
                _tell(_users(admins()), Kind.APPEAL_LATE, reverse("program"), every=MAIL_EVERY)
        case Milestone.Kind.OVERDUE:
            path = reverse("submission", args=[appeal.submission_id])
            _tell([appeal.by_id], Kind.APPEAL_OVERDUE, path)


def tell_reporters(answer: ReportAnswer, reports: Iterable[Report]) -> None:
    """One mail to each address that was left, however often. No message of the broker's holds an address."""
    for pk in {report.email: report.pk for report in reports if report.email}.values():
        transaction.on_commit(
            lambda pk=pk: mail_report_answer.apply_async([answer.pk, pk], retry=False), robust=True
        )


def _impartial(members, submission: Submission) -> list:
    """Not the artist, who may be a reviewer, and nobody who has recused themselves from the clip."""
    return _users(impartial(members, submission))


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


@shared_task(name="review.mail_dismissal", autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def mail_dismissal(pk: int) -> None:
    ended = Dismissal.objects.select_related("appeal__by", "appeal__submission").get(pk=pk)
    told = {"dismissal": ended, "appeal": ended.appeal, "user": ended.appeal.by}
    emails.send("appeal_dismissed", to=ended.appeal.by.email, context=told)


@shared_task(name="review.mail_report_answer", autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def mail_report_answer(answer_pk: int, report_pk: int) -> None:
    answer = ReportAnswer.objects.select_related("publication").get(pk=answer_pk)
    if email := Report.objects.get(pk=report_pk).email:  # it may have been erased since
        emails.send("report_answered", to=email, context={"answer": answer, "slug": answer.publication.slug})
