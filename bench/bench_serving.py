"""What the site serves a second behind nginx and PostgreSQL, beside the least that could be served in its place.

Pages are measured beside a view with one indexed query, private bytes beside a view that checks nothing: in turns,
in short slices, so that what else the machine does meets both. Needs PostgreSQL, Redis, nginx and wrk.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from deploy.rehearsal import Rehearsal, memory

CLIPS, ARTISTS, WAITING = 110, 2, 52  # more than a page of the gallery, the studio and the desk holds
ROUNDS, SECONDS, CONNECTIONS = 5, 2, 8
CHUNK = 1024 * 1024  # bytes; what a player asks for at once
PROXIED = ("X-Forwarded-Proto: http", "Host: localhost")


def main() -> None:
    for program in ("nginx", "wrk"):
        if not shutil.which(program):
            raise SystemExit(f"bench_serving needs {program}.")
    environment = {
        "DJANGO_SETTINGS_MODULE": "bench.serving_site",
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        "SORAHUB_REQUIRE_MFA": "0",
        "SORAHUB_TESTCARD": "1",
    }
    with Rehearsal(tls=False, units=[("sorahub-web", "")], environment=environment) as house:
        house.install()
        told = {"--clips": CLIPS, "--artists": ARTISTS, "--waiting": WAITING}
        house.manage("seed_demo", *(str(word) for pair in told.items() for word in pair), SORAHUB_DEMO="1")
        told = json.loads(
            house.manage("shell", "--no-imports", "-c", "from bench.serving_urls import prepare; prepare()")
        )
        house.start()
        figures = pages(house, told) | private_bytes(house, told)
        figures["MB of a web process at most"] = max(map(memory, house.pids("sorahub-web")[1:]))
    print(json.dumps(figures))


def pages(house: Rehearsal, told: dict) -> dict:
    """Requests a second at the web processes themselves: what nginx adds is the same for all."""
    asked = {
        "minimal view": ("/bench/minimal/", None),
        "gallery": ("/", None),
        "gallery, logged in": ("/", told["artist"]),
        "studio": ("/studio/", told["artist"]),
        "desk": ("/desk/", told["reviewer"]),
        "watch page": (told["watch"], None),
    }
    rates = measured({name: (house.web + path, header(session)) for name, (path, session) in asked.items()})
    figures = {f"{name}, requests/s": statistics.median(rate) for name, rate in rates.items()}
    for name in list(asked)[1:]:
        figures[f"{name} : minimal"] = ratio(rates[name], rates["minimal view"])
    return figures


def private_bytes(house: Rehearsal, told: dict) -> dict:
    """Range requests through nginx, of the same file: one after all checks, one after none."""
    headers = (*header(told["artist"]), f"Range: bytes=0-{CHUNK - 1}")
    rates = measured(
        {
            "checked": (house.site + told["video"], headers),
            "unchecked": (house.site + told["unchecked"], headers),
        }
    )
    return {
        "private Range by X-Accel, requests/s": statistics.median(rates["checked"]),
        "unchecked Range by X-Accel, requests/s": statistics.median(rates["unchecked"]),
        "private : unchecked": ratio(rates["checked"], rates["unchecked"]),
    }


def measured(asked: dict) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(ROUNDS + 1):
        for name, (url, headers) in asked.items():
            rate = wrk(url, headers)
            if number:  # the first one warms up: templates, connections
                rates[name].append(rate)
    return rates


def wrk(url: str, headers) -> float:
    """Requests a second; whatever isn't answered well ends the measuring."""
    options = [word for line in headers for word in ("-H", line)]
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *options, url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(f"{url} was not answered well:\n{done.stdout}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])


def header(session: str | None) -> tuple[str, ...]:
    return (*PROXIED, f"Cookie: sessionid={session}") if session else PROXIED


def ratio(rates: list[float], least: list[float]) -> float:
    """The median of what each round says, since its slices lie side by side."""
    return round(statistics.median(a / b for a, b in zip(rates, least, strict=True)), 3)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
