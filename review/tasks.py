"""What Celery carries for `review`: a nudge to make what waits to be made, the sweep, and what follows from files that
were asked about."""

from functools import partial

from celery import shared_task
from django.db import transaction

from accounts import emails
from generation import fingerprints

from . import appealing, clocks, making, recognizing, scheduling
from . import sweep as sweeping
from .models import Decision, PublicFile, Refusal


@shared_task
def make_files() -> int:
    return making.work()


def nudge() -> None:
    """Tells the workers, once the row is really there. If the message gets lost, they look by themselves."""
    transaction.on_commit(_send, robust=True)


def _send() -> None:
    # No retries: a click must not wait for a broker that is down.
    make_files.apply_async(retry=False)


def tell_of_refusal(decision: Decision) -> None:
    """The statement of reasons, by mail. If the message gets lost, the submission's page has it all the same."""
    transaction.on_commit(lambda: send_refusal.apply_async([decision.pk], retry=False), robust=True)


@shared_task(autoretry_for=(OSError,), retry_backoff=60, max_retries=5)
def send_refusal(pk: int) -> None:
    decision = Refusal.objects.select_related("submission__artist").get(pk=pk)
    submission = decision.submission
    told = {"decision": decision, "submission": submission, "next": submission.version + 1}
    emails.send("refused", to=submission.artist.email, context=told)


@shared_task
def publish_due() -> None:
    scheduling.publish_due()


@shared_task
def sweep(*, reread: bool = False) -> None:
    clocks.ring_due()  # first: it is quick, and people wait for it
    appealing.ring_due()
    sweeping.sweep(reread=reread)


@shared_task
def fingerprint() -> None:
    """Makes the fingerprints that are missing: public videos first, for those are what strangers ask about."""
    public = PublicFile.objects.filter(kind="video").values_list("sha256", flat=True)
    for names in (public, fingerprints.of_clips()):
        fingerprints.make_missing(names)


@shared_task
def follow_up() -> None:
    recognizing.follow_up()


def nudge_follow_up() -> None:
    """Sent for every file alike, whatever was found in it; if it gets lost, the clock comes by."""
    transaction.on_commit(partial(follow_up.apply_async, retry=False), robust=True)
