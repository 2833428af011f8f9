"""A reviewer says that a clip takes two people; what each of the two says, views.desk takes in as a decision."""

from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import check_can_review, requires

from .. import sensitivity as sensitivities
from ..forms import SensitivityForm
from ..models import Sensitivity, Submission
from ..permissions import NotAllowed
from .desk import sealed
from .refusals import conflict
from .room import show, submission_at_desk


@require_POST
@requires(check_can_review)
def sensitivity(request, pk):
    found = sealed(pk)
    form = SensitivityForm(request.POST, auto_id="mark_%s")
    if not form.is_valid():
        return show(request, submission_at_desk(pk), mark_form=form, status=422)
    source, why = Sensitivity.Source.REVIEWER, form.cleaned_data["why"]
    try:
        made = sensitivities.mark(found, **form.cleaned_data, source=source, by=request.user)
    except NotAllowed as refusal:
        is_open = Submission.objects.waiting().filter(pk=pk).exists()
        return conflict(
            request, refusal, back=reverse("room", args=[pk]) if is_open else reverse("desk"), kept=why
        )
    if (made.by_id, made.why) == (request.user.pk, why):
        messages.success(request, _("Marked: it takes two people, and that can’t be taken back."))
    else:
        messages.info(request, _("A reviewer has marked it so already. Your words were not recorded."))
    return redirect("room", pk)
