"""What tests say to a mutant: in a fork of a session that has collected them, where the functions' code is exchanged.

So a mutant costs its tests' own time. One that changes more than the inside of functions needs a session of its own,
which imports the changed module instead.
"""

import ast
import inspect
import json
import shutil
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_loader
from itertools import pairwise
from pathlib import Path

import pytest

from .forks import in_a_fork, run_pytest
from .mutants import Target


@dataclass(frozen=True)
class Outcome:
    code: int  # pytest's, or that of a fork that came to no end
    by: str  # the test that failed; "" if none did

    @property
    def lives(self) -> bool:
        return self.code == pytest.ExitCode.OK

    @property
    def is_killed(self) -> bool:
        """A test has failed by name, or the tests can't even load the module."""
        loads_no_more = self.code in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR)
        return loads_no_more or (self.code == pytest.ExitCode.TESTS_FAILED and self.by != "")


class Trial:
    """A plugin that collects a target's tests, and then leaves the session to `act(trial)`."""

    def __init__(self, target: Target, act):
        self.target, self.act, self.items, self.told = target, act, {}, None

    def run(self) -> int:
        return run_pytest(list(self.target.tests), plugins=[self])

    def pytest_runtestloop(self, session):
        self.items = {item.nodeid: item for item in session.items}
        self.act(self)
        return True

    def pytest_runtest_logreport(self, report):
        if report.failed and not self.told.exists():
            self.told.write_text(report.nodeid)

    def outcome_of(self, source: str, tests: list[str], *, limit: float, around=None) -> Outcome:
        """Up to the first test that fails. `around` wraps the run of each item."""

        def attempt() -> int:
            exchange(self.target, source)
            items = [self.items[test] for test in tests]
            for item, following in pairwise([*items, None]):
                with around(item) if around else nullcontext():
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self.told.exists():
                    return pytest.ExitCode.TESTS_FAILED
            return pytest.ExitCode.OK

        return self._outcome(attempt, limit)

    def outcome_of_loading(self, source: str, tests: list[str], *, limit: float) -> Outcome:
        """In a fork of a process that has not loaded the module."""

        def attempt() -> int:
            sys.meta_path.insert(0, Mutated(self.target, source))
            return run_pytest([*tests, "-x"], plugins=[Failures(self.told)])

        return self._outcome(attempt, limit)

    def _outcome(self, attempt, limit: float) -> Outcome:
        place = Path(tempfile.mkdtemp(prefix="mutant-"))
        self.told = place / "failed"
        try:
            code = in_a_fork(attempt, limit=limit, scratch=place)
            return Outcome(code, self.told.read_text() if self.told.exists() else "")
        finally:
            shutil.rmtree(place, ignore_errors=True)


class Failures:
    def __init__(self, told: Path):
        self.told = told

    pytest_runtest_logreport = Trial.pytest_runtest_logreport


def can_be_exchanged(target: Target, source: str) -> bool:
    """Is nothing changed but what stands inside functions, and their defaults?"""

    def outside(text: str) -> list[str]:
        nodes = ast.parse(text).body
        for node in nodes:
            if isinstance(node, ast.FunctionDef):
                node.body, node.args = [], ast.arguments([], [], None, [], [], None, [])
        return [ast.dump(node) for node in nodes]

    return outside(target.path.read_text()) == outside(source)


def exchange(target: Target, source: str) -> None:
    """Gives the loaded module's functions the code of another source, whoever holds them already."""
    fresh = {"__name__": target.module}
    exec(compile(source, str(target.path), "exec"), fresh)
    for name, loaded in vars(sys.modules[target.module]).items():
        if getattr(loaded, "__module__", None) == target.module and inspect.isroutine(loaded):
            old, new = inspect.unwrap(loaded), inspect.unwrap(fresh[name])
            old.__code__, old.__defaults__, old.__kwdefaults__ = (
                new.__code__,
                new.__defaults__,
                new.__kwdefaults__,
            )


class Mutated(SourceFileLoader):
    """Gives a module another source, whoever imports it first."""

    def __init__(self, target: Target, source: str):
        super().__init__(target.module, str(target.path))
        self.source = source

    def find_spec(self, name, _path=None, _target=None):
        return spec_from_loader(name, self) if name == self.name else None

    def get_code(self, _fullname):
        return compile(self.source, self.path, "exec")


class Recorder:
    """Notes in a file which functions of one file each test calls, and how long it takes."""

    def __init__(self, path: Path, told: Path):
        self.path, self.told, self.reached = str(path), told, {}

    @contextmanager
    def around(self, item):
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
        self.told.write_text(json.dumps(self.reached))
