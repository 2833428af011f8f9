"""What is done when memory runs short: the slower ways of computing that need less of it."""

from __future__ import annotations

import gc
from inspect import signature

import diffusers
import torch

# How allocators say it that raise a plain RuntimeError: main memory's (Linux, Windows), and CUDA's libraries.
SAID = ("can't allocate memory", "not enough memory", "_ALLOC_FAILED", "CUDA error: out of memory")
TILES = {  # in pixels; they overlap by what the stride is shorter
    "tile_sample_min_height": 256,
    "tile_sample_min_width": 256,
    "tile_sample_stride_height": 192,
    "tile_sample_stride_width": 192,
}


def ran_short(error: BaseException) -> bool:
    """Whether this error says that there wasn't enough memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in SAID)


def spare(pipe: diffusers.DiffusionPipeline, device: str) -> None:
    """Make the pipeline need as little as it can: frames decoded in tiles, and on a GPU only the part that computes.

    Tiles overlap and are blended, so pixels differ a little from what they would be.
    """
    gc.collect()
    vae = pipe.vae
    if hasattr(vae, "enable_tiling"):
        accepted = signature(vae.enable_tiling).parameters
        vae.enable_tiling(**{name: pixels for name, pixels in TILES.items() if name in accepted})
    if hasattr(vae, "enable_slicing"):
        vae.enable_slicing()
    if hasattr(vae, "use_framewise_decoding"):
        vae.use_framewise_decoding = True
    if device == "cuda":
        torch.cuda.empty_cache()
        pipe.enable_model_cpu_offload()
