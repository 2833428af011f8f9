"""Real workers, as operators run them: Celery processes of their own on the test's database, stores and broker."""

import itertools
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from generation import queue, storage
from generation.engine import catalog
from generation.models import Clip, Job, Rendition, Worker
from review.sweep import sweep
from sorahub.celery import app

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = f"{sys.executable} -m celery -A sorahub worker --queues engine,desk --concurrency 1".split()
DESK = f"{sys.executable} -m celery -A sorahub worker --queues desk --pool solo --loglevel INFO".split()
BEAT = f"{sys.executable} -m celery -A sorahub beat --pidfile= --loglevel WARNING".split()
COMMAND += "--without-gossip --without-mingle --loglevel INFO".split()


# --- Processes ----------------------------------------------------------------------------------


def children(pid: int) -> list[int]:
    """Of all its threads: a pool's process that took a dead one's place was started by another than the first was."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += [int(word) for word in (thread / "children").read_text().split()]
    return found


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


def environment_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except (OSError, ProcessLookupError):
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
        self.numbers = itertools.count()
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
        return self._start([*COMMAND, "--hostname", f"test{next(self.numbers)}@%h"])

    def start_desk(self) -> subprocess.Popen:
        """As the demo runs it: alone, without a pool."""
        name = f"desk{next(self.numbers)}@%h"
        return self._start([*DESK, "--hostname", name])

    def start_beat(self) -> subprocess.Popen:
        return self._start([*BEAT, "--schedule", str(self.log.with_name("beat-schedule"))])

    def _start(self, command: list[str]) -> subprocess.Popen:
        with open(self.log, "ab") as log:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def signal(self, worker: subprocess.Popen, number: signal.Signals) -> None:
        """To the whole worker: its main process and its pool's child, which are one process group."""
        if worker.returncode is None:  # once it is waited for, its number may be somebody else's
            os.killpg(worker.pid, number)

    def kill(self, worker: subprocess.Popen) -> None:
        self.signal(worker, signal.SIGKILL)
        worker.wait()
        self.running.remove(worker)

    def left(self) -> list[int]:
        """Every living process that any of these workers started, whoever its parent is by now."""
        mark = f"STORAGE_URL=file://{django_settings.PRIVATE_STORE}".encode()
        found = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
        return [pid for pid in found if mark in environment_of(pid).split(b"\0") and is_running(pid)]

    def end(self) -> None:
        for worker in list(self.running):
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


@pytest.fixture
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


# --- Rows, without a process ---------------------------------------------------------------------


def worker_row(name: str, **told) -> Worker:
    """What a live worker that can run everything says of itself."""
    usual = {"runs": ["embedded", "testcard"], "live_until": timezone.now() + timedelta(minutes=5)}
    return Worker.objects.create(name=name, **{**usual, **told})


def job_of(owner, model: str) -> Job:
    return queue.enqueue(owner, catalog.get(model).recipe("a test card", seed=1))


# --- What must hold -----------------------------------------------------------------------------


def send(login, owner, prompt="a test card", **fields) -> Job:
    """Through the page, as an artist does; nobody looks at the page again."""
    told = {"prompt": prompt, "model": "testcard", "aspect": "1:1", "duration": "1", "steps": "8", **fields}
    answer = login(owner).post(reverse("jobs"), told)
    assert answer.status_code == 302, answer.context["form"].errors
    return Job.objects.get(pk=answer.url.strip("/").rpartition("/")[2])


def is_over(job: Job) -> bool:
    return Job.objects.filter(pk=job.pk, finished_at__isnull=False).exists()


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
