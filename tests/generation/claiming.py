"""What workers and the clock do to the queue, done by the test itself."""

import time
from datetime import timedelta

from django.utils import timezone

from generation import queue
from generation.models import Attempt

MADE = {"width": 128, "height": 128, "frames": 12, "fps": 12.0}


def finish(attempt: Attempt) -> bool:
    """What a worker does at the end, with files that nobody looks at."""
    name = f"{attempt.pk:064x}"
    files = [queue.Stored("video", name, 1), queue.Stored("poster", name, 1)]
    return queue.finish(attempt, recipe=attempt.job.recipe.to_json(), files=files, **MADE)


def let_lapse(attempt: Attempt) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def claims(count: int = 1) -> list[Attempt | None]:
    """Claims one after the other, each at a later tick of the database's clock."""
    taken = []
    for _ in range(count):
        time.sleep(0.002)
        taken.append(queue.claim_next("tests"))
    return taken


def serve_all() -> list:
    """Claims and finishes, as one worker would, until nothing waits; returns the jobs' ids in that order."""
    order = []
    while attempt := claims()[0]:
        order.append(attempt.job_id)
        assert finish(attempt)
    return order
