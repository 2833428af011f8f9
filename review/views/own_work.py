"""What an artist says about a work after they have submitted it: what it may be used for, and when it goes public."""

from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from .. import consenting, scheduling
from ..models import Use
from ..own_forms import ScheduleForm, UseForm
from ..permissions import NotAllowed
from .artist import own_submission, page
from .refusals import conflict


@require_POST
def consents(request, pk):
    """Allows one use."""
    return _said(request, pk, consenting.allow, _("Allowed. You can take it back at any time."))


@require_POST
def revocation(request, pk):
    """Takes one use back; of the gallery, that ends the publication."""
    if request.POST.get("use") == Use.GALLERY:
        done = _("Revoked. Nothing of it is public any more, and nothing becomes public.")
    else:
        done = _("Revoked. From now on the program does nothing more of this kind with it.")
    return _said(request, pk, consenting.revoke, done)


def _said(request, pk, act, done: str):
    found = own_submission(request, pk)
    form = UseForm(request.POST)
    if not form.is_valid():
        for sentence in form.errors["use"]:
            messages.error(request, sentence)
        return page(request, found, status=422)
    try:
        act(found, by=request.user, **form.cleaned_data)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=reverse("submission", args=[found.pk]))
    messages.success(request, done)
    return redirect(reverse("submission", args=[found.pk]) + "#consents")


@require_POST
def schedule(request, pk):
    found = own_submission(request, pk)
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        return page(request, found, schedule_form=form, status=422)
    try:
        scheduling.schedule(found, by=request.user, **form.cleaned_data)
    except scheduling.BadTime as refusal:
        form.add_error("publish_at", str(refusal))
        return page(request, found, schedule_form=form, status=422)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=reverse("submission", args=[found.pk]))
    messages.success(request, _("It is set. We look again at that moment, and you hear what came of it."))
    return redirect("submission", found.pk)


@require_POST
def calling_off(request, pk):
    found = own_submission(request, pk)
    try:
        scheduling.call_off(found, by=request.user)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=reverse("submission", args=[found.pk]))
    messages.success(request, _("Called off. It goes public when you publish it."))
    return redirect("submission", found.pk)
