"""How fast one member may send prompts, whatever address they come from; how many may wait is the queue's to say."""

from allauth.core import ratelimit
from django.utils.translation import gettext as _

from . import queue


class TooFast(queue.Refused):
    """Sent too soon after many others."""


def check_pace(request) -> None:
    if not ratelimit.consume(request, action="prompt", user=request.user):
        raise TooFast(_("You sent many prompts within a minute. Wait a moment, then send this one again."))
