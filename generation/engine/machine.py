"""What this machine can run: the models whose weights are here and that fit its memory. Loads none, and no torch.

What the memory is, is asked of the operating system and of nvidia-smi. An operator who knows better names the models.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from functools import cache

from . import catalog

GB = 10**9
ASKED = ("nvidia-smi", "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits")
PATIENCE = 20.0  # seconds: a driver that was never asked before wakes slowly


@cache
def models(named: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Ids of the models that a worker here takes on, sorted: those `named` that are here, or all that fit."""
    here = catalog.offered()
    chosen = [model for model in here if model.id in named] if named else fitting(here)
    return tuple(sorted(model.id for model in chosen))


def fitting(here: Iterable[catalog.Model]) -> list[catalog.Model]:
    """Those that need no GPU; beside a GPU, those that it can hold in parts; without, those that main memory holds."""
    large = [model for model in here if model.needs.least]
    gpu = gpu_bytes() if large else None
    return [
        model
        for model in here
        if model not in large
        or (gpu >= model.needs.least * GB if gpu else main_bytes() >= model.needs.whole * GB)
    ]


def gpu_bytes() -> int | None:
    """Memory of the GPU that an engine would use, the first that CUDA_VISIBLE_DEVICES lets through; None without."""
    try:
        done = subprocess.run(ASKED, capture_output=True, text=True, timeout=PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return first_visible(done.stdout, os.environ.get("CUDA_VISIBLE_DEVICES"))


def first_visible(told: str, visible: str | None) -> int | None:
    """Bytes, from what nvidia-smi told line by line: index, uuid, MiB. CUDA stops reading at a name it doesn't know."""
    rows = [[word.strip() for word in line.split(",")] for line in told.splitlines()]
    found = {(index, uuid): mebibytes for index, uuid, mebibytes in (row for row in rows if len(row) == 3)}
    wanted = visible.split(",")[0].strip() if visible is not None else None
    for (index, uuid), mebibytes in found.items():
        if wanted is None or wanted == index or (wanted and uuid.startswith(wanted)):
            return int(mebibytes) * 2**20 if mebibytes.isdecimal() else None
    return None


def main_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
