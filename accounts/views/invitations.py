"""The admins' list of invitations, the page of each, and what can be done with one."""

import logging
import smtplib
from datetime import datetime

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from .. import tasks
from ..inviting import mailing
from ..models import Cohort, Invitation
from ..models.invitation import NotAcceptable, NotInvitable, conditions, link_with, renew, revoke
from ..models.membership import Role
from ..paging import PAGE, as_uuid
from ..permissions import check_can_invite, requires
from ..stepup import confirmed

log = logging.getLogger(__name__)

STATES = {
    "open": gettext_lazy("Open"),
    "to-mail": gettext_lazy("Not yet mailed"),
    "trouble": gettext_lazy("Mail in trouble"),
    "accepted": gettext_lazy("Accepted"),
    "expired": gettext_lazy("Expired"),
    "revoked": gettext_lazy("Taken back"),
}


@never_cache
@require_safe
@requires(check_can_invite)
def invitations(request):
    found = list(_after(_narrowed(request.GET), request.GET.get("after"))[: PAGE + 1])
    narrowing = request.GET.copy()
    narrowing.pop("after", None)
    older = narrowing.copy()
    if len(found) > PAGE:
        older["after"] = found[PAGE - 1].pk
    context = {
        "invitations": found[:PAGE],
        "older": f"?{older.urlencode()}" if len(found) > PAGE else None,
        "newest": f"?{narrowing.urlencode()}" if "after" in request.GET else None,
        "is_narrowed": any(narrowing.values()),
        "counts": _counts(),
        "states": STATES.items(),
        "roles": Role.choices,
        "cohorts": Cohort.objects.order_by("-pk").values_list("name", flat=True)[:200],
        "asked": narrowing,
        "batch_counts": _counts(batch=batch) if (batch := as_uuid(request.GET.get("batch"))) else None,
    }
    return render(request, "accounts/invitations.html", context)


def _narrowed(asked):
    found = Invitation.objects.select_related("cohort", "invited_by", "membership__user")
    if words := asked.get("q", "").replace("\0", "").strip():
        found = found.filter(Q(email__icontains=words) | Q(membership__user__name__icontains=words))
    if asked.get("state") in STATES:
        found = found.in_state(asked["state"])
    if asked.get("role") in Role.values:
        found = found.filter(role=asked["role"])
    if cohort := asked.get("cohort", "").replace("\0", ""):
        found = found.filter(cohort__name=cohort)
    if batch := as_uuid(asked.get("batch")):
        found = found.filter(batch=batch)
    return found.order_by("-created_at", "email")


def _after(found, key: str | None):
    """Paging by key: an admin turns the pages while others invite, and sees nobody twice."""
    after = Invitation.objects.filter(pk=as_uuid(key)).first() if as_uuid(key) else None
    if after is None:
        return found
    later = Q(created_at=after.created_at, email__gt=after.email)
    return found.filter(Q(created_at__lt=after.created_at) | later)


def _counts(**only) -> dict[str, int]:
    """How many there are in each state, in one query."""
    counted = {
        state.replace("-", "_"): Count("pk", filter=condition) for state, condition in conditions().items()
    }
    return Invitation.objects.filter(**only).aggregate(**counted)


@never_cache
@require_safe
@requires(check_can_invite)
def invitation_page(request, pk):
    invitation = _invitation(pk)
    return render(
        request, "accounts/invitation_page.html", {"invitation": invitation, "events": _events(invitation)}
    )


def _events(invitation: Invitation) -> list[dict]:
    """What is known of an invitation's way, oldest first."""
    told = [(_("Invited"), invitation.created_at, invitation.invited_by or _("the operator"), "")]
    if invitation.mailed_at:
        told.append((_("Mail handed to the mail server"), invitation.mailed_at, "", ""))
    elif invitation.mail_started_at:
        told.append((_("Mail begun"), invitation.mail_started_at, "", ""))
    if invitation.accepted_at:
        told.append((_("Came in"), invitation.accepted_at, invitation.membership.user, "good"))
    if invitation.revoked_at:
        told.append(
            (_("Taken back"), invitation.revoked_at, invitation.revoked_by or _("the operator"), "bad")
        )
    if invitation.state == "expired":
        told.append((_("Expired"), invitation.expires_at, "", "bad"))
    told.sort(key=lambda event: event[1])
    return [{"title": title, "when": when, "by": by, "tone": tone} for title, when, by, tone in told]


@never_cache
@require_POST
@requires(check_can_invite)
@confirmed
def invitation_mail(request, pk):
    """Sends the mail (again), with a new link; the earlier link is dead."""
    return _renewed(request, _invitation(pk), by_mail=True)


@never_cache
@require_POST
@requires(check_can_invite)
@confirmed
def invitation_new_link(request, pk):
    """Makes a new link and shows it, once."""
    return _renewed(request, _invitation(pk), by_mail=False)


def _renewed(request, invitation, *, by_mail):
    try:
        seen = datetime.fromisoformat(request.POST.get("seen", ""))
        link = renew(invitation, by=request.user, seen=seen, by_mail=by_mail)
    except ValueError:
        messages.error(request, _("Press the button on this page."))
    except NotInvitable as refusal:
        messages.warning(request, str(refusal))
    else:
        if link:
            invitation.refresh_from_db()
            return render(request, "accounts/invitation_link.html", {"invitation": invitation, "link": link})
        tasks.mail_invitations()
        messages.success(request, _("A mail with a new link is on its way. The earlier link is dead."))
    return redirect("program_invitation", invitation.pk)


@never_cache
@require_POST
@requires(check_can_invite)
@confirmed
def invitation_revocation(request, pk):
    invitation = _invitation(pk)
    try:
        revoke(invitation, by=request.user)
    except NotAcceptable as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(
            request, _("The invitation of %(email)s is taken back.") % {"email": invitation.email}
        )
    return redirect("program_invitation", invitation.pk)


@never_cache
@require_POST
@requires(check_can_invite)
@confirmed
def refused_mails(request):
    """Tries all that were refused once more."""
    if count := mailing.try_refused_again(by=request.user):
        tasks.mail_invitations()
    said = ngettext("%(count)s mail is tried again.", "%(count)s mails are tried again.", count)
    messages.success(request, said % {"count": count})
    return redirect(reverse("program_invitations") + "?state=to-mail")


@never_cache
@require_POST
@requires(check_can_invite)
def test_mail(request):
    """Sends the person at the page an invitation that leads nowhere, while they wait: it shows whether mail works."""
    if refusal := ratelimit.consume_or_429(request, action="test_mail", user=request.user):
        return refusal
    sample = Invitation(
        email=request.user.email,
        role=Role.ARTIST,
        cohort=Cohort(name=_("Test")),
        note=_("This is a test of the program's mails. Its link leads nowhere."),
        invited_by=request.user,
        expires_at=timezone.now() + settings.INVITATION_LIFETIME,
    )
    try:
        mailing.letter(sample, link_with("this-is-a-test")).send()
    except (smtplib.SMTPException, OSError) as error:
        log.warning("a test mail could not be sent: %s", type(error).__name__)
        said = _("The test could not be sent: %(why)s. Look at EMAIL_URL.") % {
            "why": str(error)[:200] or type(error).__name__
        }
        messages.error(request, said)
    else:
        messages.success(request, _sent_where(request.user.email))
    return redirect("program_invitations")


def _sent_where(email: str) -> str:
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        return _(
            "The test was printed by the web server, because EMAIL_URL is consolemail://. No mail leaves so."
        )
    return _("A test is on its way to %(email)s.") % {"email": email}


def _invitation(pk) -> Invitation:
    found = Invitation.objects.select_related("cohort", "invited_by", "revoked_by", "membership__user")
    return get_object_or_404(found, pk=pk)
