"""What our settings do to the pace of a model and to its picture, stock pipeline against ours.

On the CPU: step caching on the embedded model at several thresholds, with the same seeds; seconds are this process's
own on one thread, the picture is compared by SSIM (Wang et al. 2004: 11 pixels wide, sigma 1.5, on each channel, mean
over the clip).

On a CUDA GPU: the architectures of Wan 2.1-1.3B and Wan 2.2-5B from their published configurations, with random
weights, which make the same number of operations as trained ones; text embeddings are random too, so that the 11 GB
of the text encoder needn't be there. Stock is bf16 with a VAE in float32, as the model cards say, and every frame
decoded before the first is written. Seconds a clip and GPU memory at its peak. How many steps caching skips does
depend on the weights: the figures with it are what these random ones happen to give. Without CUDA, the same lines run
on tiny pipelines of the same architectures, to show that they run.
"""

import gc
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import diffusers
import torch
from diffusers.utils import export_to_video

from generation import encoding
from generation.engine import catalog, presentable
from generation.engine.frames import pieces, undecoded
from generation.engine.speed import hasten

PROMPTS = (
    "a red ball drifting over the sea at dusk",
    "a blue boat at sea at night",
    "two green birds flying left over a snowy field",
    "a yellow car driving right in the city at night",
)
THRESHOLDS = (0.05, 0.1, 0.2, 0.3)
ROUNDS = 3
PLACE = tempfile.TemporaryDirectory(prefix="sorahub-bench-")

# As published beside the weights, in transformer/config.json and vae/config.json.
WAN = {
    "cross_attn_norm": True,
    "eps": 1e-6,
    "freq_dim": 256,
    "patch_size": (1, 2, 2),
    "qk_norm": "rms_norm_across_heads",
    "rope_max_seq_len": 1024,
    "text_dim": 4096,
    "attention_head_dim": 128,
    "num_layers": 30,
}
ARCHITECTURES = {
    "Wan 2.1-1.3B": {
        "transformer": WAN
        | {"num_attention_heads": 12, "ffn_dim": 8960, "in_channels": 16, "out_channels": 16},
        "vae": {"base_dim": 96, "z_dim": 16},
        "clip": {"width": 832, "height": 480, "num_frames": 81, "num_inference_steps": 50},
        "fps": 16,
        "shift": 3.0,
    },
    "Wan 2.2-5B": {
        "transformer": WAN
        | {"num_attention_heads": 24, "ffn_dim": 14336, "in_channels": 48, "out_channels": 48},
        "vae": {
            "base_dim": 160,
            "decoder_base_dim": 256,
            "z_dim": 48,
            "in_channels": 12,
            "out_channels": 12,
            "is_residual": True,
            "patch_size": 2,
            "scale_factor_spatial": 16,
            "scale_factor_temporal": 4,
            "latents_mean": [0.0] * 48,
            "latents_std": [1.0] * 48,
        },
        "clip": {"width": 1280, "height": 704, "num_frames": 121, "num_inference_steps": 50},
        "fps": 24,
        "shift": 5.0,
    },
}
TINY = {
    "transformer": {"num_attention_heads": 2, "attention_head_dim": 24, "num_layers": 3, "ffn_dim": 64},
    "vae": {"base_dim": 8},
    "clip": {"width": 64, "height": 64, "num_frames": 9, "num_inference_steps": 4},
}
WAYS = {
    "stock": None,
    "ours": {"compiled": True},
    "ours, step caching 0.1": {"compiled": True, "step_cache": 0.1},
}


def main() -> None:
    diffusers.utils.logging.set_verbosity_error()
    torch.set_grad_enabled(False)
    figures = step_caching()
    on_gpu = torch.cuda.is_available()
    if not on_gpu:
        print("No CUDA here: Wan's architectures were run in miniature, not in their sizes.", file=sys.stderr)
    for name, architecture in ARCHITECTURES.items():
        figures |= wan(name if on_gpu else f"{name} in miniature", architecture, on_gpu)
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


# --- The embedded model, on the CPU -------------------------------------------------------------------


def step_caching() -> dict[str, float]:
    stock = embedded()
    clips = [one(stock, seed) for seed in range(len(PROMPTS))]  # the first one also warms up
    figures = {}
    for threshold in THRESHOLDS:
        cached = embedded()
        hasten(cached, step_cache=threshold)
        one(cached, 0)
        ratios, likeness = [], []
        for seed in range(len(PROMPTS)):
            before, _clip = one(stock, seed)  # anew, so that what else the machine does meets both
            seconds, clip = one(cached, seed)
            ratios.append(before / seconds)
            likeness.append(ssim(clip, clips[seed][1]))
        figures[f"times as fast, step caching {threshold:g}, median"] = statistics.median(ratios)
        figures[f"SSIM to stock, step caching {threshold:g}, least"] = min(likeness)
    return figures


def embedded() -> diffusers.DiffusionPipeline:
    pipe = diffusers.LTXPipeline.from_pretrained(catalog.get("embedded").weights, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def one(pipe, seed: int) -> tuple[float, torch.Tensor]:
    """CPU seconds, and the clip: floats in 0..1 of shape (frames, 3, height, width)."""
    started = time.process_time()
    clip = pipe(
        prompt=PROMPTS[seed],
        negative_prompt="",
        width=128,
        height=128,
        num_frames=25,
        frame_rate=25,
        num_inference_steps=16,
        guidance_scale=3.0,
        generator=torch.Generator("cpu").manual_seed(seed),
        output_type="pt",
    ).frames[0]
    return time.process_time() - started, clip


def ssim(one: torch.Tensor, other: torch.Tensor) -> float:
    bell = torch.exp(-((torch.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    window = torch.outer(bell, bell)[None, None] / bell.sum() ** 2
    a, b = (clip.reshape(-1, 1, *clip.shape[-2:]) for clip in (one, other))

    def mean(of):
        return torch.nn.functional.conv2d(of, window)

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    shared = mean(a * b) - mean_a * mean_b
    light = (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
    return (light * (2 * shared + 0.03**2) / (var_a + var_b + 0.03**2)).mean().item()


# --- Wan's architectures ------------------------------------------------------------------------------


def wan(name: str, architecture: dict, on_gpu: bool) -> dict[str, float]:
    figures = {}
    for way, settings in WAYS.items():
        pipe = pipeline(architecture, on_gpu)
        clip = architecture["clip"] if on_gpu else TINY["clip"]
        if settings:
            hasten(pipe, **(settings if on_gpu else settings | {"compiled": False}))
        make(pipe, architecture, clip, way)  # warm, and compiled
        if on_gpu:
            torch.cuda.reset_peak_memory_stats()
        seconds = statistics.median(make(pipe, architecture, clip, way) for _round in range(ROUNDS))
        figures[f"{name}, {way}: seconds a clip"] = seconds
        if on_gpu:
            figures[f"{name}, {way}: GB at the peak"] = torch.cuda.max_memory_allocated() / 1e9
        del pipe
        gc.collect()
        if on_gpu:
            torch.cuda.empty_cache()
    return figures


def pipeline(architecture: dict, on_gpu: bool) -> diffusers.WanPipeline:
    device = "cuda" if on_gpu else "cpu"
    shape, vae = architecture["transformer"], architecture["vae"]
    if not on_gpu:
        shape, vae = shape | TINY["transformer"], vae | TINY["vae"] | {"decoder_base_dim": 8}
    torch.manual_seed(0)
    with torch.device(device):
        transformer = diffusers.WanTransformer3DModel(**shape)
        decoder = diffusers.AutoencoderKLWan(**vae)
    scheduler = diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=architecture["shift"]
    )
    pipe = diffusers.WanPipeline(
        tokenizer=None,
        text_encoder=None,
        vae=decoder.eval(),
        scheduler=scheduler,
        transformer=transformer.to(torch.bfloat16).eval(),
        expand_timesteps=vae["z_dim"] == 48,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def make(pipe, architecture: dict, clip: dict, way: str) -> float:
    """Seconds from embeddings to a written file."""
    device, out = pipe.transformer.device, Path(PLACE.name) / "clip.mp4"
    words = torch.Generator("cpu").manual_seed(1)
    prompt, negative = (
        torch.randn(1, 512, architecture["transformer"]["text_dim"], generator=words).to(
            device, torch.bfloat16
        )
        for _each in range(2)
    )
    call = clip | {
        "prompt_embeds": prompt,
        "negative_prompt_embeds": negative,
        "guidance_scale": 5.0,
        "generator": torch.Generator("cpu").manual_seed(1),
    }
    started = time.perf_counter()
    if way == "stock":
        export_to_video(pipe(**call).frames[0], str(out), fps=architecture["fps"])
    else:
        frames = presentable(pieces(pipe, undecoded(pipe, **call)))
        encoding.encode(frames, out, architecture["fps"])
        pipe.maybe_free_model_hooks()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
