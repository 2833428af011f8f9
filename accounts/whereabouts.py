"""Where a member is logged in: the list that they see, and how sessions on it end.

What makes a session worth something is Django's session row and the hash in it; allauth's UserSession remembers
who came with it: address, browser, and when it was last seen.
"""

import hashlib
import re
import time
from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from .models import audit

SEEN_EVERY = 300  # seconds between two writes of "last seen"
MOST = 50  # sessions of one member; a login beyond that ends the one that was seen least lately
SEEN_AT = "seen_at"

# The first that fits wins: browsers pretend to be each other, the later ones in this list most of all.
BROWSERS = [
    ("Edg(e|A|iOS)?/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("(Firefox|FxiOS)/", "Firefox"),
    ("(Chrome|CriOS|Chromium)/", "Chrome"),
    ("Safari/", "Safari"),
]
SYSTEMS = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
]


@dataclass(frozen=True)
class Whereabout:
    handle: str  # names the session in a form without giving away its key
    device: str
    ip: str
    since: datetime
    seen: datetime
    is_this: bool


def arrived(request) -> None:
    """Notes a login, and keeps the number of one member's sessions within bounds."""
    request.session[SEEN_AT] = time.time()
    beyond = UserSession.objects.filter(user=request.user.pk).order_by("-last_seen_at", "-pk")[MOST - 1 :]
    _end(list(beyond.values_list("session_key", flat=True)))


def seen(request) -> None:
    last = request.session.get(SEEN_AT)
    if last is not None and time.time() - last > SEEN_EVERY:
        request.session[SEEN_AT] = time.time()
        UserSession.objects.create_from_request(request)


def sessions(request) -> list[Whereabout]:
    """One's sessions that still open doors, the latest seen first; those that don't are forgotten."""
    this = request.session.session_key
    known = list(UserSession.objects.filter(user=request.user.pk).order_by("-last_seen_at", "-pk")[:MOST])
    if this not in {session.session_key for session in known}:
        request.session[SEEN_AT] = time.time()
        UserSession.objects.create_from_request(request)
        known.insert(0, UserSession.objects.get(session_key=this))
    worth = _worth_something(request.user, [session.session_key for session in known])
    _forget([session.session_key for session in known if session.session_key not in worth])
    return [_told(session, this) for session in known if session.session_key in worth]


def count_of(user) -> int:
    """How many sessions of a member still open doors; for admins, who don't see where."""
    keys = UserSession.objects.filter(user=user.pk).order_by("-pk").values_list("session_key", flat=True)
    return len(_worth_something(user, list(keys[:MOST])))


@transaction.atomic
def end(request, handle: str) -> bool:
    """Ends one session of the person who asks; says whether there was such a one."""
    keys = UserSession.objects.filter(user=request.user.pk).values_list("session_key", flat=True)
    found = [key for key in keys if constant_time_compare(_handle(key), handle)]
    if found:
        _end(found)
        audit.record("account.session_ended", by=request.user, subject=request.user)
    return bool(found)


@transaction.atomic
def end_others(request) -> None:
    """Ends all but this session, those that are on no list among them: the salt that each is bound to changes."""
    request.user.renew_session_salt()
    others = UserSession.objects.filter(user=request.user.pk).exclude(session_key=request.session.session_key)
    _end(list(others.values_list("session_key", flat=True)))
    before = request.session.session_key
    update_session_auth_hash(request, request.user)
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)
    audit.record("account.other_sessions_ended", by=request.user, subject=request.user)


def device(user_agent: str) -> str:
    """A user agent in the words of its owner: "Firefox on Linux"."""
    browser = next((name for sign, name in BROWSERS if re.search(sign, user_agent)), None)
    system = next((name for sign, name in SYSTEMS if sign in user_agent), None)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("An unknown browser")


def _told(session: UserSession, this: str) -> Whereabout:
    return Whereabout(
        handle=_handle(session.session_key),
        device=device(session.user_agent),
        ip=session.ip,
        since=session.created_at,
        seen=session.last_seen_at,
        is_this=session.session_key == this,
    )


def _worth_something(user, keys: list[str]) -> set[str]:
    good = {user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()}
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return {row.session_key for row in rows if row.get_decoded().get(HASH_SESSION_KEY) in good}


def _end(keys: list[str]) -> None:
    Session.objects.filter(session_key__in=keys).delete()
    _forget(keys)


def _forget(keys: list[str]) -> None:
    if keys:
        UserSession.objects.filter(session_key__in=keys).delete()


def _handle(session_key: str) -> str:
    return hashlib.sha256(session_key.encode()).hexdigest()[:24]
