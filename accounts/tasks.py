"""What Celery carries for `accounts`: mails whose sending a click must not wait for."""

from celery import shared_task
from django.db import transaction

from . import digest, emails
from .inviting import mailing
from .models import FactorReset, User


def tell_of_factor_reset(made: FactorReset) -> None:
    """Once the record is there; a message that gets lost leaves the notice on the site."""
    transaction.on_commit(lambda: send_factor_reset.apply_async([made.pk], retry=False), robust=True)


@shared_task(autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def send_factor_reset(pk: int) -> None:
    made = FactorReset.objects.select_related("user").get(pk=pk)
    emails.send("factor_reset", to=made.user.email, context={"at": made.at})


def mail_invitations() -> None:
    """Once the rows are there; a message that gets lost is made up for by beat, every minute."""
    transaction.on_commit(lambda: send_invitations.apply_async(retry=False), robust=True)


@shared_task
def send_invitations() -> None:
    """Sends for less than a minute and passes the rest on, so that other work of the desk's queue gets its turn."""
    if mailing.send_due():
        send_invitations.apply_async(retry=False)


@shared_task
def send_digests() -> None:
    digest.send_due()


def tell_of_standing(user: User, what: str) -> None:
    """That they were suspended, lifted, answered, ended, or got another role; never in whose words. Told here once:
    a message that gets lost leaves the page that they come to when they log in."""
    transaction.on_commit(lambda: send_standing.apply_async([str(user.pk), what], retry=False), robust=True)


@shared_task(autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def send_standing(user: str, what: str) -> None:
    emails.send("standing", to=User.objects.get(pk=user).email, context={"what": what})
