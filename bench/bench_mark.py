"""What the invisible mark withstands: 20 clips, recompressed, halved, cut and brought to another frame rate by ffmpeg.

`wrong bits` counts those of the 64-bit word (number and checksum) that is the likeliest, sure or not: a guess has 32.
`read` are the clips of which the reader was sure, and right. `told among 10,000` are those that it tells apart when
what it saw is weighed again among the numbers that exist, as the queue does it. A number that was sure and wrong stops
the benchmark with an error, and so does one that is read with another key. The clips: eight of the embedded model and
six scenes of 128 x 128, four made of these at 256 x 256, and two at 832 x 480, one of which is textures like those of
nature that move. The small ones have 12.5 frames a second, as the embedded model makes them, and the others 24.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import imageio_ffmpeg
import numpy as np
from PIL import Image

from generation import encoding, marks
from generation.embedded import scenes
from generation.engine import catalog
from generation.engine.testcard import Testcard
from generation.marks import words

KEY, OTHER_KEY = b"the key that the benchmark marks with", b"a key that the benchmark never marked with"
PROMPTS = (
    "a red ball drifting over the sea at dusk",
    "a white boat on the sea by day",
    "a blue bird flying up over a field",
    "a yellow balloon in the desert at night",
    "a green car moving left in the city",
    "a black star bouncing in the snow",
    "a pink heart on a plain background",
    "a white bird over the sea at night",
)
CRFS = (23, 28, 34)
SCALES = {"whole": "", "half size": "scale=iw/2:ih/2"}
CHANGES = {"as it is": "", "cropped": "crop=trunc(iw*0.9/4)*4:trunc(ih*0.9/4)*4", "to 30 fps": "fps=30"}
SIZES = ((128, 128), (256, 256), (832, 480), (1280, 704))  # what the reader takes originals to be
SMALL = 14  # clips of 128 x 128, which come first
SMALL_FPS, FPS = catalog.EMBEDDED.fps, 24  # x264 spends less on each frame where there are more of them
RIVALS = 10_000
UNMARKED = 1_000
LONG = (832, 480, 81)


def main() -> None:
    figures: dict[str, float] = {}
    measured = []
    for number, frames in enumerate(clips()):
        measured.append(withstood(number, frames))
        print(f"mark: clip {number + 1} of 20", file=sys.stderr, flush=True)
    for case in measured[0]["cases"]:
        of_case = [one["cases"][case] for one in measured]
        figures[f"wrong bits of 64, {case}"] = round(float(np.mean([wrong for wrong, _, _ in of_case])), 2)
        figures[f"read of {len(measured)}, {case}"] = sum(int(read) for _, read, _ in of_case)
        figures[f"told among {RIVALS:,}, {case}"] = sum(int(told) for _, _, told in of_case)
    figures["dB, the least of all clips"] = round(min(one["decibels"] for one in measured), 2)
    figures["dB, small clips"] = round(float(np.mean([one["decibels"] for one in measured[:SMALL]])), 2)
    figures["dB, large clips"] = round(float(np.mean([one["decibels"] for one in measured[SMALL:]])), 2)
    figures[f"false alarms in {UNMARKED:,} unmarked clips"] = sum(
        int(false_alarm(frames)) for frames in unmarked()
    )
    print(json.dumps(figures | paces()))


def withstood(number: int, frames: np.ndarray) -> dict:
    number = 1 + number * 13_331_337
    marked = np.stack(list(marks.embed(iter(frames), number, KEY)))
    assert marks.read(marked, OTHER_KEY).number is None
    rivals = [number, *(n * 26_841 + 7 for n in range(RIVALS - 1))]
    cases = {}
    with tempfile.TemporaryDirectory() as folder:
        ours = Path(folder) / "ours.mp4"
        encoding.encode(iter(marked), ours, SMALL_FPS if frames.shape[2] == 128 else FPS)
        for crf in CRFS:
            for scale, scaling in SCALES.items():
                for change, changing in CHANGES.items():
                    theirs = Path(folder) / "theirs.mp4"
                    copy(ours, theirs, crf, ",".join(filter(None, (changing, scaling))))
                    copied = list(encoding.decode(theirs))
                    alone = marks.read(copied, KEY, sizes=SIZES)
                    among = alone if alone.number is not None else marks.reread(alone.trace, KEY, rivals)
                    assert {alone.number, among.number} <= {number, None}, "sure, and wrong"
                    wrong = 32.0  # no guess at all
                    if alone.likeliest is not None:
                        wrong = np.sum(words.word(alone.likeliest, KEY) != words.word(number, KEY))
                    cases[f"crf {crf}, {scale}, {change}"] = (
                        float(wrong),
                        alone.number == number,
                        among.number == number,
                    )
    error = np.mean((marked.astype(np.float32) - frames) ** 2)
    return {"cases": cases, "decibels": float(10 * np.log10(255**2 / error))}


def copy(ours: Path, theirs: Path, crf: int, filters: str) -> None:
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", "-i", ours]
    x264 = ["-c:v", "libx264", "-crf", str(crf), "-pix_fmt", "yuv420p"]
    subprocess.run([*ffmpeg, *(["-vf", filters] if filters else []), *x264, theirs], check=True)


def clips() -> Iterator[np.ndarray]:
    from generation.engine.diffusion import Diffusion

    engine = Diffusion(catalog.EMBEDDED)
    small = [
        np.stack(list(engine.generate(catalog.EMBEDDED.recipe(prompt, seed=seed), lambda *_: None)))
        for seed, prompt in enumerate(PROMPTS)
    ]
    small += [scenes.render(scenes.random_scene(np.random.default_rng(seed))) for seed in range(6)]
    yield from small
    yield from (larger(small[index], 256, 256) for index in (0, 4, 8, 9))
    yield larger(small[2][::2], 832, 480)
    yield textures(0, 832, 480, 13)


def larger(frames: np.ndarray, width: int, height: int) -> np.ndarray:
    size = (width, height)
    return np.stack([Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC) for frame in frames])


def textures(seed: int, width: int, height: int, count: int) -> np.ndarray:
    """A rough ground, with the spectrum of nature, that the camera moves over, and a disk of another before it."""
    rng = np.random.default_rng(seed)
    ground = rough(height + 2 * count, width + 2 * count, rng, rng.uniform(0.9, 1.5))
    front = rough(height, width, rng, 1.2)
    row, column = np.mgrid[:height, :width]
    frames = []
    for moment in range(count):
        picture = 120 + 30 * ground[moment : moment + height, 2 * moment : 2 * moment + width]
        middle = width * (0.2 + 0.6 * moment / count)
        disk = np.clip((height * 0.18 - np.hypot(row - height / 2, column - middle)) / 2, 0, 1)
        picture = picture * (1 - disk) + (90 + 15 * front) * disk + rng.normal(0, 1, (height, width))
        frames.append(np.clip(picture[..., None] * np.array([1.0, 0.95, 0.85]), 0, 255).astype(np.uint8))
    return np.stack(frames)


def rough(height: int, width: int, rng: np.random.Generator, power: float) -> np.ndarray:
    slow = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None] * width)
    slow[0, 0] = np.inf
    waves = (rng.normal(size=slow.shape) + 1j * rng.normal(size=slow.shape)) / slow**power
    picture = np.fft.irfft2(waves, s=(height, width))
    return (picture / picture.std()).astype(np.float32)


def unmarked() -> Iterator[np.ndarray]:
    """Scenes, test cards, gradients, textures and noise; every tenth scene cut, so that its place is looked for."""
    engine = Testcard()
    for seed in range(UNMARKED):
        rng = np.random.default_rng(10_000 + seed)
        match seed % 5:
            case 0 | 1:
                frames = scenes.render(scenes.random_scene(rng))
                yield frames[:, :116, 6:122] if seed % 50 == 0 else frames
            case 2:
                recipe = catalog.TESTCARD.recipe(f"bars {seed}", seed=seed, steps=1)
                yield np.stack(list(engine.generate(recipe, lambda *_: None)))
            case 3:
                corners = rng.uniform(0, 255, (2, 2, 3))
                down, across = np.linspace(0, 1, 144)[:, None, None], np.linspace(0, 1, 256)[None, :, None]
                upper = corners[0, 0] * (1 - across) + corners[0, 1] * across
                lower = corners[1, 0] * (1 - across) + corners[1, 1] * across
                grain = rng.normal(0, rng.uniform(0, 3), (3, 144, 256, 1))
                yield np.clip(upper * (1 - down) + lower * down + grain, 0, 255).astype(np.uint8)
            case _:
                yield (
                    textures(seed, 256, 256, 3)
                    if seed % 2
                    else rng.integers(0, 256, (2, 96, 128, 3), np.uint8)
                )


def false_alarm(frames: np.ndarray) -> bool:
    return marks.read(frames, KEY, sizes=SIZES).number is not None


def paces() -> dict[str, float]:
    """CPU seconds of this one thread, so that other work on the machine is not counted."""
    width, height, count = LONG
    frames = np.concatenate([textures(7, width, height, 9)] * (count // 9))
    begun = time.process_time()
    marked = list(marks.embed(iter(frames), 1, KEY))
    embedded = time.process_time()
    assert marks.read(marked, KEY).number == 1
    read = time.process_time()
    cut = [frame[20:452, 40:788] for frame in marked]
    found = time.process_time()
    assert marks.read(cut, KEY, sizes=SIZES).number == 1
    ended = time.process_time()
    weighed = rereading(marks.read(cut, OTHER_KEY, sizes=SIZES).trace)
    of = f"{width} x {height} x {count}"
    return {
        f"seconds to embed, {of}": round(embedded - begun, 3),
        f"seconds to read, {of}": round(read - embedded, 3),
        f"seconds to find and read, cropped {of}": round(ended - found, 3),
    } | weighed


def rereading(trace: bytes) -> dict[str, float]:
    """Of a picture without a mark, so that no step is spared."""
    told = {}
    for count in (10_000, 100_000, 1_000_000):
        numbers = np.random.default_rng(count).integers(0, marks.NUMBERS, count, np.uint32)
        marks.reread(trace, OTHER_KEY, numbers[:10])  # what is drawn from the key once
        begun = time.process_time()
        assert marks.reread(trace, OTHER_KEY, numbers).number is None
        told[f"seconds to reread a trace among {count:,}"] = round(time.process_time() - begun, 3)
    return told


if __name__ == "__main__":
    main()
