"""A real desk worker, as operators run it, killed in the middle: what it was at is made again, and sealed once."""

import signal
import time

import pytest

from accounts.models import AuditEntry
from generation import storage
from review import sealing
from review.models import Preparation, PublicFile, Submission
from review.sweep import sweep
from tests import factories
from tests.generation.workers import until

pytestmark = [
    pytest.mark.usefixtures("empty_queue_of_messages"),
    pytest.mark.django_db(transaction=True),
]


def sent() -> Submission:
    artist = factories.member()
    return sealing.submit(factories.clip(artist), by=artist, title="A title", statement="")


def is_sealed(submission) -> bool:
    return Submission.objects.exclude(content_hash=None).filter(pk=submission.pk).exists()


def frozen_in_the_middle(workers, worker, submission) -> bool:
    """Stops the worker while it holds the preparation; False if it slipped by."""
    held = Preparation.objects.filter(submission=submission, ended_at=None, lease_until__isnull=False)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not is_sealed(submission):
        if held.exists():
            workers.signal(worker, signal.SIGSTOP)
            time.sleep(0.02)
            if held.exists():
                return True
            workers.signal(worker, signal.SIGCONT)
    return False


def test_no_message_is_needed_and_a_killed_worker_s_submission_is_made_by_the_next(workers):
    run = workers(LEASE_SECONDS="3", LOOK_SECONDS="1")
    worker = run.start_desk()
    for _try in range(8):
        submission = sent()
        if frozen_in_the_middle(run, worker, submission):
            break
    else:
        pytest.fail("the worker was never seen at it")
    assert not PublicFile.objects.filter(submission=submission).exists()
    run.kill(worker)
    run.start_desk()
    until(lambda: is_sealed(submission), 60)
    work = Preparation.objects.get(submission=submission)
    assert (work.token, work.error) == (2, "")
    assert submission.files.count() == 3
    assert (
        AuditEntry.objects.filter(act="submission.sealed", subject=f"submission:{submission.pk}").count() == 1
    )
    sweep(grace=0)
    for file in submission.files.all():
        assert storage.private().digest(storage.private_name(file.sha256)) == file.sha256
