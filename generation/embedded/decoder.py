"""Teaches the decoder's few nonlinear layers to undo the coarsest level of the PCA, behind the denoiser's back.

By itself: `python -m generation.embedded.decoder --out DIR --minutes N`.

Only up_blocks[0] learns, and its target is the next finer level's coefficients, which lie beside the latents
on disk: since the finer bases are orthonormal, an error there is an error in pixels, at a small part of the
cost. The latents stay what they are, so this may run before, after or beside the denoiser's training.
"""

import argparse
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKLLTXVideo

from . import dataset
from .vae import RANK

BATCH = 16
RATE = 1.5e-3
NOISE = 0.12  # of each latent channel's deviation: the denoiser's output isn't perfect either
KEPT_BACK = 2  # shards to measure on


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", required=True, type=Path, help="the folder that generation.embedded.train made"
    )
    parser.add_argument("--minutes", required=True, type=float)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    train(options.out, options.minutes * 60)


def train(out, budget):
    """Writes out/vae1 every two minutes; goes on from it when it is there."""
    start = out / ("vae1" if (out / "vae1").exists() else "vae0")
    vae = AutoencoderKLLTXVideo.from_pretrained(start)
    names = sorted(path.name for path in (out / "shards").glob("*.npz"))
    coarse, fine, held = _load(out, names)
    deviation, scale = (
        coarse.movedim(1, -1).flatten(0, 3).std(0).view(1, -1, 1, 1, 1),
        fine[:200].float().std(),
    )
    block = vae.decoder.up_blocks[0].train()
    vae.requires_grad_(False)
    block.requires_grad_(True)
    optimizer = torch.optim.Adam(
        [
            {"params": block.resnets.parameters(), "full": RATE},
            {"params": block.upsamplers.parameters(), "full": RATE / 10},
        ]
    )
    begun, saved, step, mean = time.time(), time.time(), 0, None
    while (spent := time.time() - begun) < budget:
        for group in optimizer.param_groups:
            group["lr"] = group["full"] * min(1, (step + 1) / 50, 2.5 * (1 - spent / budget) + 0.02)
        picked = torch.randint(len(coarse), (BATCH,))
        noisy = coarse[picked] + NOISE * deviation * torch.randn(BATCH, *coarse.shape[1:])
        loss = ((_finer(vae, noisy) - fine[picked].float()) / scale).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(block.parameters(), 1.0)
        optimizer.step()
        step, mean = step + 1, loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 100 == 0 or step == 1:
            print(
                f"step {step} {spent / 60:.1f} min loss {mean:.5f} held out {_held_out(vae, *held, scale):.5f}",
                flush=True,
            )
        if time.time() - saved > 120:
            vae.save_pretrained(out / "vae1")
            saved = time.time()
    vae.save_pretrained(out / "vae1")


def _finer(vae, latents):
    return vae.decoder.up_blocks[0](vae.decoder.conv_in(latents))[:, :RANK]


@torch.no_grad()
def _held_out(vae, coarse, fine, scale):
    return ((_finer(vae, coarse) - fine.float()) / scale).pow(2).mean().item()


def _load(out, names):
    shards = dataset.Shards(out / "shards")
    shards.refresh()
    kept = KEPT_BACK * dataset.SHARD
    fine = shards.fine(names)
    coarse = shards.latents[: len(fine)]
    return coarse[kept:], fine[kept:], (coarse[:kept], fine[:kept])


if __name__ == "__main__":
    main()
