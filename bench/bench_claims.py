"""Claims a second of 50 workers on PostgreSQL, by fair share and under caps, beside the least that a claim can be.

Fifty processes with a connection each, forked from one that has loaded Django. In turns, round by round, they claim
with the product's own `queue.claim_next`, transaction for transaction, and with one `UPDATE … WHERE id =
(SELECT … FOR UPDATE SKIP LOCKED LIMIT 1)` on a plain table, first come, first served. No job ends within a round: caps
are counted at each claim, and so high that they stop nobody. Whatever is claimed twice would be counted.

Needs PostgreSQL, of which DATABASE_URL names the server; the database is the benchmark's own, and dropped.
"""

import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

NAME = "sorahub_bench_claims"
URL = urlsplit(os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"))
PLACE = tempfile.TemporaryDirectory(prefix="sorahub-bench-")
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "sorahub.settings",
    "SECRET_KEY": "only-for-benchmarks-0123456789abcdefghij",
    "SORAHUB_DEMO": "1",
    "SORAHUB_TESTCARD": "1",
    "SORAHUB_SITE_URL": "http://localhost",
    "SORAHUB_VAR": PLACE.name,
    "DATABASE_URL": URL._replace(path=f"/{NAME}").geturl(),
    "EMAIL_URL": "dummymail://",
}
WORKERS, MEMBERS, JOBS = 50, 200, 60  # jobs of each member: more than a round takes
ROWS = 100_000  # of the plain table: more than a round takes
WARM, ROUNDS, SECONDS = (
    2,
    5,
    4,
)  # a worker's first claims put their questions together, and PostgreSQL plans them
BARE_TABLE = """
DROP TABLE IF EXISTS plain;
CREATE TABLE plain (id bigint PRIMARY KEY, status text NOT NULL, worker text, started_at timestamptz);
CREATE INDEX plain_queue ON plain (id) WHERE status = 'queued';
INSERT INTO plain SELECT number, 'queued' FROM generate_series(1, %s) AS number;
"""
BARE_CLAIM = """
UPDATE plain SET status = 'running', worker = %s, started_at = now() WHERE id = (
    SELECT id FROM plain WHERE status = 'queued' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id
"""


def main() -> None:
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

    call_command("migrate", verbosity=0)
    make_members()
    crew = Crew()
    rates, spreads, empty = {"bare": [], "fair": []}, [], 0
    try:
        for number in range(WARM + ROUNDS):
            for kind in rates:
                prepare(kind)
                claims, passed_over = crew.claim(kind)
                check(kind, claims)
                if number >= WARM:
                    rates[kind].append(len(claims) / SECONDS)
                if number >= WARM and kind == "fair":
                    empty += passed_over
                    spreads.append(spread(claims))
    finally:
        crew.end()
    ratios = [fair / bare for fair, bare in zip(rates["fair"], rates["bare"], strict=True)]
    return {
        f"claims/s by fair share, {WORKERS} workers": statistics.median(rates["fair"]),
        f"claims/s of a bare SKIP LOCKED, {WORKERS} workers": statistics.median(rates["bare"]),
        "fair : bare": round(statistics.median(ratios), 3),
        "fair : bare, the least of all rounds": round(min(ratios), 3),
        "claimed twice": 0,  # or the run would have ended in `check`
        "turns that a member was ahead of another at most": max(spreads),
        "claims that found nothing though jobs waited": empty,
    }


class Crew:
    """The workers: processes that wait for a word, claim for some seconds, and tell what they got."""

    def __init__(self):
        from django.db import connections

        connections.close_all()  # a connection that is shared by two processes serves none
        context = multiprocessing.get_context("fork")
        pairs = [context.Pipe() for _ in range(WORKERS)]
        self.workers = [
            context.Process(target=work, args=(f"worker {number}", theirs), daemon=True)
            for number, (_ours, theirs) in enumerate(pairs)
        ]
        for worker in self.workers:
            worker.start()
        self.pipes = [ours for ours, _theirs in pairs]

    def claim(self, kind: str) -> tuple[list[tuple], int]:
        start = time.monotonic() + 0.2  # one clock for all processes of a machine
        for pipe in self.pipes:
            pipe.send((kind, start))
        heard = [pipe.recv() for pipe in self.pipes]
        return [claim for claims, _empty in heard for claim in claims], sum(empty for _claims, empty in heard)

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()


def work(name: str, pipe) -> None:
    from django.db import connection

    connection.ensure_connection()
    acts = {"bare": claim_bare, "fair": claim_fair}
    while True:
        kind, start = pipe.recv()
        act, claims, empty = acts[kind], [], 0
        time.sleep(max(0, start - time.monotonic()))
        while time.monotonic() < start + SECONDS:
            if claim := act(connection, name):
                claims.append(claim)
            else:
                empty += 1
        pipe.send((claims, empty))


def claim_bare(connection, name: str) -> tuple | None:
    return connection.connection.execute(BARE_CLAIM, [name], prepare=True).fetchone()


def claim_fair(_connection, name: str) -> tuple | None:
    """The job is looked at, as whoever carries it out does first."""
    from generation import queue

    attempt = queue.claim_next(name)
    return attempt and (str(attempt.job_id), attempt.pk, str(attempt.job.owner_id))


def make_members() -> None:
    from django.conf import settings

    from accounts.models import Cohort
    from accounts.models.invitation import accept, invite
    from generation.engine import catalog
    from generation.models import Job, Seat

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody logs in
    recipe = catalog.get("testcard").recipe("a red ball over the sea", seed=1, steps=1).to_json()
    for number in range(MEMBERS):
        invitation, _link = invite(f"m{number}@example.com", role="artist", cohort="Bench", by=None)
        member = accept(invitation, name=f"Member {number}", password="a-long-enough-password")
        Seat.objects.create(owner=member)
        Job.objects.bulk_create(Job(owner=member, **recipe) for _ in range(JOBS))
    Cohort.objects.update(max_running=1000)


def prepare(kind: str) -> None:
    """Everybody has all their jobs waiting, as before the first round, and the database knows how many that are."""
    from django.db import connection

    from generation.models import Attempt, Job, Seat

    if kind == "bare":
        with connection.cursor() as cursor:
            cursor.execute(BARE_TABLE % ROWS)
            cursor.execute("VACUUM ANALYZE plain")
        return
    Attempt.objects.all().delete()
    Job.objects.update(status="queued", attempts_made=0, started_at=None)
    Seat.objects.update(last_served_at=None)
    with connection.cursor() as cursor:
        for model in (Job, Seat, Attempt):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")


def check(kind: str, claims: list[tuple]) -> None:
    """Nothing was claimed twice, and what the workers got is what the rows say."""
    from generation.models import Attempt, Job

    if len({claim[0] for claim in claims}) != len(claims):
        raise SystemExit(f"{kind}: something was claimed twice.")
    if len(claims) == ROWS:
        raise SystemExit("The plain table was used up: it needs more rows to measure this machine.")
    if kind == "fair":
        running = Job.objects.running()
        told = Attempt.objects.count(), running.count(), running.filter(attempts_made=1).count()
        if set(told) != {len(claims)}:
            raise SystemExit(
                f"{len(claims)} claims, and {told} attempts, running jobs, jobs with one attempt"
            )
        if max(Counter(owner for _job, _attempt, owner in claims).values()) == JOBS:
            raise SystemExit("A member ran out of jobs: more of them are needed to measure this machine.")


def spread(claims: list[tuple]) -> int:
    """At no moment had any member had more turns than any other by more than this; attempts count in their order."""
    turns, most = Counter({owner: 0 for _job, _attempt, owner in claims}), 0
    for _job, _attempt, owner in sorted(claims, key=lambda claim: claim[1]):
        turns[owner] += 1
        most = max(most, turns[owner] - min(turns.values()))
    return most


if __name__ == "__main__":
    main()
