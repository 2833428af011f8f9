"""What saying where a clip comes from costs, and what the reference reader makes of it: signing, reading, flipped bits.

Signing is measured against copying the same file to the disk, in turns, because both end with the disk. Signing reads
its result back before it shows it. Keys and files are made here, for this run.
"""

import json
import os
import shutil
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from generation import encoding, keys, provenance
from generation.provenance import Origin, State

SIZES = {"embedded model's size": (128, 128, 24), "480 x 832, 81 frames": (480, 832, 81)}
TURNS = 15
FLIPS = 300
ORIGIN = Origin("A model", "4f0c9be1", "0b4f0a52-9a43-4a58-8b52-6c3c1b0a7d10", has_image=True)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="sorahub-bench-") as place:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "sorahub.settings",
            "SECRET_KEY": "for-this-benchmark-only-0123456789abcdef",
            **{
                f"SORAHUB_C2PA_{name.upper()}": f"{place}/{name}.pem"
                for name in ("key", "certificates", "anchors")
            },
        }
        keys.make("A benchmark")
        folder, figures = Path(place), {}
        for name, shape in SIZES.items():
            figures |= measured(name, clip(folder / "clip.mp4", *shape))
        figures |= flipped(clip(folder / "clip.mp4", *next(iter(SIZES.values()))))
    print(json.dumps(figures))


def clip(path: Path, height: int, width: int, frames: int) -> Path:
    """A picture that drifts, with some grain: as hard to encode as what a model makes."""
    random = np.random.default_rng(1)
    scene = np.kron(random.integers(0, 255, (height // 16, width // 16, 3)), np.ones((16, 16, 1)))
    made = (
        np.clip(np.roll(scene, shift, axis=1) + random.normal(0, 6, scene.shape), 0, 255).astype(np.uint8)
        for shift in range(frames)
    )
    encoding.encode(made, path, 16)
    return path


def measured(name: str, video: Path) -> dict[str, float]:
    out, copy, fit = video.with_name("signed.mp4"), video.with_name("copy.mp4"), keys.signing()
    ways: dict[str, Callable] = {
        "sign": lambda: provenance.sign(video, out, ORIGIN, fit),
        "read": lambda: provenance.read(out, fit.anchors),
        "copy": lambda: copied(video, copy),
    }
    for way in ways.values():
        way()  # warm: the library loads itself at its first use
    took = {way: [] for way in ways}
    for _ in range(TURNS):
        for way, act in ways.items():
            begun = time.perf_counter()
            act()
            took[way].append(1000 * (time.perf_counter() - begun))
    middle = {way: statistics.median(times) for way, times in took.items()}
    return {
        f"{name}: KB": round(video.stat().st_size / 1000, 1),
        f"{name}: KB that the manifest adds": round((out.stat().st_size - video.stat().st_size) / 1000, 2),
        f"{name}: sign, ms": round(middle["sign"], 2),
        f"{name}: read, ms": round(middle["read"], 2),
        f"{name}: sign / copy and sync": round(middle["sign"] / middle["copy"], 2),
    }


def copied(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("wb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())


def flipped(video: Path) -> dict[str, int]:
    """One bit of the picture at a time: what the reference reader says, with the program's anchor."""
    out, changed = video.with_name("signed.mp4"), video.with_name("flipped.mp4")
    provenance.sign(video, out, ORIGIN, keys.signing())
    whole, anchors, random = out.read_bytes(), keys.anchors(), np.random.default_rng(3)
    begin = whole.index(b"mdat") + 4
    end = begin - 8 + struct.unpack(">I", whole[begin - 8 : begin - 4])[0]
    invalid = 0
    for place in random.integers(begin, end, FLIPS):
        content = bytearray(whole)
        content[place] ^= 1 << int(random.integers(8))
        changed.write_bytes(content)
        invalid += provenance.read(changed, anchors).state == State.INVALID
    return {
        "unchanged and trusted": int(provenance.read(out, anchors).state == State.TRUSTED),
        "bits flipped": FLIPS,
        "of these invalid": invalid,
    }


if __name__ == "__main__":
    main()
