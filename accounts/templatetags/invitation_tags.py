"""How an invitation's state looks: a badge's shape, and a word."""

from django import template
from django.utils.translation import gettext_lazy as _

from ..models import Invitation

register = template.Library()

BADGES = {
    "accepted": ("approved", _("Accepted")),
    "revoked": ("withdrawn", _("Taken back")),
    "expired": ("cancelled", _("Expired")),
    "mailed": ("queued", _("Open")),
    "by-hand": ("queued", _("Open")),
    "waiting": ("waiting", _("Not yet mailed")),
    "retrying": ("waiting", _("Mail delayed")),
    "sending": ("running", _("Being mailed")),
    "failed": ("failed", _("Mail refused")),
    "unknown": ("failed", _("Mail uncertain")),
}


@register.inclusion_tag("components/_badge.html")
def invitation_badge(invitation: Invitation) -> dict:
    """While it is open, what counts is how far its mail is."""
    state, label = BADGES[invitation.mail_state if invitation.state == "open" else invitation.state]
    return {"state": state, "state_label": label}
