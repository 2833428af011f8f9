"""Lighthouse's scores for the gallery and a watch page, as a phone sees them: median of three runs each.

Needs Node.js and Chromium (CHROMIUM); npx fetches Lighthouse. The site runs as in production: compressed static
files, gunicorn, no demo switch.
"""

import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
RUNS = 3
LIGHTHOUSE = ("npx", "--yes", "lighthouse@12")
GUNICORN = ("gunicorn", "-c", "deploy/gunicorn.conf.py", "sorahub.wsgi")
CHROME_FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-background-networking --disable-quic"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def main() -> None:
    if not shutil.which("npx"):
        raise SystemExit("Lighthouse needs Node.js: there is no npx here.")
    with tempfile.TemporaryDirectory(prefix="sorahub-lighthouse-") as place:
        port = free_port()
        environment = settings(Path(place), port)
        manage(environment | {"SORAHUB_DEMO": "1"}, "migrate", "-v0")
        manage(environment, "provenance", "keys", "--name", "A benchmark")
        manage(environment | {"SORAHUB_DEMO": "1"}, "seed_demo")
        manage(environment, "collectstatic", "--noinput", "-v0")
        web = subprocess.Popen(
            [sys.executable, "-m", *GUNICORN, "-b", f"127.0.0.1:{port}"],
            cwd=PROJECT,
            env=environment,
            stdout=sys.stderr,
            start_new_session=True,
        )
        try:
            site = f"http://127.0.0.1:{port}"
            wait_for(f"{site}/healthz")
            pages = {"gallery": f"{site}/", "watch page": site + first_watch_path(site)}
            print(json.dumps({k: v for name, url in pages.items() for k, v in scores(name, url).items()}))
        finally:
            os.killpg(web.pid, signal.SIGTERM)
            web.wait(timeout=20)


def scores(name: str, url: str) -> dict[str, float]:
    """Median score of each category, 0 to 100. What takes points away goes to standard error."""
    reports = [audited(url) for _ in range(RUNS)]
    for audit in reports[0]["audits"].values():
        if audit["score"] is not None and audit["score"] < 0.9:
            print(f"{name}: {audit['id']} {audit.get('displayValue', '')}", file=sys.stderr)
    return {
        f"{name}: {category}": statistics.median(
            round(100 * report["categories"][category]["score"]) for report in reports
        )
        for category in CATEGORIES
    }


def audited(url: str) -> dict:
    command = [*LIGHTHOUSE, url, "--quiet", "--output=json", f"--chrome-flags={CHROME_FLAGS}"]
    command.append(f"--only-categories={','.join(CATEGORIES)}")
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    environment = os.environ | {"CHROME_PATH": chromium}
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def settings(place: Path, port: int) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "sorahub.settings",
        "SECRET_KEY": "only-for-benchmarks-0123456789abcdefghij",
        "SORAHUB_DEMO": "0",
        "SORAHUB_SITE_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{place}/bench.sqlite3",
        "BROKER_URL": f"filesystem://{place}/broker",
        "CACHE_URL": f"filecache://{place}/cache",
        "STORAGE_URL": f"file://{place}/private",
        "PUBLIC_STORAGE_URL": f"file://{place}/public",
        "SORAHUB_STATIC_ROOT": f"{place}/static",
        "SORAHUB_VAR": str(place),
    }


def manage(environment: dict[str, str], *words: str) -> None:
    command = [sys.executable, "manage.py", *words]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True, stdout=sys.stderr)


def first_watch_path(site: str) -> str:
    with urllib.request.urlopen(site) as answer:
        page = answer.read().decode()
    start = page.index('href="/watch/') + len('href="')
    return page[start : page.index('"', start)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    main()
