"""Step-up: acts on roles, invitations, suspension and pause ask again who is at the keyboard."""

from allauth.account.decorators import reauthentication_required
from django.conf import settings


def confirmed(view):
    """Guards a view by a recent proof of identity; what was posted goes on by itself after the proof."""
    return reauthentication_required(view, enabled=lambda request: settings.REQUIRE_MFA, allow_get=True)
