"""One mail a day with all that a member's inbox has to tell, for those who chose that.

The day's line is an hour of the site's own zone. What came before it and hasn't been read is told once: it counts as
told before the mail is handed over, so a mail that gets lost leaves its lines in the inbox, and none is sent twice.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from . import emails
from .models import Notice, User, exclusion

log = logging.getLogger(__name__)

Kind = Notice.Kind
MOST = 50  # lines of one mail; the inbox has all of them
# Told by a mail of their own at once, whatever somebody has chosen.
TOLD_APART = (Kind.SUSPENSION_LIFTED, Kind.ROLE_CHANGED, Kind.FACTORS_RESET)


def send_due() -> int:
    """Sends what is due, and returns how many mails that were. Run each hour: a late run sends late, and once."""
    line = _last_line(timezone.localtime())
    waiting = _untold(line).filter(user__wants_digest=True, user__is_active=True)
    users = User.objects.filter(pk__in=waiting.values("user"))
    users = users.exclude(membership__in=exclusion.kept_out())
    return sum(_send(user, line) for user in list(users.order_by("pk")))


def begin(user: User) -> None:
    """What was there before somebody asked for digests was told already, or they wanted no mail about it."""
    user.notices.filter(digested_at=None).update(digested_at=timezone.now())


def _send(user: User, line: datetime) -> bool:
    with transaction.atomic():  # two workers at once: the second finds nothing left
        User.objects.select_for_update().get(pk=user.pk)
        found = list(_untold(line).filter(user=user).order_by("-at", "-pk"))
        Notice.objects.filter(pk__in=[notice.pk for notice in found]).update(digested_at=timezone.now())
    if not found:
        return False
    lines = [(notice, settings.SITE_URL + notice.path if notice.path else "") for notice in found[:MOST]]
    told = {"user": user, "lines": lines, "more": len(found) - len(lines)}
    try:
        emails.send("digest", to=user.email, context=told | {"inbox": settings.SITE_URL + reverse("inbox")})
    except OSError as error:  # SMTPException is one
        log.error("a digest could not be sent: %s", type(error).__name__)
        return False
    return True


def _untold(line: datetime):
    return Notice.objects.filter(read_at=None, digested_at=None, at__lt=line).exclude(kind__in=TOLD_APART)


def _last_line(now: datetime) -> datetime:
    """The latest moment at which a day's news are drawn together."""
    today = now.replace(hour=settings.DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)
