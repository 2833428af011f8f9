"""How fast one member may send prompts and pictures, whatever address they come from.

How many takes may wait is the queue's to say.
"""

import logging

from allauth.core import ratelimit
from django.utils.translation import gettext as _

from . import queue

log = logging.getLogger(__name__)


class TooFast(queue.Refused):
    """Sent too soon after many others."""


def check_pace(request) -> None:
    if not _is_in_time(request, "prompt"):
        raise TooFast(_("You sent many prompts within a minute. Wait a moment, then send this one again."))


def check_picture_pace(request) -> None:
    if not _is_in_time(request, "picture"):
        raise TooFast(_("You sent many pictures within a minute. Wait a moment, then choose this one again."))


def _is_in_time(request, action: str) -> bool:
    try:
        return bool(ratelimit.consume(request, action=action, user=request.user))
    except Exception as error:  # each cache's driver has its own; the queue's caps hold without one, too
        log.warning("the pace of %ss could not be counted: %s", action, type(error).__name__)
        return True
