"""Asks the shipped weights for 100 held-out prompts and lets the judge read the frames.

`python -m generation.embedded.evaluate` prints the table and writes evaluation.json and sheet.jpg beside this file.
"""

import argparse
import json
import random
import resource
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from . import WEIGHTS, judge, sample
from .captions import EXAMPLES, full_caption, is_held_out
from .scenes import random_scene
from .words import MOTIONS

HERE = Path(__file__).parent
PROMPTS = 100
SEED = 20_261  # decides the prompts; clip i is made with seed i. The judge was tuned on other scenes
ASKED = ("place", "time", "color", "motion", "thing")
SHEET_FRAMES = (0, 5, 10, 14, 19, 24)


def main():
    options = _options()
    torch.set_num_threads(options.threads)
    pipe = sample.load(options.weights)
    rows, pictures, seconds = [], [], []
    for i, (scene, prompt) in enumerate(held_out_prompts(options.prompts)):
        begun = time.perf_counter()
        frames = sample.generate(pipe, prompt, seed=i, steps=options.steps, guidance=options.guidance)
        seconds.append(time.perf_counter() - begun)
        read = judge.read(frames)
        right = {name: getattr(scene, name) == getattr(read, name) for name in ASKED}
        rows.append({"prompt": prompt, "asked": scene.motion, "read": vars(read), "right": right})
        if len(pictures) < 16:
            pictures.append((prompt, frames))
    report = summarize(rows, seconds, options)
    print(table(report))
    if options.write:
        examples = [(text, sample.generate(pipe, text, seed=i)) for i, text in enumerate(EXAMPLES)]
        draw_sheet(examples + pictures).save(HERE / "sheet.jpg", quality=82, optimize=True)
        (HERE / "evaluation.json").write_text(json.dumps(report | {"clips": rows}, indent=1) + "\n")


def held_out_prompts(count):
    """(scene, prompt) pairs of attribute combinations that training never saw, every attribute said."""
    pick, words = np.random.default_rng(SEED), random.Random(SEED)
    found = []
    while len(found) < count:
        scene = random_scene(pick)
        if is_held_out(scene):
            found.append((scene, full_caption(scene, words)))
    return found


def summarize(rows, seconds, options):
    """Shares right, each with its 95 % interval (Wilson, 1927)."""
    shares = {name: _share([row["right"][name] for row in rows]) for name in ASKED}
    shares["place, time, color, motion"] = _share([all(row["right"][n] for n in ASKED[:4]) for row in rows])
    shares["all five"] = _share([all(row["right"].values()) for row in rows])
    for motion in MOTIONS:
        shares[f"motion: {motion}"] = _share(
            [row["right"]["motion"] for row in rows if row["asked"] == motion]
        )
    return {
        "prompts": len(rows),
        "steps": options.steps,
        "guidance": options.guidance,
        "shares": shares,
        "seconds_per_clip": round(float(np.median(seconds)), 2),
        "threads": options.threads,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def table(report):
    """The shares as a Markdown table."""
    lines = ["| asked | right | 95 % interval | prompts |", "|---|---|---|---|"]
    for name, (right, low, high, count) in report["shares"].items():
        lines.append(f"| {name} | {right:.0%} | {low:.0%} to {high:.0%} | {count} |")
    lines.append(
        f"\n{report['seconds_per_clip']} s a clip (median), peak memory {report['peak_memory_mb']} MB"
    )
    return "\n".join(lines)


def draw_sheet(clips, side=96):
    """Two columns of clips, six frames each, good or bad, with their prompts."""
    band, half = side + 14, (len(clips) + 1) // 2
    width = side * len(SHEET_FRAMES)
    sheet = Image.new("RGB", (2 * width + 12, half * band), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (prompt, frames) in enumerate(clips):
        left, top = (i // half) * (width + 12), (i % half) * band
        pen.text((left + 2, top + 1), prompt[:96], fill="black")
        for k, number in enumerate(SHEET_FRAMES):
            small = Image.fromarray(frames[number]).resize((side, side), Image.Resampling.LANCZOS)
            sheet.paste(small, (left + k * side, top + 13))
    return sheet


def _share(rights):
    n, p, z = max(len(rights), 1), sum(rights) / max(len(rights), 1), 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5 / (1 + z * z / n)
    return [round(p, 3), round(middle - reach, 3), round(middle + reach, 3), len(rights)]


def _options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    parser.add_argument("--steps", type=int, default=sample.STEPS)
    parser.add_argument("--guidance", type=float, default=sample.GUIDANCE)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-write", dest="write", action="store_false", help="only print the table")
    return parser.parse_args()


if __name__ == "__main__":
    main()
