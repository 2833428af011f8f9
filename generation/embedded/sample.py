"""Calls the pipeline as it was trained to be called, for evaluation and tests; the site has its own engine."""

import numpy as np
import torch
from diffusers import LTXPipeline

from . import WEIGHTS
from .scenes import FRAMES, SIZE

STEPS = 16
GUIDANCE = 3.0
FRAME_RATE = 25  # what RoPE was trained with; clips are meant to be shown at 12.5 frames a second


def load(weights=WEIGHTS):
    """The pipeline, from disk alone."""
    pipe = LTXPipeline.from_pretrained(weights, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def generate(pipe, prompt, seed, steps=STEPS, guidance=GUIDANCE):
    """uint8 frames (25, 128, 128, 3), the same for the same seed on the same machine."""
    frames = pipe(
        prompt=prompt,
        negative_prompt="",
        width=SIZE,
        height=SIZE,
        num_frames=FRAMES,
        frame_rate=FRAME_RATE,
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=torch.Generator("cpu").manual_seed(seed),
        output_type="np",
    ).frames[0]
    return (np.clip(frames, 0, 1) * 255 + 0.5).astype(np.uint8)
