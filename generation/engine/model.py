"""What the catalog says of one model: its rules, its needs and where its weights lie; the entries are in entries.py."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from . import Recipe, RuleBroken, weights

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


class Needs(NamedTuple):
    """GPU memory in GB: with all parts on the GPU, and at the least, with parts coming and going. 0: no GPU."""

    whole: float = 0
    least: float = 0


NO_GPU = Needs()


@dataclass(frozen=True)
class License:
    """A model's license; `asks` is what an admin must acknowledge before it is offered, in plain words."""

    name: str
    url: str = ""
    asks: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """One model: what to tell people, what it accepts, and how to load it."""

    id: str
    name: str
    summary: str  # one or two honest sentences for the form
    license: License
    memory: str  # what it needs, for people
    needs: Needs = NO_GPU
    hidden: bool = False  # offered only where SORAHUB_TESTCARD=1

    sizes: tuple[Size, ...]  # offered; the first is the default, and no two have the same aspect
    size_multiple: int
    frame_step: int  # a clip has this many frames times k, plus 1
    lengths: Mapping[float, int]  # seconds offered -> frames; the first is the default
    fps: float  # of playback
    steps: Limits
    guidance: Limits
    abilities: frozenset[str] = frozenset({TEXT})  # TEXT, IMAGE or both

    engine: str  # "diffusion" or "testcard"
    pipelines: Mapping[str, str] = field(
        default_factory=dict
    )  # ability -> the class of diffusers that has it
    call: Mapping[str, Any] = field(default_factory=dict)  # what these pipelines want besides the recipe
    callbacks: bool = True  # some pipelines take none: then their scheduler is listened to
    dtype: str = "float32"
    dtypes: Mapping[str, str] = field(
        default_factory=dict
    )  # of parts that differ, by their name in the pipeline
    tiled: bool = False  # whether the VAE always decodes in tiles, not only where memory is short
    weights: Path | None = None  # a local diffusers folder
    hub: weights.Hub | None = (
        None  # of weights that come from elsewhere, which are used only as they were pinned
    )
    pinned_revision: str = ""  # for what has no weights; else it follows from their files
    step_seconds: float  # one step over a million pixels of clip (width x height x frames), on slow hardware
    load_seconds: float  # how long loading may take before it counts as hung

    def __post_init__(self):
        for width, height in self.sizes:
            if width % self.size_multiple or height % self.size_multiple:
                raise ValueError(f"{self.id}: {width}x{height} is no multiple of {self.size_multiple}")
        if len({size.aspect for size in self.sizes}) < len(self.sizes):
            raise ValueError(f"{self.id}: two of its sizes have the same aspect")
        if not self.abilities or self.abilities - {TEXT, IMAGE}:
            raise ValueError(f"{self.id}: its abilities must be {TEXT}, {IMAGE} or both")
        if self.engine == "diffusion" and set(self.pipelines) != self.abilities:
            raise ValueError(f"{self.id}: it needs one pipeline for each of its abilities")
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
                "duration", f"{self.name} makes clips of {choice(self.durations)} seconds, not {seconds}."
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
        """A recipe for this model, with its defaults where nothing is said. `catalog.check` still has to judge it."""
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
        """Whether its weights are on this machine, and pinned if they came from elsewhere."""
        return self.weights is None or (
            (self.weights / weights.INDEX).is_file()
            and (self.hub is None or (self.weights / weights.MANIFEST).is_file())
        )

    @property
    def revision(self) -> str:
        """What names these exact weights: one sha256 over the names and bytes of their files.

        Of weights from elsewhere, as the manifest has them; the engine's child verifies that it tells the truth.
        """
        if self.pinned_revision or self.weights is None or not self.available():
            return self.pinned_revision
        if self.hub:
            return weights.read_manifest(self.weights).revision
        return weights.revision_of(self.weights)


def choice(values: Any) -> str:
    """The values as people list them: “1, 2 or 3”."""
    *most, last = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return f"{', '.join(most)} or {last}" if most else last
