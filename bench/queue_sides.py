"""The two sides of bench_queue: a running sorahub and a running InvokeAI, asked for the same things in the same way.

Each is started as its makers start it, on a folder of its own, and keeps its queue in SQLite. What is sent goes
through HTTP; when something began and ended is read from the row that the side itself wrote.
"""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from urllib.parse import urlencode

PROJECT = Path(__file__).resolve().parents[1]
PATIENCE = 180  # seconds for a start or an end


class Side:
    """What both have in common: processes, a port, and a place that is thrown away."""

    def __init__(self, place: Path, port: int):
        self.place, self.port = place, port
        self.running: dict[str, subprocess.Popen] = {}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exc_info):
        for name in list(self.running):
            self.end(name)

    def run(self, name: str, command, **options) -> None:
        with open(self.place / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, **options
            )

    def end(self, name: str) -> None:
        process = self.running.pop(name)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def ask(self, method: str, path: str, body: str | None = None, headers=None) -> http.client.HTTPResponse:
        """On a connection of its own each time, so that no side gains by keeping one open for longer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        answer.body = answer.read()
        connection.close()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path} was answered with {answer.status}: {answer.body[:500]}")
        return answer

    def wait_for_answer(self, path: str) -> None:
        wait(lambda: self._answers(path), f"the server on port {self.port}")

    def _answers(self, path: str) -> bool:
        with suppress(OSError, http.client.HTTPException):
            return self.ask("GET", path).status == 200
        return False

    def wait_for_start(self, item) -> None:
        wait(lambda: self.moments([item])[item][0], "the start of what was sent")

    def wait_for_end(self, ids) -> dict:
        """{id: (when it began, when it ended)}, both in seconds, by the side's own rows."""
        wait(lambda: all(ended for _began, ended in self.moments(ids).values()), "the end of what was sent")
        return self.moments(ids)


class Sorahub(Side):
    """What `make demo` runs: web, two workers, beat. The test card's smallest clip, of one step."""

    name = "sorahub"
    SENDERS = 20  # who send in turns, since one alone may send 30 a minute
    OTHERS = 500  # whose takes wait already, 20 each, as many as one may have

    def start(self) -> None:
        from django.conf import settings
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody logs in by one
        members = [a_member(number) for number in range(self.SENDERS + self.OTHERS)]
        self.sessions = cycle([(member, session(member)) for member in members[: self.SENDERS]])
        self.others = cycle(members[self.SENDERS :])
        for name in ("web", "desk", "beat"):
            self._run(name)
        self.wait_for_answer("/healthz")
        self.work()

    def _run(self, name: str, **instead) -> None:
        from sorahub.management.commands.demo import programs

        command = [instead.get(word, word) for word in programs(str(self.port))[name]]
        self.run(name, command, cwd=PROJECT)

    def work(self, processes: int = 1) -> None:
        command = [*self._engine_command()[:-1], str(processes)]
        self.run("engine", command, cwd=PROJECT)

    def _engine_command(self):
        from sorahub.management.commands.demo import programs

        return programs(str(self.port))["engine"]

    def rest(self) -> None:
        self.end("engine")

    def send(self, *, is_long: bool = False) -> str:
        _member, headers = next(self.sessions)
        form = {
            "csrfmiddlewaretoken": TOKEN,
            "prompt": "slow bars" if is_long else "bars",
            "model": "testcard",
            "steps": "50" if is_long else "1",
        }
        answer = self.ask("POST", "/studio/jobs/", urlencode(form), headers)
        if answer.status != 302:
            raise SystemExit(f"the form was answered with {answer.status}")
        return answer.headers["Location"].split("/")[-2]

    def cancel(self, job: str) -> None:
        from generation.models import Job

        owner = Job.objects.get(pk=job).owner_id
        headers = next(headers for member, headers in self.sessions if member.pk == owner)
        self.ask(
            "POST", f"/studio/jobs/{job}/cancellation/", urlencode({"csrfmiddlewaretoken": TOKEN}), headers
        )

    def fill(self, count: int) -> list[str]:
        """Without HTTP, to be quick; with nobody who works, no nudge is needed."""
        from generation.engine import catalog
        from generation.models import Job, Seat

        made = []
        for number, member in zip(range(count), self.others, strict=False):
            Seat.objects.get_or_create(owner=member)
            recipe = catalog.get("testcard").recipe("bars", seed=number, steps=1).to_json()
            made.append(Job(owner=member, **recipe))
        Job.objects.bulk_create(made, batch_size=500)
        return [str(job.pk) for job in made]

    def empty(self) -> None:
        from generation.models import Job

        Job.objects.queued().delete()

    def moments(self, ids) -> dict:
        from generation.models import Job

        rows = Job.objects.in_bulk(ids)
        return {str(pk): (seconds(job.started_at), seconds(job.finished_at)) for pk, job in rows.items()}


def a_member(number: int):
    from accounts.models.invitation import accept, invite

    invitation, _link = invite(f"m{number}@example.com", role="artist", cohort="Bench", by=None)
    return accept(invitation, name=f"Member {number}", password="a-long-enough-password")


def session(member) -> dict[str, str]:
    """The headers of a browser in which this member is logged in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from accounts.sessions import SessionStore

    made = SessionStore()
    made[SESSION_KEY] = str(member.pk)
    made[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    made[HASH_SESSION_KEY] = member.get_session_auth_hash()
    made.save()
    return {
        "Cookie": f"sessionid={made.session_key}; csrftoken={TOKEN}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


TOKEN = "a" * 32  # any will do, where cookie and form agree


class InvokeAI(Side):
    """Its own server on an empty root, and its blank image, of a size whose file takes no time to write."""

    name = "InvokeAI"
    SMALL, LARGE = 128, 12_288  # pixels a side; the larger takes some seconds

    def __init__(self, place: Path, port: int, venv: Path):
        super().__init__(place, port)
        self.venv = venv

    def start(self) -> None:
        (self.place / "invokeai.yaml").write_text(
            f"schema_version: 4.0.3\nport: {self.port}\nmax_queue_size: 100000\n"
        )
        environment = os.environ | {"INVOKEAI_ROOT": str(self.place), "HF_HUB_OFFLINE": "1"}
        command = [self.venv / "bin" / "invokeai-web", "--root", self.place]
        self.run("server", command, env=environment, cwd=self.place)
        self.wait_for_answer("/api/v1/app/version")

    @property
    def version(self) -> str:
        return json.loads(self.ask("GET", "/api/v1/app/version").body)["version"]

    def work(self) -> None:
        self._queue("PUT", "processor/resume")

    def rest(self) -> None:
        self._queue("PUT", "processor/pause")

    def send(self, *, is_long: bool = False) -> int:
        return self._batch(1, self.LARGE if is_long else self.SMALL)[0]

    def cancel(self, item: int) -> None:
        self._queue("PUT", f"i/{item}/cancel")

    def fill(self, count: int) -> list[int]:
        return self._batch(count, self.SMALL)

    def empty(self) -> None:
        self._queue("PUT", "clear")

    def moments(self, ids) -> dict:
        names = ",".join("?" * len(ids))
        path = self.place / "databases" / "invokeai.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            rows = database.execute(
                f"SELECT item_id, started_at, completed_at FROM session_queue WHERE item_id IN ({names})", ids
            ).fetchall()
        return {item: (seconds(began), seconds(ended)) for item, began, ended in rows}

    def _batch(self, runs: int, side: int) -> list[int]:
        node = {"id": "blank", "type": "blank_image", "width": side, "height": side, "use_cache": False}
        graph = {"id": "graph", "nodes": {"blank": node}, "edges": []}
        return self._queue("POST", "enqueue_batch", {"batch": {"graph": graph, "runs": runs}})["item_ids"]

    def _queue(self, method: str, path: str, told: dict | None = None) -> dict:
        body = None if told is None else json.dumps(told)
        answer = self.ask(method, f"/api/v1/queue/default/{path}", body, {"Content-Type": "application/json"})
        return json.loads(answer.body)


def seconds(moment: datetime | str | None) -> float | None:
    """Since 1970; both databases keep UTC, in milliseconds or finer."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return moment and moment.timestamp()


def wait(is_there, what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not is_there():
        if time.monotonic() > end:
            raise SystemExit(f"Waited in vain for {what}.")
        time.sleep(0.05)
