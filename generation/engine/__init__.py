"""What an engine promises: a recipe goes in, frames come out; which models exist and how their process is watched, the
files beside this one tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

BLACK = 3 / 255  # a clip in which no value exceeds this shows nothing
MOMENTS = 8  # pictures in a preview, spread over the clip: the page plays them in a loop
SPRITE_MOMENTS = 12  # pictures in a finished clip's sprite, which its card is scrubbed through with


@dataclass(frozen=True)
class Recipe:
    """All that decides the frames: the same recipe on the same machine and weights gives the same pixels."""

    model: str
    prompt: str
    negative_prompt: str
    width: int
    height: int
    frames: int
    fps: float
    steps: int
    guidance: float
    seed: int
    image: str = ""  # the sha256 of the picture to begin with, a file made in the clip's size; "" for none

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Recipe:
        """The recipe that `to_json` wrote; a missing or unknown key raises TypeError.

        Recipes from before there were pictures have no `image`, and mean none.
        """
        return cls(**data)


RECIPE_FIELDS = tuple(field.name for field in fields(Recipe))


@dataclass(frozen=True)
class Sound:
    """What is heard with a clip."""

    samples: np.ndarray  # float32 in -1..1, of shape (n, channels)
    rate: int  # samples a second

    def lasting(self, seconds: float) -> Sound:
        """Exactly that long: the end is cut off, or silence follows."""
        import numpy as np

        length = round(seconds * self.rate)
        missing = max(0, length - len(self.samples))
        return Sound(np.pad(self.samples[:length], ((0, missing), (0, 0))), self.rate)


class EngineError(Exception):
    """A clip could not be made.

    `sentence` is for the artist, `retry` says whether another attempt could end differently, and `detail`
    is for whoever runs the machine: it may quote library messages, so it belongs in no page.
    """

    def __init__(self, sentence: str, *, retry: bool = False, detail: str = ""):
        super().__init__(sentence)
        self.sentence = sentence
        self.retry = retry
        self.detail = detail


class RuleBroken(EngineError, ValueError):
    """A recipe asks for what its model can't do.

    `field` names what to change: size, duration, steps, guidance, seed, prompt, negative_prompt, image or model.
    """

    def __init__(self, field: str, sentence: str):
        super().__init__(sentence)
        self.field = field


Draw = Callable[[], "np.ndarray | None"]
OnStep = Callable[[int, int, Draw], None]


class Engine(Protocol):
    """One loaded model. Not for threads: one engine, one process, one clip at a time."""

    device: str  # where it computes, in words
    settings: dict[str, str]  # what a clip's pixels depend on besides recipe, weights and versions
    sound: Sound | None  # what is heard with the clip, known when its first frame is

    def generate(
        self, recipe: Recipe, on_step: OnStep, image: np.ndarray | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the clip's frames in order, each uint8 of shape (height, width, 3).

        `image`, there exactly when the recipe names one, is what the clip begins with, in the shape of a frame.

        `on_step(step, steps, draw)` is called after each denoising step, counted from 1. What it raises ends
        the work and reaches the caller. `draw()`, good until `on_step` returns, makes small pictures of what the
        clip would be by now, uint8 of shape (MOMENTS, height, width, 3), or None while there is nothing to
        see. Raises EngineError when the model's output can't be shown.
        """


def presentable(pieces: Iterable[tuple[np.ndarray, float]]) -> Iterator[np.ndarray]:
    """Yield the frames of `pieces`: each is some frames, uint8 (n, height, width, 3), and their brightest value.

    Raises EngineError if that is not a number (as soon as it is met), or if nothing in the whole clip is brighter
    than black (at its end): both are how a numerically broken run looks, and neither should reach an artist as a
    finished clip.
    """
    brightest = 0.0
    for frames, peak in pieces:
        if not isfinite(peak):
            raise EngineError(
                "The model lost its way and produced no picture. Another seed usually helps.", retry=True
            )
        brightest = max(brightest, peak)
        yield from frames
    if brightest < BLACK:
        raise EngineError(
            "The model produced only black. Another seed or fewer words usually help.", retry=True
        )


def in_eight_bits(video: np.ndarray) -> tuple[np.ndarray, float]:
    """A piece for `presentable`, from floats in 0..1."""
    import numpy as np

    with np.errstate(invalid="ignore"):  # what is not a number shows in the brightest value
        return (video.clip(0, 1) * 255).round().astype(np.uint8), float(video.max(initial=0))
