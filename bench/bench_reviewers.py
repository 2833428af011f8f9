"""Fifty reviewers at once on PostgreSQL: two thousand waiting submissions, each claimed once and decided once.

Fifty processes with a connection each, forked from one that has loaded Django, work the desk empty with the product's
own `queue.claim_next` and `gate.decide`. Then fifty more clients do the same by HTTP, at a gunicorn like the demo's:
the next one, its room, the decision. Nobody thinks or looks: it is the worst that fifty could do. The run ends in a
`check` if anything was claimed by two, decided twice or left over, or if the audit chain is broken.

Needs PostgreSQL and a superuser's DATABASE_URL, which names the server. The database is its own, and dropped.
"""

import http.client
import json
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

NAME = "sorahub_bench_reviewers"
URL = urlsplit(os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"))
PLACE = tempfile.TemporaryDirectory(prefix="sorahub-bench-")
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    PORT = probe.getsockname()[1]
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "sorahub.settings",
    "SECRET_KEY": "only-for-benchmarks-0123456789abcdefghij",
    "SORAHUB_DEMO": "1",
    "SORAHUB_TESTCARD": "1",
    "SORAHUB_SITE_URL": f"http://127.0.0.1:{PORT}",
    "SORAHUB_VAR": PLACE.name,
    "DATABASE_URL": URL._replace(path=f"/{NAME}").geturl(),
    "EMAIL_URL": "dummymail://",
}
REVIEWERS, WAITING, BY_HTTP = 50, 2000, 400
PATIENCE = 1200  # seconds


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    server = psycopg.connect(URL._replace(scheme="postgresql", path="/postgres").geturl(), autocommit=True)
    server.execute(f"DROP DATABASE IF EXISTS {NAME}")
    server.execute(f"CREATE DATABASE {NAME}")
    try:
        print(json.dumps(measured()))
    finally:
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def measured() -> dict:
    import django

    django.setup()
    from django.core.management import call_command

    from bench import bulk

    call_command("migrate", verbosity=0)
    reviewers = bulk.reviewers(REVIEWERS)
    bulk.fill(public=1000, waiting=WAITING, reviewers=reviewers)
    started, told = by_processes([each.pk for each in reviewers])
    check(told, WAITING)
    figures = figures_of(told, started, f"{REVIEWERS} reviewers")
    bulk.fill(public=0, waiting=BY_HTTP, reviewers=reviewers)
    started, told = by_http(reviewers)
    check(told, BY_HTTP)
    return figures | figures_of(told, started, f"by HTTP, {REVIEWERS} reviewers")


def by_processes(reviewers: list) -> tuple[float, list[tuple]]:
    from django.db import connections

    connections.close_all()  # a connection that is shared by two processes serves none
    context = multiprocessing.get_context("fork")
    gate, told = context.Event(), context.Queue()
    crew = [context.Process(target=review, args=(pk, gate, told), daemon=True) for pk in reviewers]
    for each in crew:
        each.start()
    time.sleep(2)  # until all are connected
    started = time.monotonic()
    gate.set()
    heard = [told.get(timeout=PATIENCE) for _each in crew]
    return started, [act for acts in heard for act in acts]


def review(pk, start, told) -> None:
    """Claims and decides until nothing is left; tells (submission, seconds to claim, seconds to decide, when)."""
    from accounts.models import User
    from review import gate, queue

    me, acts = User.objects.select_related("membership").get(pk=pk), []
    start.wait()
    while True:
        begun = time.monotonic()
        found = queue.claim_next(me)
        claimed = time.monotonic()
        if found is None:
            break
        refuses = len(acts) % 4 == 3
        said = {"reasons": ["rights"], "note": "Because of this."} if refuses else {}
        outcome = "refuse" if refuses else "approve"
        gate.decide(found, by=me, outcome=outcome, content_hash=found.content_hash, **said)
        acts.append((str(found.pk), claimed - begun, time.monotonic() - claimed, time.monotonic()))
    told.put(acts)


def by_http(reviewers: list) -> tuple[float, list[tuple]]:
    sessions = [session_of(each) for each in reviewers]
    command = "gunicorn sorahub.wsgi -k gthread --workers 2 --threads 8 --log-level error".split()
    with open(Path(PLACE.name, "web.log"), "wb") as log:
        web = subprocess.Popen(
            [sys.executable, "-m", *command, "-b", f"127.0.0.1:{PORT}"],
            cwd=Path(__file__).resolve().parents[1],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for_web()
        told: list[tuple] = []
        clients = [threading.Thread(target=Client(each, told).work) for each in sessions]
        started = time.monotonic()
        for each in clients:
            each.start()
        for each in clients:
            each.join(PATIENCE)
        return started, told
    finally:
        os.killpg(web.pid, signal.SIGTERM)
        web.wait()


class Client:
    """A reviewer's browser, without the looking."""

    def __init__(self, session: str, told: list):
        self.headers = {"Cookie": f"sessionid={session}; csrftoken={'c' * 32}", "X-CSRFToken": "c" * 32}
        self.told = told

    def work(self) -> None:
        while True:
            begun = time.monotonic()
            room = self.ask("POST", "/desk/next/")
            if room == "/desk/":
                return
            page = self.ask("GET", room)
            claimed = time.monotonic()
            content_hash = page.split('name="content_hash" value="')[1][:64]
            self.ask("POST", f"{room}decision/", {"outcome": "approve", "content_hash": content_hash})
            self.told.append((room, claimed - begun, time.monotonic() - claimed, time.monotonic()))

    def ask(self, method: str, path: str, data: dict | None = None) -> str:
        """Where a POST leads to, or what a page says."""
        form = {"Content-Type": "application/x-www-form-urlencoded"} if data else {}
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=PATIENCE)
        connection.request(method, path, urlencode(data or {}), self.headers | form)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        if answer.status not in (200, 302):
            raise SystemExit(f"{method} {path} answers {answer.status}: {body[:2000]}")
        return answer.headers["Location"] if answer.status == 302 else body


def session_of(user) -> str:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from accounts.sessions import SessionStore

    made = SessionStore()
    made[SESSION_KEY] = str(user.pk)
    made[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    made[HASH_SESSION_KEY] = user.get_session_auth_hash()
    made.save()
    return made.session_key


def wait_for_web() -> None:
    end = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection(("127.0.0.1", PORT), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def check(told: list[tuple], waiting: int) -> None:
    from accounts.models import audit
    from review.models import Claim, Clock, Decision, Submission

    twice = [each for each, many in Counter(act[0] for act in told).items() if many > 1]
    if twice:
        raise SystemExit(f"{len(twice)} submissions were claimed by two.")
    if len(told) != waiting or Submission.objects.waiting().exists():
        raise SystemExit(
            f"{len(told)} of {waiting} were decided, {Submission.objects.waiting().count()} still wait."
        )
    if Claim.objects.exists() or Clock.objects.filter(stopped_at=None).exists():
        raise SystemExit("A claim or a clock outlived its decision.")
    decided = Decision.objects.values("submission").distinct().count()
    if decided != Decision.objects.count():
        raise SystemExit("A submission has two decisions.")
    if broken := list(audit.broken_entries()):
        raise SystemExit(f"The audit chain is broken at {broken[0]}.")


def figures_of(told: list[tuple], started: float, name: str) -> dict:
    claims, decisions = ([1000 * act[place] for act in told] for place in (1, 2))
    return {
        f"{name}: claimed and decided/s": round(len(told) / (max(act[3] for act in told) - started), 1),
        f"{name}: ms to claim, p50": round(statistics.median(claims), 1),
        f"{name}: ms to claim, p95": round(p95(claims), 1),
        f"{name}: ms to decide, p50": round(statistics.median(decisions), 1),
        f"{name}: ms to decide, p95": round(p95(decisions), 1),
        f"{name}: claimed by two, decided twice or lost": 0,  # or the run would have ended in `check`
    }


def p95(values) -> float:
    return statistics.quantiles(values, n=20)[-1]


if __name__ == "__main__":
    main()
