"""Real workers, as operators run them, killed at every moment: each prompt becomes one clip, whatever dies.

Each worker is a Celery process of its own on the test's database, stores and broker. SIGSTOP freezes it where it was
seen, so that "killed while storing" means just that.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.urls import reverse
from kombu import Connection

from generation import queue, storage
from generation.models import Attempt, Clip, Job, Rendition
from review.sweep import sweep
from sorahub.celery import app
from tests import factories

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="reads /proc to find a worker's children"
    ),
]

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = f"{sys.executable} -m celery -A sorahub worker --queues engine,desk --concurrency 1".split()
COMMAND += "--without-gossip --without-mingle --loglevel INFO".split()
STAGES = ("claimed", "denoising", "encoding", "storing")


# --- Processes ----------------------------------------------------------------------------------


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> list[int]:
    return [found for child in children(pid) for found in (child, *descendants(child))]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def engine_children(worker_pid: int) -> list[int]:
    """The engine processes below a worker, by their command line."""
    return [pid for pid in descendants(worker_pid) if b"generation.engine.child" in command_of(pid)]


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def until(what, seconds: float, every: float = 0.02):
    """Waits for `what()` to be true, and returns it; fails after that many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(every)
    raise AssertionError(f"still not true after {seconds} s")


def database_url() -> str:
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{told['NAME']}"
    password = f":{quote(told['PASSWORD'])}" if told["PASSWORD"] else ""
    return f"postgres://{quote(told['USER'])}{password}@{told['HOST']}:{told['PORT'] or 5432}/{told['NAME']}"


class Workers:
    """Starts workers, and ends all that are left when the test is over."""

    def __init__(self, tmp_path: Path, **environment: str):
        self.log = tmp_path / "worker.log"
        self.running: list[subprocess.Popen] = []
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "sorahub.settings",
            "DATABASE_URL": database_url(),
            "STORAGE_URL": f"file://{django_settings.PRIVATE_STORE}",
            "PUBLIC_STORAGE_URL": f"file://{django_settings.PUBLIC_STORE}",
            "BROKER_URL": broker_url(),
            "SORAHUB_LOOK_SECONDS": "1",
            "OMP_NUM_THREADS": "1",
            **environment,
        }

    def start(self) -> subprocess.Popen:
        with open(self.log, "ab") as log:
            worker = subprocess.Popen(
                [*COMMAND, "--hostname", f"test{len(self.running)}@%h"],
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append(worker)
        return worker

    def signal(self, worker: subprocess.Popen, number: signal.Signals) -> None:
        """To the whole worker: its main process and its pool's child, which are one process group."""
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, number)

    def kill(self, worker: subprocess.Popen) -> None:
        self.signal(worker, signal.SIGKILL)
        worker.wait()

    def end(self) -> None:
        for worker in self.running:
            engines = engine_children(worker.pid)
            self.kill(worker)
            for pid in engines:
                until(lambda pid=pid: not is_running(pid), 5)


def broker_url() -> str:
    if app.conf.broker_url.startswith("filesystem"):
        return f"filesystem://{app.conf.broker_transport_options['data_folder_in']}"
    return app.conf.broker_url


def empty_broker() -> int:
    """Loses every message; returns how many there were."""
    if app.conf.broker_url.startswith("filesystem"):
        messages = list(broker_folder().glob("*.engine.msg"))
        for message in messages:
            message.unlink()
        return len(messages)
    with app.connection_for_write() as broker:
        return broker.default_channel.queue_purge("engine") or 0


def broker_folder() -> Path:
    return Path(app.conf.broker_transport_options["data_folder_in"])


@pytest.fixture(autouse=True)
def empty_queue_of_messages():
    if app.conf.broker_url.startswith("filesystem"):
        for name in ("data_folder_in", "control_folder"):
            Path(app.conf.broker_transport_options[name]).mkdir(parents=True, exist_ok=True)
    with app.connection_for_write() as broker:
        app.amqp.queues["engine"].bind(broker.default_channel).declare()
    empty_broker()


@pytest.fixture
def workers(tmp_path, settings):
    """workers(LEASE="3") gives a Workers whose processes read SORAHUB_LEASE_SECONDS=3."""
    made = []

    def _workers(**numbers: str) -> Workers:
        made.append(Workers(tmp_path, **{f"SORAHUB_{name}": value for name, value in numbers.items()}))
        return made[-1]

    yield _workers
    for each in made:
        each.end()


# --- What must hold -----------------------------------------------------------------------------


def send(login, owner, prompt="a test card", **fields) -> Job:
    """Through the page, as an artist does; nobody looks at the page again."""
    told = {"prompt": prompt, "model": "testcard", "aspect": "1:1", "duration": "1", "steps": "8", **fields}
    answer = login(owner).post(reverse("jobs"), told)
    assert answer.status_code == 302, answer.context["form"].errors
    return Job.objects.get(pk=answer.url.strip("/").rpartition("/")[2])


def is_over(job: Job) -> bool:
    return Job.objects.filter(pk=job.pk, finished_at__isnull=False).exists()


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


def check_one_clip_each(log: Path) -> None:
    """Every job has become one clip, and nothing else is left."""
    assert set(Job.objects.values_list("status", flat=True)) == {"succeeded"}, log.read_text()[-3000:]
    assert Clip.objects.count() == Job.objects.count()
    check_files()


def check_files() -> None:
    """After a sweep, each file has its row and each row its file."""
    sweep(grace=0)
    store = storage.private()
    files = {str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file()}
    assert files == {
        storage.private_name(sha256) for sha256 in Rendition.objects.values_list("sha256", flat=True)
    }


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


def test_a_lost_nudge_costs_seconds_and_a_closed_tab_nothing(workers, login):
    owner = factories.member()
    job = send(login, owner, steps="1")
    assert empty_broker() == 1
    usual = workers()
    usual.start()
    until(lambda: is_over(job), 25, every=0.05)
    # This one is running, idle; the next message is lost, too.
    second = queue.enqueue(owner, factories.recipe(steps=1))
    lost = time.monotonic()
    until(lambda: is_over(second), 10, every=0.05)
    print(f"without a nudge, the clip was there after {time.monotonic() - lost:.1f} s")
    check_one_clip_each(usual.log)


@pytest.mark.services
def test_cancelling_stops_the_engine_within_two_seconds_and_frees_the_worker(workers, login):
    owner = factories.member()
    usual = workers()
    worker = usual.start()
    job = send(login, owner, prompt="slow card", steps="50")
    running = Attempt.objects.filter(job=job, stage="denoising")
    until(running.exists, 20)
    (engine,) = engine_children(worker.pid)
    clicked = time.monotonic()
    assert login(owner).post(reverse("job_cancellation", args=[job.pk])).status_code == 302
    until(lambda: not is_running(engine), 2)
    print(f"the engine's process was gone {time.monotonic() - clicked:.2f} s after the click")
    following = send(login, owner, steps="1")
    until(lambda: is_over(following), 10, every=0.05)
    job.refresh_from_db()
    following.refresh_from_db()
    assert (job.status, following.status, Clip.objects.count()) == ("cancelled", "succeeded", 1)
    assert not (storage.private().incoming / f"attempt-{running.get().pk}").exists()


@pytest.mark.services
def test_a_worker_asked_to_end_leaves_no_process_and_no_half_clip(workers, login):
    usual = workers()
    worker = usual.start()
    job = send(login, factories.member(), prompt="slow card", steps="6")
    until(Attempt.objects.filter(job=job, stage="denoising").exists, 20)
    left = descendants(worker.pid)
    worker.terminate()
    worker.wait(timeout=20)
    for pid in left:
        until(lambda pid=pid: not is_running(pid), 5)
    job.refresh_from_db()
    assert job.status == "succeeded"
    check_one_clip_each(usual.log)


# --- The broker of a laptop ---------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A channel of its own over a folder of its own, as two workers would have."""
    names = ("data_folder_in", "data_folder_out", "control_folder")
    options = dict.fromkeys(names, str(tmp_path / "messages"))
    with Connection("filesystem://", transport_options=options) as broker:
        yield broker.default_channel


def test_half_a_message_is_a_lost_one_and_ends_no_worker(folder):
    """What a full disk or another program left in the broker's folder."""
    place = Path(folder.data_folder_in)
    for content in ("", '{"body": "ab'):
        (place / f"1_{len(content)}.engine.msg").write_text(content)
        with pytest.raises(Empty):
            folder._get("engine")
    (place / "engine.exchange").write_text('[["')
    folder._queue_bind("engine", "engine", "", "engine")
    assert [row.queue for row in folder.get_table("engine")] == ["engine"]
    folder._put("engine", {"body": "whole"})
    assert folder._get("engine") == {"body": "whole"}


def test_a_message_is_never_read_before_it_is_whole(folder):
    def put():
        for number in range(400):
            folder._put("engine", {"number": number})
            time.sleep(0.0005)

    writer, found = threading.Thread(target=put), []
    writer.start()
    while len(found) < 400 and (writer.is_alive() or folder._size("engine")):
        with suppress(Empty):
            found.append(folder._get("engine")["number"])
    writer.join()
    assert sorted(found) == list(range(400))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_whatever_moment_workers_die_at_no_job_is_lost_and_none_runs_twice(workers, login, seed):
    """Twelve deaths at random moments, from a worker's first instant on, over jobs of three members."""
    moments = random.Random(seed)
    short = workers(LEASE_SECONDS="3")
    for owner in [factories.member() for _ in range(3)] * 2:
        send(login, owner, steps="4", duration=moments.choice(["1", "2"]))
    for _ in range(12):
        worker = short.start()
        time.sleep(moments.uniform(0, 5))
        short.kill(worker)
    short.start()
    until(lambda: not Job.objects.filter(finished_at=None).exists(), 90)
    for job in Job.objects.all():
        ended = (job.status, Clip.objects.filter(job=job).count())
        assert ended in (("succeeded", 1), ("failed", 0))
        assert ended != ("failed", 0) or job.attempts_made == 3
    check_files()
