"""What may go because nobody needs it any more, once a day. Records of what people did never do."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from allauth.account.models import EmailConfirmation
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import Notice
from generation import pictures, workers
from review import copying, numbers

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tidied:
    sessions: int  # that had ended by themselves
    devices: int  # lines of a member's list of sessions, with an address, whose session is gone
    confirmations: int  # keys of mail addresses, too old to work
    notices: int
    pictures: int  # brought for a take that was never sent
    copies: int  # of the staff, that have served
    workers: int  # rows of those who are long gone


def tidy() -> Tidied:
    now = timezone.now()
    sessions = Session.objects.filter(expire_date__lt=now).delete()[0]
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    confirmations = EmailConfirmation.objects.all_expired().delete()[0]
    done = Tidied(
        sessions=sessions,
        devices=UserSession.objects.filter(~Exists(alive), last_seen_at__lt=now - timedelta(days=1)).delete()[
            0
        ],
        confirmations=confirmations,
        notices=Notice.objects.filter(at__lt=now - settings.KEEP_NOTICES).delete()[0],
        pictures=pictures.tidy(),
        copies=copying.remove_old(),
        workers=workers.tidy(),
    )
    numbers.keep_finished()
    log.info("tidied: %s", done)
    return done
