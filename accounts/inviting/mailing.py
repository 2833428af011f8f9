"""The invitations' mails: each is sent once, whatever dies on the way. The row is the truth, the worker only reads it.

A mail is claimed before it is handed over, so a mail whose fate is unknown (the worker or the mail server went away in
between) is never sent again by itself: an admin sees it, and decides.
"""

import logging
import smtplib
import time
from datetime import timedelta

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import emails
from ..models import Invitation, User, audit
from ..models.invitation import hashed, link_with, new_key
from ..models.membership import Role
from ..permissions import check_can_invite
from .plans import chunks

log = logging.getLogger(__name__)

PER_CONNECTION = 50  # mails; servers cut off those who send more
MOST_TRIES = 12  # the waits between them double from a minute to four hours: about a day in all
LONGEST_WAIT = timedelta(hours=4)
IN_WORDS = {
    Role.ARTIST: gettext_lazy("an artist"),
    Role.REVIEWER: gettext_lazy("a reviewer"),
    Role.LEAD: gettext_lazy("a lead reviewer"),
    Role.ADMIN: gettext_lazy("an admin"),
}


def letter(invitation: Invitation, link: str) -> EmailMultiAlternatives:
    """The mail as its holder gets it."""
    told = {
        "invited_by": invitation.invited_by.name if invitation.invited_by else "",
        "role": IN_WORDS[invitation.role],
        "role_code": invitation.role,
        "cohort": invitation.cohort.name,
        "note": invitation.note,
        "quoted_note": "\n".join(f"> {line}".rstrip() for line in invitation.note.splitlines()),
        "until": date_format(timezone.localtime(invitation.expires_at), "j F Y"),
        "link": link,
        "email": invitation.email,
    }
    return emails.compose("invitation", to=invitation.email, context=told)


def send_due(*, seconds: float = 45) -> bool:
    """Sends what is due, one after the other, for so many seconds at most; says whether some is left."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        due = list(_due().select_related("cohort", "invited_by").order_by("mail_due_at")[:PER_CONNECTION])
        if not due:
            return False
        connection = get_connection()
        try:
            connection.open()
        except (smtplib.SMTPException, OSError) as error:
            _server_is_away(error)
            return False
        try:
            for invitation in due:
                if time.monotonic() >= end or not _send(invitation, connection):
                    break
        finally:
            _close(connection)
    return _due().exists()


@transaction.atomic
def try_refused_again(*, by: User) -> int:
    """Gives each mail that a server refused for good another chance, say after the server was mended; says how many.

    Those whose fate is unknown stay as they are: each of them is a person's to decide.
    """
    check_can_invite(by)
    refused = Invitation.objects.open().filter(mail_due_at=None, mailed_at=None).exclude(mail_error="")
    found = list(refused.order_by("email").select_for_update())
    for chunk in chunks(found):
        pks = [invitation.pk for invitation in chunk]
        Invitation.objects.filter(pk__in=pks).update(
            mail_due_at=timezone.now(), mail_started_at=None, mail_tries=0
        )
    audit.record_all("invitation.mail_retried", by=by, told=[(invitation, "") for invitation in found])
    return len(found)


def _due():
    return Invitation.objects.open().filter(mail_due_at__lte=timezone.now())


def _send(invitation: Invitation, connection) -> bool:
    """Sends one mail that was due a moment ago, if it still is; False when the connection is no good any more."""
    key = new_key()
    mail = letter(invitation, link_with(key))
    mail.connection = connection
    if not _claim(invitation, key):
        return True  # another worker was quicker
    mine = Invitation.objects.filter(pk=invitation.pk, key_hash=hashed(key))
    if User.objects.filter(email=invitation.email).exists():
        mine.update(mail_error=_("Not sent: this address has become a member meanwhile."))
        return True
    try:
        mail.send()
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        code, words = _answer(error)
        _refused(mine, invitation, code, words, is_ours=isinstance(error, smtplib.SMTPSenderRefused))
        return code != 421  # with which a server hangs up
    except (ValueError, UnicodeError, smtplib.SMTPNotSupportedError):
        mine.update(mail_error=_("No mail can be written to this address."))
    except (smtplib.SMTPException, OSError) as error:
        log.warning(
            "invitation %s: lost the mail server while sending (%s)", invitation.pk, type(error).__name__
        )
        return False  # sent or not: nobody knows, and the row says so
    else:
        mine.update(mailed_at=timezone.now())
    return True


def _claim(invitation: Invitation, key: str) -> bool:
    """Compare-and-set on the due time: of all workers that see this mail due, one sends it, with its key."""
    unchanged = Invitation.objects.open().filter(pk=invitation.pk, mail_due_at=invitation.mail_due_at)
    return bool(
        unchanged.update(
            key_hash=hashed(key),
            mail_due_at=None,
            mail_started_at=timezone.now(),
            mail_tries=F("mail_tries") + 1,
            mail_error="",
        )
    )


def _refused(mine, invitation: Invitation, code: int, words: str, *, is_ours: bool) -> None:
    """The server answered, so the mail hasn't left: later, if that can help (4xx, or it is us whom it doesn't like)."""
    tries = invitation.mail_tries + 1
    said = {"code": code, "words": words}
    if (code >= 500 and not is_ours) or tries >= MOST_TRIES:
        mine.update(mail_error=(_("The mail server refused it: %(code)s %(words)s") % said)[:200])
        return
    wait = min(timedelta(minutes=2 ** (tries - 1)), LONGEST_WAIT)
    mine.update(
        mail_due_at=timezone.now() + wait,
        mail_started_at=None,
        mail_error=(_("Not taken yet: %(code)s %(words)s. We try again.") % said)[:200],
    )


def _answer(error: smtplib.SMTPException) -> tuple[int, str]:
    """What the server said, as a code and one line; of several refused recipients (we have one), the first."""
    code, words = (
        next(iter(error.recipients.values()))
        if isinstance(error, smtplib.SMTPRecipientsRefused)
        else (error.smtp_code, error.smtp_error)
    )
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    return code, " ".join(text.split())


def _server_is_away(error: Exception) -> None:
    """Nothing was begun, so all stays due; the admins see why nothing moves."""
    log.warning("the mail server can't be reached: %s", type(error).__name__)
    sentence = _("The mail server can't be reached (%(why)s). We try again every minute.")
    _due().update(mail_error=sentence % {"why": type(error).__name__})


def _close(connection) -> None:
    try:
        connection.close()
    except (smtplib.SMTPException, OSError):
        log.info("the mail server closed first")
