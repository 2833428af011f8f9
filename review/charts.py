"""Charts as SVG, drawn by the server: where each bar and mark lies. Its colors are the style sheet's."""

from dataclasses import dataclass

BAR, GAP = 34, 12  # units of the drawing, which the page scales
HEIGHT, TOP, BELOW, BESIDE = 180, 16, 32, 44


@dataclass(frozen=True)
class Mark:
    kind: str  # the series, for the style sheet
    x: float
    y: float
    height: float = 0


@dataclass(frozen=True)
class Chart:
    width: float
    marks: list[Mark]
    labels: list[tuple[float, str]]  # x of the middle, and the words below
    lines: list[tuple[float, str]]  # y, and the number beside
    bar: int = BAR
    height: int = TOP + HEIGHT + BELOW
    base: int = TOP + HEIGHT
    foot: int = TOP + HEIGHT + 25
    beside: int = BESIDE
    beside_words: int = BESIDE - 8


def stacked(columns: list[tuple[str, dict[str, float]]]) -> Chart:
    """A column for each (label, numbers by series), the series one on the other."""
    top = _round_up(max((sum(numbers.values()) for _label, numbers in columns), default=0))
    marks = []
    for n, (_label, numbers) in enumerate(columns):
        y = TOP + HEIGHT
        for kind, number in numbers.items():
            height = round(HEIGHT * number / top, 1)
            y = round(y - height, 1)
            marks += [Mark(kind, _left(n), y, height)] if number else []
    return _chart(columns, marks, top)


def dotted(columns: list[tuple[str, dict[str, float | None]]]) -> Chart:
    """A mark for each number, at its height; what isn't known has none."""
    known = [n for _label, numbers in columns for n in numbers.values() if n is not None]
    top = _round_up(max(known, default=0))
    marks = [
        Mark(kind, _left(n) + BAR / 2, round(TOP + HEIGHT - HEIGHT * number / top, 1))
        for n, (_label, numbers) in enumerate(columns)
        for kind, number in numbers.items()
        if number is not None
    ]
    return _chart(columns, marks, top)


def _chart(columns, marks: list[Mark], top: float) -> Chart:
    labels = [(_left(n) + BAR / 2, label) for n, (label, _numbers) in enumerate(columns)]
    lines = [(TOP + HEIGHT - HEIGHT * part, f"{top * part:g}") for part in (0, 0.5, 1)]
    return Chart(BESIDE + max(len(columns), 4) * (BAR + GAP), marks, labels, lines)


def _left(n: int) -> float:
    return BESIDE + GAP / 2 + n * (BAR + GAP)


def _round_up(number: float) -> float:
    """To 2, 4, 10, 20, 40, 100 …, so that half of it is round, too."""
    top = 2
    for step in (2, 2.5, 2) * 20:
        if top >= number:
            break
        top *= step
    return top
