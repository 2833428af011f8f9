"""Fits the matrix that turns a forming clip's latents into small pictures, and lays it beside the weights.

`python -m generation.embedded.preview --weights DIR`. The engine only multiplies by it (engine/forming.py).
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLLTXVideo

from ..engine.catalog import PREVIEW
from ..engine.forming import Lens
from . import WEIGHTS, dataset
from .vae import to_tensor

CLIPS = 48  # of 64 tokens each, for a matrix with 55 rows
SEED = 5
CELL = 8  # pixels on each side of a token's square: a clip of 128 pixels is seen at 32
MOMENTS = 2  # of the 8 frames that a token stands for


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="a pipeline's folder")
    fit(parser.parse_args().weights)


def fit(weights):
    """Least squares from normalized latents to the pixels of rendered scenes, averaged; writes weights/preview.npz."""
    vae = AutoencoderKLLTXVideo.from_pretrained(Path(weights) / "vae")
    clips = dataset.render_clips(CLIPS, SEED)
    tokens, wanted = _tokens(vae, clips), _squares(clips)
    lens = Lens.fit(tokens, wanted.reshape(-1, MOMENTS, CELL, CELL, 3))
    np.savez(
        Path(weights) / PREVIEW, matrix=lens.matrix.astype(np.float16), bias=lens.bias.astype(np.float16)
    )


@torch.no_grad()
def _tokens(vae, clips):
    """Normalized latents, one row a token."""
    latents = torch.cat([vae.encode(to_tensor(clip[None])).latent_dist.mode() for clip in clips])
    shape = (1, -1, 1, 1, 1)
    latents = (latents - vae.latents_mean.view(shape)) / vae.latents_std.view(shape)
    return latents.movedim(1, -1).flatten(0, 3).double().numpy()


def _squares(clips):
    """What each token's square shows at its MOMENTS, one row a token; the first frame stands for eight."""
    video = np.concatenate([np.repeat(clips[:, :1], 7, 1), clips], 1) / np.float32(255)
    n, frames, height, width, _ = video.shape
    across, fine = width // 32, 32 // CELL
    video = video.reshape(
        n, frames // 8, MOMENTS, 8 // MOMENTS, height // 32, CELL, fine, across, CELL, fine, 3
    )
    return video.mean((3, 6, 9)).transpose(0, 1, 3, 5, 2, 4, 6, 7).reshape(-1, MOMENTS * CELL * CELL * 3)


if __name__ == "__main__":
    main()
