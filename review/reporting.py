"""Anybody reports a public clip, with a reason; a reviewer looks into all reports on it together, and answers once."""

import logging

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import audit
from accounts.permissions import can_review

from . import gate, holding, news
from .models import Inquiry, Publication, Report, ReportAnswer, Submission, Takedown
from .permissions import Conflict, NotAllowed, check_still_in

log = logging.getLogger(__name__)

MOST_OPEN = 50  # reports on one publication: who comes later is told that it is known


class Gone(Conflict):
    """It was taken down meanwhile: there is nothing to report any more."""


@transaction.atomic
def report(publication: Publication, *, reason: str, text: str, email: str) -> Report | None:
    """None if so many lie here already that one more says nothing new. The same words sent twice are one report."""
    Inquiry.objects.get_or_create(publication=publication, defaults={"closed_at": timezone.now()})
    inquiry = Inquiry.objects.select_for_update().get(pk=publication.pk)
    if Takedown.objects.filter(publication=publication).exists():
        raise Gone(_("This clip was taken down meanwhile. There is nothing left to report."))
    said = {"reason": reason, "text": text.strip(), "email": email}
    open_ones = list(inquiry.open_reports)
    if same := next((one for one in open_ones if all(getattr(one, k) == v for k, v in said.items())), None):
        return same
    if len(open_ones) >= MOST_OPEN:
        return None
    made = Report.objects.create(
        publication=publication, number=inquiry.answered + len(open_ones) + 1, **said
    )
    if inquiry.closed_at:
        Inquiry.objects.filter(pk=inquiry.pk).update(closed_at=None, opened_at=made.at)
    audit.record("publication.reported", by=None, subject=publication)  # by whom, nobody knows
    return made


# --- At the desk -------------------------------------------------------------------------------------


def open_to(reviewer):
    """Inquiries that this reviewer could take up, the oldest first; a query."""
    others = Inquiry.objects.open().exclude(publication__approval__submission__artist=reviewer)
    return others.order_by("opened_at", "publication")


def check_can_look_into(inquiry: Inquiry, by) -> None:
    if not can_review(by):
        raise NotAllowed(_("Only reviewers answer reports."))
    if inquiry.publication.submission.artist_id == by.pk:
        raise NotAllowed(_("Nobody judges reports about their own clip."))


def claim(inquiry: Inquiry, *, by) -> None:
    check_can_look_into(inquiry, by)
    if not holding.claim(inquiry, by=by):
        raise Conflict(_("Somebody else looks into these reports, or they are answered already."))


def answer(inquiry: Inquiry, *, by, outcome: str, note: str, seen: int) -> ReportAnswer:
    """Answers all open reports; asked twice, it is done once.

    `seen` is the number of the last one that the page showed: whoever would keep the clip reads what came since.
    """
    publication, note = inquiry.publication, note.strip()
    with transaction.atomic():
        _lock(publication.submission)
        inquiry = Inquiry.objects.select_for_update().get(pk=inquiry.pk)
        last = publication.report_answers.order_by("-last_number").first()
        if (
            last
            and (last.by_id, last.outcome, last.note) == (by.pk, outcome, note)
            and last.last_number >= seen
        ):
            return last
        check_still_in(by)
        check_can_look_into(inquiry, by)
        holding.check_holds(inquiry, by)
        latest, waiting = publication.reports.count(), list(inquiry.open_reports)
        if outcome == ReportAnswer.Outcome.KEPT:
            _check_can_keep(publication, seen, latest)
        elif not Takedown.objects.filter(publication=publication).exists():
            gate.end(publication, by=by, reason=note)
        made = ReportAnswer.objects.create(
            publication=publication, last_number=latest, outcome=outcome, by=by, note=note
        )
        holding.close(inquiry)
        audit.record("publication.reports_answered", by=by, subject=publication, words=note)
        news.tell_reporters(made, waiting)
    if outcome == ReportAnswer.Outcome.TAKEN_DOWN:
        gate.remove_files(publication)
    return made


def _check_can_keep(publication: Publication, seen: int, latest: int) -> None:
    if Takedown.objects.filter(publication=publication).exists():
        raise Conflict(_("This clip was taken down meanwhile, so it can’t be kept. Answer that it is down."))
    if seen < latest:
        raise Conflict(_("Another report has come in since you opened this page. Read it before you answer."))


def _lock(submission: Submission) -> None:
    Submission.objects.select_for_update().get(pk=submission.pk)
