"""Who makes clips here: what each worker can run, what it has warm, and who is still there. Whose turn it is, says
the queue.
"""

import os
import socket
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models.functions import Now

from .engine import machine
from .models import Attempt, Worker

LOOKS_MISSED = 5  # so many looks without a sign, and at least LEAST_SILENCE, and a worker counts as gone
LEAST_SILENCE = timedelta(seconds=15)  # a worker that is started anew is back by then
KEPT = timedelta(days=1)
ASK_EVERY = 1.0  # seconds between two questions about the others, while one job follows the other


def name_of(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}"


def own_name() -> str:
    return name_of(os.getpid())


def runs() -> tuple[str, ...]:
    """What the workers of this machine take on."""
    return machine.models(tuple(settings.WORKER_MODELS))


# --- What they say of themselves ------------------------------------------------------------------


def seen(names: Collection[str]) -> None:
    """Puts their end off; from the process above them, which has no engine."""
    fresh = {"live_until": Now() + _silence(), "runs": runs()}
    if Worker.objects.live().filter(name__in=names).update(**fresh) < len(names):
        known = set(Worker.objects.live().filter(name__in=names).values_list("name", flat=True))
        for name in set(names) - known:  # who takes a name up again has a new engine, with nothing in it
            anew = {**fresh, "started_at": Now(), "warm": ""}
            Worker.objects.update_or_create(name=name, defaults=anew)


def left(names: Collection[str]) -> None:
    """They end, and so do their engines. Their rows grow old: they may be back in a moment."""
    Worker.objects.filter(name__in=names).update(warm="")


def _silence() -> timedelta:
    return max(LOOKS_MISSED * timedelta(seconds=settings.LOOK_EVERY), LEAST_SILENCE)


# --- What is known of them ------------------------------------------------------------------------


class Service(StrEnum):
    """What a model can expect of the workers that are live."""

    ABSENT = "absent"  # none is: what waits begins when one is back
    UNABLE = "unable"  # none can run it
    COLD = "cold"  # it has to be loaded first
    WARM = "warm"


def service_of(model: str) -> Service:
    live = list(Worker.objects.live().values_list("runs", "warm"))
    if not live:
        return Service.ABSENT
    able = [warm for runs, warm in live if model in runs]
    return (Service.WARM if model in able else Service.COLD) if able else Service.UNABLE


@dataclass(frozen=True)
class Shown:
    """A live worker, for whoever runs the program: what it is at is told by its model alone."""

    name: str
    runs: tuple[str, ...]
    warm: str
    model: str | None  # of the job at hand
    since: datetime | None


def shown() -> list[Shown]:
    at_work = {
        name: told
        for name, *told in Attempt.objects.filter(ended_at=None).values_list(
            "worker", "job__model", "started_at"
        )
    }
    return [
        Shown(each.name, tuple(each.runs), each.warm, *at_work.get(each.name, (None, None)))
        for each in Worker.objects.live().order_by("name")
    ]


class Talk:
    """What one worker tells the others of its engine, whenever that changes, and what it hears of theirs."""

    def __init__(self, name: str):
        self.name, self.told = name, None
        self.asked, self.heard = float("-inf"), frozenset()

    def tell(self, model: str) -> None:
        """What its engine holds, or begins to load; "" for nothing."""
        if model != self.told:
            Worker.objects.filter(name=self.name).update(warm=model)
            self.told = model

    def warm_elsewhere(self, model: str) -> frozenset[str]:
        """Models that other live workers have warm, less the one that this one has. Asked once a second at most.

        Whether they are at work makes no difference: most takes end within the seconds that a job waits for them, and
        the models that need minutes are slow to load, too.
        """
        if time.monotonic() - self.asked >= ASK_EVERY:
            self.asked = time.monotonic()
            others = Worker.objects.live().exclude(name=self.name).exclude(warm="")
            self.heard = frozenset(others.values_list("warm", flat=True))
        return self.heard - {model}


def tidy() -> int:
    """Removes the rows of those who are long gone. Returns how many."""
    return Worker.objects.filter(live_until__lt=Now() - KEPT).delete()[0]
