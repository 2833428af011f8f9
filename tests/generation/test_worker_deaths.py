"""Real workers killed at every moment: each prompt becomes one clip, whatever dies.

SIGSTOP freezes a worker where it was seen, so that "killed while storing" means just that.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from generation.models import Attempt, Job
from tests import factories

from .workers import (
    Workers,
    check_one_clip_each,
    children,
    descendants,
    engine_children,
    is_over,
    is_running,
    send,
    until,
)

pytestmark = [
    pytest.mark.usefixtures("empty_queue_of_messages"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="reads /proc to find a worker's children"
    ),
]

STAGES = ("claimed", "denoising", "encoding", "storing")


def freeze_at(stage: str, workers: Workers, worker: subprocess.Popen, job: Job, *, number: int = 1) -> bool:
    """Stops the worker in that stage of the job's attempt; False if it slipped by."""
    seen = Attempt.objects.filter(
        job=job, number=number, ended_at=None, stage={"claimed": "loading"}.get(stage, stage)
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not is_over(job):
        if seen.exists():
            workers.signal(worker, signal.SIGSTOP)
            time.sleep(0.02)
            if seen.exists():
                return True
            workers.signal(worker, signal.SIGCONT)
    return False


def worker_stopped_at(stage: str, workers: Workers, login, owner) -> tuple[subprocess.Popen, Job]:
    worker = workers.start()
    words = {"claimed": {}, "denoising": {"prompt": "slow card"}}.get(stage, {"duration": "2", "steps": "2"})
    for _ in range(8):
        job = send(login, owner, **words)
        if freeze_at(stage, workers, worker, job):
            return worker, job
    raise AssertionError(f"the moment of {stage} was never caught")


def check_comes_back(stage, workers: Workers, login, kill) -> None:
    worker, job = worker_stopped_at(stage, workers, login, factories.member())
    engines = engine_children(worker.pid)
    assert engines or stage == "claimed"
    killed = time.monotonic()
    kill(worker)
    for pid in engines:
        until(lambda pid=pid: not is_running(pid), 5)
    workers.start()
    until(lambda: is_over(job), 30 - (time.monotonic() - killed), every=0.1)
    took = time.monotonic() - killed
    print(f"killed while {stage}: the clip was there after {took:.1f} s")
    attempts = list(job.attempts.order_by("number").values_list("number", "outcome"))
    assert attempts == [(1, "lapsed"), (2, "succeeded")]
    check_one_clip_each(workers.log)


def test_a_worker_killed_while_denoising_costs_only_time(workers, login):
    short = workers(LEASE_SECONDS="3")
    check_comes_back("denoising", short, login, short.kill)


@pytest.mark.services
@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_worker_s_job_is_a_clip_within_thirty_seconds(workers, login, stage):
    """With the lease that the product has when nobody sets it."""
    usual = workers()
    check_comes_back(stage, usual, login, usual.kill)


@pytest.mark.services
@pytest.mark.parametrize("stage", ["denoising", "storing"])
def test_a_killed_pool_process_s_job_is_a_clip_within_thirty_seconds(workers, login, stage):
    """The main process survives its child, as after an out-of-memory kill, and starts another by itself."""
    usual = workers(LEASE_SECONDS="3")
    worker, job = worker_stopped_at(stage, usual, login, factories.member())
    engines = engine_children(worker.pid)
    (pool,) = children(worker.pid)
    killed = time.monotonic()
    os.kill(pool, signal.SIGKILL)
    usual.signal(worker, signal.SIGCONT)
    for pid in engines:
        until(lambda pid=pid: not is_running(pid), 5)
    until(lambda: is_over(job), 30 - (time.monotonic() - killed), every=0.1)
    print(f"pool process killed while {stage}: the clip was there after {time.monotonic() - killed:.1f} s")
    assert list(job.attempts.order_by("number").values_list("outcome", flat=True)) == ["lapsed", "succeeded"]
    check_one_clip_each(usual.log)


@pytest.mark.services
@pytest.mark.parametrize("stage", ["denoising", "storing"])
def test_a_worker_whose_main_process_dies_makes_no_second_clip(workers, login, stage):
    """Its pool process may well finish what it has; whoever does, there is one clip, and nothing stays behind."""
    usual = workers(LEASE_SECONDS="3")
    worker, job = worker_stopped_at(stage, usual, login, factories.member())
    left = descendants(worker.pid)
    killed = time.monotonic()
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGCONT)
    usual.start()
    until(lambda: is_over(job), 30 - (time.monotonic() - killed), every=0.1)
    print(f"main process killed while {stage}: the clip was there after {time.monotonic() - killed:.1f} s")
    for pid in left:
        until(lambda pid=pid: not is_running(pid), 30)
    check_one_clip_each(usual.log)


@pytest.mark.services
def test_a_worker_that_only_slept_finds_its_job_taken_over_and_makes_nothing_of_it(workers, login):
    """A machine that was suspended: its lease lapsed, another worker took the job, and then it wakes."""
    short = workers(LEASE_SECONDS="3")
    sleeper, job = worker_stopped_at("denoising", short, login, factories.member())
    short.start()
    until(lambda: is_over(job), 30)
    short.signal(sleeper, signal.SIGCONT)
    until(lambda: not engine_children(sleeper.pid), 5)
    assert list(job.attempts.order_by("number").values_list("outcome", flat=True)) == ["lapsed", "succeeded"]
    check_one_clip_each(short.log)


@pytest.mark.services
def test_a_job_that_kills_three_workers_ends_in_a_sentence(workers, login):
    short = workers(LEASE_SECONDS="3")
    worker, job = worker_stopped_at("denoising", short, login, factories.member())
    for number in (2, 3):
        short.kill(worker)
        worker = short.start()
        assert freeze_at("denoising", short, worker, job, number=number)
    short.kill(worker)
    short.start()
    until(lambda: is_over(job), 30)
    job.refresh_from_db()
    assert (job.status, job.attempts_made) == ("failed", 3)
    assert job.error.startswith("We tried 3 times and couldn't finish this take.")


@pytest.mark.services
def test_a_pool_process_killed_while_it_waits_leaves_no_deaf_worker(workers, login):
    """On some brokers it takes the pool's lock along: then the worker itself has to go, by itself or when asked to."""
    usual = workers(LEASE_SECONDS="3")
    deaf, asked_to_go = usual.start(), usual.start()
    for worker in (deaf, asked_to_go):
        until(lambda worker=worker: children(worker.pid), 20)
    until(lambda: usual.log.read_text().count(" ready.") == 2, 20)
    for worker in (deaf, asked_to_go):
        (pool,) = children(worker.pid)
        os.kill(pool, signal.SIGKILL)
        until(lambda worker=worker, pool=pool: set(children(worker.pid)) - {pool}, 10)
    asked_to_go.terminate()
    asked_to_go.wait(timeout=20)
    job = send(login, factories.member(), steps="1")
    until(lambda: is_over(job) or deaf.poll() is not None, 30, every=0.1)
    if not is_over(job):
        usual.start()  # as a supervisor does
        until(lambda: is_over(job), 30, every=0.1)
    check_one_clip_each(usual.log)
