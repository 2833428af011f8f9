"""Draws the things, as signed distances with soft edges and light from the upper left, all frames at once."""

import numpy as np

SQUASH = 0.9  # how strongly a landing flattens a bouncing thing
ZOOM = {"car": 1.10, "bird": 1.08, "boat": 1.05, "balloon": 0.95}  # long things are drawn larger


def draw(frames, thing, color, tint, x, y, radius, squash, motion, rng):
    """Paints `thing` into float frames (n, h, w, 3) in place; x, y are its center in pixels at each frame."""
    n, height, width = frames.shape[:3]
    t = np.linspace(0, 1, n, dtype=np.float32)[:, None, None]
    reach = int(radius * 1.72) + 2
    offset = np.arange(-reach, reach + 1, dtype=np.float32)
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    dx, dy = (x - x0).astype(np.float32), (y - y0).astype(np.float32)
    u = (offset[None, None, :] - dx[:, None, None]) / radius
    v = (offset[None, :, None] - dy[:, None, None]) / radius
    flat = 1 + squash[:, None, None] * SQUASH
    u, v = u / flat, v * flat - (flat - 1)
    zoom = ZOOM.get(thing, 1.0)
    u, v = (np.ascontiguousarray(w / zoom, np.float32) for w in np.broadcast_arrays(u, v))
    facing = {"left": -1, "right": 1}.get(motion) or rng.choice([-1, 1])
    patch, alpha = PAINTERS[thing](u, v, t, color, 1 / radius / zoom, facing, motion, rng)
    patch = patch * tint
    for i in range(n):
        _paste(frames[i], patch[i], alpha[i], x0[i] - reach, y0[i] - reach, height, width)


def _paste(frame, patch, alpha, left, top, height, width):
    side = len(patch)
    a, b, c, d = max(top, 0), min(top + side, height), max(left, 0), min(left + side, width)
    if a >= b or c >= d:
        return
    inside = (slice(a - top, b - top), slice(c - left, d - left))
    mask = alpha[inside][..., None]
    frame[a:b, c:d] += (patch[inside] - frame[a:b, c:d]) * mask


# Distances: negative inside, in units of the thing's radius.


def _circle(u, v, cx, cy, r):
    return np.hypot(u - cx, v - cy) - r


def _ellipse(u, v, cx, cy, rx, ry):
    return (np.hypot((u - cx) / rx, (v - cy) / ry) - 1) * min(rx, ry)


def _box(u, v, cx, cy, w, h, r):
    du, dv = np.abs(u - cx) - w + r, np.abs(v - cy) - h + r
    return np.hypot(np.maximum(du, 0), np.maximum(dv, 0)) + np.minimum(np.maximum(du, dv), 0) - r


def _convex(u, v, points, r=0.0):
    """A convex polygon, clockwise on the screen; exact near its edges, which is all that a soft edge needs."""
    points = np.asarray(points, np.float32)
    out = None
    for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, 0), strict=True):
        length = np.hypot(bx - ax, by - ay)
        edge = ((u - ax) * (by - ay) - (v - ay) * (bx - ax)) / length
        out = edge if out is None else np.maximum(out, edge)
    return out - r


def _star(u, v):
    """Five points: the angle is folded into one tenth of the circle, where the star is a single line."""
    angle = np.arctan2(u, -v)
    away = np.hypot(u, v)
    fold = np.abs((angle + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
    px, py = away * np.sin(fold), away * np.cos(fold)
    inner, outer = 0.52, 1.12
    ax, ay = 0.0, outer
    bx, by = inner * np.sin(np.pi / 5), inner * np.cos(np.pi / 5)
    length = np.hypot(bx - ax, by - ay)
    return ((px - ax) * (ay - by) + (py - ay) * (bx - ax)) / length - 0.05


def _heart(u, v):
    a, b = np.abs(u), -v + 0.35
    lobe = np.hypot(a - 0.48, b - 0.62) - 0.56
    wedge = a * 0.78 - (b + 0.62) * 0.62
    body = np.maximum(np.maximum(wedge, b - 0.62), -b - 0.75)
    return np.minimum(lobe, body)


# Painting: layers of (distance, color), lit from the upper left.


def _layers(u, v, soft, layers):
    alpha = np.zeros(u.shape, np.float32)
    picture = np.zeros((*u.shape, 3), np.float32)
    for distance, color in layers:
        mask = np.clip(0.5 - distance / soft, 0, 1).astype(np.float32)
        alpha = np.maximum(alpha, mask)
        picture += (np.asarray(color, np.float32) - picture) * np.clip(0.5 - (distance - soft) / soft, 0, 1)[
            ..., None
        ]
    return picture, alpha


def _lit(u, v, color):
    """The color under the light: brighter above, darker below; black gets a sheen, to be seen at night."""
    shade = np.clip(0.98 - 0.20 * v - 0.10 * u, 0.70, 1.16)[..., None]
    lift = np.clip(-0.5 * v - 0.3 * u, 0, 1)[..., None] * 0.10
    return color * shade + lift


def _rim(color):
    return color * 0.55


def _body(u, v, soft, distance, color):
    """The outline in a darker tone, then the lit body inside it."""
    return [(distance, _rim(color)), (distance + 1.6 * soft, _lit(u, v, color))]


WHITE, DARK = np.array((0.97, 0.97, 0.97), np.float32), np.array((0.12, 0.12, 0.15), np.float32)


def _ball(u, v, t, color, soft, facing, motion, rng):
    layers = _body(u, v, soft, _circle(u, v, 0, 0, 1), color)
    layers.append((_ellipse(u, v, -0.38, -0.42, 0.24, 0.18), color * 0.35 + 0.65))
    return _layers(u, v, soft, layers)


def _star_thing(u, v, t, color, soft, facing, motion, rng):
    return _layers(u, v, soft, _body(u, v, soft, _star(u, v + 0.02), color))


def _square(u, v, t, color, soft, facing, motion, rng):
    layers = _body(u, v, soft, _box(u, v, 0, 0, 0.88, 0.88, 0.10), color)
    return _layers(u, v, soft, layers)


def _triangle(u, v, t, color, soft, facing, motion, rng):
    points = [(0, -1.05), (1.08, 0.85), (-1.08, 0.85)]
    return _layers(u, v, soft, _body(u, v, soft, _convex(u, v, points), color))


def _heart_thing(u, v, t, color, soft, facing, motion, rng):
    layers = _body(u, v, soft, _heart(u, v), color)
    layers.append((_ellipse(u, v, -0.50, -0.48, 0.17, 0.14), color * 0.35 + 0.65))
    return _layers(u, v, soft, layers)


def _balloon(u, v, t, color, soft, facing, motion, rng):
    sway = 0.06 * np.sin(2 * np.pi * t + rng.uniform(0, 6)) * np.clip(v - 0.5, 0, 2)
    string = np.maximum(np.abs(u - sway) - 0.05, np.abs(v - 1.15) - 0.5)
    knot = _convex(u, v, [(0, 0.66), (0.16, 0.94), (-0.16, 0.94)])
    layers = [(string, (0.85, 0.85, 0.85)), (knot, _rim(color))]
    layers += _body(u, v, soft, _ellipse(u, v, 0, -0.22, 0.84, 1.0), color)
    layers.append((_ellipse(u, v, -0.32, -0.62, 0.19, 0.24), color * 0.35 + 0.65))
    return _layers(u, v, soft, layers)


def _boat(u, v, t, color, soft, facing, motion, rng):
    u = u * facing
    u, v = _turn(u, v, 0.07 * np.sin(2 * np.pi * (t + rng.random())))
    hull = _convex(u, v, [(-1.15, 0.35), (1.25, 0.35), (0.78, 0.92), (-0.85, 0.92)])
    mast = _box(u, v, 0.02, -0.4, 0.06, 0.85, 0.02)
    main = _convex(u, v, [(0.10, -1.25), (1.0, 0.18), (0.10, 0.18)])
    jib = _convex(u, v, [(-0.08, -1.0), (-0.08, 0.18), (-0.78, 0.18)])
    layers = [(mast, DARK + 0.2), *_body(u, v, soft, main, color), (jib, WHITE * 0.93)]
    layers += _body(u, v, soft, hull, color)
    layers.append((_box(u, v, 0, 0.44, 1.1, 0.07, 0.02), WHITE))
    return _layers(u, v, soft, layers)


def _bird(u, v, t, color, soft, facing, motion, rng):
    u = u * facing
    flap = np.cos(2 * np.pi * (1.5 * t + rng.random())) if motion != "stay" else 0.6 + 0 * t
    body = _ellipse(u, v, 0, 0.16, 0.86, 0.42)
    head = _circle(u, v, 0.78, -0.14, 0.36)
    tail = _convex(u, v, [(-0.60, -0.02), (-0.60, 0.32), (-1.40, 0.12), (-1.30, -0.28)])
    beak = _convex(u, v, [(1.06, -0.30), (1.55, -0.06), (1.06, 0.04)])
    layers = [(beak, (0.98, 0.66, 0.10)), (tail, _rim(color))]
    layers += _body(u, v, soft, np.minimum(body, head), color)
    lift = 0.55 + 0.62 * flap  # of the wing's tip above its root; negative is below
    along = np.clip((0.40 - u) / 1.05, 0, 1)
    wing = np.maximum(
        np.abs(v - 0.05 + lift * along * 1.15) - 0.34 * (1 - along) - 0.05, np.abs(u + 0.12) - 0.52
    )
    layers += [(wing, _rim(color)), (wing + 1.6 * soft, _lit(u, v, color * 0.86 + 0.05))]
    layers.append((_circle(u, v, 0.86, -0.20, 0.10), DARK if color.sum() > 0.6 else WHITE))
    return _layers(u, v, soft, layers)


def _fish(u, v, t, color, soft, facing, motion, rng):
    u = u * facing
    wag = 0.16 * np.sin(2 * np.pi * (2 * t + rng.random())) * np.clip(-u - 0.2, 0, 1.2)
    w = v + wag
    body = _ellipse(u, w, 0.18, 0, 0.92, 0.62)
    tail = np.minimum(
        _convex(u, w, [(-0.50, -0.12), (-0.50, 0.12), (-1.15, 0.02), (-1.22, -0.62)]),
        _convex(u, w, [(-0.50, -0.12), (-0.50, 0.12), (-1.22, 0.62), (-1.15, -0.02)]),
    )
    fin = _convex(u, w, [(-0.30, -0.50), (0.10, -0.86), (0.45, -0.45)])
    layers = [*_body(u, w, soft, tail, color * 0.9), (fin, _rim(color)), *_body(u, w, soft, body, color)]
    layers.append((_ellipse(u, w, 0.20, 0.36, 0.44, 0.14), color * 0.6 + 0.36))
    layers += [(_circle(u, w, 0.68, -0.14, 0.17), WHITE), (_circle(u, w, 0.72, -0.14, 0.09), DARK)]
    return _layers(u, w, soft, layers)


def _car(u, v, t, color, soft, facing, motion, rng):
    u = u * facing
    cabin = _convex(u, v, [(-0.62, -0.55), (0.30, -0.55), (0.68, 0.05), (-0.85, 0.05)])
    body = _box(u, v, 0, 0.25, 1.25, 0.34, 0.18)
    window = _convex(u, v, [(-0.50, -0.42), (0.22, -0.42), (0.46, 0.02), (-0.66, 0.02)])
    layers = [*_body(u, v, soft, np.minimum(cabin, body), color), (window, (0.78, 0.90, 0.98))]
    layers.append((np.abs(u + 0.10) - 0.06 + 0 * v + np.maximum(window, 0), color * 0.8))
    layers.append((_circle(u, v, 1.12, 0.18, 0.10), (1.0, 0.95, 0.60)))
    for cx in (-0.68, 0.70):
        layers += [(_circle(u, v, cx, 0.56, 0.33), DARK), (_circle(u, v, cx, 0.56, 0.14), (0.75, 0.75, 0.78))]
    return _layers(u, v, soft, layers)


def _rocket(u, v, t, color, soft, facing, motion, rng):
    quarter = {"left": -1, "right": 1, "down": 2}.get(motion, 0)
    for _ in range(quarter % 4):
        u, v = v, -u
    flicker = 0.10 * np.sin(2 * np.pi * (4 * t + rng.random()))
    body = np.maximum(_ellipse(u, v, 0, -0.10, 0.50, 1.30), v - 0.78)
    left = _convex(u, v, [(-0.34, 0.20), (-0.30, 0.80), (-0.86, 1.02)])
    right = _convex(u, v, [(0.34, 0.20), (0.86, 1.02), (0.30, 0.80)])
    flame = _ellipse(u, v, 0, 0.86 + flicker, 0.26, 0.52)
    layers = []
    if motion != "stay":
        layers += [(flame, (1.0, 0.62, 0.10)), (flame + 0.16, (1.0, 0.93, 0.50))]
    layers += [(np.minimum(left, right), _rim(color)), *_body(u, v, soft, body, color)]
    layers += [(_circle(u, v, 0, -0.35, 0.25), WHITE), (_circle(u, v, 0, -0.35, 0.17), (0.45, 0.75, 0.95))]
    return _layers(u, v, soft, layers)


def _turn(u, v, angle):
    cos, sin = np.cos(angle), np.sin(angle)
    return u * cos + v * sin, v * cos - u * sin


PAINTERS = {
    "ball": _ball,
    "star": _star_thing,
    "square": _square,
    "triangle": _triangle,
    "heart": _heart_thing,
    "balloon": _balloon,
    "boat": _boat,
    "bird": _bird,
    "fish": _fish,
    "car": _car,
    "rocket": _rocket,
}
