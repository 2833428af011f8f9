"""Turns a folder of weights into pipelines, one for each ability of its model, on the hardware that is there; what they
are asked for is diffusion.py's."""

from __future__ import annotations

import diffusers
import torch
from safetensors import SafetensorError, safe_open

from . import EngineError, weights
from .latents import ratios
from .model import Model

GB = 1e9


def load(model: Model) -> dict[str, diffusers.DiffusionPipeline]:
    """The model's pipelines by ability. They share their parts, so that two take the memory of one.

    Weights from elsewhere are verified first, byte by byte. Raises EngineError.
    """
    if model.hub:
        weights.verify(model.weights, model.name)
    (first, class_name), *others = model.pipelines.items()
    try:
        whole = _read(class_name, model)
        _check_filled(whole, model)
        pipes = {first: whole}
        for ability, class_name in others:
            pipes[ability] = _sharing(whole, getattr(diffusers, class_name))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise EngineError(
            f"The model “{model.name}” could not be loaded: its files are incomplete or damaged.",
            detail=f"{model.weights}: {error}",
        ) from error
    for pipe in pipes.values():
        pipe.set_progress_bar_config(disable=True)
    _check_rules(model, whole)
    return pipes


def place(pipe: diffusers.DiffusionPipeline, model: Model, device: str) -> None:
    """Put the pipeline where it computes: whole if the memory suffices, else its parts come and go.

    Called each time that another one of the model's pipelines is used: the parts follow the one that last asked.
    """
    if model.tiled:
        pipe.vae.enable_tiling()
    if device != "cuda":
        pipe.to(device)
    elif torch.cuda.get_device_properties(0).total_memory >= model.needs.whole * GB:
        pipe.to(device)
    else:
        pipe.vae.enable_tiling()
        pipe.enable_model_cpu_offload()


def _read(class_name: str, model: Model) -> diffusers.DiffusionPipeline:
    # Each part gets a dtype: left alone, each keeps the one it was stored in, and they don't fit together.
    dtypes = {"default": model.dtype} | dict(model.dtypes)
    return getattr(diffusers, class_name).from_pretrained(
        model.weights,
        dtype={part: getattr(torch, dtype) for part, dtype in dtypes.items()},
        local_files_only=True,
        use_safetensors=True,
    )


def _check_filled(pipe: diffusers.DiffusionPipeline, model: Model) -> None:
    """Raise ValueError if a part's file is another part's: diffusers leaves such a part empty, transformers fills it
    with random numbers, and both say so in a warning at most."""
    for name, part in pipe.components.items():
        if not isinstance(part, torch.nn.Module):
            continue
        named = set()
        for file in (model.weights / name).glob("*.safetensors"):
            with safe_open(file, "pt") as weights_of_part:
                named |= set(weights_of_part.keys())
        if any(value.is_meta for value in part.parameters()) or not named & set(part.state_dict()):
            raise ValueError(f"the file of its {name} is not for {type(part).__name__}")


def _sharing(pipe: diffusers.DiffusionPipeline, kind: type) -> diffusers.DiffusionPipeline:
    """Another pipeline of the same parts. Not `from_pipe`, which makes them all float32 where no one dtype is told."""
    parts, options = kind._get_signature_keys(kind)
    shared = {name: part for name, part in pipe.components.items() if name in parts}
    return kind(**shared, **{name: pipe.config[name] for name in options if name in pipe.config})


def _check_rules(model: Model, pipe: diffusers.DiffusionPipeline) -> None:
    """Refuse weights whose rules aren't those of the entry: a pipeline would round what doesn't fit, in silence."""
    spatial, temporal = ratios(pipe)
    patch = pipe.transformer.config.patch_size
    side = spatial * (patch if isinstance(patch, int) else patch[-1])
    wrong_size = [size for size in model.sizes if size.width % side or size.height % side]
    wrong_length = [frames for frames in model.lengths.values() if (frames - 1) % temporal]
    if wrong_size or wrong_length:
        raise EngineError(
            f"The model “{model.name}” could not be loaded: its files are of another model.",
            detail=f"{model.weights}: sizes in steps of {side} and frames of {temporal}k+1, "
            f"not {[*wrong_size, *wrong_length]}",
        )
