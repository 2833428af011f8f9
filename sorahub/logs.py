"""Keeps secrets out of the log: a path can hold an invitation's key or a password reset's."""

import logging
import re

_KEYS = re.compile(r"(/invitations/|/accounts/password/reset/key/|/accounts/confirm-email/)[^/\s]+")


class WithoutKeys(logging.Filter):
    """Writes `…` where a path's key stood, in the message and in whatever is put into it."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if _KEYS.search(message):
            record.msg, record.args = _KEYS.sub(r"\1…", message), ()
        return True
