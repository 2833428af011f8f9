"""How fast one member may send prompts, whatever address they come from; how many may wait is the queue's to say."""

import logging

from allauth.core import ratelimit
from django.utils.translation import gettext as _

from . import queue

log = logging.getLogger(__name__)


class TooFast(queue.Refused):
    """Sent too soon after many others."""


def check_pace(request) -> None:
    try:
        in_time = ratelimit.consume(request, action="prompt", user=request.user)
    except Exception as error:  # each cache's driver has its own; the queue's caps hold without one, too
        log.warning("the pace of prompts could not be counted: %s", type(error).__name__)
        return
    if not in_time:
        raise TooFast(_("You sent many prompts within a minute. Wait a moment, then send this one again."))
