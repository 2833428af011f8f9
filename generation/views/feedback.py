"""Feedback on takes: the owner's act on a clip's page, and what the program's team reads of it."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import check_can_run_program, requires
from accounts.spreadsheet import csv_answer

from .. import feedback as words
from ..forms import FeedbackForm
from ..models import Clip
from .clip import for_page


@require_POST
def feedback(request, pk):
    found = _clip(request, pk)
    form = FeedbackForm(request.POST, auto_id="feedback_%s")
    if not form.is_valid():
        return render(request, "generation/clip.html", {"clip": found, "feedback_form": form}, status=422)
    words.give(found, **form.cleaned_data)
    messages.success(request, _("Thank you. Your feedback is kept with the clip."))
    return redirect(f"{reverse('clip', args=[found.pk])}#feedback")


@require_POST
def deletion(request, pk):
    found = _clip(request, pk)
    words.take_back(found)
    messages.success(request, _("Your feedback is gone."))
    return redirect(f"{reverse('clip', args=[found.pk])}#feedback")


@never_cache
@require_safe
@requires(check_can_run_program)
def by_model(request):
    return render(request, "generation/program_feedback.html", {"models": words.by_model()})


@never_cache
@require_safe
@requires(check_can_run_program)
def feedback_csv(request):
    return csv_answer("feedback.csv", words.COLUMNS, words.rows(request.GET.get("model", "")))


def _clip(request, pk) -> Clip:
    return get_object_or_404(for_page(request.user), pk=pk)
