"""The queue from a click to what comes of it, beside InvokeAI's: SQLite and SQLite, in one run on one machine.

Ours runs as `make demo` does (web, two workers, beat), with the test card's smallest clip; InvokeAI as its own server,
with its blank image, which needs no weights. They are not the same work: an item of theirs is a PNG of 128 pixels a
side; one of ours is a clip of 12 such pictures, encoded by an ffmpeg of its own, with poster and sprite, after a step
that takes the test card 50 ms of sleep. Both run all the time and are asked in turns; when something began and ended is
read from their own rows, on the one clock they share.

SORAHUB_INVOKEAI names a virtual environment with InvokeAI in it (`pip install invokeai`, from PyPI, about 6 GB).
Without it only our half runs, and says so.
"""

import json
import os
import random
import signal
import socket
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PLACE = tempfile.TemporaryDirectory(prefix="sorahub-bench-")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PORT = free_port()
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "sorahub.settings",
    "SECRET_KEY": "only-for-benchmarks-0123456789abcdefghij",
    "SORAHUB_DEMO": "1",
    "SORAHUB_TESTCARD": "1",
    "SORAHUB_SITE_URL": f"http://127.0.0.1:{PORT}",
    "SORAHUB_VAR": f"{PLACE.name}/ours",
    "DATABASE_URL": f"sqlite:///{PLACE.name}/ours/sorahub.sqlite3",
    "EMAIL_URL": "dummymail://",
    "PYTHONWARNINGS": "ignore:You're running the worker",
}
ALONE, SENT, PENDING = 20, 80, 10_000
DRAINED = {"sorahub": 120, "InvokeAI": 15}  # as many as take each some seconds
CANCELLED = 4
PROCESSES = 4  # of a worker, besides the demo's one


def main() -> None:
    import django

    from bench.queue_sides import InvokeAI, Sorahub

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # else both servers would outlive this
    for name in ("ours", "theirs"):
        Path(PLACE.name, name).mkdir()
    django.setup()
    venv = os.environ.get("SORAHUB_INVOKEAI")
    with ExitStack() as stack:
        sides = [stack.enter_context(Sorahub(Path(PLACE.name, "ours"), PORT))]
        if venv:
            theirs = InvokeAI(Path(PLACE.name, "theirs"), free_port(), Path(venv))
            sides.append(stack.enter_context(theirs))
            print(f"beside InvokeAI {theirs.version}", file=sys.stderr)
        else:
            print("SORAHUB_INVOKEAI is not set: our half only, beside nothing.", file=sys.stderr)
        told = {side.name: {} for side in sides}
        for measure in (alone, sending, draining, cancelling):
            for name, figures in measure(sides).items():
                told[name] |= figures
        told["sorahub"] |= draining_together(sides[0])
    print(json.dumps(compared(told)))


def alone(sides) -> dict:
    """One thing at a time, while nothing else waits; the moments in between are of any length."""
    times = {side.name: ([], []) for side in sides}
    for number in range(ALONE + 2):
        for side in sides:
            time.sleep(random.uniform(0.2, 1.2))
            sent = time.time()
            item = side.send()
            time.sleep(0.3)  # nobody asks while it happens
            began, ended = side.wait_for_end([item])[item]
            if number >= 2:  # the first ones warm up: models, connections
                times[side.name][0].append(1000 * (began - sent))
                times[side.name][1].append(1000 * (ended - sent))
    return {
        name: {
            "idle: ms from sending to started, p50": statistics.median(began),
            "idle: ms from sending to started, p95": p95(began),
            "idle: ms from sending to completed, p50": statistics.median(ended),
        }
        for name, (began, ended) in times.items()
    }


def sending(sides) -> dict:
    """What sending itself takes, with nobody at work."""
    told = {side.name: {} for side in sides}
    for side in sides:
        side.rest()
    for pending in (0, PENDING):
        for side in sides:
            side.fill(pending) if pending else None
        times = {side.name: [] for side in sides}
        for number in range(SENT + 5):
            for side in sides:
                started = time.perf_counter()
                side.send()
                if number >= 5:
                    times[side.name].append(1000 * (time.perf_counter() - started))
        for name, each in times.items():
            told[name][f"ms to send, {pending:,} pending, p50"] = statistics.median(each)
            told[name][f"ms to send, {pending:,} pending, p95"] = p95(each)
    for side in sides:
        side.empty()
        side.work()
    return told


def draining(sides) -> dict:
    return {side.name: {"drained, items/s": drain(side)} for side in sides}


def draining_together(side) -> dict:
    return {f"drained by {PROCESSES} processes, items/s": drain(side, PROCESSES)}


def drain(side, *processes) -> float:
    """Between the ends of the first and of the last, so that no start-up counts."""
    side.rest()
    items = side.fill(DRAINED[side.name])
    side.work(*processes)
    ends = sorted(ended for _began, ended in side.wait_for_end(items).values())
    return (len(ends) - 1) / (ends[-1] - ends[0])


def cancelling(sides) -> dict:
    """From the cancel of something that runs to the start of what waits behind it."""
    told = {}
    for side in sides:
        freed = []
        for _round in range(CANCELLED):
            first = side.send(is_long=True)
            side.wait_for_start(first)
            second = side.send()
            time.sleep(random.uniform(0.2, 1.2))
            cancelled = time.time()
            side.cancel(first)
            freed.append(side.wait_for_end([second])[second][0] - cancelled)
        told[side.name] = {
            "s from cancel to the next started, median": statistics.median(freed),
            "s from cancel to the next started, most": max(freed),
        }
    return told


def compared(told: dict) -> dict:
    """Theirs beside ours, and how many times better ours is: above 1 is ahead, for times and for rates alike."""
    figures = {}
    for name, ours in told["sorahub"].items():
        figures[f"sorahub, {name}"] = round(ours, 3)
        if theirs := told.get("InvokeAI", {}).get(name):
            figures[f"InvokeAI, {name}"] = round(theirs, 3)
            better = ours / theirs if "items/s" in name else theirs / ours
            figures[f"times ahead, {name}"] = round(better, 2)
    return figures


def p95(values) -> float:
    return statistics.quantiles(values, n=20)[-1]


if __name__ == "__main__":
    main()
