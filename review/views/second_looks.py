"""The second look: works that somebody else decided on, shown without the decision, and what a second reviewer says."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.paging import as_number, page
from accounts.permissions import check_can_lead, check_can_review, requires

from .. import second_looks as looks
from ..forms import SecondLookForm
from ..models import SecondLook, Submission
from ..models.policy import named
from ..permissions import NotAllowed
from .refusals import conflict
from .room import copy_for, player

PAGE = 20  # the oldest: what is done leaves the list, and others move up


@never_cache
@require_safe
@requires(check_can_review)
def second_looks(request):
    waiting = looks.open_to(request.user)
    works = Submission.objects.filter(decision__in=waiting[:PAGE]).order_by("decision__at", "decision__pk")
    mine = SecondLook.objects.filter(by=request.user).select_related("decision__submission").order_by("-pk")
    context = {"works": works, "more": max(0, len(waiting) - PAGE), "mine": mine[:5]}
    return render(request, "review/second_looks.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_review)
def second_look(request, pk):
    found = _found(request.user, pk)
    made = getattr(found.decision, "second_look", None)
    if request.method == "POST":
        return _said(request, found)
    is_mine = made is not None and made.by_id == request.user.pk
    if not is_mine and not looks.is_open(found.decision, request.user):
        return redirect("room", pk)
    return _page(request, found, made=made)


def _said(request, found: Submission):
    form = SecondLookForm(request.POST, policy=named(found.decision.policy_version))
    if not form.is_valid():
        # Shown again while it is open: else the form would stand beside the decision.
        if looks.is_open(found.decision, request.user):
            return _page(request, found, form=form, status=422)
        return redirect("room", found.pk)
    try:
        looks.say(found, by=request.user, **form.cleaned_data)
    except NotAllowed as refusal:
        return conflict(request, refusal, back=reverse("second_looks"), kept=form.cleaned_data["note"])
    messages.success(request, _("Thank you. This is how it was decided."))
    return redirect("second_look", found.pk)


def _page(request, found: Submission, *, made: SecondLook | None = None, form=None, status: int = 200):
    policy = named(found.decision.policy_version)
    context = {
        "submission": found,
        "policy": policy,
        "form": form or SecondLookForm(policy=policy),
        "made": made,
        "decision": found.decision if made else None,
        "asked": [] if made else found.questions.select_related("reply").order_by("number"),
        **player(found, copy_for(request.user, found)),
    }
    return render(request, "review/second_look.html", context, status=status)


def _found(user, pk) -> Submission:
    """What is or was this viewer's to look at. To the first reviewer it is as if there were no second look."""
    at_desk = Submission.objects.at_the_desk().select_related("clip", "decision__by", "decision__second_look")
    found = at_desk.exclude(decision=None).filter(pk=pk).first()
    if found is None or not looks.is_chosen(found.decision.pk):
        raise Http404("There is no such second look.")
    if user.pk in (found.decision.by_id, found.artist_id):
        raise Http404("It is not this reviewer's.")
    return found


@never_cache
@require_safe
@requires(check_can_lead)
def disagreements(request):
    found = looks.disagreements()
    if after := as_number(request.GET.get("after")):
        found = found.filter(pk__lt=after)
    shown, older = page(found, request)
    return render(request, "review/disagreements.html", {"looks": shown, "older": older})
