"""A whole installation of its own for the browser: web, worker, a fresh database, and headless Chromium."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PASSWORD = "browser-Suite-2026"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_ARGS = [
    "--no-sandbox",  # CI runs as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# manage.py, started once for all commands: a line of JSON in for each, a line with what it said out.
MANAGE = """
import contextlib, io, json, sys
import django
from django.core.management import call_command
django.setup()
for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        call_command(*json.loads(line))
    print(json.dumps(said.getvalue()), flush=True)
"""


@dataclass(frozen=True)
class House:
    """A running installation: where it answers, and its command line."""

    address: str
    commands: subprocess.Popen

    def manage(self, *words: str) -> str:
        self.commands.stdin.write(json.dumps(words) + "\n")
        self.commands.stdin.flush()
        said = self.commands.stdout.readline()
        assert said, f"manage.py {words[0]} failed; see above"
        return json.loads(said).strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


WEB, WORKER = "web", "worker"


@contextmanager
def opened_house(place: Path, *processes: str, **settings: str):
    """A running sorahub with demo members, the embedded model and no clips; `settings` are variables of its own."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "sorahub.settings",
        "SECRET_KEY": "browser-suite-only-and-long-enough-to-be-accepted",
        "SORAHUB_DEMO": "1",
        "SORAHUB_TESTCARD": "0",
        "SORAHUB_SECOND_LOOK": "0",
        "SORAHUB_DEMO_PASSWORD": PASSWORD,
        "SORAHUB_SITE_URL": address,
        "DATABASE_URL": f"sqlite:///{place}/sorahub.sqlite3",
        "BROKER_URL": f"filesystem://{place}/broker",
        "CACHE_URL": f"filecache://{place}/cache",
        "STORAGE_URL": f"file://{place}/private",
        "PUBLIC_STORAGE_URL": f"file://{place}/public",
        "EMAIL_URL": "consolemail://",
        "OMP_NUM_THREADS": "1",
        **settings,
    }
    with _commands(environment) as commands:
        made = House(address, commands)
        made.manage("migrate", "-v0")
        made.manage("seed_demo", "--clips", "0")
        with _running(place, port, environment, processes):
            _wait_for(f"{address}/readyz")
            yield made


@contextmanager
def _commands(environment):
    process = subprocess.Popen(
        [sys.executable, "-c", MANAGE],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # which closes its input, and that ends it
        yield process


@contextmanager
def _running(place: Path, port: int, environment, processes):
    """Web and worker; whatever they have to complain about is in their log."""
    commands = {
        WEB: [*"gunicorn sorahub.wsgi -k gthread --threads 8".split(), "-b", f"127.0.0.1:{port}"],
        WORKER: "celery -A sorahub worker -Q engine,desk -c 1 -l warning".split(),
    }
    log = open(place / "log", "w")
    running = [
        subprocess.Popen(
            [sys.executable, "-m", *commands[name]],
            cwd=PROJECT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        for name in processes
    ]
    try:
        yield
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            process.wait(timeout=20)
        log.close()
    said = (place / "log").read_text()
    assert "Internal Server Error" not in said, said[-4000:]


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """Where things are done: web and worker, and no clips but those that the tests make."""
    with opened_house(tmp_path_factory.mktemp("house"), WEB, WORKER) as made:
        yield made


COPIES = """
from accounts.models import User
from review import copying, making
from review.models import Submission
for submission in Submission.objects.at_the_desk():
    copying.ask(submission, viewer=User.objects.get(email="reviewer@example.com"))
making.work()
"""


@contextmanager
def opened_without_worker(place: Path, make: str = "", **settings: str):
    """A house in which nothing is generated; `make` is Python that fills it."""
    with opened_house(place, WEB, **settings) as made:
        if make:
            made.manage("shell", "-v0", "-c", make)
        yield made


@pytest.fixture(scope="session")
def furnished(tmp_path_factory):
    """Where things are only looked at: the demo's clips in the gallery and at the desk."""
    with opened_without_worker(tmp_path_factory.mktemp("furnished")) as made:
        made.manage("seed_demo")
        made.manage("shell", "-v0", "-c", COPIES)
        yield made


def _wait_for(address: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


# Nobody may find somebody else's clip next in line, whichever test ran before.
TAKE_BACK = """
from review import sealing
from review.models import Submission
for submission in Submission.objects.filter(withdrawal=None, decision=None):
    sealing.withdraw(submission, by=submission.artist)
"""


@pytest.fixture
def visitor(chromium, house):
    """visitor() is a stranger's page; visitor("artist") a page where the demo's artist is logged in."""
    with visitors_of(house, chromium) as come:
        yield come
    house.manage("shell", "-v0", "-c", TAKE_BACK)


@pytest.fixture
def onlooker(chromium, furnished):
    """As `visitor`, in the furnished house."""
    with visitors_of(furnished, chromium) as come:
        yield come


@contextmanager
def visitors_of(house, chromium):
    contexts = []

    def come(who=None, *, width=1440, height=900, scheme="dark", **options):
        context = chromium.new_context(
            base_url=house.address,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        # A page transition that a slow machine gives up is no error of the page's.
        page.on(
            "pageerror",
            lambda error: page.complaints.append(str(error)) if "Transition was" not in str(error) else None,
        )
        page.on(
            "console",
            lambda line: (
                page.complaints.append(line.text) if "Content Security Policy" in line.text else None
            ),
        )
        if who:
            page.goto("/accounts/login/")
            page.fill("[name=login]", f"{who}@example.com")
            page.fill("[name=password]", PASSWORD)
            page.click("main button[type=submit]")
            page.wait_for_url(lambda url: "/accounts/login" not in url)
        return page

    yield come
    complaints = [
        line for context in contexts for page in context.pages for line in getattr(page, "complaints", [])
    ]
    for context in contexts:
        context.close()
    assert not complaints


def first_link(page, pattern: re.Pattern) -> str:
    """The path of the first link on a page that leads to such a place."""
    paths = page.locator("a[href]").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    return next(path for path in paths if pattern.match(path))
