"""A hundred rounds of SIGKILL at random moments: no job is lost, none is made twice, and nothing is left behind.

The broker and the database are those of the environment. SORAHUB_SOAK_ROUNDS and SORAHUB_SOAK_SEED set the length and
the dice; a round is one kill. A job is hit at most twice, since its third attempt is its last.
"""

import os
import random
import signal
import socket
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.db import connection

from accounts.models.allowance import AllowanceEntry
from generation import tasks
from generation.models import Attempt, Clip, Job
from review.sweep import sweep
from tests import factories

from .workers import (
    Workers,
    broker_url,
    check_one_clip_each,
    children,
    descendants,
    engine_children,
    until,
)

pytestmark = [
    pytest.mark.soak,
    pytest.mark.usefixtures("empty_queue_of_messages"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="reads /proc to find a worker's children"
    ),
]

ROUNDS = int(os.environ.get("SORAHUB_SOAK_ROUNDS", 100))
SEED = int(os.environ.get("SORAHUB_SOAK_SEED", time.time()))
SECONDS_A_ROUND = 20  # on the average, and many times what it takes: then something stands still
MOST_HITS = 2  # of one job
IN_STOCK = 6  # jobs that wait or run, so that every kill may meet one
VICTIMS = ("worker", "main process", "pool process", "engine", "beat")
ODDS = (3, 2, 3, 3, 1)
MOMENTS = (None, None, "loading", "denoising", "encoding", "storing")  # None: whatever it is just then


class Deaths:
    """Two workers and a beat, the jobs that they are given, and what was done to them."""

    def __init__(self, workers: Workers, dice: random.Random):
        self.started, self.dice = workers, dice
        self.workers = [workers.start(), workers.start()]
        self.beat = workers.start_beat()
        self.members = [factories.member() for _ in range(4)]
        self.ended_by_themselves = 0
        self.hits, self.victims, self.stages = Counter(), Counter(), Counter()

    def supervise(self) -> None:
        """Puts a new worker in the place of one that ended by itself, as those do whose pool has gone deaf."""
        for place, worker in enumerate(self.workers):
            if worker.poll() is not None:
                self.ended_by_themselves += 1
                self.workers[place] = self.started.start()

    def stock(self) -> None:
        for _ in range(IN_STOCK - Job.objects.filter(finished_at=None).count()):
            prompt = self.dice.choice(["a test card", "a test card", "slow card"])
            factories.job(
                self.dice.choice(self.members), prompt, steps=3, duration=self.dice.choice([1.0, 2.0])
            )
            tasks.nudge()

    def strike(self) -> bool:
        """One kill; False if nothing of that kind was there, or if its job had been hit too often."""
        (victim,) = self.dice.choices(VICTIMS, ODDS)
        if victim == "beat":
            self.started.kill(self.beat)
            self.beat = self.started.start_beat()
            return self._count(victim, None)
        worker = self._await(self.dice.choice(MOMENTS))
        with frozen(worker.pid) as pool:
            attempt = self._attempt_of(pool)
            if attempt and self.hits[attempt.job_id] >= MOST_HITS:
                return False
            if victim == "worker":
                self.started.kill(worker)
            else:
                prey = {
                    "main process": [worker.pid],
                    "pool process": pool,
                    "engine": engine_children(worker.pid),
                }[victim]
                if not prey:
                    return False
                os.kill(prey[0], signal.SIGKILL)
        if victim in ("worker", "main process"):
            worker.wait()
            self.workers[self.workers.index(worker)] = self.started.start()
        return self._count(victim, attempt)

    def _await(self, stage: str | None):
        """A worker in that stage of a job, as seen a moment ago; any worker if none comes along."""
        deadline = time.monotonic() + self.dice.uniform(0, 2) if stage is None else time.monotonic() + 5
        while time.monotonic() < deadline:
            for attempt in Attempt.objects.filter(ended_at=None, stage=stage) if stage else ():
                for worker in self.workers:
                    if int(attempt.worker.rpartition(":")[2]) in children(worker.pid):
                        return worker
            time.sleep(0.005)
        return self.dice.choice(self.workers)

    def _attempt_of(self, pool: list[int]) -> Attempt | None:
        names = [f"{socket.gethostname()}:{pid}" for pid in pool]
        return Attempt.objects.filter(ended_at=None, worker__in=names).first()

    def _is_all_done(self) -> bool:
        self.supervise()
        return not Job.objects.filter(finished_at=None).exists()

    def _count(self, victim: str, attempt: Attempt | None) -> bool:
        self.victims[victim] += 1
        self.stages[attempt.stage if attempt else "without a job"] += 1
        if attempt:
            self.hits[attempt.job_id] += 1
        return True

    def end(self) -> None:
        """Lets the work come to its end, and then asks everything to go."""
        until(self._is_all_done, 180, every=0.2)
        for process in [*self.workers, self.beat]:
            process.terminate()
        for process in [*self.workers, self.beat]:
            process.wait(timeout=30)
        until(lambda: not self.started.left(), 40, every=0.2)


@contextmanager
def frozen(pid: int):
    """Stops a worker with its pool and its engine, so that what is looked at is what is hit; gives the pool's pids."""
    pool, stopped = children(pid), [pid, *descendants(pid)]
    for each in stopped:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGSTOP)
    time.sleep(0.01)
    try:
        yield pool
    finally:
        for each in stopped:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGCONT)


def test_whatever_dies_at_whatever_moment_each_job_is_one_clip(workers):
    print(f"\n{ROUNDS} rounds on {connection.vendor} and {broker_url().partition(':')[0]}, seed {SEED}")
    deaths = Deaths(workers(LEASE_SECONDS="5", MAX_RUNNING="2"), random.Random(SEED))
    started, rounds = time.monotonic(), 0
    while rounds < ROUNDS:
        assert time.monotonic() - started < 60 + ROUNDS * SECONDS_A_ROUND, f"{rounds} rounds, and no more"
        deaths.supervise()
        deaths.stock()
        rounds += deaths.strike()
    deaths.end()
    print(f"{time.monotonic() - started:.0f} s, {Job.objects.count()} jobs, {len(deaths.hits)} of them hit")
    print(f"killed: {dict(deaths.victims)}; {deaths.ended_by_themselves} workers ended by themselves")
    print(f"in the stage of: {dict(deaths.stages)}")
    assert deaths.victims.total() == ROUNDS
    check_made_once(deaths)
    check_one_clip_each(deaths.started.log)
    check_paid_once()
    assert sweep(grace=0).orphans == 0


def check_paid_once() -> None:
    """However many attempts a job took, the ledger knows one reservation of it, and one settlement."""
    entries: dict = {job: [] for job in Job.objects.values_list("pk", flat=True)}
    for job, kind in AllowanceEntry.objects.exclude(job=None).order_by("pk").values_list("job", "kind"):
        entries[job].append(kind)
    assert {tuple(kinds) for kinds in entries.values()} == {("reserved", "settled")}


def check_made_once(deaths: Deaths) -> None:
    """Every job succeeded in exactly one attempt, and each other attempt has a kill to show for it."""
    outcomes: dict = {job: [] for job in Job.objects.values_list("pk", flat=True)}
    for job, outcome, preview in Attempt.objects.order_by("number").values_list("job", "outcome", "preview"):
        outcomes[job].append(outcome)
        assert preview is None
    for job, ended in outcomes.items():
        assert ended[-1] == "succeeded"
        assert ended.count("succeeded") == 1
        assert len(ended) - 1 <= deaths.hits[job] <= MOST_HITS, (ended, deaths.hits[job])
    assert sorted(Clip.objects.values_list("job", flat=True)) == sorted(outcomes)
