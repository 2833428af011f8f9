"""Runs each mutant against the tests that reach it, and names those that live: `python -m tests.mutation.run`.

The tests run in a fork that has everything loaded but the mutated module, on a copy of one prepared database, so that
a mutant costs seconds. Which tests reach which function is found out first, in one run of the unchanged code.
"""

import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import tomllib
from contextlib import contextmanager, suppress
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_loader
from itertools import groupby
from pathlib import Path

import pytest

from .mutants import Mutant, Target, of

HERE = Path(__file__).parent
LIMIT = 120  # seconds for one mutant: it may loop for ever, which is as good as failing
GATE = Target(
    "review.gate",
    (),
    (
        "tests/review/test_gate_acts.py",
        "tests/review/test_deciding.py",
        "tests/review/test_publishing.py",
        "tests/review/test_claims.py",
        "tests/review/test_stepping_aside.py",
        "tests/review/test_sweep.py",
        "tests/review/test_kept_out.py",
        "tests/review/test_races.py",
        "tests/generation/test_queue_limits.py",
    ),
)
CLAIM = Target(
    "generation.queue",
    ("claim_next", "_may_be_served", "in_turn"),
    (
        "tests/generation/test_queue_claim.py",
        "tests/generation/test_queue.py",
        "tests/generation/test_queue_limits.py",
        "tests/generation/test_queue_place.py",
        "tests/generation/test_queue_races.py",
    ),
)


def survivors(target: Target, *, only=None) -> list[str]:
    """Names of the mutants that no test notices, on the database that the environment names."""
    place = Path(tempfile.mkdtemp(prefix="mutants-"))
    try:
        reached = _reached(target, place)
        mutants = [mutant for mutant in of(target) if only is None or mutant.name in only]
        living = []
        for number, mutant in enumerate(mutants, 1):
            started = time.monotonic()
            lives = _survives(mutant, reached.get(mutant.function, []))
            if lives:
                living.append(mutant.name)
            word = "SURVIVES" if lives else "killed  "
            print(
                f"{number:4}/{len(mutants)} {word} {time.monotonic() - started:5.1f} s  {mutant.name[:150]}",
                flush=True,
            )
        return living
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _reached(target: Target, place: Path) -> dict[str, list[str]]:
    """{function: the tests that call it}, from a run of the unchanged code, which must be green.

    In the order of the target's files, of which the first say most about it, and in each the quickest first.
    """
    told = place / "reached.json"

    def record() -> int:
        recorder = Recorder(str(target.path))
        code = _pytest(target.tests, plugins=[recorder])
        told.write_text(json.dumps({"reached": recorder.reached, "loaded": sorted(sys.modules)}))
        return code

    if _in_a_fork(record, limit=1800) != 0:
        raise SystemExit("The tests fail without any mutant.")
    heard = json.loads(told.read_text())
    _load(heard["loaded"])
    reached = heard["reached"]
    order = list(target.tests)
    return {
        function: sorted(tests, key=lambda test: (order.index(test.partition("::")[0]), tests[test]))
        for function, tests in reached.items()
    }


def _survives(mutant: Mutant, tests: list[str]) -> bool:
    def attempt() -> int:
        sys.meta_path.insert(0, Mutated(mutant))
        # File by file, because most die in the first.
        for _file, its_tests in groupby(tests, key=lambda test: test.partition("::")[0]):
            if code := _pytest([*its_tests, "-x"]):
                return code
        return 0

    return not tests or _in_a_fork(attempt, limit=LIMIT) == 0


def _load(names: list[str]) -> None:
    """Imports other people's modules before the forks, so that they needn't; ours would bring the mutated one along."""
    ours = {"accounts", "generation", "review", "sorahub", "tests"}
    for name in names:
        if name.partition(".")[0] not in ours:
            with suppress(Exception):  # some are names that only their own package can import
                importlib.import_module(name)


class Recorder:
    """A plugin that notes which functions of one file each test calls, and how long it takes."""

    def __init__(self, path: str):
        self.path, self.reached = path, {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item):
        called, started = set(), time.monotonic()

        def note(frame, event, _arg):
            if event == "call" and frame.f_code.co_filename == self.path:
                called.add(frame.f_code.co_name)

        threading.setprofile(note)
        sys.setprofile(note)
        yield
        sys.setprofile(None)
        threading.setprofile(None)
        for name in called:
            self.reached.setdefault(name, {})[item.nodeid] = time.monotonic() - started


class Mutated(SourceFileLoader):
    """Gives a module its mutant's source, whoever imports it first."""

    def __init__(self, mutant: Mutant):
        super().__init__(mutant.target.module, str(mutant.target.path))
        self.mutant = mutant

    def find_spec(self, name, _path=None, _target=None):
        return spec_from_loader(name, self) if name == self.mutant.target.module else None

    def get_code(self, _fullname):
        return compile(self.mutant.source, self.path, "exec")


def _pytest(arguments: list[str], plugins=()) -> int:
    quiet = ["-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-m", "not browser and not soak"]
    lean = ["-p", "pytest_django.plugin", "--assert=plain"]
    return int(pytest.main([*arguments, *quiet, *lean], plugins=list(plugins)))


# --- A fork with a database of its own -------------------------------------------------------------------


def prepare() -> None:
    """Loads Django and makes the test database once; the forks work on copies of it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import django
    from django.test import utils

    django.setup()
    utils.setup_databases(verbosity=0, interactive=False)
    utils.setup_databases = lambda *_args, **_options: []  # pytest-django would make it anew in each fork
    utils.teardown_databases = lambda *_args, **_options: None
    loaded = {GATE.module, CLAIM.module} & set(sys.modules)
    if loaded:
        raise SystemExit(f"{loaded} is loaded already: its mutants would not be met.")


def _in_a_fork(act, *, limit: float) -> int:
    """The exit code of `act`, run in a fork with a copy of the database; -1 if it took too long."""
    from django.db import connections

    connections.close_all()
    with _copied_database():
        pid = os.fork()
        if not pid:
            code = 70
            try:
                os.setsid()
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
            time.sleep(0.02)
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return -1


@contextmanager
def _copied_database():
    from django.db import connection

    original = connection.settings_dict["NAME"]
    copy = f"{original}-mutant"
    try:
        if connection.vendor == "postgresql":
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
                cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{original}"')
        else:
            shutil.copyfile(original, copy)
        connection.settings_dict["NAME"] = copy
        yield
    finally:
        connection.settings_dict["NAME"] = original
        if connection.vendor == "postgresql":
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
        else:
            for left in Path(copy).parent.glob(Path(copy).name + "*"):
                left.unlink()


def known(target: Target) -> dict[str, dict]:
    """{mutant's name: why it may live, and on which databases}."""
    return {
        one["mutant"]: one
        for one in tomllib.loads((HERE / "survivors.toml").read_text()).get(target.module, [])
    }


def main() -> int:
    """0 if exactly the explained mutants live."""
    from django.db import connection

    chosen = [target for target in (GATE, CLAIM) if not sys.argv[1:] or target.module in sys.argv[1:]]
    prepare()
    wrong = 0
    for target in chosen:
        # What dies on SQLite is dead. On PostgreSQL, where the races are run too, only the survivors are tried again.
        living = survivors(target, only=None if connection.vendor == "sqlite" else set(known(target)))
        explained = [name for name, one in known(target).items() if connection.vendor in one["on"]]
        new = [name for name in living if name not in explained]
        gone = [name for name in explained if name not in living]
        print(
            f"{target.module}: {len(of(target))} mutants, {len(living)} live, {len(new)} of them unexplained"
        )
        for word, names in (("lives unexplained", new), ("is explained, but lives no more", gone)):
            for name in names:
                print(f"  {word}: {name}")
        wrong += len(new) + len(gone)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
