"""Which number speaks from what was seen in a picture, and how likely chance alone speaks as clearly; knows no picture.

What was seen is kept in traces.py, to be weighed again among numbers that only others know.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from . import traces, words
from .layouts import LAYOUTS
from .traces import Look

FALSE_ALARM = 1e-6  # at most, of reading any number from a clip without a mark
LOOKS = traces.STEPS * len(LAYOUTS)  # each may err this many times more seldom than all together


@dataclass(frozen=True)
class Reading:
    """What was read. `number` is None where nothing is sure enough; `likeliest` is then no more than a guess.

    `confidence` is how well the picture fits the likeliest number, 1 being untouched; chance alone reaches about 0.5.
    `chance` is how likely a clip without a mark would fit any number as well, at most.
    `trace` is what was seen, for `reread`; empty where a number is sure.
    """

    number: int | None
    confidence: float
    chance: float
    likeliest: int | None
    trace: bytes = field(default=b"", repr=False)


NOTHING = Reading(None, 0.0, 1.0, None)


def reread(trace: bytes, key: bytes, among: Sequence[int]) -> Reading:
    """What `read` would give among these numbers, from the trace that it left; an array of uint32 is taken as it is.

    Raises ValueError for a trace of another version.
    """
    steps = traces.unpacked(trace)
    return weigh(steps, key, among) if len(among) else NOTHING


def weigh(steps: Iterable[Sequence[Look]], key: bytes, among: Sequence[int] | None) -> Reading:
    """The surest of all readings; a further step is only taken where none is sure before."""
    numbers = words.SPELLINGS * (words.NUMBERS if among is None else len(among))
    best, taken = NOTHING, []
    for looks in steps:
        taken.append(looks)
        for look in looks:
            guesses = words.gather(np.nan_to_num(look.votes), key, among)
            for votes, guess in zip(look.votes, guesses, strict=True):
                seen = int(np.isfinite(votes).sum())
                mean = max(0.0, guess.score / max(1, seen))
                chance = min(1.0, LOOKS * look.tried * numbers * _tail(mean, seen))
                number = guess.number if chance <= FALSE_ALARM else None
                best = min(best, Reading(number, mean, chance, guess.number), key=_unsure)
        if best.number is not None:
            return best
    return replace(best, trace=traces.packed(taken))


def _unsure(reading: Reading) -> tuple[float, float]:
    return reading.chance, -reading.confidence


def _tail(mean: float, count: int) -> float:
    """How likely the mean of `count` soft bits reaches `mean` in a clip without a mark.

    The key shifts each wave's values evenly over the period, so each soft bit is the cosine of an even angle, whatever
    the clip shows. Its moment generating function is the Bessel function I0; this is the saddle point approximation
    (Bahadur and Rao, 1960), which is within a few percent where it matters.
    """
    slopes, logs, means, deviations = _tilted()
    if mean <= 0:
        return 1.0
    at = min(int(np.searchsorted(means, mean)), len(means) - 1)
    bound = math.exp(count * float(logs[at] - slopes[at] * mean))
    return bound / max(1.0, float(slopes[at] * deviations[at]) * math.sqrt(2 * math.pi * count))


@lru_cache(maxsize=1)
def _tilted() -> tuple[np.ndarray, ...]:
    """Slopes t, log I0(t), and mean and deviation of a cosine of an even angle weighted by exp(t cos)."""
    slopes = np.linspace(0, 50, 5001)
    cosines = np.cos((np.arange(1000) + 0.5) * math.pi / 1000)
    weights = np.exp(np.outer(slopes, cosines - 1))
    sums = weights.sum(axis=1)
    means = weights @ cosines / sums
    deviations = np.sqrt(np.maximum(weights @ cosines**2 / sums - means**2, 1e-9))
    return slopes, np.log(sums / len(cosines)) + slopes, means, deviations
