"""Lists by key: a page begins after the last row of the one before, so rows that come or go meanwhile shift nothing."""

import uuid
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.dateparse import parse_datetime

PAGE = 50


def page(rows, request, *, key: str = "pk") -> tuple[list, str | None]:
    """The first rows and the address of those after them, which keeps what else was asked for."""
    found = list(rows[: PAGE + 1])
    if len(found) <= PAGE:
        return found, None
    asked = {name: value for name, value in request.GET.items() if name != "after"}
    return found[:PAGE], "?" + urlencode({**asked, "after": getattr(found[PAGE - 1], key)})


def as_uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def as_key(text: str | None) -> tuple[datetime, uuid.UUID] | None:
    """A moment and an id, with a comma: the last row of the page before."""
    when, _comma, pk = (text or "").partition(",")
    try:
        found = parse_datetime(when)
        moment = found.astimezone(UTC) if found and timezone.is_aware(found) else None
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        return None
    return (moment, as_uuid(pk)) if moment and as_uuid(pk) else None


def as_number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None
