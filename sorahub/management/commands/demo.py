"""Runs the whole of sorahub on one machine, with people and clips to try it with: `make demo` ends here."""

import http.client
import os
import sys
from contextlib import suppress

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from generation import attempts, keys
from review.management.commands.seed_demo import demo_password
from sorahub.management.preflight import busy_port
from sorahub.management.supervisor import Supervisor

PEOPLE = ("artist", "reviewer", "admin")
CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "sorahub")
QUIET = ("--without-gossip", "--without-mingle", "--loglevel", "WARNING")


class Command(BaseCommand):
    help = "Migrates, seeds and runs web, workers and beat on 127.0.0.1, until Ctrl-C."

    def add_arguments(self, parser):
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000")

    def handle(self, *, port: str, **options):
        if not settings.DEMO:
            raise CommandError(
                "This installation is not a demo, and the demo's people have known passwords. "
                "Set SORAHUB_DEMO=1 in .env, and use a database of its own."
            )
        if sentence := busy_port(port):
            raise CommandError(sentence)
        self.url = f"http://127.0.0.1:{port}"
        for name, value in defaults(self.url).items():
            os.environ.setdefault(name, value)
        try:
            self.prepare()
        except KeyboardInterrupt:
            raise CommandError("Stopped before anything ran. `make demo` goes on from here.") from None
        supervisor = Supervisor(
            programs(port),
            cwd=settings.BASE_DIR,
            is_ready=lambda: answers(port),
            ready=self.announce,
        )
        supervisor.run()
        self.say("The demo has ended. `make demo` starts it again, with everything in its place.")

    def prepare(self):
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise grumbles without it
        call_command("migrate", interactive=False, verbosity=0)
        keys.make_for_demo()
        try:
            call_command("seed_demo")
        finally:
            attempts.close_engine()  # the workers have their own
            connections.close_all()

    def announce(self):
        logins = "\n".join(f"    {name}@example.com" for name in PEOPLE)
        rule = "-" * 64
        self.say(
            f"\n{rule}\n  sorahub is at {self.url}/\n\n  Log in as\n{logins}\n  Password: {demo_password()}\n\n"
            f"  Ctrl-C ends it all.\n{rule}\n"
        )

    def say(self, words: str):
        with suppress(OSError):  # a closed terminal must not keep the processes from being ended
            self.stdout.write(words)
            self.stdout.flush()


def programs(port: str) -> dict[str, tuple[str, ...]]:
    """Two workers, because the desk must not wait behind the engine; one engine, because a laptop has one."""
    gunicorn = (sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py")
    worker = (*CELERY, "worker", *QUIET)
    return {
        "web": (*gunicorn, "--bind", f"127.0.0.1:{port}", "sorahub.wsgi"),
        "engine": (*worker, "--queues", "engine", "--hostname", "engine@%h", "--concurrency", "1"),
        "desk": (*worker, "--queues", "desk", "--hostname", "desk@%h", "--pool", "solo"),
        "beat": (*CELERY, "beat", "--pidfile=", "--loglevel", "WARNING"),
    }


def defaults(url: str) -> dict[str, str]:
    """What the children's environment says unless this process's own says otherwise."""
    return {
        "SORAHUB_SITE_URL": url,
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker",  # as root, where the demo runs in a container
    }


def answers(port: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
