"""A worker's memory over 200 jobs, what a change of model gives back, and what a web process weighs.

Real processes: a Celery worker with its pool and its engine's child, on a database and a broker of its own. Memory is
what Linux counts as resident. After some jobs have warmed it up, the worker's should stay where it is.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PLACE = tempfile.TemporaryDirectory(prefix="sorahub-bench-")
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "sorahub.settings",
    "SECRET_KEY": "only-for-benchmarks-0123456789abcdefghij",
    "SORAHUB_DEMO": "1",
    "SORAHUB_TESTCARD": "1",
    "SORAHUB_SITE_URL": "http://localhost",
    "SORAHUB_MAX_QUEUED": "1000",
    "DATABASE_URL": f"sqlite:///{PLACE.name}/bench.sqlite3",
    "BROKER_URL": f"filesystem://{PLACE.name}/broker",
    "CACHE_URL": f"filecache://{PLACE.name}/cache",
    "STORAGE_URL": f"file://{PLACE.name}/private",
    "PUBLIC_STORAGE_URL": f"file://{PLACE.name}/public",
    "EMAIL_URL": "dummymail://",
}
JOBS, WARM = 200, 20
WORKER = (
    "-m celery -A sorahub worker -Q engine,desk -c 1 -l warning --without-gossip --without-mingle".split()
)
MB = 2**20


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from generation.models import Job

    call_command("migrate", verbosity=0)
    artist = a_member()
    worker = subprocess.Popen([sys.executable, *WORKER], stdout=sys.stderr, start_new_session=True)
    try:
        weights = {}
        for name, count in (("warm", WARM), ("after", JOBS)):
            send(artist, "testcard", count)
            wait_for(Job)
            weights[name] = {"worker": weight(pool_of(worker.pid)), "engine": weight(engine_of(worker.pid))}
        send(artist, "embedded", 1)
        wait_for(Job)
        heavy = weight(engine_of(worker.pid))
        send(artist, "testcard", 1)
        wait_for(Job)
        light = weight(engine_of(worker.pid))
        whole = sum(map(weight, family(worker.pid)))
    finally:
        worker.terminate()
        worker.wait(timeout=60)
    figures = {
        f"MB of the worker after {WARM} jobs": weights["warm"]["worker"],
        f"MB that {JOBS} more jobs added to the worker": weights["after"]["worker"]
        - weights["warm"]["worker"],
        f"MB that {JOBS} more jobs added to the engine": weights["after"]["engine"]
        - weights["warm"]["engine"],
        "MB of the engine with the embedded model": heavy,
        "MB of the engine after a change to the test card": light,
        "MB of the worker with all its processes then": whole,
        "MB of a web process with every page's code": weight_of_web(),
    }
    print(json.dumps({name: round(value, 1) for name, value in figures.items()}))


def send(artist, model: str, count: int) -> None:
    from generation import queue
    from generation.engine import catalog

    for seed in range(count):
        queue.enqueue(artist, catalog.get(model).recipe("a red ball over the sea", seed=seed, steps=1))


def wait_for(jobs, seconds: float = 1200) -> None:
    end = time.monotonic() + seconds
    while jobs.objects.filter(finished_at=None).exists():
        if time.monotonic() > end:
            raise SystemExit("The worker didn't come to an end.")
        time.sleep(0.5)
    if jobs.objects.exclude(status="succeeded").exists():
        raise SystemExit("A job failed.")


def pool_of(worker: int) -> int:
    return next(pid for pid in children(worker))


def engine_of(worker: int) -> int:
    return next(
        pid
        for pid in family(worker)
        if b"generation.engine.child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )


def family(pid: int) -> list[int]:
    return [pid, *(found for child in children(pid) for found in family(child))]


def children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(word) for thread in threads for word in (thread / "children").read_text().split()]


def weight(pid: int) -> float:
    """Resident MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / MB


def weight_of_web() -> float:
    code = (
        "import sorahub.wsgi, sys, os\n"
        "from django.urls import get_resolver\n"
        "len(get_resolver().reverse_dict)\n"
        "from django.test import Client\n"
        "assert Client(headers={'host': 'localhost'}).get('/').status_code == 200\n"
        "assert 'torch' not in sys.modules\n"
        "print(int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGESIZE') / 2**20)"
    )
    return float(subprocess.check_output([sys.executable, "-c", code], text=True).split()[-1])


def a_member():
    from accounts.models.invitation import accept, invite

    invitation, _link = invite("bench@example.com", role="artist", cohort="Bench", by=None)
    return accept(invitation, name="Bench", password="a-long-enough-password")


if __name__ == "__main__":
    main()
