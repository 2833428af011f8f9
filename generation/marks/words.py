"""Turns a mark's number into the bits that a picture carries, and back from bits that arrive damaged; knows no picture.

A number of 28 bits and its checksum of 36 make a word of 64, which a code spreads over as many bits as the picture has
room for. Checksum and code are linear over GF(2), with matrices that follow from the key. So the checksum isn't only
looked at in the end: the decoder weighs words whose checksum is right, and no others, which leaves it 28 bits to guess.
Four more bits mean nothing: the picture takes whichever of the 16 spellings of a number lies nearest to it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

NUMBER_BITS = 28
CHECKSUM_BITS = 36
SPELLING_BITS = 4
SPELLINGS = 2**SPELLING_BITS  # of each number
NUMBERS = 2**NUMBER_BITS  # a mark's number lies in 0..NUMBERS-1
AT_ONCE = 1024  # numbers, so that a million need no gigabytes
PART_BITS = 7  # of a number, whose signs are looked up together
KEY_BYTES = 16  # a shorter key could be guessed


@dataclass(frozen=True)
class Guess:
    """A number, and the sum of the soft bits that speak for it less those that speak against it."""

    number: int
    score: float


def material(key: bytes, purpose: str, size: int) -> bytes:
    """`size` pseudorandom bytes for one purpose: HMAC-SHA256 separates the purposes, SHAKE256 stretches the result.

    Not numpy's generators: what their methods give may change with a release, and a mark is read years later.
    """
    if len(key) < KEY_BYTES:
        raise ValueError(f"A key for marks has at least {KEY_BYTES} bytes; this one has {len(key)}.")
    tagged = hmac.new(key, f"sorahub mark 1: {purpose}".encode(), hashlib.sha256).digest()
    return hashlib.shake_256(tagged).digest(size)


def spread(number: int, key: bytes, length: int) -> np.ndarray:
    """The bits (0 or 1, uint8) that carry `number`, in each of its spellings: of shape (SPELLINGS, length)."""
    _checked_numbers([number])
    numbers, spellings, pad = _code(key, length)
    return _times(_bits([number], NUMBER_BITS), numbers) ^ _times(_all_spellings(), spellings) ^ pad


def word(number: int, key: bytes) -> np.ndarray:
    """The number and its checksum: 64 bits (0 or 1, uint8)."""
    return _times(_bits([number], NUMBER_BITS), _checked(key))[0]


def gather(softs: np.ndarray, key: bytes, among: Sequence[int] | None = None) -> list[Guess]:
    """For each row of soft bits the number that it speaks for most; positive speaks for 0, negative for 1.

    With `among`, only those numbers are weighed, all of them. Without, ordered statistics decoding of order 3
    (Fossorier and Lin, 1995) comes near the best: the 32 surest independent bits are believed but for up to three.
    """
    numbers, spellings, pad = _code(key, softs.shape[1])
    softs = np.where(pad, -softs, softs)
    if among is None:
        matrix = np.concatenate([numbers, spellings])
        return [_most_likely(soft, matrix) for soft in softs]
    among = _checked_numbers(among)
    spelled = softs[:, None] * _signs(_times(_all_spellings(), spellings))  # (rows, SPELLINGS, length)
    spelled = spelled.reshape(-1, softs.shape[1]).astype(np.float32)
    best = [Guess(int(among[0]), -np.inf)] * len(softs)
    for some, signs in _signs_of(among, numbers):
        scores = (spelled @ signs.T).reshape(len(softs), SPELLINGS, len(some)).max(axis=1)
        for row, (place, score) in enumerate(zip(scores.argmax(axis=1), scores.max(axis=1), strict=True)):
            best[row] = max(best[row], Guess(int(some[place]), float(score)), key=lambda guess: guess.score)
    return best


def _signs_of(numbers: np.ndarray, matrix: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A few numbers at a time, and the signs (numbers, length) that a code gives them.

    The code is linear: a number's signs are the products of those of its parts, which are few.
    """
    parts = [
        _signs(_times(_bits(range(2**PART_BITS), PART_BITS), rows))
        for rows in np.split(matrix, NUMBER_BITS // PART_BITS)
    ]
    for start in range(0, len(numbers), AT_ONCE):
        some = numbers[start : start + AT_ONCE]
        signs, left = np.ones((len(some), matrix.shape[1]), np.float32), some
        for part in reversed(parts):
            signs *= part[left % 2**PART_BITS]
            left = left >> PART_BITS
        yield some, signs


@lru_cache(maxsize=8)
def _code(key: bytes, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The matrices (28, length) and (4, length) from numbers and spellings to bits, and what is added to all bits."""
    code = _matrix(key, f"code of {length}", NUMBER_BITS + CHECKSUM_BITS, length)
    spellings = _matrix(key, f"spelling of {length}", SPELLING_BITS, length)
    pad = _matrix(key, f"pad of {length}", 1, length)[0]
    return _times(_checked(key), code), spellings, pad


def _checked(key: bytes) -> np.ndarray:
    """The matrix (28, 64) from numbers to words."""
    checksum = _matrix(key, "checksum", NUMBER_BITS, CHECKSUM_BITS)
    return np.concatenate([np.eye(NUMBER_BITS, dtype=np.uint8), checksum], axis=1)


def _matrix(key: bytes, purpose: str, rows: int, columns: int) -> np.ndarray:
    drawn = np.frombuffer(material(key, purpose, (rows * columns + 7) // 8), np.uint8)
    return np.unpackbits(drawn)[: rows * columns].reshape(rows, columns)


def _checked_numbers(numbers: Sequence[int]) -> np.ndarray:
    """As uint32, four bytes each; an array of those is taken as it is."""
    told = np.asarray(numbers)
    for number in (told.min(), told.max()):
        if not 0 <= number < NUMBERS:
            raise ValueError(f"A mark's number lies between 0 and {NUMBERS - 1}; {number} was given.")
    return told.astype(np.uint32, copy=False)


def _all_spellings() -> np.ndarray:
    return _bits(range(SPELLINGS), SPELLING_BITS)


def _bits(values: Sequence[int], count: int) -> np.ndarray:
    """The last `count` bits of each value, the highest first."""
    return np.unpackbits(np.array(values, ">u4").view(np.uint8).reshape(-1, 4), axis=1)[:, 32 - count :]


def _times(bits: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Their product over GF(2); as floats, since numpy multiplies those much faster."""
    return (bits.astype(np.float32) @ matrix.astype(np.float32) % 2).astype(np.uint8)


def _signs(bits: np.ndarray) -> np.ndarray:
    return (1 - 2 * bits.astype(np.float32)).astype(np.float32)


def _most_likely(soft: np.ndarray, matrix: np.ndarray) -> Guess:
    surest_first = np.argsort(-np.abs(soft), kind="stable")
    soft = soft[surest_first]
    rows, messages, sure = _echelon(matrix[:, surest_first])
    believed = (soft[sure] < 0).astype(np.uint8)
    signs = 1.0 - 2.0 * rows
    agreeing = soft * (1.0 - 2.0 * (believed @ rows & 1))
    # The score after bits i, j and k have been doubted is the sum of agreeing * signs[i] * signs[j] * signs[k].
    best, doubted = float(agreeing.sum()), ()
    for first, turned in enumerate(signs):
        threes = (signs * (agreeing * turned)) @ signs.T  # on the diagonal j = k: `first` alone
        second, third = np.unravel_index(np.argmax(threes), threes.shape)
        if threes[second, third] > best:
            best, doubted = float(threes[second, third]), (first, second, third)
    for place in doubted:
        believed[place] ^= 1
    message = believed @ messages & 1
    return Guess(int.from_bytes(np.packbits(message).tobytes(), "big") // SPELLINGS, best)


def _echelon(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Rows that hold a single 1 at the first independent columns, the messages that they encode, and those columns."""
    size, length = matrix.shape
    work = np.concatenate([matrix, np.eye(size, dtype=np.uint8)], axis=1)
    columns: list[int] = []
    for column in range(length):
        row = len(columns)
        below = np.flatnonzero(work[row:, column])
        if not len(below):
            continue
        work[[row, row + below[0]]] = work[[row + below[0], row]]
        others = np.flatnonzero(work[:, column])
        work[others[others != row]] ^= work[row]
        columns.append(column)
        if len(columns) == size:
            break
    return work[:, :length], work[:, length:], columns
