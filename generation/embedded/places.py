"""Draws the places behind the things: skies, hills, water, sand, snow, streets, the light of the hour, and shadows."""

import numpy as np

HORIZON = 70  # pixels from the top, of 128

# Top of the sky, sky at the horizon, and the light that falls on the ground.
SKIES = {
    "day": ((0.26, 0.58, 0.94), (0.80, 0.92, 1.00), (1.0, 1.0, 1.0)),
    "dusk": ((0.42, 0.25, 0.52), (1.00, 0.66, 0.38), (0.88, 0.60, 0.54)),
    "night": ((0.06, 0.08, 0.26), (0.20, 0.26, 0.48), (0.36, 0.42, 0.66)),
}
# Far color and near color of the ground, by daylight.
GROUNDS = {
    "field": ((0.56, 0.75, 0.36), (0.38, 0.60, 0.20)),
    "sea": ((0.36, 0.68, 0.80), (0.08, 0.38, 0.58)),
    "desert": ((0.95, 0.80, 0.55), (0.86, 0.63, 0.34)),
    "snow": ((0.88, 0.93, 0.98), (0.98, 0.99, 1.00)),
    "city": ((0.58, 0.58, 0.61), (0.40, 0.40, 0.44)),
}
DEEP = {  # underwater: near the surface, at the bottom
    "day": ((0.46, 0.90, 0.90), (0.02, 0.34, 0.46)),
    "dusk": ((0.72, 0.56, 0.66), (0.20, 0.18, 0.36)),
    "night": ((0.10, 0.28, 0.40), (0.01, 0.06, 0.14)),
}
STUDIO = {"day": (0.93, 0.92, 0.90), "dusk": (0.90, 0.68, 0.58), "night": (0.24, 0.25, 0.32)}


def draw(place, time, frames, size, rng):
    """Float frames (frames, size, size, 3) in 0..1 of the empty place."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    if place == "underwater":
        return _underwater(time, frames, x, y, size, rng)
    if place == "plain":
        return np.repeat(_studio(time, x, y, rng)[None], frames, 0)
    picture = _sky(time, x, y, rng)
    light = np.array(SKIES[time][2], np.float32)
    if place == "city":
        _skyline(picture, time, x, y, size, rng)
    elif place != "sea":
        _ridge(picture, place, time, x, y, rng)
    ground = _ground(place, x, y, rng, size) * light
    line = HORIZON + (_wave(x, rng, 3.0, 70) if place in ("field", "desert", "snow") else 0)
    picture = _blend(picture, ground, np.clip(y - line + 0.5, 0, 1))
    clip = np.repeat(picture[None], frames, 0)
    if place == "sea":
        _glitter(clip, time, x, y, rng)
    return clip


def shade_ground(frames, place, x, y, radius):
    """Darkens the ground under the thing, softer and fainter the higher it is (in place)."""
    if place == "underwater":
        return
    top = 88
    height, width = frames.shape[1:3]
    rows, columns = np.mgrid[top:height, 0:width].astype(np.float32)
    lift = np.clip((106 - y - radius) / 60, 0, 1)[:, None, None]
    wide = radius * (0.95 + 0.25 * lift)
    away = ((columns - x[:, None, None]) / wide) ** 2 + ((rows - 112) / (radius * 0.24)) ** 2
    dark = np.exp(-away) * (0.42 - 0.30 * lift) * (0.6 if place == "sea" else 1)
    frames[:, top:] *= 1 - dark[..., None]


def _sky(time, x, y, rng):
    top, low, _ = (np.array(c, np.float32) for c in SKIES[time])
    sky = _blend(top, low, np.clip(y / (HORIZON + 4), 0, 1) ** 1.2)
    side = rng.choice([22.0, 106.0]) + rng.uniform(-8, 8)
    if time == "night":
        _disc(sky, x, y, side, 20, 8.5, (0.96, 0.95, 0.86), (0.30, 0.34, 0.50), 22)
    elif time == "dusk":
        _disc(sky, x, y, side, 56, 10, (1.0, 0.90, 0.58), (0.50, 0.30, 0.10), 30)
    else:
        _disc(sky, x, y, side, 19, 9.5, (1.0, 0.97, 0.78), (0.22, 0.20, 0.10), 24)
    return sky


def _disc(sky, x, y, cx, cy, radius, color, glow, reach):
    away = np.hypot(x - cx, y - cy)
    sky += np.exp(-((away / reach) ** 2))[..., None] * np.array(glow, np.float32)
    mask = np.clip(radius - away + 0.5, 0, 1)
    sky[:] = _blend(np.minimum(sky, 1), np.array(color, np.float32), mask)


def _ridge(picture, place, time, x, y, rng):
    """A far ridge of hills, dunes or mountains, half lost in the air."""
    _, low, light = (np.array(c, np.float32) for c in SKIES[time])
    line = HORIZON - 9 + _wave(x, rng, 6.0, 55)
    color = np.array(GROUNDS[place][1], np.float32) * light * 0.62 + low * 0.38
    picture[:] = _blend(picture, color * (0.92, 0.95, 1.0), np.clip(y - line + 0.5, 0, 1))


def _ground(place, x, y, rng, size):
    far, near = (np.array(c, np.float32) for c in GROUNDS[place])
    depth = np.clip((y - HORIZON) / (size - HORIZON), 0, 1)
    ground = _blend(far, near, depth)
    if place in ("field", "desert", "snow"):
        line = HORIZON + 24 + _wave(x, rng, 5.0, 80)
        hollow = np.exp(-np.clip(y - line, 0, None) / 14) * (y > line)
        ground = ground * (1 - 0.13 * _soft(hollow)[..., None])
    elif place == "city":
        stripe = (np.abs(y - 116) < 1.6) & (((x + rng.uniform(0, 32)) % 32) < 18)
        ground = ground + 0.30 * stripe[..., None]
        ground = ground + 0.16 * ((y > HORIZON + 14) & (y < HORIZON + 19))[..., None]
    return ground.astype(np.float32)


def _skyline(picture, time, x, y, size, rng):
    low = np.array(SKIES[time][1], np.float32)
    wall = np.array(
        {"day": (0.60, 0.64, 0.72), "dusk": (0.46, 0.34, 0.44), "night": (0.13, 0.14, 0.24)}[time], np.float32
    )
    window = {"day": (0.80, 0.86, 0.93), "dusk": (1.0, 0.80, 0.48), "night": (0.98, 0.84, 0.48)}[time]
    left = -float(rng.uniform(0, 12))
    while left < size:
        wide = float(rng.choice([16, 20, 24]))
        roof = HORIZON - float(rng.uniform(16, 42))
        inside = (
            np.clip(x - left + 0.5, 0, 1)
            * np.clip(left + wide - x - 0.5, 0, 1)
            * np.clip(y - roof + 0.5, 0, 1)
        )
        tone = wall * rng.uniform(0.86, 1.12)
        picture[:] = _blend(picture, tone * 0.86 + low * 0.14, inside)
        grid = ((x - left) % 8 > 3) & ((x - left) % 8 < 6.5) & ((y - roof) % 9 > 4) & ((y - roof) % 9 < 7.5)
        lit = grid & (inside > 0.9) & (x - left > 2) & (x - left < wide - 2)
        picture[:] = _blend(picture, np.array(window, np.float32), lit * (0.75 if time == "night" else 0.5))
        left += wide + float(rng.choice([0, 0, 3]))


def _glitter(clip, time, x, y, rng):
    """Slow waves, and the path of the sun or the moon on the water (in place)."""
    t = np.arange(len(clip), dtype=np.float32)[:, None, None] / len(clip)
    depth = np.clip((y - HORIZON) / 58, 0, 1)
    phase = rng.uniform(0, 2 * np.pi)
    wave = np.sin(y * (0.95 - 0.45 * depth) + 0.9 * np.sin(x * 0.07 + phase) - 2 * np.pi * t + phase)
    clip += (wave * depth * (y > HORIZON) * {"day": 0.05, "dusk": 0.05, "night": 0.035}[time])[..., None]
    if time == "dusk":
        warm = np.exp(-(((x - 64) / 46) ** 2)) * (1 - depth) * (y > HORIZON)
        clip += warm[..., None] * np.array((0.24, 0.10, 0.0), np.float32)


def _underwater(time, frames, x, y, size, rng):
    top, low = (np.array(c, np.float32) for c in DEEP[time])
    water = _blend(top, low, np.clip(y / size, 0, 1) ** 0.8)
    t = np.arange(frames, dtype=np.float32)[:, None, None] / frames
    slant = x + 0.45 * y
    rays = np.sin(slant * 0.11 + rng.uniform(0, 6) + 1.2 * t) * np.clip(1 - y / 95, 0, 1)
    clip = water + (rays * {"day": 0.07, "dusk": 0.05, "night": 0.03}[time])[..., None]
    sand = np.array((0.74, 0.66, 0.46), np.float32) * (water.mean((0, 1)) + 0.15)
    line = 114 + _wave(x, rng, 3.0, 60)
    return _blend(clip, sand, np.clip(y - line + 0.5, 0, 1)).astype(np.float32)


def _studio(time, x, y, rng):
    base = np.array(STUDIO[time], np.float32)
    glow = np.exp(-(((x - 64 - rng.uniform(-10, 10)) / 85) ** 2) - ((y - 58) / 85) ** 2)
    return (base * (0.80 + 0.20 * glow[..., None])).astype(np.float32)


def _wave(x, rng, height, length):
    a, b = rng.uniform(0, 2 * np.pi, 2)
    long = 2 * np.pi / (length * rng.uniform(0.9, 1.5))
    return height * (0.7 * np.sin(x * long + a) + 0.3 * np.sin(x * long * 2.3 + b))


def _soft(mask):
    return np.clip(mask, 0, 1).astype(np.float32)


def _blend(below, above, mask):
    return below + (above - below) * np.asarray(mask, np.float32)[..., None]
