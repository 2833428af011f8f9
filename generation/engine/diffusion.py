"""Runs a diffusers pipeline from a local folder, seeded and without the network; the only file here that imports torch
and diffusers."""

from __future__ import annotations

import os
from collections.abc import Iterator

# Must be set before CUDA starts: without it, matrix products on a GPU differ from run to run.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import diffusers
import numpy as np
import torch
import transformers

from . import EngineError, OnStep, Recipe, presentable
from .catalog import PREVIEW, Model
from .forming import Lens

OUT_OF_MEMORY = (
    "The machine ran out of memory while making this clip. A smaller size or a shorter clip needs less."
)


class Diffusion:
    """One pipeline, loaded once and used for clip after clip."""

    def __init__(self, model: Model):
        # Warnings quote the prompt ("… was truncated: …"), and prompts stay out of logs.
        for library in (diffusers, transformers):
            library.logging.set_verbosity_error()
            library.logging.disable_progress_bar()
        torch.use_deterministic_algorithms(True, warn_only=True)
        self.model = model
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.pipe = _load(model).to(self.device)
        self.pipe.set_progress_bar_config(disable=True)
        self.lens = _lens(model, self.pipe)

    def generate(
        self, recipe: Recipe, on_step: OnStep, image: np.ndarray | None = None
    ) -> Iterator[np.ndarray]:
        try:
            video = self._denoise(recipe, on_step)
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise EngineError(OUT_OF_MEMORY, retry=True, detail=str(error)) from error
        yield from presentable(video)

    def _denoise(self, recipe: Recipe, on_step: OnStep) -> np.ndarray:
        """The clip as floats in 0..1, of shape (frames, height, width, 3)."""

        before = None

        def after_step(pipe, step, timestep, tensors):
            nonlocal before
            last, before = before, tensors["latents"]
            # Raising is the only clean way out: a pipeline's `interrupt` flag still decodes a clip.
            on_step(step + 1, recipe.steps, lambda: self._draw(recipe, step + 1, last, tensors["latents"]))
            return {}

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
                callback_on_step_end=after_step,
                callback_on_step_end_tensor_inputs=["latents"],
                output_type="np",
                **self.model.call,
            ).frames[0]
        finally:
            # A run that ended early leaves its caches behind, and they would change or break the next one.
            self.pipe.maybe_free_model_hooks()

    def _draw(
        self, recipe: Recipe, step: int, before: torch.Tensor | None, after: torch.Tensor
    ) -> np.ndarray | None:
        """What the clip would be if the model's last guess were right; None as long as there was none to go by."""
        if self.lens is None or before is None:
            return None
        # Euler's step gives the velocity back, and following it to the end takes all the noise out.
        sigmas = self.pipe.scheduler.sigmas
        velocity = (after - before) / (sigmas[step] - sigmas[step - 1])
        clean = (after - sigmas[step] * velocity)[0].float().cpu().numpy()
        time = (recipe.frames - 1) // self.pipe.vae_temporal_compression_ratio + 1
        height = recipe.height // self.pipe.vae_spatial_compression_ratio
        return self.lens.draw(clean.reshape(time, height, -1, clean.shape[-1]))


def _lens(model: Model, pipe: diffusers.DiffusionPipeline) -> Lens | None:
    """For models that have one, and whose latents and steps are the kind that `_draw` reads: packed, by Euler."""
    readable = isinstance(pipe, diffusers.LTXPipeline) and isinstance(
        pipe.scheduler, diffusers.FlowMatchEulerDiscreteScheduler
    )
    file = model.weights / PREVIEW
    return Lens(file) if readable and file.is_file() else None


def _load(model: Model) -> diffusers.DiffusionPipeline:
    pipeline_class = getattr(diffusers, model.pipeline)
    try:
        # One dtype for all parts: left alone, each keeps the one it was stored in, and they don't fit together.
        return pipeline_class.from_pretrained(
            model.weights, dtype=getattr(torch, model.dtype), local_files_only=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise EngineError(
            f"The model “{model.name}” could not be loaded: its files are incomplete or damaged.",
            detail=f"{model.weights}: {error}",
        ) from error
