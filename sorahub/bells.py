"""Bells by which whoever puts something into a folder wakes the processes that wait for it, instead of being found.

A bell is a named pipe, one for each who waits. It only ever says "look": how often it was rung doesn't matter, and who
misses it looks by itself a little later.
"""

import os
import select
import uuid
from contextlib import suppress
from pathlib import Path

ENDING = ".bell"


class Bell:
    """Heard by the process that made it, from then on until it is closed."""

    def __init__(self, folder: Path):
        self.path = folder / f"{uuid.uuid4()}{ENDING}"
        unheard = self.path.with_suffix(".part")  # under its own name it would be taken for one of the dead
        os.mkfifo(unheard, 0o660)
        self.pipe = os.open(
            unheard, os.O_RDWR | os.O_NONBLOCK
        )  # read alone, it would end with the first ringer
        os.replace(unheard, self.path)

    def wait(self, seconds: float) -> None:
        """Until it is rung, or was since the last wait, and for that long at most."""
        if select.select([self.pipe], [], [], max(0, seconds))[0]:
            os.read(self.pipe, 65536)  # all rings together

    def close(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self.pipe)


def ring(folder: Path) -> None:
    """Rings all bells that hang there; one that nobody hears any more is taken down."""
    for path in folder.glob(f"*{ENDING}"):
        try:
            pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # whoever waited is gone
            path.unlink(missing_ok=True)
            continue
        with suppress(BlockingIOError):  # full: it has been rung often enough
            os.write(pipe, b"\a")
        os.close(pipe)
