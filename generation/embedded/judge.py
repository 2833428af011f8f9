"""Reads place, time, color, motion and thing from a clip's frames alone: no learning, only comparison with renders."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from . import places
from .scenes import FRAMES, LIGHT, PALETTE, SIZE, Scene, render
from .words import COLORS, PLACES, THINGS, TIMES

MARGIN = 26  # pixels at the left and the right, where the thing seldom is
BAND = 4  # rows that are averaged into one
VARIANTS = 14  # empty renders of each place and time to compare with
WINDOW = 31  # pixels: the side of the square in which a thing stands out
MOVED = 12.0  # pixels between start and end that count as a motion; the scenes move by 34 to 42
HOPPED = 5.0  # deviation of the height, in pixels, that counts as bouncing
PALE = 0.25  # of a vote, for white and black pixels: windows, wheels and eyes have them whatever the color
MASK = 32  # side of the silhouettes compared, in cells of 2.5 pixels


@dataclass(frozen=True)
class Reading:
    place: str
    time: str
    color: str
    motion: str
    thing: str


def read(frames, things=True):
    """A Reading of uint8 frames (25, 128, 128, 3). Without `things`, which need 88 renders once, `thing` is empty."""
    video = np.asarray(frames, np.float32) / 255
    place, time = _where_and_when(video)
    salience = _salience(video) * _sunless(time)
    centers = _centers(salience)
    thing = _thing(video, salience, centers) if things else ""
    return Reading(place, time, _color(video, salience, centers, time), _motion(centers), thing)


def _where_and_when(video):
    """The place and time whose empty render lies nearest, band by band; the worst bands (the thing's) don't count."""
    names, references = _empty_places()
    away = np.abs(references - _bands(video)).mean(-1)
    kept = np.sort(away, axis=1)[:, : int(away.shape[1] * 0.75)]
    return names[int(kept.mean(1).argmin())]


@cache
def _empty_places():
    names, bands = [], []
    for place in PLACES:
        for time in TIMES:
            for seed in range(VARIANTS):
                empty = places.draw(place, time, 3, SIZE, np.random.default_rng(seed))
                names.append((place, time))
                bands.append(_bands(np.clip(empty, 0, 1)))
    return names, np.stack(bands)


def _rows(video):
    """The color of each row of the background: (128, 3)."""
    sides = np.concatenate([video[:, :, :MARGIN], video[:, :, -MARGIN:]], 2)
    return np.median(sides.transpose(1, 0, 2, 3).reshape(SIZE, -1, 3), axis=1)


def _bands(video):
    return _rows(video).reshape(SIZE // BAND, BAND, 3).mean(1)


def _salience(video):
    """How far each pixel is from its row's background (n, 128, 128); small differences are air and texture."""
    away = np.abs(video - _rows(video)[None, :, None]).sum(-1)
    return np.clip(away - 0.18, 0, 0.9)


@cache
def _sunless(time):
    """1, but little where the scenes' sun or moon may stand."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    height, radius = {"day": (19, 20), "dusk": (56, 18), "night": (20, 20)}[time]
    near = np.minimum(np.hypot(x - 18, y - height), np.hypot(x - 110, y - height))
    return np.where(near < radius, 0.25, 1.0)


def _centers(salience):
    """(x, y) of the thing in each frame: where a window holds most salience, then that window's center of mass."""
    summed = np.pad(salience.cumsum(1).cumsum(2), ((0, 0), (1, 0), (1, 0)))
    w = WINDOW
    boxes = summed[:, w:, w:] - summed[:, :-w, w:] - summed[:, w:, :-w] + summed[:, :-w, :-w]
    middle = np.exp(-(((np.arange(boxes.shape[2]) - (SIZE - w) / 2) / 60) ** 2))
    centers = []
    for box, picture in zip(boxes * middle, salience, strict=True):
        top, left = np.unravel_index(box.argmax(), box.shape)
        y, x = top + w / 2, left + w / 2
        for _ in range(3):
            a, c = max(int(y) - 26, 0), max(int(x) - 30, 0)
            part = picture[a : int(y) + 26, c : int(x) + 30] + 1e-6
            y = a + (part.sum(1) * np.arange(part.shape[0])).sum() / part.sum()
            x = c + (part.sum(0) * np.arange(part.shape[1])).sum() / part.sum()
        centers.append((x, y))
    return np.array(centers)


def _color(video, salience, centers, time):
    """The palette's color nearest to most of the thing's pixels, after taking the hour's light away."""
    votes = dict.fromkeys(COLORS, 0.0)
    palette = np.array([PALETTE[name] for name in COLORS], np.float32)
    for i in range(0, FRAMES, 4):
        x, y = centers[i].astype(int)
        rows, columns = slice(max(y - 18, 0), y + 7), slice(max(x - 16, 0), x + 17)  # above a car's wheels
        strong = salience[i, rows, columns]
        core = np.zeros(strong.shape, bool)
        core[10:, 8:-8] = True
        pixels = video[i, rows, columns][core | (strong > 0.5 * strong.max())] / np.array(
            LIGHT[time], np.float32
        )
        for name in np.array(list(COLORS))[_nearest(pixels, palette)]:
            votes[name] += PALE if name in ("white", "black") else 1
    return max(votes, key=votes.get)


def _nearest(pixels, palette):
    """Hue and saturation weigh more than brightness, which shading changes."""

    def opponent(c):
        gray = c.mean(-1, keepdims=True)
        return np.concatenate([0.6 * gray, c - gray], -1)

    return np.linalg.norm(opponent(pixels)[:, None] - opponent(palette)[None], axis=-1).argmin(1)


def _motion(centers):
    x, y = centers[:, 0], centers[:, 1]
    dx, dy = (float(np.median(c[-4:]) - np.median(c[:4])) for c in (x, y))
    straight = np.linspace(np.median(y[:4]), np.median(y[-4:]), len(y))
    if np.std(y - straight) > HOPPED and abs(dx) < MOVED:
        return "bounce"
    if max(abs(dx), abs(dy)) < MOVED:
        return "stay"
    if abs(dx) > abs(dy):
        return "right" if dx > 0 else "left"
    return "down" if dy > 0 else "up"


def _thing(video, salience, centers):
    """The thing whose silhouette in renders agrees best with the clip's, over a few frames."""
    names, references = _silhouettes()
    total = dict.fromkeys(THINGS, 0.0)
    for i in range(2, FRAMES, 5):
        likeness = references @ _silhouette(salience[i], centers[i])
        for thing in THINGS:
            total[thing] += likeness[names == thing].max()
    return max(total, key=total.get)


@cache
def _silhouettes():
    names, shapes = [], []
    for thing in THINGS:
        for motion in ("left", "right", "down", "stay"):
            for color, place in (("red", "plain"), ("white", "underwater")):
                video = render(Scene(thing, color, place, "day", motion, 5)).astype(np.float32) / 255
                salience = _salience(video)
                centers = _centers(salience)
                for i in (2, 7, 12, 17, 22):
                    names.append(thing)
                    shapes.append(_silhouette(salience[i], centers[i]))
    return np.array(names), np.stack(shapes)


def _silhouette(salience, center):
    """The salience around the center on a coarse grid, without its mean, of length one."""
    steps = (np.arange(MASK) - MASK / 2 + 0.5) * 2.5
    rows = np.clip((center[1] + steps).round().astype(int), 0, SIZE - 1)
    columns = np.clip((center[0] + steps).round().astype(int), 0, SIZE - 1)
    mask = np.minimum(salience, 0.35)[np.ix_(rows, columns)]
    mask = mask - mask.mean()
    return (mask / (np.linalg.norm(mask) + 1e-6)).ravel()
