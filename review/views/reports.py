"""Reports: the form that anybody finds on a public page, and the desk's page on which all of one clip are answered."""

import logging

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import check_can_review, requires

from .. import holding, policy, reporting
from ..appeal_forms import ReportAnswerForm, ReportForm
from ..models import Inquiry, Publication, Report, ReportAnswer
from ..permissions import NotAllowed
from .gallery import gone
from .held import HELD_WITH, page_of
from .refusals import conflict
from .room import copy_for, player

log = logging.getLogger(__name__)

SUBMISSION = "publication__approval__submission"
RELATED = (
    *("publication__takedown__by", "publication__approval__by"),
    *(f"{SUBMISSION}__{name}" for name in ("clip__job", "artist", "clock")),
)


# --- For everybody ----------------------------------------------------------------------------------


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request, slug):
    """The form by itself, for whoever comes without the clip's page, and to be filled in once more."""
    found = _publication(slug)
    if hasattr(found, "takedown"):
        return gone(request, found)
    if request.method != "POST":
        return _form(request, found)
    form = ReportForm(request.POST, policy=policy.current())
    if not form.is_valid():
        return _form(request, found, form, status=422)
    if not _in_time(request):
        words = _("Many reports came from your address within the hour. Nothing was sent. Try again later.")
        form.add_error(None, words)
        return _form(request, found, form, status=429)
    try:
        reporting.report(found, **form.cleaned_data)
    except reporting.Gone:
        return redirect("watch", slug)
    return redirect("report_thanks", slug)


@login_not_required
@never_cache
@require_safe
def thanks(request, slug):
    found = _publication(slug)
    if hasattr(found, "takedown"):
        return gone(request, found)
    return render(request, "review/report_thanks.html", {"publication": found})


def _form(request, publication: Publication, form: ReportForm | None = None, *, status: int = 200):
    return render(request, "review/report.html", {"publication": publication, "form": form}, status=status)


def _publication(slug) -> Publication:
    shown = Publication.objects.with_content().select_related("takedown", "approval__submission")
    return get_object_or_404(shown, slug=slug)


def _in_time(request) -> bool:
    try:
        return bool(ratelimit.consume(request, action="report"))
    except (
        Exception
    ) as error:  # each cache's driver has its own; how many lie on one clip is bounded without it
        log.warning("reports could not be counted: %s", type(error).__name__)
        return True


# --- At the desk -------------------------------------------------------------------------------------


def listed(request) -> dict:
    """What the desk shows of reports: those that this reviewer could answer, the oldest first."""
    rows = holding.with_holders(reporting.open_to(request.user.pk))
    rows = rows.select_related("publication__takedown", SUBMISSION, *HELD_WITH)
    return page_of(rows, request, moment="opened_at", pk="publication")


@never_cache
@require_safe
@requires(check_can_review)
def inquiry(request, pk):
    return _show(request, _inquiry(pk))


def _show(request, found: Inquiry, *, form=None, status: int = 200):
    submission = found.publication.submission
    holder = holding.holder_of(found) if found.closed_at is None else None
    reports = list(found.open_reports)
    answers = list(found.publication.report_answers.select_related("by").order_by("-last_number"))
    shown = {
        "inquiry": found,
        "publication": found.publication,
        "submission": submission,
        "reports": _told(reports),
        "answers": answers,
        "holder": holder,
        "is_holder": holder is not None and holder.pk == request.user.pk,
        "is_own": submission.artist_id == request.user.pk,
        "form": form or ReportAnswerForm(initial={"seen": reports[-1].number if reports else None}),
        "outcomes": ReportAnswer.Outcome,
        **player(submission, copy_for(request.user, submission)),
    }
    return render(request, "review/inquiry.html", shown, status=status)


def _told(reports: list[Report]) -> list[tuple[Report, str]]:
    """Each with its reason in words: of a clause that was retired since, its code says which one it was."""
    titles = {clause.code: clause.title for clause in policy.current().clauses}
    return [
        (each, _("Something else") if each.is_other else titles.get(each.reason, each.reason))
        for each in reports
    ]


@require_POST
@requires(check_can_review)
def claim(request, pk):
    found = _inquiry(pk)
    try:
        reporting.claim(found, by=request.user)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=_place(found))
    return redirect("inquiry", found.pk)


@require_POST
@requires(check_can_review)
def release(request, pk):
    holding.release(_inquiry(pk), by=request.user)
    return redirect(reverse("desk") + "?show=reports")


@require_POST
@requires(check_can_review)
def answer(request, pk):
    found = _inquiry(pk)
    form = ReportAnswerForm(request.POST)
    if not form.is_valid():
        return _show(request, found, form=form, status=422)
    try:
        made = reporting.answer(found, by=request.user, **form.cleaned_data)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=_place(found), kept=form.cleaned_data["note"])
    kept = made.outcome == ReportAnswer.Outcome.KEPT
    messages.success(request, _("Answered: it stays.") if kept else _("Answered: it is taken down."))
    return redirect("inquiry", found.pk)


def _place(found: Inquiry) -> str:
    return reverse("inquiry", args=[found.pk])


def _inquiry(pk) -> Inquiry:
    return get_object_or_404(Inquiry.objects.select_related(*RELATED), pk=pk)
