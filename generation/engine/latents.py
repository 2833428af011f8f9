"""What a pipeline's latents mean: where a token stands, what the model guesses of the finished clip, and what it looks
like; drawing is forming.py's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import diffusers
import numpy as np
import torch
from diffusers import (
    AutoencoderKLCogVideoX,
    AutoencoderKLHunyuanVideo15,
    AutoencoderKLLTXVideo,
    AutoencoderKLWan,
)

from . import Recipe
from .forming import Lens

TOKENS_A_CHANNEL = 8  # that a lens is fitted to
TOKENS_ACROSS, LATER_FRAMES = 4, 2  # of each clip that it is fitted to
SEED = 5
SPOTS_ACROSS = (2, 4, 8, 16, 32)  # such a clip; from broad light to fine grain


@dataclass(frozen=True)
class Layout:
    """How a kind of VAE's latents lie in the loop, and how its encoder's become such."""

    tokens: Callable[[torch.Tensor, tuple[int, int, int]], torch.Tensor]  # -> (time, height, width, channels)
    normalized: Callable[[torch.nn.Module, torch.Tensor], torch.Tensor]  # the encoder's, as the loop has them


def layout_of(pipe: diffusers.DiffusionPipeline) -> Layout | None:
    return next((layout for kind, layout in LAYOUTS.items() if isinstance(pipe.vae, kind)), None)


class Eye:
    """Follows one clip's latents step by step and sees the clip in them."""

    def __init__(self, pipe: diffusers.DiffusionPipeline, lens: Lens, recipe: Recipe):
        self.pipe, self.lens, self.layout = pipe, lens, layout_of(pipe)
        spatial, temporal = ratios(pipe)
        self.shape = ((recipe.frames - 1) // temporal + 1, recipe.height // spatial, recipe.width // spatial)
        self.before: torch.Tensor | None = None
        self.after: torch.Tensor | None = None
        self.step = 0

    def follow(self, step: int, latents: torch.Tensor) -> None:
        """`latents` are what the scheduler made in this step, counted from 1."""
        self.before, self.after, self.step = self.after, latents, step

    def draw(self) -> np.ndarray | None:
        """Pictures of what the clip would be if the last guess were right; None as long as there was none to go by."""
        clean = self._guess()
        if clean is None:
            return None
        return self.lens.draw(self.layout.tokens(clean, self.shape).float().cpu().numpy())

    def _guess(self) -> torch.Tensor | None:
        scheduler = self.pipe.scheduler
        if isinstance(scheduler, diffusers.UniPCMultistepScheduler):
            return scheduler.model_outputs[-1]  # it keeps its guesses, and corrects itself by them
        if self.before is None:
            return None
        levels = _levels(scheduler, self.step)
        if levels is None:
            return self.after  # as noisy as it still is
        # A step without fresh noise takes a x clean + b x noise to a' x clean + b' x noise: two equations for two.
        (a, b), (next_a, next_b) = levels
        return (self.after * b - self.before * next_b) / (next_a * b - a * next_b)


def fit(pipe: diffusers.DiffusionPipeline) -> Lens | None:
    """A lens for a model that brings none: what its own encoder makes of soft spots of color, read backwards.

    Linear, so that it shows colors and places, and no detail finer than a token's square. None for latents of which
    nothing is known here.
    """
    layout = layout_of(pipe)
    if layout is None:
        return None
    spatial, temporal = ratios(pipe)
    cell, moments = max(1, spatial // 4), max(1, temporal // 4)
    side, frames = TOKENS_ACROSS * spatial, LATER_FRAMES * temporal + 1
    video = _spots(side, frames)
    tokens, squares = [], []
    dtype, device = pipe.vae.dtype, pipe.vae.device
    channels, wanted = None, 1
    with torch.no_grad():
        while sum(map(len, tokens)) < wanted:
            clip = next(video)
            latents = pipe.vae.encode((clip * 2 - 1).to(device, dtype)).latent_dist.mode().float()
            latents = layout.normalized(pipe.vae, latents)[0].movedim(0, -1)
            channels = latents.shape[-1]
            wanted = TOKENS_A_CHANNEL * channels
            tokens.append(latents.reshape(-1, channels).cpu().double().numpy())
            squares.append(_squares(clip, temporal, spatial, moments, cell))
    return Lens.fit(np.concatenate(tokens), np.concatenate(squares))


def ratios(pipe: diffusers.DiffusionPipeline) -> tuple[int, int]:
    """How many pixels and how many frames the pipeline's VAE makes one."""
    if hasattr(pipe, "vae_spatial_compression_ratio"):
        return pipe.vae_spatial_compression_ratio, pipe.vae_temporal_compression_ratio
    return pipe.vae_scale_factor_spatial, pipe.vae_scale_factor_temporal


def _levels(scheduler, step: int) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Shares of clip and noise before and after the step; None for a scheduler whose steps are no such mixture."""
    if isinstance(scheduler, diffusers.FlowMatchEulerDiscreteScheduler):
        before, after = (float(sigma) for sigma in scheduler.sigmas[step - 1 : step + 1])
        return (1 - before, before), (1 - after, after)
    if isinstance(scheduler, diffusers.CogVideoXDDIMScheduler):
        stride = scheduler.config.num_train_timesteps // scheduler.num_inference_steps
        now = int(scheduler.timesteps[step - 1])
        then = now - stride
        kept = scheduler.alphas_cumprod[now]
        kept_then = scheduler.alphas_cumprod[then] if then >= 0 else scheduler.final_alpha_cumprod
        return tuple((float(share**0.5), float((1 - share) ** 0.5)) for share in (kept, kept_then))
    return None


def _spots(side: int, frames: int):
    """Endless clips of soft spots that move, RGB in 0..1, of shape (1, 3, frames, side, side).

    Half of what they are is light and half color, as in pictures: from color alone, fine grain would come out colored.
    """
    noise = torch.Generator("cpu").manual_seed(SEED)
    while True:
        for across in SPOTS_ACROSS:
            light, color = (torch.rand((1, n, 2, across, across), generator=noise) for n in (1, 3))
            spots = (light + color) / 2
            yield torch.nn.functional.interpolate(spots, (frames, side, side), mode="trilinear")


def _squares(clip: torch.Tensor, temporal: int, spatial: int, moments: int, cell: int) -> np.ndarray:
    """What each token of the clip shows, of shape (tokens, moments, cell, cell, 3); the first frame stands for many."""
    video = torch.cat([clip[0, :, :1].repeat(1, temporal - 1, 1, 1), clip[0]], 1)
    across, time = video.shape[-1] // spatial, video.shape[1] // temporal
    fine, long = spatial // cell, temporal // moments
    video = video.reshape(3, time, moments, long, across, cell, fine, across, cell, fine).mean((3, 6, 9))
    return video.permute(1, 3, 5, 2, 4, 6, 0).reshape(-1, moments, cell, cell, 3).double().numpy()


def _by_statistics(vae: AutoencoderKLWan, latents: torch.Tensor) -> torch.Tensor:
    shape = (1, -1, 1, 1, 1)
    mean, std = (
        torch.tensor(of).view(shape).to(latents) for of in (vae.config.latents_mean, vae.config.latents_std)
    )
    return (latents - mean) / std


def _by_buffers(vae: AutoencoderKLLTXVideo, latents: torch.Tensor) -> torch.Tensor:
    shape = (1, -1, 1, 1, 1)
    mean, std = (of.view(shape).to(latents) for of in (vae.latents_mean, vae.latents_std))
    return (latents - mean) * vae.config.scaling_factor / std


LAYOUTS = {
    AutoencoderKLLTXVideo: Layout(
        tokens=lambda latents, shape: latents[0].reshape(*shape, -1), normalized=_by_buffers
    ),
    AutoencoderKLWan: Layout(
        tokens=lambda latents, shape: latents[0].movedim(0, -1), normalized=_by_statistics
    ),
    AutoencoderKLHunyuanVideo15: Layout(
        tokens=lambda latents, shape: latents[0].movedim(0, -1),
        normalized=lambda vae, latents: latents * vae.config.scaling_factor,
    ),
    AutoencoderKLCogVideoX: Layout(
        tokens=lambda latents, shape: latents[0].movedim(1, -1),
        normalized=lambda vae, latents: latents * vae.config.scaling_factor,
    ),
}
