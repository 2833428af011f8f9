"""Makes clips with diffusers' pipelines, seeded and without the network; loading them is loading.py's, and seeing a
clip in its latents latents.py's, decoding it frames.py's. Outside embedded/, only these and memory.py import torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TypeVar

# Must be set before CUDA starts: without it, matrix products on a GPU differ from run to run.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import diffusers
import numpy as np
import torch
import transformers
from PIL import Image

from . import EngineError, OnStep, Recipe, latents, memory, presentable, speed
from .catalog import IMAGE, PREVIEW, TEXT, Model
from .forming import Lens
from .frames import Undecoded, pieces, undecoded
from .loading import load, place

T = TypeVar("T")

OUT_OF_MEMORY = (
    "The machine ran out of memory while making this clip. A smaller size or a shorter clip needs less."
)


class Diffusion:
    """One model, loaded once and used for clip after clip."""

    def __init__(self, model: Model):
        # Warnings quote the prompt ("… was truncated: …"), and prompts stay out of logs.
        for library in (diffusers, transformers):
            library.logging.set_verbosity_error()
            library.logging.disable_progress_bar()
        torch.use_deterministic_algorithms(True, warn_only=True)
        self.model = model
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.pipes = load(model)
        self.pipe = next(iter(self.pipes.values()))  # the one in use
        place(self.pipe, model, self.device)
        speed.hasten_as_asked(self.pipe)  # the others share its transformer
        self.lens = _lens(model, self.pipe)
        self.is_sparing = False  # with memory, at the cost of time
        self.settings = speed.asked_for()
        self.sound = None  # no pipeline of the catalog makes any

    def generate(
        self, recipe: Recipe, on_step: OnStep, image: np.ndarray | None = None
    ) -> Iterator[np.ndarray]:
        pipe = self.pipes[TEXT if image is None else IMAGE]
        if pipe is not self.pipe:
            place(pipe, self.model, self.device)
            self.pipe = pipe
            if self.is_sparing:
                memory.spare(pipe, self.device)
        try:
            clip = self._sparing_if_short(lambda: self._denoise(recipe, on_step, image))
            yield from presentable(self._pieces(clip))
        finally:
            # A run that ended early leaves its caches behind, and they would change or break the next one.
            self.pipe.maybe_free_model_hooks()

    def _sparing_if_short(self, act: Callable[[], T]) -> T:
        """What `act` returns. If memory runs out, it is done once more in the ways that need less."""
        while True:
            try:
                return act()
            except Exception as error:
                if not memory.ran_short(error):
                    raise
                if self.is_sparing:
                    raise EngineError(OUT_OF_MEMORY, detail=str(error)) from error
            # Not before here: as long as the error is at hand, so is all that filled the memory.
            self.is_sparing = True  # and stays so: who fills this machine once will do so again
            self.pipe.maybe_free_model_hooks()
            memory.spare(self.pipe, self.device)

    def _denoise(self, recipe: Recipe, on_step: OnStep, image: np.ndarray | None) -> Undecoded | torch.Tensor:
        with self._telling(recipe, on_step, image) as telling:
            return undecoded(
                self.pipe,
                prompt=recipe.prompt,
                negative_prompt=recipe.negative_prompt,
                width=recipe.width,
                height=recipe.height,
                num_frames=recipe.frames,
                num_inference_steps=recipe.steps,
                generator=torch.Generator("cpu").manual_seed(recipe.seed),
                **self._guided(recipe),
                **telling,
                **({} if image is None else {"image": Image.fromarray(image)}),
                **self.model.call,
            )

    def _guided(self, recipe: Recipe) -> dict:
        """The guidance, as an argument or where a pipeline with a guider of its own looks for it."""
        if guider := self.pipe.components.get("guider"):
            guider.guidance_scale = recipe.guidance
            return {}
        return {"guidance_scale": recipe.guidance}

    def _pieces(self, clip: Undecoded | torch.Tensor) -> Iterator[tuple[np.ndarray, float]]:
        """The clip's frames. Where memory runs out on the way, what was given already is not given again."""
        given, decoding = 0, None

        def more() -> tuple[np.ndarray, float] | None:
            nonlocal decoding
            try:
                if decoding is None:
                    decoding = _beyond(given, pieces(self.pipe, clip))
                return next(decoding, None)
            except BaseException:
                decoding = None
                raise

        while piece := self._sparing_if_short(more):
            given += len(piece[0])
            yield piece

    @contextmanager
    def _telling(self, recipe: Recipe, on_step: OnStep, image: np.ndarray | None) -> Iterator[dict]:
        """Make the pipeline tell of its steps: by the arguments given, or by listening to its scheduler meanwhile."""
        eye = latents.Eye(self.pipe, self.lens, recipe) if self.lens else None

        def draw():
            pictures = eye.draw() if eye else None
            if pictures is not None and image is not None:
                # What the clip begins with is known; the latents that stand for it may be anything.
                pictures[0] = _shrunk(image, *pictures.shape[1:3])
            return pictures

        def after_step(pipe, step, timestep, tensors):
            if eye:
                eye.follow(step + 1, tensors["latents"])
            # Raising is the only clean way out: a pipeline's `interrupt` flag still decodes a clip.
            on_step(step + 1, recipe.steps, draw)
            return {}

        if self.model.callbacks:
            yield {"callback_on_step_end": after_step, "callback_on_step_end_tensor_inputs": ["latents"]}
            return
        scheduler, number = self.pipe.scheduler, count()
        step = scheduler.step

        def step_and_tell(output, timestep, *arguments, **keywords):
            made = step(output, timestep, *arguments, **keywords)
            after_step(self.pipe, next(number), timestep, {"latents": made[0]})
            return made

        scheduler.step = step_and_tell
        try:
            yield {}
        finally:
            del scheduler.step  # the class's own shows again


def _beyond(given: int, decoding: Iterator[tuple[np.ndarray, float]]) -> Iterator[tuple[np.ndarray, float]]:
    """The pieces without the first `given` frames."""
    for frames, brightest in decoding:
        if given < len(frames):
            yield frames[given:], brightest
        given = max(0, given - len(frames))


def _lens(model: Model, pipe: diffusers.DiffusionPipeline) -> Lens | None:
    """The model's own if it brings one, else one fitted to its VAE."""
    file = model.weights / PREVIEW
    return Lens.read(file) if file.is_file() else latents.fit(pipe)


def _shrunk(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))
