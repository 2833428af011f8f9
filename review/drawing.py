"""What a reviewer draws on a frame: a box or a free line, as a few whole numbers. Nothing else is read, kept or shown.

The text of one is "box 1200 2000 5000 6400" (two corners) or "line 100 200 150 260 …" (points): across and down, in
ten-thousandths of the picture. No number that isn't finite can be written so, and no markup.
"""

import re
from dataclasses import dataclass

WHOLE = 10_000  # the picture's width, and its height
MOST_POINTS = 120
LONGEST = 5 + 12 * MOST_POINTS  # characters
_WRITTEN = re.compile(rf"(box|line)((?: (?:0|[1-9][0-9]{{0,4}})){{4,{2 * MOST_POINTS}}})")


class NotADrawing(ValueError):
    """What was sent is no drawing of ours."""


@dataclass(frozen=True)
class Drawing:
    kind: str  # "box" or "line"
    points: tuple[tuple[int, int], ...]

    def __str__(self):
        return " ".join([self.kind, *(f"{x} {y}" for x, y in self.points)])


def read(text: str) -> Drawing:
    """The drawing that a text stands for, a box with its upper left corner first. Raises NotADrawing."""
    written = _WRITTEN.fullmatch(text) if len(text) <= LONGEST else None
    if written is None:
        raise NotADrawing("no box and no line")
    kind, numbers = written[1], [int(number) for number in written[2].split()]
    points = tuple(zip(numbers[::2], numbers[1::2], strict=False))
    if len(numbers) % 2 or max(numbers) > WHOLE:
        raise NotADrawing("a point outside of the picture")
    if kind != "box":
        return Drawing(kind, points)
    if len(points) != 2:
        raise NotADrawing("a box has two corners")
    (left, right), (top, bottom) = (sorted(along) for along in zip(*points, strict=True))
    if left == right or top == bottom:
        raise NotADrawing("a box without an inside")
    return Drawing(kind, ((left, top), (right, bottom)))
