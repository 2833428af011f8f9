"""A million publications and a hundred thousand waiting submissions on PostgreSQL, beside a thousand of each.

Two databases, each behind a process of its own that answers in itself: no network, no browser. The same pages are asked
of both in turns, one request here and one there, so that what else the machine does meets both. A page's questions must
be as many here as there, or the run ends.

Needs PostgreSQL and a superuser's DATABASE_URL, which names the server, about 6 GB of its disk while it runs, and some
minutes to fill them. The databases are the benchmark's own, and dropped. SORAHUB_BENCH_KEEP=1 keeps them for another
run. Smaller numbers: SORAHUB_BENCH_PUBLIC and SORAHUB_BENCH_WAITING.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

URL = urlsplit(os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"))
KEEP = os.environ.get("SORAHUB_BENCH_KEEP") == "1"
PUBLIC, WAITING = (
    int(os.environ.get(f"SORAHUB_BENCH_{name}", number))
    for name, number in (("PUBLIC", 10**6), ("WAITING", 10**5))
)
HOUSES = {"small": (1000, 1000), "large": (PUBLIC, WAITING)}
REVIEWERS, WARM, ROUNDS, EACH = 60, 8, 7, 40
MOST = 1.3  # times the small house's p95


def main() -> None:
    server = psycopg.connect(URL._replace(scheme="postgresql", path="/postgres").geturl(), autocommit=True)
    houses = {}
    try:
        houses = {name: House(name, server) for name in HOUSES}
        figures = {
            f"s to fill the {name} house": round(house.filled, 1)
            for name, house in houses.items()
            if house.filled
        }
        figures |= measured(houses)
        print(json.dumps(figures))
    finally:
        for house in houses.values():
            house.end()
        for name in () if KEEP else HOUSES:
            server.execute(f"DROP DATABASE IF EXISTS {House.database_of(name)} WITH (FORCE)")


def measured(houses: dict) -> dict:
    figures, pages = {}, houses["small"].pages
    for page in pages:
        queries = {name: house.ask("count", page) for name, house in houses.items()}
        if len(set(queries.values())) > 1:
            raise SystemExit(f"{page}: as many questions as {queries}.")
        times = {name: [] for name in houses}
        for number in range(WARM + ROUNDS * EACH):
            # Who comes first takes turns, too.
            for name in list(houses)[:: 1 if number % 2 else -1]:
                took = houses[name].ask("time", page)
                if number >= WARM:
                    times[name].append(took)
        ratios = [p95(of_round(times["large"], n)) / p95(of_round(times["small"], n)) for n in range(ROUNDS)]
        for name in houses:
            figures[f"{page}, {name}: ms, p50"] = round(statistics.median(times[name]), 2)
            figures[f"{page}, {name}: ms, p95"] = round(p95(times[name]), 2)
        figures[f"{page}: p95 large : small, median of {ROUNDS} rounds"] = round(statistics.median(ratios), 3)
        figures[f"{page}: p95 large : small, all rounds together"] = round(
            p95(times["large"]) / p95(times["small"]), 3
        )
        figures[f"{page}: p50 large : small"] = round(
            statistics.median(times["large"]) / statistics.median(times["small"]), 3
        )
        figures[f"{page}: questions to the database"] = queries["small"]
        print(
            page,
            {k.rpartition(": ")[2]: v for k, v in list(figures.items())[-4:]},
            file=sys.stderr,
            flush=True,
        )
    return figures


def of_round(times: list[float], number: int) -> list[float]:
    return times[number * EACH : (number + 1) * EACH]


def p95(values) -> float:
    return statistics.quantiles(values, n=20)[-1]


class House:
    """A process with its database: it is asked by lines, and answers by lines."""

    def __init__(self, name: str, server):
        database = self.database_of(name)
        found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if found and not KEEP:
            server.execute(f"DROP DATABASE {database} WITH (FORCE)")
        if not (found and KEEP):
            server.execute(f"CREATE DATABASE {database}")
        self.place = tempfile.TemporaryDirectory(prefix="sorahub-bench-")
        self.process = subprocess.Popen(
            [sys.executable, __file__, *map(str, HOUSES[name])],
            env=os.environ | environment(database, self.place.name),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.filled, self.pages = json.loads(self.process.stdout.readline())

    @staticmethod
    def database_of(name: str) -> str:
        return f"sorahub_bench_scale_{name}"

    def ask(self, what: str, page: str):
        self.process.stdin.write(json.dumps([what, page]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.place.cleanup()


def environment(database: str, place: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "sorahub.settings",
        "SECRET_KEY": "only-for-benchmarks-0123456789abcdefghij",
        "SORAHUB_DEMO": "1",
        "SORAHUB_TESTCARD": "1",
        "SORAHUB_SITE_URL": "http://localhost",
        "SORAHUB_VAR": place,
        "DATABASE_URL": URL._replace(path=f"/{database}").geturl(),
        "EMAIL_URL": "dummymail://",
    }


# --- In the house ----------------------------------------------------------------------------------------


def serve(public: int, waiting: int) -> None:
    import logging

    import django

    django.setup()
    from django.core.management import call_command

    from bench import bulk
    from review.models import Publication

    logging.disable(logging.WARNING)
    call_command("migrate", verbosity=0)
    took = None
    if not Publication.objects.exists():
        reviewers, started = bulk.reviewers(REVIEWERS), time.monotonic()
        bulk.fill(public=public, waiting=waiting, reviewers=reviewers)
        took = time.monotonic() - started
    acts = pages()
    print(json.dumps([took, list(acts)]), flush=True)
    for line in sys.stdin:
        what, page = json.loads(line)
        print(json.dumps({"count": counted, "time": timed}[what](acts[page])), flush=True)


def pages() -> dict:
    from django.test import Client

    from accounts.models import User
    from bench import bulk
    from review import queue
    from review.models import Claim, Publication, Submission

    Claim.objects.all().delete()
    people = list(User.objects.filter(email__startswith="r", membership__isnull=False).order_by("email"))
    visitor, reviewer = (Client(headers={"host": "localhost"}) for _person in range(2))
    reviewer.force_login(people[0], backend="accounts.backends.MemberBackend")
    for other in people[1:40]:  # as at a busy desk: what comes first is taken
        queue.claim_next(other)
    live = Publication.objects.live().newest_first()
    waiting = Submission.objects.on_the_clock().order_by("clock__due_at")[60]
    words = bulk.vocabulary()
    common, middling, rare = words[30], words[1000], bulk.RARE

    def get(client, path):
        def act() -> None:
            answer = client.get(path)
            if answer.status_code != 200 or not answer.getvalue():
                raise SystemExit(f"{path} answers {answer.status_code}")

        return act, None

    def next_one():
        answer = reviewer.post("/desk/next/")
        if answer.status_code != 302 or answer.url == "/desk/":
            raise SystemExit("There was no next one.")

    def put_back():
        Claim.objects.filter(reviewer=people[0]).delete()

    return {
        "gallery": get(visitor, "/"),
        "gallery, a later page": get(visitor, f"/?after={live[400].slug}"),
        "watch page": get(visitor, f"/watch/{live[500].slug}/"),
        "search for a common word": get(visitor, f"/?q={common}"),
        "search for a word of one in 250 works": get(visitor, f"/?q={middling}"),
        "search for a rare word": get(visitor, f"/?q={rare}"),
        "search for a word that nobody used": get(visitor, "/?q=quuxquux"),
        "search for two words": get(visitor, f"/?q={common}+{rare}"),
        "desk": get(reviewer, "/desk/"),
        "desk, free ones": get(reviewer, "/desk/?show=free"),
        "room": get(reviewer, f"/desk/submissions/{waiting.pk}/"),
        "next one": (next_one, put_back),
    }


def counted(page) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    act, after = page
    for _time in range(2):  # a first visit makes what later ones find
        with CaptureQueriesContext(connection) as queries:
            act()
        if after:
            after()
    return len(queries)


def timed(page) -> float:
    """Milliseconds."""
    act, after = page
    started = time.perf_counter()
    act()
    took = 1000 * (time.perf_counter() - started)
    if after:
        after()
    return took


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(*map(int, sys.argv[1:]))
    else:
        main()
