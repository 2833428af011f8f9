"""When memory runs out, a clip is tried once more in ways that need less; then a sentence says so. All of it is real:
tiny pipelines, and allocations that no machine can serve or that a limit on the child refuses."""

import resource
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generation.engine import EngineError, catalog, process
from generation.engine.entries import ALL

from . import tiny

SIZE, LARGE = catalog.Size(32, 32), catalog.Size(768, 512)
TOO_MUCH = 2**46  # bytes


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def ltx(tmp_path_factory):
    return entry(catalog.EMBEDDED, tiny.ltx, tmp_path_factory.mktemp("ltx"), lengths={1: 9, 2: 25})


@pytest.fixture(scope="module")
def wan(tmp_path_factory):
    model = next(model for model in ALL if model.id == "wan-2.2-5b")
    return entry(replace(model, hub=None), tiny.wan_both, tmp_path_factory.mktemp("wan"), lengths={1: 9})


def entry(model, build, folder, **changes):
    import torch

    torch.manual_seed(0)
    build().save_pretrained(folder)
    return replace(model, weights=folder, sizes=(SIZE, LARGE), **changes)


def engine_of(model):
    from generation.engine.diffusion import Diffusion

    return Diffusion(model)


def fill_memory():
    import torch

    torch.empty(TOO_MUCH, dtype=torch.uint8)


def test_a_clip_whose_steps_run_out_of_memory_begins_anew_with_less(ltx):
    engine, told = engine_of(ltx), []

    def short_at_first(step, steps, draw):
        told.append(step)
        if told == [1, 2]:
            fill_memory()

    recipe = ltx.recipe("a red boat", seed=5, steps=3)
    frames = np.stack(list(engine.generate(recipe, short_at_first)))
    assert told == [1, 2, 1, 2, 3]
    assert engine.pipe.vae.use_tiling
    assert engine.pipe.vae.use_framewise_decoding
    plenty = np.stack(list(engine_of(ltx).generate(recipe, lambda *_: None)))
    assert (frames == plenty).all()  # at this size, one tile is the whole picture


def test_the_second_time_it_is_a_sentence_and_trying_again_is_no_use(ltx):
    with pytest.raises(EngineError, match="ran out of memory") as caught:
        list(engine_of(ltx).generate(ltx.recipe("a boat", seed=5, steps=2), lambda *_: fill_memory()))
    assert not caught.value.retry
    assert "can't allocate memory" in caught.value.detail


def test_frames_given_before_memory_ran_out_are_not_given_again(wan):
    """Wan's decoder gives the first frame alone and then four at a time: here the second piece is too much at first."""
    engine, decoded = engine_of(wan), []

    def short_once(*_):
        decoded.append(1)
        if len(decoded) == 2:
            fill_memory()

    recipe = wan.recipe("a red boat", seed=5, steps=2)
    plenty = np.stack(list(engine.generate(recipe, lambda *_: None)))
    engine.pipe.vae.decoder.register_forward_pre_hook(short_once)
    assert (np.stack(list(engine.generate(recipe, lambda *_: None))) == plenty).all()
    assert len(decoded) == 2 + 3
    assert engine.pipe.vae.use_tiling


def test_other_trouble_is_not_taken_for_a_lack_of_memory(ltx):
    engine, told = engine_of(ltx), []

    def broken(step, steps, draw):
        told.append(step)
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        list(engine.generate(ltx.recipe("a boat", seed=5, steps=2), broken))
    assert told == [1]
    assert not engine.is_sparing


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_a_child_that_may_take_no_more_memory_says_so_and_is_replaced(ltx, tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "CATALOG", {"embedded": ltx})
    monkeypatch.setenv("SORAHUB_EMBEDDED_WEIGHTS", str(ltx.weights))
    small = ltx.recipe("a boat", seed=5, steps=1)
    large = ltx.recipe("a boat", seed=5, steps=1, size=LARGE, duration=2)
    with closing(process.EngineProcess()) as engine:
        *_, done = engine.run(small, tmp_path)
        assert isinstance(done, process.Done)
        limited = engine.pid
        resource.prlimit(limited, resource.RLIMIT_AS, (taken(limited) + 100 * 2**20, -1))
        *_, failed = engine.run(large, tmp_path)
        assert (failed.retry, "ran out of memory" in failed.sentence) == (False, True), failed
        assert "can't allocate memory" in failed.detail
        *_, done = engine.run(small, tmp_path)
        assert isinstance(done, process.Done)
        assert engine.pid != limited


def taken(pid: int) -> int:
    """Bytes of address space."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
