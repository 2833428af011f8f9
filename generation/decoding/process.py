"""The parent's side of decoding: opens the upload, starts the child, believes only what it can count, and ends it."""

from __future__ import annotations

import os
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from .bounds import BYTES, HEAD, MANIFEST_BYTES, MOST_FRAMES, SECONDS, Kind
from .refusals import Refused, Why
from .walls import NAMES, WALLS

PROJECT = Path(__file__).resolve().parents[2]
CHILD = f"{__package__}.child"

# All that the child's environment holds: nothing of ours, and what lets an interpreter find its libraries.
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
PASSED_ON = ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")


class Child:
    """One child for one upload. Its standard input is the open file, and its output is counted."""

    def __init__(self, task: str, path: Path, *, longest: int = 1, walled: bool = False, **told: str):
        self.longest = longest
        self.walled = walled
        self.walls: frozenset[str] = frozenset()
        self.told = b""  # what it says in words
        self.patience = float(SECONDS[task])  # seconds of waiting for it, in all
        file = _opened(path, BYTES[task])
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", CHILD, task, str(longest), str(os.getpid())],
                cwd=PROJECT,
                env=environment() | told,
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # libraries talk about the upload there
                start_new_session=True,  # a group of its own, to be ended as one
            )
        finally:
            os.close(file)
        self.pipe = self.process.stdout.fileno()
        self.ready = select.poll()
        self.ready.register(self.pipe, select.POLLIN | select.POLLHUP)

    def pixels(self, *, most: int = MOST_FRAMES) -> Iterator[np.ndarray]:
        """The arrays that the child sends, at most so many; Refused if it refuses, hangs, dies or says nonsense."""
        left = most
        while True:
            kind, first, second = HEAD.unpack(self._read(HEAD.size))
            if kind == Kind.WALLS:
                self.walls = frozenset(name for wall, name in zip(WALLS, NAMES, strict=True) if first & wall)
                if self.walled and "system calls" not in self.walls:
                    raise Refused(Why.NO_WALLS)
            elif kind == Kind.PIXELS and 0 < first <= self.longest and 0 < second <= self.longest:
                flat = np.frombuffer(self._read(first * second * 3), np.uint8)
                yield flat.reshape(second, first, 3)
                left -= 1
                if not left:
                    return
            elif kind == Kind.MANIFEST and 0 < first <= MANIFEST_BYTES:
                self.told = bytes(self._read(first))
            elif kind == Kind.REFUSED and first in tuple(Why):
                raise Refused(Why(first))
            elif kind == Kind.DONE:
                return
            else:
                raise Refused(Why.UNREADABLE, detail=f"the child said {kind} {first} {second}")

    def close(self) -> None:
        """End the child and whatever it may have started, at once."""
        if self.process.returncode is None:  # only before it is reaped is its group's number surely its own
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def _read(self, count: int) -> bytearray:
        told = bytearray(count)
        place = memoryview(told)
        while place:
            started = time.monotonic()
            ready = self.ready.poll(max(0.0, self.patience) * 1000)
            self.patience -= time.monotonic() - started
            if not ready:
                raise Refused(Why.LONG)
            if not (got := os.readv(self.pipe, [place])):
                raise self._fallen()
            place = place[got:]
        return told

    def _fallen(self) -> Refused:
        """The child ended without a word: out of time, out of memory, or broken by the file."""
        code = self.process.wait()
        out_of_time = code in (-signal.SIGXCPU, -signal.SIGALRM)
        return Refused(Why.LONG if out_of_time else Why.UNREADABLE, detail=f"the child ended with {code}")


def environment() -> dict[str, str]:
    return ENVIRONMENT | {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def _opened(path: Path, most: int) -> int:
    """Opened for reading only; a pipe or a device could go on for ever."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe without a writer doesn't hold us up
    except OSError as error:
        raise Refused(Why.NO_FILE, detail=type(error).__name__) from None
    told = os.fstat(file)
    if stat.S_ISREG(told.st_mode) and 0 < told.st_size <= most:
        return file
    os.close(file)
    if not stat.S_ISREG(told.st_mode):
        raise Refused(Why.NO_FILE)
    raise Refused(Why.BYTES if told.st_size else Why.EMPTY)
