"""Turns a clip's latents into frames, piece by piece where a VAE allows that without changing a pixel; how latents come
to be is diffusion.py's, and what they mean latents.py's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import diffusers
import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

AT_ONCE = 8  # frames


@dataclass(frozen=True)
class Undecoded:
    """What a pipeline was about to have decoded: the arguments of its VAE's `decode`, latents first."""

    arguments: tuple[Any, ...]
    keywords: dict[str, Any]


class _AtTheDoor(Exception):
    pass


def undecoded(pipe: diffusers.DiffusionPipeline, **call: Any) -> Undecoded | torch.Tensor:
    """Run a pipeline up to its VAE's decoder. One that gets by without it gives its whole clip: (frames, 3, h, w).

    Each pipeline scales its latents in its own way before they are decoded, so it is stopped at that very door.
    """
    reached = None

    def stop(*arguments: Any, **keywords: Any) -> None:
        nonlocal reached
        reached = Undecoded(arguments, keywords)
        raise _AtTheDoor

    pipe.vae.decode = stop
    try:
        return pipe(**call, output_type="pt").frames[0]
    except _AtTheDoor:
        return reached
    finally:
        del pipe.vae.decode  # the class's own shows again


def pieces(
    pipe: diffusers.DiffusionPipeline, latents: Undecoded | torch.Tensor
) -> Iterator[tuple[np.ndarray, float]]:
    """The clip in order: some uint8 frames of shape (n, height, width, 3), and how bright their brightest value is.

    Brightness goes from 0 to 1; it is NaN where a value is.
    """
    if isinstance(latents, torch.Tensor):
        yield from map(_in_eight_bits, latents.split(AT_ONCE))
        return
    for decoded in _decoded(pipe.vae, latents):
        for some in decoded.split(AT_ONCE, dim=2):  # each step of what follows makes a copy
            yield _in_eight_bits(pipe.video_processor.postprocess_video(some, output_type="pt")[0])


def _decoded(vae: torch.nn.Module, latents: Undecoded) -> Iterator[torch.Tensor]:
    in_pieces = IN_PIECES.get(type(vae))
    if in_pieces is None or vae.use_tiling:  # tiles are put together over the whole clip
        with torch.no_grad():
            whole = vae.decode(*latents.arguments, **latents.keywords)
        yield whole[0] if isinstance(whole, tuple) else whole.sample
        return
    if hasattr(vae, "_hf_hook"):  # as `decode` does itself: brings an offloaded VAE to where it computes
        vae._hf_hook.pre_forward(vae)
    yield from in_pieces(vae, latents.arguments[0])


def _decoded_wan(vae: diffusers.AutoencoderKLWan, latents: torch.Tensor) -> Iterator[torch.Tensor]:
    """As its own `_decode`, which goes moment by moment too, but keeps all of them before it returns any."""
    try:
        vae.clear_cache()
        with torch.no_grad():
            latents = vae.post_quant_conv(latents)
        for moment in range(latents.shape[2]):
            with torch.no_grad():  # for each piece anew: between two of them, others compute
                vae._conv_idx = [0]
                frames = vae.decoder(
                    latents[:, :, moment : moment + 1],
                    feat_cache=vae._feat_map,
                    feat_idx=vae._conv_idx,
                    first_chunk=moment == 0,
                )
                if vae.config.patch_size is not None:
                    frames = unpatchify(frames, patch_size=vae.config.patch_size)
            yield frames.clamp(-1.0, 1.0)
    finally:
        vae.clear_cache()


IN_PIECES: dict[type, Callable] = {diffusers.AutoencoderKLWan: _decoded_wan}


def _in_eight_bits(frames: torch.Tensor) -> tuple[np.ndarray, float]:
    """From floats in 0..1 of shape (n, 3, height, width). Converted where they are: a quarter of the bytes travels."""
    brightest = frames.max().item()
    rounded = (frames.permute(0, 2, 3, 1).float() * 255).round().to(torch.uint8)
    return rounded.contiguous().cpu().numpy(), brightest
