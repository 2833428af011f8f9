"""Real workers that can run different models: each takes what is its, and one that dies is soon not counted on."""

import os
import signal
import time
from pathlib import Path

import pytest

from generation import queue
from generation.models import Attempt, Worker
from tests import factories

from .workers import check_one_clip_each, descendants, is_over, job_of, until

pytestmark = [
    pytest.mark.services,
    pytest.mark.usefixtures("empty_queue_of_messages"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="reads /proc to find a worker's children"
    ),
]


def live() -> dict[str, list[str]]:
    return dict(Worker.objects.live().values_list("name", "runs"))


def process_of(name: str) -> int:
    return int(name.rpartition(":")[2])


def test_each_worker_takes_what_it_can_run_and_a_dead_one_is_soon_not_counted_on(workers):
    with_card, with_mini = workers(WORKER_MODELS="testcard"), workers(WORKER_MODELS="embedded")
    card = with_card.start()
    mini = with_mini.start()
    until(lambda: len(live()) == 2, 30)
    by_model = {runs[0]: name for name, runs in live().items()}
    assert set(by_model) == {"testcard", "embedded"}
    assert process_of(by_model["testcard"]) in descendants(card.pid)
    assert process_of(by_model["embedded"]) in descendants(mini.pid)

    jobs = [job_of(factories.member(), model) for model in ("embedded", "testcard") * 2]
    until(lambda: all(is_over(job) for job in jobs), 120, every=0.1)
    for attempt in Attempt.objects.select_related("job"):
        assert attempt.worker == by_model[attempt.job.model]
    until(lambda: warm() == {by_model[model]: model for model in by_model}, 5)
    check_one_clip_each(with_card.log)

    with_mini.signal(mini, signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: list(live()) == [by_model["testcard"]], 20, every=0.1)
    print(f"it counted as gone {time.monotonic() - killed:.1f} s after it was killed")
    with pytest.raises(queue.Unserved):
        job_of(factories.member(), "embedded")


def warm() -> dict[str, str]:
    return dict(Worker.objects.live().values_list("name", "warm"))


def test_a_worker_that_ends_is_cold_and_stays_as_long_as_a_new_start_takes(workers):
    usual = workers()
    worker = usual.start()
    until(lambda: len(live()) == 1, 30)
    job = job_of(factories.member(), "testcard")
    until(lambda: is_over(job), 30)
    (name,) = live()
    until(lambda: warm() == {name: "testcard"}, 5)
    worker.terminate()
    worker.wait(timeout=20)
    assert warm() == {name: ""}


def test_a_pool_s_process_that_is_killed_leaves_its_place_to_another(workers):
    usual = workers()
    usual.start()
    until(lambda: len(live()) == 1, 30)
    (first,) = live()
    os.kill(process_of(first), signal.SIGKILL)
    until(lambda: len(live()) == 1 and first not in live(), 25)
