"""The parts of the pipeline that learn to denoise, their optimizer, and how all of it becomes a diffusers directory."""

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, LTXPipeline, LTXVideoTransformer3DModel

from . import text
from .vae import RANK

GRID = (4, 4, 4)  # latent frames, height, width
# RoPE's scale as the pipeline computes it: 8 frames a token at its default frame rate of 25, 32 pixels a token.
ROPE = (8 / 25, 32, 32)


def transformer():
    """An untrained LTX transformer of our size; it starts by predicting zero."""
    heads, width = 4, 36
    model = LTXVideoTransformer3DModel(
        in_channels=RANK,
        out_channels=RANK,
        num_attention_heads=heads,
        attention_head_dim=width,
        num_layers=6,
        cross_attention_dim=heads * width,
        caption_channels=text.DIM,
    )
    torch.nn.init.zeros_(model.proj_out.weight)
    torch.nn.init.zeros_(model.proj_out.bias)
    return model


def scheduler():
    return FlowMatchEulerDiscreteScheduler(shift=2.0, use_dynamic_shifting=False)


def predict(transformer, encoder, ids, mask, noisy, sigma):
    """The velocity (noise - clip) for packed latents (n, 64, RANK) at noise level sigma (n,)."""
    words = encoder(ids)[0]
    return transformer(
        hidden_states=noisy,
        encoder_hidden_states=words,
        timestep=sigma * 1000,
        encoder_attention_mask=mask.bool(),
        num_frames=GRID[0],
        height=GRID[1],
        width=GRID[2],
        rope_interpolation_scale=ROPE,
        return_dict=False,
    )[0]


def save(folder, vae, transformer, encoder, tokenizer):
    """Writes an LTXPipeline directory. bf16 halves the files; T5 stays fp32, or a default call mixes two dtypes.

    vae and transformer are bf16 afterwards.
    """
    LTXPipeline(scheduler(), vae, encoder, tokenizer, transformer).save_pretrained(folder)
    for name, model in (("vae", vae), ("transformer", transformer)):
        model.to(torch.bfloat16).save_pretrained(folder / name)
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)  # safetensors writes them for the owner alone


class Muon(torch.optim.Optimizer):
    """Momentum whose update is made orthogonal (Newton-Schulz, five steps), for matrices; equal shapes go together."""

    def __init__(self, parameters, lr, momentum=0.95):
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                if p.grad is not None:
                    shapes.setdefault(p.shape, []).append(p)
            for alike in shapes.values():
                self._step(alike, group["lr"], group["momentum"])

    def _step(self, alike, lr, momentum):
        moved = []
        for p in alike:
            buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
            buffer.mul_(momentum).add_(p.grad)
            moved.append(p.grad + momentum * buffer)
        updates = _orthogonal(torch.stack(moved))
        scale = max(1, alike[0].shape[0] / alike[0].shape[1]) ** 0.5
        for p, update in zip(alike, updates, strict=True):
            p.add_(update, alpha=-lr * scale * 0.2 * max(p.shape) ** 0.5)


def _orthogonal(x):
    """Brings all singular values of each matrix of the batch near 1. Coefficients: K. Jordan's Muon, 2024."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(5):
        s = x @ x.mT
        x = a * x + (b * s + c * s @ s) @ x
    return x.mT if tall else x
