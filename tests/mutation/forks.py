"""Acts in a fork, on a copy of one prepared database, with a limit."""

import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

TIMED_OUT, BROKEN = -1, 70


def prepare(mutated: set[str]) -> None:
    """Loads Django and makes the test database once; the forks work on copies of it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import django
    from django.db import connections
    from django.test import utils

    django.setup()
    utils.setup_databases(verbosity=0, interactive=False)
    connections.close_all()  # or a part of it stays in a log beside it, and out of the copies
    utils.setup_databases = lambda *_args, **_options: []  # pytest-django would make it anew in each fork
    utils.teardown_databases = lambda *_args, **_options: None
    if loaded := mutated & set(sys.modules):
        raise SystemExit(f"{loaded} is loaded already: its mutants would not be met.")


def run_pytest(arguments: list[str], plugins=()) -> int:
    """The tests that need services are races: they say something on PostgreSQL alone."""
    from django.db import connection

    left_out = "not browser and not soak" + (" and not services" if connection.vendor == "sqlite" else "")
    quiet = ["-qq", "-s", "--no-header", "--no-summary", "--tb=no", "-p", "no:cacheprovider", "-m", left_out]
    lean = ["-p", "pytest_django.plugin", "--assert=plain"]
    return int(pytest.main([*arguments, *quiet, *lean], plugins=list(plugins)))


def in_a_fork(act, *, limit: float, scratch: Path) -> int:
    """The exit code of `act`, run in a fork with a copy of the database and the scratch folder for what it leaves."""
    from django.db import connections

    connections.close_all()
    with _copied_database():
        pid = os.fork()
        if not pid:
            code = BROKEN
            try:
                os.setsid()
                tempfile.tempdir = os.environ["TMPDIR"] = str(scratch)
                quiet = os.open(os.devnull, os.O_WRONLY)
                os.dup2(quiet, 1)
                os.dup2(quiet, 2)
                code = act()
            finally:
                os._exit(code)
        end = time.monotonic() + limit
        while time.monotonic() < end:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return TIMED_OUT


@contextmanager
def _copied_database():
    from django.db import connection

    original = connection.settings_dict["NAME"]
    copy = f"{original}-mutant"
    drop = f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)'
    try:
        if connection.vendor == "postgresql":
            _on_server(drop, f'CREATE DATABASE "{copy}" TEMPLATE "{original}"')
        else:
            shutil.copyfile(original, copy)
        connection.settings_dict["NAME"] = copy
        yield
    finally:
        connection.settings_dict["NAME"] = original
        if connection.vendor == "postgresql":
            _on_server(drop)
        else:
            for left in Path(copy).parent.glob(Path(copy).name + "*"):
                left.unlink()


def _on_server(*commands: str) -> None:
    """Not by Django's connection: pytest-django guards that one outside of tests."""
    import psycopg
    from django.db import connection

    told = connection.settings_dict
    where = {"host": told["HOST"], "port": told["PORT"], "user": told["USER"], "password": told["PASSWORD"]}
    where = {key: value for key, value in where.items() if value}
    with psycopg.connect(dbname="postgres", autocommit=True, **where) as server:
        for command in commands:
            server.execute(command)
