"""The prompt form as a member left it: in the shared cache, for a while, and gone once it is sent or they log out.

Not in the browser, which others may use, and not in the session, which ends: a draft waits behind the login.
"""

import logging
from contextlib import contextmanager

from django.contrib.auth.signals import user_logged_out
from django.core.cache import cache
from django.dispatch import receiver

from .forms import PromptForm

log = logging.getLogger(__name__)

KEPT = 14 * 24 * 3600  # seconds
LATE = 30  # seconds after a sending in which the page may still report what it held before
LONGEST = 4000  # characters of a field: more can't be sent either
FIELDS = tuple(name for name in PromptForm.base_fields if name not in ("form_key", "image"))


def of(user) -> dict:
    """What to fill the form with; {} if there is nothing."""
    with _without_cache_too():
        return cache.get(_name(user)) or {}
    return {}


def keep(user, told) -> None:
    """`told` is a form as it was posted: unchecked, for it is only ever shown to its writer again."""
    with _without_cache_too():
        if not cache.get(_sent(user, told.get("form_key"))):
            fields = {name: told[name][:LONGEST] for name in FIELDS if told.get(name)}
            cache.set(_name(user), fields, KEPT)


def forget(user, *, form_key: str = "", but: dict | None = None) -> None:
    """After a sending, with the key that the form carried: what is on its way from that page comes too late."""
    with _without_cache_too():
        if form_key:
            cache.set(_sent(user, form_key), True, LATE)
        cache.set(_name(user), but, KEPT) if but else cache.delete(_name(user))


@receiver(user_logged_out)
def _forget_at_logout(user=None, **_signal) -> None:
    """A signal, because accounts can't call what is above it."""
    if user:
        forget(user)


@contextmanager
def _without_cache_too():
    try:
        yield
    except Exception as error:  # a cache that is away costs a draft, not the page
        log.warning("no draft could be read or kept: %s", type(error).__name__)


def _name(user) -> str:
    return f"draft:{user.pk}"


def _sent(user, form_key: str | None) -> str:
    return f"draft-sent:{user.pk}:{str(form_key)[:40].encode().hex()}"
