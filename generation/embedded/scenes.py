"""Draws the procedural scenes that teach the embedded model, in numpy alone; knows pixels, not words."""

from dataclasses import asdict, dataclass

import numpy as np

from . import places, shapes
from .words import COLORS, MOTIONS, PLACES, THINGS, TIMES

SIZE = 128  # pixels, both ways
FRAMES = 25

# sRGB in 0..1, before the light of the time of day.
PALETTE = {
    "red": (0.88, 0.10, 0.10),
    "orange": (0.98, 0.50, 0.05),
    "yellow": (0.99, 0.87, 0.12),
    "green": (0.06, 0.60, 0.22),
    "blue": (0.10, 0.26, 0.90),
    "purple": (0.50, 0.14, 0.74),
    "pink": (1.00, 0.50, 0.74),
    "white": (0.98, 0.98, 0.98),
    "black": (0.06, 0.06, 0.07),
}
# How the time of day colors things (places have their own, stronger light).
LIGHT = {"day": (1.0, 1.0, 1.0), "dusk": (1.0, 0.86, 0.80), "night": (0.68, 0.72, 0.90)}


@dataclass(frozen=True)
class Scene:
    """What a clip shows. `seed` decides everything that has no name: sizes, hills, waves, the exact path."""

    thing: str
    color: str
    place: str
    time: str
    motion: str
    seed: int

    def to_json(self):
        return asdict(self)


def random_scene(rng):
    """A scene with every attribute drawn evenly by `rng` (numpy Generator): balance is decided here."""
    pick = [str(rng.choice(list(names))) for names in (THINGS, COLORS, PLACES, TIMES, MOTIONS)]
    return Scene(*pick, seed=int(rng.integers(2**31)))


def render(scene):
    """The clip: uint8 (25, 128, 128, 3), the same for the same scene on every machine."""
    rng = np.random.default_rng(scene.seed)
    frames = places.draw(scene.place, scene.time, FRAMES, SIZE, rng)
    radius = rng.uniform(25, 29)
    x, y, squash = path(scene, radius, rng)
    places.shade_ground(frames, scene.place, x, y, radius)
    tint = np.array(LIGHT[scene.time], np.float32)
    shapes.draw(
        frames,
        scene.thing,
        np.array(PALETTE[scene.color], np.float32),
        tint,
        x,
        y,
        radius,
        squash,
        scene.motion,
        rng,
    )
    return (np.clip(frames, 0, 1) * 255 + 0.5).astype(np.uint8)


def path(scene, radius, rng):
    """Center (x, y) in pixels at each frame, and how much a bouncing thing is squashed (0 = round)."""
    t = np.linspace(0, 1, FRAMES, dtype=np.float32)
    span = rng.uniform(17, 21)
    middle = 64 + rng.uniform(-14, 14)
    level = {"car": 86.0, "boat": 76.0}.get(scene.thing, 0) or rng.uniform(54, 78)
    squash = np.zeros(FRAMES, np.float32)
    if scene.motion in ("left", "right"):
        sign = 1 if scene.motion == "right" else -1
        x, y = 64 + sign * span * (2 * t - 1), np.full(FRAMES, level, np.float32)
        y = y + rng.uniform(0, 1.5) * np.sin(2 * np.pi * (t + rng.random()))
    elif scene.motion in ("up", "down"):
        sign = 1 if scene.motion == "down" else -1
        x, y = np.full(FRAMES, middle, np.float32), 64 + sign * span * (2 * t - 1) + rng.uniform(-2, 4)
    elif scene.motion == "bounce":
        hop = np.abs(np.sin(np.pi * (2 * t + rng.choice([0.0, 0.5]))))
        x, y = np.full(FRAMES, middle, np.float32), 88 - rng.uniform(28, 34) * hop
        squash = np.clip(0.22 - hop, 0, None)
    else:
        x, y = np.full(FRAMES, middle, np.float32), np.full(FRAMES, level, np.float32)
    return x.astype(np.float32), y.astype(np.float32), squash.astype(np.float32)
