"""Which models are on offer and what holds for every recipe; numbers and words only, so that a web process can read
it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from types import MappingProxyType

from . import Recipe, RuleBroken
from .entries import ALL, EMBEDDED, TESTCARD
from .model import IMAGE, TEXT, Limits, Model, Size, choice
from .weights import PREVIEW

__all__ = ["EMBEDDED", "IMAGE", "PREVIEW", "TESTCARD", "TEXT", "Limits", "Model", "Size"]

PROMPT_LIMIT = 2000  # characters
SEED_LIMIT = 2**32 - 1


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
        raise RuleBroken("size", f"{model.name} makes clips of {choice(model.sizes)} pixels, not {asked}.")
    if recipe.frames not in model.lengths.values() or recipe.fps != model.fps:
        raise RuleBroken(
            "duration",
            f"{model.name} makes clips of {choice(model.lengths.values())} frames, {model.fps:g} a second, "
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


def _is_secret(model: Model) -> bool:
    return model.hidden and os.environ.get("SORAHUB_TESTCARD") != "1"


CATALOG: Mapping[str, Model] = MappingProxyType({model.id: model for model in ALL})
