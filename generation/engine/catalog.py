"""The models on offer and the rules of each; numbers and words only, so that a web process can read it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from . import Recipe, RuleBroken

EMBEDDED_WEIGHTS = Path(__file__).resolve().parents[1] / "embedded" / "weights"
PREVIEW = "preview.npz"  # beside a model's weights: what its latents look like while a clip forms
PROMPT_LIMIT = 2000  # characters
SEED_LIMIT = 2**32 - 1
TEXT, IMAGE = "text", "image"  # what a clip can begin with: words alone, or words and a picture
KNOWN_ASPECTS = ((1, 1), (5, 4), (4, 3), (3, 2), (16, 9), (21, 9))


class Size(NamedTuple):
    """A picture size in pixels."""

    width: int
    height: int

    @property
    def aspect(self) -> str:
        """The nearest ratio that people have a name for: 832 x 480 counts as 16:9."""
        long, short = max(self), min(self)
        a, b = min(KNOWN_ASPECTS, key=lambda ratio: abs(math.log(ratio[0] / ratio[1] * short / long)))
        return f"{a}:{b}" if self.width >= self.height else f"{b}:{a}"

    @property
    def label(self) -> str:
        shape = "Square" if self.width == self.height else "Wide" if self.width > self.height else "Tall"
        return f"{shape}, {self}"

    def __str__(self) -> str:
        return f"{self.width} × {self.height}"


class Limits(NamedTuple):
    """The range that a number may take, both ends included, and what it is when nobody says."""

    low: float
    high: float
    default: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """One model: what to tell people, what it accepts, and how to load it."""

    id: str
    name: str
    summary: str  # one honest sentence for the form
    license: str
    memory: str
    hidden: bool = False  # offered only where SORAHUB_TESTCARD=1

    sizes: tuple[Size, ...]  # offered; the first is the default
    size_multiple: int
    frame_step: int  # a clip has this many frames times k, plus 1
    lengths: Mapping[float, int]  # seconds offered -> frames; the first is the default
    fps: float  # of playback
    steps: Limits
    guidance: Limits
    abilities: frozenset[str] = frozenset({TEXT})  # TEXT, IMAGE or both

    engine: str  # "diffusion" or "testcard"
    pipeline: str = ""  # a class of diffusers
    dtype: str = "float32"
    weights: Path | None = None  # a local diffusers folder
    pinned_revision: str = ""  # for weights that are published under one; else it is computed
    call: Mapping[str, Any] = field(default_factory=dict)  # what this pipeline wants besides the recipe
    step_seconds: float  # one step over a million pixels of clip (width x height x frames), on slow hardware
    load_seconds: float  # how long loading may take before it counts as hung

    def __post_init__(self):
        for width, height in self.sizes:
            if width % self.size_multiple or height % self.size_multiple:
                raise ValueError(f"{self.id}: {width}x{height} is no multiple of {self.size_multiple}")
        if not self.abilities or self.abilities - {TEXT, IMAGE}:
            raise ValueError(f"{self.id}: its abilities must be {TEXT}, {IMAGE} or both")
        for frames in self.lengths.values():
            if (frames - 1) % self.frame_step:
                raise ValueError(f"{self.id}: {frames} frames are not {self.frame_step}k+1")

    @property
    def durations(self) -> tuple[float, ...]:
        """The lengths on offer, in seconds."""
        return tuple(self.lengths)

    def frames_for(self, seconds: float) -> int:
        """The number of frames of a clip of that length, which must be one on offer."""
        if seconds not in self.lengths:
            raise RuleBroken(
                "duration", f"{self.name} makes clips of {_choice(self.durations)} seconds, not {seconds}."
            )
        return self.lengths[seconds]

    def recipe(
        self,
        prompt: str,
        *,
        seed: int,
        negative_prompt: str = "",
        size: tuple[int, int] | None = None,
        duration: float | None = None,
        steps: int | None = None,
        guidance: float | None = None,
        image: str = "",
    ) -> Recipe:
        """A recipe for this model, with its defaults where nothing is said. `check` still has to judge it."""
        width, height = size or self.sizes[0]
        return Recipe(
            model=self.id,
            prompt=prompt,
            negative_prompt=negative_prompt,
            width=width,
            height=height,
            frames=self.frames_for(self.durations[0] if duration is None else duration),
            fps=self.fps,
            steps=int(self.steps.default) if steps is None else steps,
            guidance=self.guidance.default if guidance is None else guidance,
            seed=seed,
            image=image,
        )

    def available(self) -> bool:
        """Whether its weights are on this machine."""
        return self.weights is None or (self.weights / "model_index.json").is_file()

    @property
    def revision(self) -> str:
        """What names these exact weights; for those without a published name, the sha256 of their files."""
        if self.pinned_revision or self.weights is None:
            return self.pinned_revision
        return _digest(self.weights) if self.available() else ""


def get(model_id: str) -> Model:
    """The model of that name, offered or not; RuleBroken if there is none."""
    model = CATALOG.get(model_id)
    if model is None:
        raise RuleBroken("model", f"There is no model named “{model_id}”.")
    return model


def offered() -> tuple[Model, ...]:
    """The models that can be used here and now, the default first."""
    return tuple(model for model in CATALOG.values() if model.available() and not _is_secret(model))


def check(recipe: Recipe) -> None:
    """Raise RuleBroken for the first thing that the recipe's model can't do as asked. Nothing is rounded."""
    model = get(recipe.model)
    if _is_secret(model) or not model.available():
        raise RuleBroken("model", f"The model “{model.name}” is not available on this site.")
    _check_words("prompt", "prompt", recipe.prompt)
    _check_words("negative_prompt", "negative prompt", recipe.negative_prompt)
    if not recipe.prompt.strip():
        raise RuleBroken("prompt", "A clip needs a prompt: say what should be seen.")
    if (recipe.width, recipe.height) not in model.sizes:
        asked = Size(recipe.width, recipe.height)
        raise RuleBroken("size", f"{model.name} makes clips of {_choice(model.sizes)} pixels, not {asked}.")
    if recipe.frames not in model.lengths.values() or recipe.fps != model.fps:
        raise RuleBroken(
            "duration",
            f"{model.name} makes clips of {_choice(model.lengths.values())} frames, {model.fps:g} a second, "
            f"not {recipe.frames} frames, {recipe.fps} a second.",
        )
    _check_number("steps", "Steps", recipe.steps, model.steps, whole=True)
    _check_number("guidance", "Guidance", recipe.guidance, model.guidance)
    _check_number("seed", "The seed", recipe.seed, Limits(0, SEED_LIMIT, 0), whole=True)
    _check_image(model, recipe.image)


def estimate_seconds(recipe: Recipe) -> float:
    """Roughly how long the denoising takes on slow hardware: steps x pixels x frames, at the model's pace."""
    megapixels = recipe.width * recipe.height * recipe.frames / 1e6
    return recipe.steps * megapixels * get(recipe.model).step_seconds


def _check_words(field: str, name: str, words: str) -> None:
    if len(words) > PROMPT_LIMIT:
        raise RuleBroken(
            field, f"A {name} has at most {PROMPT_LIMIT:,} characters; this one has {len(words):,}."
        )
    # NUL and surrogates can't be stored; U+FFFD stands for bytes that nobody could read.
    if any(letter in "\0\ufffd" or "\ud800" <= letter <= "\udfff" for letter in words):
        raise RuleBroken(field, f"The {name} contains a character that is not text. Please type it again.")


def _check_image(model: Model, image: str) -> None:
    if image and IMAGE not in model.abilities:
        raise RuleBroken("image", f"{model.name} begins with words alone. Leave the picture out.")
    if not image and TEXT not in model.abilities:
        raise RuleBroken("image", f"{model.name} needs a picture to begin with. Choose one.")
    if image and not re.fullmatch("[0-9a-f]{64}", image):
        raise RuleBroken("image", "This is not the name of a picture that was uploaded here.")


def _check_number(field: str, name: str, value: float, limits: Limits, *, whole: bool = False) -> None:
    right_kind = type(value) is int or (not whole and type(value) is float)
    # A comparison with NaN is false, so that it is refused here too.
    if not right_kind or not limits.low <= value <= limits.high:
        kind = "a whole number" if whole else "a number"
        raise RuleBroken(
            field, f"{name} must be {kind} from {limits.low:g} to {limits.high:.10g}, not {value}."
        )


def _choice(values: Any) -> str:
    *most, last = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return f"{', '.join(most)} or {last}" if most else last


def _is_secret(model: Model) -> bool:
    return model.hidden and os.environ.get("SORAHUB_TESTCARD") != "1"


@cache
def _digest(folder: Path) -> str:
    """One sha256 over the names and bytes of all files below the folder that decide a clip's pixels."""
    total = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != PREVIEW):
        digest = sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()} {digest}\n".encode())
    return total.hexdigest()


EMBEDDED = Model(
    id="embedded",
    name="Sorahub Mini",
    summary="A small model for trying the site: simple things that move in simple places, in tiny pictures.",
    license="Apache-2.0",
    memory="Under 1 GB of main memory, no GPU needed",
    sizes=(Size(128, 128),),
    size_multiple=32,
    frame_step=8,
    lengths={2: 25},
    fps=12.5,
    steps=Limits(1, 50, 16),
    guidance=Limits(1.0, 10.0, 3.0),
    engine="diffusion",
    pipeline="LTXPipeline",
    weights=Path(os.environ.get("SORAHUB_EMBEDDED_WEIGHTS") or EMBEDDED_WEIGHTS),
    call={"frame_rate": 25},  # what its position encoding was trained with, whatever the playback
    step_seconds=0.5,
    load_seconds=120,
)

TESTCARD = Model(
    id="testcard",
    name="Test card",
    summary="Color bars that move, for tests: nothing is learned and nothing is drawn from the prompt.",
    license="Apache-2.0",
    memory="Next to none",
    hidden=True,
    sizes=(Size(128, 128), Size(192, 128)),
    size_multiple=2,
    frame_step=1,
    lengths={1: 12, 2: 24},
    fps=12,
    steps=Limits(1, 50, 8),
    guidance=Limits(1.0, 10.0, 3.0),
    abilities=frozenset({TEXT, IMAGE}),
    engine="testcard",
    pinned_revision="1",
    step_seconds=0.1,
    load_seconds=60,
)

CATALOG: Mapping[str, Model] = MappingProxyType({model.id: model for model in (EMBEDDED, TESTCARD)})
