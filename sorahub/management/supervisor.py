"""Keeps a handful of processes running and ends them together; what they are is said elsewhere (commands/demo.py).

Each process leads a session of its own: a signal to the terminal's or make's group reaches only the supervisor, which
then ends everything in order. Where the supervisor itself is killed, guard.py does it instead.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import IO

LOOK_EVERY = 0.2  # seconds
GRACE = 5.0  # seconds between the polite signal and SIGKILL
FIRST_DELAY, LONGEST_DELAY = 1.0, 15.0  # seconds before a restart; doubled for a process that dies young
YOUNG = 10.0  # seconds
GUARD = Path(__file__).with_name("guard.py")

STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervised:
    """One process that should be running, and the log lines that it writes."""

    def __init__(self, name: str, command: Sequence[str], say: Callable[[str, str], None], cwd: Path):
        self.name, self.command, self.say, self.cwd = name, command, say, cwd
        self.process: subprocess.Popen | None = None
        self.reader: Thread | None = None
        self.delay = FIRST_DELAY
        self.started = self.due = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.reader = Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()

    def _read(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            if words := line.decode(errors="replace").rstrip():
                self.say(self.name, words)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def look(self) -> None:
        """Notices a death, clears away what it left, and starts anew when the delay is over."""
        if self.is_running():
            return
        if self.process is not None:
            status = self.process.returncode
            self.clear()
            lived = time.monotonic() - self.started
            self.delay = FIRST_DELAY if lived > YOUNG else min(self.delay * 2, LONGEST_DELAY)
            self.due = time.monotonic() + self.delay
            self.say("demo", f"{self.name} ended ({_how(status)}) and starts again in {self.delay:.0f} s")
        elif time.monotonic() >= self.due:
            self.start()

    def ask_to_end(self) -> None:
        if self.is_running():
            self.process.terminate()  # the leader alone: it ends its own children in order

    def clear(self) -> None:
        """Kills the whole group, the leader's orphans included."""
        if self.process is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join(timeout=1)
        self.process.stdout.close()
        self.process = None


class Supervisor:
    """Runs `programs` (name -> command) until a signal comes; calls `ready` once, when `is_ready` says yes."""

    def __init__(
        self,
        programs: Mapping[str, Sequence[str]],
        *,
        cwd: Path,
        is_ready: Callable[[], bool],
        ready: Callable[[], None],
    ):
        self.width = max(map(len, programs))
        self.supervised = [Supervised(name, command, self.say, cwd) for name, command in programs.items()]
        self.is_ready, self.ready = is_ready, ready
        self.announced = self.stopping = False
        self.guard: subprocess.Popen | None = None
        self.told = ""
        self.lock = Lock()

    def run(self) -> None:
        for number in STOPPING_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and `&` ask for that
                signal.signal(number, self._stop)
        try:
            while not self.stopping:
                for supervised in self.supervised:
                    supervised.look()
                self._tell_guard()
                if not self.announced and self.is_ready():
                    self.announced = True
                    self.ready()
                time.sleep(LOOK_EVERY)
        finally:
            self._end()

    def say(self, name: str, line: str) -> None:
        with self.lock, suppress(OSError, ValueError):  # if nobody reads any more, the work goes on
            print(f"{name:>{self.width}} | {line}", flush=True)

    def _stop(self, *_signal) -> None:
        self.stopping = True  # make passes the same signal on, so it may well come twice

    def _end(self) -> None:
        for supervised in self.supervised:
            supervised.ask_to_end()
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline and any(supervised.is_running() for supervised in self.supervised):
            time.sleep(LOOK_EVERY / 4)
        for supervised in self.supervised:
            if supervised.is_running():
                self.say("demo", f"{supervised.name} did not end by itself in {GRACE:.0f} s and is killed")
            supervised.clear()
        if self.guard:
            self._tell_guard()
            with suppress(OSError):
                self.guard.stdin.close()
            self.guard.wait()

    def _tell_guard(self) -> None:
        """Keeps the guard alive, and its list true."""
        groups = " ".join(str(each.process.pid) for each in self.supervised if each.process)
        if self.guard is None or self.guard.poll() is not None:
            self.guard = subprocess.Popen(
                [sys.executable, str(GUARD)], stdin=subprocess.PIPE, start_new_session=True
            )
            self.told = ""
        if groups != self.told:
            with suppress(BrokenPipeError):  # it died just now: the next look starts another
                self.guard.stdin.write(f"{groups}\n".encode())
                self.guard.stdin.flush()
                self.told = groups


def _how(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
