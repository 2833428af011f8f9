"""Ways of computing faster that an operator may ask for: compiled blocks, which make the first clip wait, and steps
that are skipped where little changes, which costs a little of the picture."""

from __future__ import annotations

import os

import diffusers


def hasten_as_asked(pipe: diffusers.DiffusionPipeline) -> None:
    """By the environment, which the settings have judged."""
    step_cache = float(os.environ.get("SORAHUB_STEP_CACHE") or 0)
    hasten(pipe, compiled=_compiles(), step_cache=step_cache)


def asked_for() -> dict[str, str]:
    """What is switched on: a clip's pixels depend on it, so its recipe keeps it beside the libraries' versions."""
    step_cache = os.environ.get("SORAHUB_STEP_CACHE") or "0"
    return ({"step_cache": step_cache} if float(step_cache) else {}) | (
        {"compiled": "1"} if _compiles() else {}
    )


def hasten(
    pipe: diffusers.DiffusionPipeline,
    *,
    compiled: bool = False,
    step_cache: float = 0,
    backend: str = "inductor",
) -> None:
    """Change a pipeline in place.

    `step_cache` is a threshold: all blocks of a step but the first are skipped as long as what the first one changes
    differs from the last time by less than this share (diffusers' FirstBlockCache). bench_models.py measures what
    that brings and costs.
    """
    if step_cache:
        pipe.transformer.enable_cache(diffusers.FirstBlockCacheConfig(threshold=step_cache))
    if compiled:
        # What decides whether a block is skipped can't be compiled, so then each block has breaks in it.
        pipe.transformer.compile_repeated_blocks(fullgraph=not step_cache, backend=backend)


def _compiles() -> bool:
    return os.environ.get("SORAHUB_COMPILE", "").strip().lower() in ("1", "true", "yes", "y", "on", "ok")
