"""The page behind an invitation's link."""

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ..forms import AcceptInvitationForm
from ..models import Invitation
from ..models.invitation import NotAcceptable, accept, check_can_accept, hashed


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request, key):
    """Consumed on POST only: mail scanners open links, and must not burn them."""
    if request.method == "POST" and not ratelimit.consume(
        request, action="accept_invitation", key=hashed(key)
    ):
        return ratelimit.respond_429(request)
    found = get_object_or_404(Invitation.objects.with_key(key).select_related("cohort", "invited_by"))
    form = AcceptInvitationForm(request.POST if request.method == "POST" else None, email=found.email)
    try:
        check_can_accept(found)
        if request.method == "POST" and form.is_valid():
            user = accept(found, name=form.cleaned_data["name"], password=form.cleaned_data["password"])
            return perform_login(request, user, redirect_url=reverse("home"), signup=True)
    except NotAcceptable as refusal:
        return _closed(request, refusal)
    except IntegrityError:  # two invitations of one address, accepted at the same moment
        return _closed(request, _("There is already an account for this address. Log in instead."))
    status = 422 if form.is_bound else 200
    return render(request, "accounts/invitation.html", {"invitation": found, "form": form}, status=status)


def _closed(request, refusal):
    return render(request, "accounts/invitation_closed.html", {"refusal": refusal}, status=410)
