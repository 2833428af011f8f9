"""What was seen of a mark in one picture, in a few bytes: to be weighed later, among numbers that aren't known here.

A trace holds, for each step and layout, how many ways there were to take the picture, and in the likeliest of them how
each wave votes. The key has shifted the votes, and they are residues: no picture can be made of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .layouts import LAYOUTS

STEPS = 3  # as it was marked; mirrored, or with other contrast; cut out
LIKELIEST = 32  # ways to take a picture that are looked at closely, in each step and layout
VERSION = b"\x01"
HEAD = struct.Struct(">BIBH")  # the step, ways that were tried, and the shape of the votes
FULL = 127  # of a vote as it is kept; rounding it moves a mean vote by 0.0002, say
UNSEEN = -128
MOST_BYTES = len(VERSION) + STEPS * sum(HEAD.size + LIKELIEST * layout.length for layout in LAYOUTS)


@dataclass(frozen=True)
class Look:
    """`votes` (ways, bits) lie from 1, which speaks for 0, to -1, which speaks for 1; NaN lies outside the picture."""

    tried: int  # ways to take the picture, of which these are the likeliest
    votes: np.ndarray


def packed(steps: Sequence[Sequence[Look]]) -> bytes:
    parts = [VERSION]
    for number, looks in enumerate(steps):
        for look in looks:
            votes = np.where(np.isnan(look.votes), UNSEEN, np.rint(look.votes * FULL)).astype(np.int8)
            parts += [HEAD.pack(number, look.tried, *votes.shape), votes.tobytes()]
    return b"".join(parts)


def unpacked(trace: bytes) -> list[list[Look]]:
    """Raises ValueError for what isn't a whole trace of this version."""
    if trace[:1] != VERSION:
        raise ValueError("This trace of a mark has another version.")
    steps: list[list[Look]] = [[] for _ in range(STEPS)]
    for number, tried, votes in _parts(trace):
        seen = np.where(votes == UNSEEN, np.nan, votes.astype(np.float32) / FULL)
        steps[number].append(Look(tried, seen))
    return steps


def _parts(trace: bytes) -> Iterator[tuple[int, int, np.ndarray]]:
    at = len(VERSION)
    while at < len(trace):
        try:
            step, tried, ways, bits = HEAD.unpack_from(trace, at)
            votes = np.frombuffer(trace, np.int8, ways * bits, at + HEAD.size)
        except (struct.error, ValueError):
            raise ValueError("This trace of a mark isn't whole.") from None
        if step >= STEPS:
            raise ValueError("This trace of a mark isn't whole.")
        yield step, tried, votes.reshape(ways, bits)
        at += HEAD.size + votes.size
