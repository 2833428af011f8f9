"""Makes clips with diffusers' pipelines, seeded and without the network; loading them is loading.py's, and seeing a
clip in its latents latents.py's. Outside embedded/, only these three import torch and diffusers."""

from __future__ import annotations

import os
from collections.abc import Iterator

# Must be set before CUDA starts: without it, matrix products on a GPU differ from run to run.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import diffusers
import numpy as np
import torch
import transformers
from PIL import Image

from . import EngineError, OnStep, Recipe, latents, presentable
from .catalog import IMAGE, PREVIEW, TEXT, Model
from .forming import Lens
from .loading import load, place

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
        self.lens = _lens(model, self.pipe)

    def generate(
        self, recipe: Recipe, on_step: OnStep, image: np.ndarray | None = None
    ) -> Iterator[np.ndarray]:
        pipe = self.pipes[TEXT if image is None else IMAGE]
        if pipe is not self.pipe:
            place(pipe, self.model, self.device)
            self.pipe = pipe
        try:
            video = self._denoise(recipe, on_step, image)
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise EngineError(OUT_OF_MEMORY, retry=True, detail=str(error)) from error
        yield from presentable(video)

    def _denoise(self, recipe: Recipe, on_step: OnStep, image: np.ndarray | None) -> np.ndarray:
        """The clip as floats in 0..1, of shape (frames, height, width, 3)."""
        try:
            return self.pipe(
                prompt=recipe.prompt,
                negative_prompt=recipe.negative_prompt,
                width=recipe.width,
                height=recipe.height,
                num_frames=recipe.frames,
                num_inference_steps=recipe.steps,
                guidance_scale=recipe.guidance,
                generator=torch.Generator("cpu").manual_seed(recipe.seed),
                output_type="np",
                **self._told(recipe, on_step, image),
                **({} if image is None else {"image": Image.fromarray(image)}),
                **self.model.call,
            ).frames[0]
        finally:
            # A run that ended early leaves its caches behind, and they would change or break the next one.
            self.pipe.maybe_free_model_hooks()

    def _told(self, recipe: Recipe, on_step: OnStep, image: np.ndarray | None) -> dict:
        """What makes the pipeline tell of its steps, where it can."""
        if not self.model.callbacks:
            return {}
        eye = latents.Eye(self.pipe, self.lens, recipe) if self.lens else None

        def draw():
            pictures = eye.draw() if eye else None
            if pictures is not None and image is not None:
                pictures[0] = _shrunk(
                    image, *pictures.shape[1:3]
                )  # the latents of the beginning may be anything
            return pictures

        def after_step(pipe, step, timestep, tensors):
            if eye:
                eye.follow(step + 1, tensors["latents"])
            # Raising is the only clean way out: a pipeline's `interrupt` flag still decodes a clip.
            on_step(step + 1, recipe.steps, draw)
            return {}

        return {"callback_on_step_end": after_step, "callback_on_step_end_tensor_inputs": ["latents"]}


def _lens(model: Model, pipe: diffusers.DiffusionPipeline) -> Lens | None:
    """The model's own if it brings one, else one fitted to its VAE."""
    file = model.weights / PREVIEW
    return Lens.read(file) if file.is_file() else latents.fit(pipe)


def _shrunk(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))
