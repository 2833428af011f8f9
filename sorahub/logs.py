"""How a log line looks, and what it never holds: a key, or the words of an error, which can quote what people wrote."""

import json
import logging
import re
import traceback
from datetime import UTC, datetime

from accounts import trail

_KEYS = re.compile(r"(/invitations/|/accounts/password/reset/key/|/accounts/confirm-email/)[^/\s]+")


class WithoutKeys(logging.Filter):
    """Writes `…` where a path's key stood, in the message and in whatever is put into it."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = _said(record)
        if message != record.msg or record.args:
            record.msg, record.args = message, ()
        return True


class Plain(logging.Formatter):
    """For eyes: the message, and the ids that are known."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        known = " ".join(f"{name}={value}" for name, value in trail.ids().items())
        first, newline, rest = line.partition("\n")
        return f"{first} [{known}]{newline}{rest}" if known else line

    def formatException(self, exc_info) -> str:
        return without_words(exc_info[1])


class Json(logging.Formatter):
    """For machines: one JSON object a line, with the ids that are known and the `facts` that a line was given."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **trail.ids(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = without_words(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def without_keys(text: str) -> str:
    return _KEYS.sub(r"\1…", text)


def without_words(error: BaseException | None) -> str:
    """Where an error came from and of which kinds it was; a database's words would quote the row, prompt and all."""
    told = []
    while error is not None:
        told.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich came from\n".join(told)


def _said(record: logging.LogRecord) -> str:
    if record.name == "celery.app.trace" and record.exc_info:
        return f"task {getattr(record, 'data', {}).get('name', '')} failed"  # Celery's own words repeat the error's
    return without_keys(record.getMessage())
