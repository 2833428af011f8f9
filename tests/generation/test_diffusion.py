"""The diffusers engine, on a tiny pipeline of stock classes with random weights: alone, and in its child process."""

import os
import shutil
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from generation import encoding
from generation.engine import MOMENTS, EngineError, catalog, process, weights

from . import tiny as tiny_pipelines

SIDE, FRAMES = 32, 9  # of the tiny pipeline's clips


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    monkeypatch.setenv("SORAHUB_TESTCARD", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A catalog entry whose weights are a complete LTXPipeline folder of stock classes, under a megabyte."""
    import torch

    torch.manual_seed(0)
    weights = tmp_path_factory.mktemp("tiny") / "weights"
    tiny_pipelines.ltx().save_pretrained(weights)
    size = catalog.Size(SIDE, SIDE)
    return replace(catalog.EMBEDDED, weights=weights, sizes=(size,), lengths={1: FRAMES})


@pytest.fixture(scope="module")
def diffusion(tiny):
    from generation.engine.diffusion import Diffusion

    return Diffusion(tiny)


def ignore(step, steps, draw):
    pass


def test_diffusion_counts_its_steps_and_gives_frames_of_the_right_kind(diffusion, tiny):
    told = []
    recipe = tiny.recipe("a red boat", seed=5, steps=3)
    frames = list(diffusion.generate(recipe, lambda step, steps, draw: told.append((step, steps))))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert [(frame.shape, frame.dtype) for frame in frames] == [((SIDE, SIDE, 3), np.uint8)] * FRAMES


def test_diffusion_follows_the_recipe(diffusion, tiny):
    def frames(prompt="a red boat", seed=5, **changes):
        recipe = tiny.recipe(prompt, seed=seed, **{"steps": 2, **changes})
        return np.stack(list(diffusion.generate(recipe, ignore)))

    video = frames()
    assert (video == frames()).all()
    for other in (
        frames(seed=6),
        frames(prompt="a blue car"),
        frames(steps=3),
        frames(guidance=6.0),
        frames(negative_prompt="snow"),
    ):
        assert (video != other).any()


def test_what_the_step_raises_ends_the_work_and_the_next_clip_is_unharmed(diffusion, tiny):
    class Cancelled(Exception):
        pass

    def cancel(step, steps, draw):
        if step == 2:
            raise Cancelled

    recipe = tiny.recipe("a red boat", seed=5, steps=4)
    before = np.stack(list(diffusion.generate(recipe, ignore)))
    with pytest.raises(Cancelled):
        list(diffusion.generate(recipe, cancel))
    assert (np.stack(list(diffusion.generate(recipe, ignore))) == before).all()


def test_weights_that_broke_give_a_sentence_and_no_frames(tiny):
    import torch

    from generation.engine.diffusion import Diffusion

    engine = Diffusion(tiny)
    for parameter in engine.pipe.vae.decoder.parameters():
        torch.nn.init.constant_(parameter, float("nan"))
    with pytest.raises(EngineError, match="no picture") as caught:
        list(engine.generate(tiny.recipe("a boat", seed=5, steps=1), ignore))
    assert caught.value.retry


@pytest.mark.parametrize("spoil", ["vae/diffusion_pytorch_model.safetensors", "model_index.json"])
def test_files_that_are_damaged_give_a_sentence(tiny, tmp_path, spoil):
    from generation.engine.diffusion import Diffusion

    shutil.copytree(tiny.weights, tmp_path / "weights")
    (tmp_path / "weights" / spoil).write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(EngineError, match="incomplete or damaged") as caught:
        Diffusion(replace(tiny, weights=tmp_path / "weights"))
    assert not caught.value.retry


def test_a_real_pipeline_in_the_child_replaces_the_test_card(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "CATALOG", {"embedded": tiny, "testcard": catalog.TESTCARD})
    monkeypatch.setenv("SORAHUB_EMBEDDED_WEIGHTS", str(tiny.weights))
    longer_than_it_reads = "confidential " * 150  # on which libraries remark, quoting it
    recipe = tiny.recipe(longer_than_it_reads, seed=5, steps=2)
    with closing(process.EngineProcess()) as engine:
        *_, first = engine.run(catalog.TESTCARD.recipe("bars", seed=7, steps=1), tmp_path / "card")
        card_pid = engine.pid
        *_, second = engine.run(recipe, tmp_path / "one")
        pid = engine.pid
        *_, third = engine.run(recipe, tmp_path / "two")
        assert engine.pid == pid != card_pid
        assert b"confidential" not in b"".join(engine._child.complaints)
    with pytest.raises(ProcessLookupError):
        os.kill(card_pid, 0)
    assert first.info["model_revision"] == "1"
    assert second.info["model_revision"] == tiny.revision
    assert encoding.probe(second.video).frames == FRAMES
    assert second.video.read_bytes() == third.video.read_bytes()


# --- Faster, where an operator asks for it ---------------------------------------------------------


def test_skipped_steps_change_little_are_told_in_the_recipe_and_leave_nothing_behind(monkeypatch, tmp_path):
    from generation.engine.diffusion import Diffusion

    recipe = catalog.EMBEDDED.recipe("a blue boat at sea at night", seed=5)

    def clip(engine):
        return np.stack(list(engine.generate(recipe, ignore))).astype(int)

    plain = Diffusion(catalog.EMBEDDED)
    stock = clip(plain)
    monkeypatch.setenv("SORAHUB_STEP_CACHE", "0.2")
    quick = Diffusion(catalog.EMBEDDED)
    first = clip(quick)
    assert 0 < np.abs(first - stock).mean() < 6
    with pytest.raises(KeyError):
        list(quick.generate(recipe, lambda step, *_: {}[step]))
    assert (clip(quick) == first).all()
    assert (plain.settings, quick.settings) == ({}, {"step_cache": "0.2"})
    with closing(process.EngineProcess()) as engine:
        *_, done = engine.run(recipe, tmp_path)
    assert done.info["versions"]["step_cache"] == "0.2"


def test_compiled_blocks_make_the_same_clip_with_and_without_skipped_steps():
    """With dynamo alone, which traces what a compiler would get: what can't be compiled shows here."""
    from generation.engine import speed
    from generation.engine.diffusion import Diffusion

    recipe = catalog.EMBEDDED.recipe("a red boat", seed=5, steps=3)
    stock = np.stack(list(Diffusion(catalog.EMBEDDED).generate(recipe, ignore))).astype(int)
    for step_cache in (0, 1e-9):
        engine = Diffusion(catalog.EMBEDDED)
        speed.hasten(engine.pipe, compiled=True, step_cache=step_cache, backend="eager")
        assert np.abs(np.stack(list(engine.generate(recipe, ignore))) - stock).max() <= 1


# --- What a clip looks like while it forms ---------------------------------------------------------


@pytest.fixture(scope="module")
def embedded():
    from generation.engine.diffusion import Diffusion

    return Diffusion(catalog.EMBEDDED)


def drawn(engine, recipe) -> tuple[list, np.ndarray]:
    """A picture or None for each step, and the clip that came of it."""
    pictures = []
    clip = np.stack(list(engine.generate(recipe, lambda step, steps, draw: pictures.append(draw()))))
    return pictures, clip


def test_pictures_show_the_clip_to_come_and_ever_more_of_it(embedded):
    recipe = catalog.EMBEDDED.recipe("a red balloon rising over a green field at sunset", seed=3)
    (first, *pictures), clip = drawn(embedded, recipe)
    assert first is None  # one step tells no velocity yet
    moments = clip[np.linspace(0, recipe.frames - 1, MOMENTS).round().astype(int)]
    small = moments.reshape(MOMENTS, 32, 4, 32, 4, 3).mean((2, 4))
    off = [float(np.abs(picture - small).mean()) for picture in pictures]
    assert {picture.shape for picture in pictures} == {(MOMENTS, 32, 32, 3)}
    assert off[0] < 50  # of 255; unrelated clips are about twice as far from each other
    assert off[-1] < 10
    assert off[-1] < off[len(off) // 2] < off[0]


def test_looking_at_a_clip_changes_none_of_its_pixels(embedded):
    recipe = catalog.EMBEDDED.recipe("a blue boat at sea at night", seed=5, steps=4)
    _, looked_at = drawn(embedded, recipe)
    assert (looked_at == np.stack(list(embedded.generate(recipe, ignore)))).all()


def test_a_model_without_a_matrix_is_seen_through_its_own_encoder(embedded):
    """A little less truly than through the one that was fitted to what it learned."""
    from generation.engine import latents

    recipe = catalog.EMBEDDED.recipe("a red balloon rising over a green field at sunset", seed=3)
    fitted, clip = drawn(embedded, recipe)
    own, embedded.lens = embedded.lens, latents.fit(embedded.pipe)
    try:
        (first, *pictures), same = drawn(embedded, recipe)
    finally:
        embedded.lens = own
    assert first is None
    assert (same == clip).all()
    moments = clip[np.linspace(0, recipe.frames - 1, MOMENTS).round().astype(int)]
    small = moments.reshape(MOMENTS, 32, 4, 32, 4, 3).mean((2, 4))
    off, off_fitted = (float(np.abs(seen[-1] - small).mean()) for seen in (pictures, fitted))
    assert off < 10  # of 255
    assert off < 2 * off_fitted


def test_the_embedded_model_carries_on_from_a_picture_of_its_own(embedded):
    """What "extend" asks of it: the last frame of one clip is the first of the next, and the scene goes on."""
    recipe = catalog.EMBEDDED.recipe("a red balloon rising over a green field at sunset", seed=3)
    clip = np.stack(list(embedded.generate(recipe, ignore)))
    further = replace(recipe, image="a" * 64, seed=4)
    goes_on = np.stack(list(embedded.generate(further, ignore, clip[-1])))
    anew = np.stack(list(embedded.generate(replace(recipe, seed=4), ignore)))

    def off(frame):
        return float(np.abs(frame.astype(int) - clip[-1]).mean())

    assert off(goes_on[0]) < 8  # of 255: what its VAE loses
    assert off(goes_on[12]) < off(anew[12])
    assert off(goes_on[0]) < off(anew[0]) / 2


def test_the_matrix_of_pictures_does_not_rename_the_weights(tmp_path):
    """It decides no pixel of a clip, so a better one leaves every recipe's revision as it is."""
    (tmp_path / "model_index.json").write_text("{}")
    model = replace(catalog.EMBEDDED, weights=tmp_path)
    before = model.revision
    (tmp_path / catalog.PREVIEW).write_bytes(b"numbers")
    weights.revision_of.cache_clear()
    assert model.revision == before
