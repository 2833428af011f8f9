"""Each model of the catalog, by the pipelines that it names and tiny weights of its architecture: loaded, run, watched,
stopped, and in the child."""

import itertools
from contextlib import closing
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

from generation import encoding
from generation.engine import MOMENTS, EngineError, catalog, process, weights
from generation.engine.entries import ALL

from . import tiny

ENTRIES = {model.id: model for model in ALL if model.hub}
STEPS = 4
each_entry = pytest.mark.parametrize("model_id", ENTRIES)
each_way = pytest.mark.parametrize(
    "model_id, ability",
    [(model.id, ability) for model in ENTRIES.values() for ability in sorted(model.abilities)],
)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    monkeypatch.setenv("SORAHUB_TESTCARD", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="session")
def tiny_entry(tiny_root):
    """The entry of that name, as it is in the catalog but for its weights, its sizes and its lengths."""
    made = {}

    def entry(model_id: str) -> catalog.Model:
        if model_id not in made:
            model, folder = ENTRIES[model_id], tiny.save(model_id, tiny_root)
            side = max(model.size_multiple, 32)
            sizes = (catalog.Size(side, side), catalog.Size(2 * side, side))
            lengths = {1: model.frame_step + 1, 2: 2 * model.frame_step + 1}
            made[model_id] = replace(model, weights=folder, sizes=sizes, lengths=lengths)
        return made[model_id]

    return entry


@pytest.fixture(scope="session")
def loaded(tiny_entry):
    """An engine for each entry, loaded once for all tests that leave it as it was."""
    from generation.engine.diffusion import Diffusion

    made = {}

    def engine(model_id: str) -> Diffusion:
        if model_id not in made:
            made[model_id] = Diffusion(tiny_entry(model_id))
        return made[model_id]

    return engine


def picture(width, height):
    """A slope of light from the upper left corner to the lower right one."""
    slope = np.add.outer(np.linspace(0, 127, height), np.linspace(0, 127, width)).astype(np.uint8)
    return np.repeat(slope[..., None], 3, 2)


def asked(model, ability, **changes):
    """A recipe of that model, and the picture that it begins with if that is what is tried."""
    recipe = model.recipe("a red boat", **{"seed": 5, "steps": STEPS, **changes})
    if ability == catalog.TEXT:
        return recipe, None
    return replace(recipe, image="a" * 64), picture(recipe.width, recipe.height)


def ignore(step, steps, draw):
    pass


def clip_of(engine, recipe, image, on_step=ignore):
    return np.stack(list(engine.generate(recipe, on_step, image)))


# --- What the entries say -------------------------------------------------------------------------


@each_entry
def test_an_entry_names_where_its_weights_come_from_and_what_they_need(model_id):
    model = ENTRIES[model_id]
    assert len(model.hub.commit) == 40
    assert model.hub.repo.count("/") == 1
    assert 0 < model.needs.least < model.needs.whole
    assert f"{model.needs.whole} GB" in model.memory
    assert f"{model.needs.least} GB" in model.memory
    assert model.license.url.startswith("https://")


@each_entry
def test_the_form_can_offer_all_that_an_entry_has(model_id, tiny_entry, monkeypatch):
    model = replace(ENTRIES[model_id], weights=tiny_entry(model_id).weights)
    monkeypatch.setattr(catalog, "CATALOG", {model_id: model})
    assert catalog.offered() == (model,)
    image = "" if catalog.TEXT in model.abilities else "a" * 64
    for size, duration in itertools.product(model.sizes, model.durations):
        for steps in (model.steps.low, model.steps.high, None):
            catalog.check(
                model.recipe("a boat", seed=0, size=size, duration=duration, steps=steps, image=image)
            )


@each_entry
def test_a_size_or_length_that_a_pipeline_would_round_in_silence_is_refused(
    model_id, tiny_entry, monkeypatch
):
    model = tiny_entry(model_id)
    monkeypatch.setattr(catalog, "CATALOG", {model_id: model})
    recipe, _ = asked(model, min(model.abilities))
    for field, wrong in (
        ("size", {"width": recipe.width + 1}),
        ("size", {"height": recipe.height + model.size_multiple // 2}),
        ("duration", {"frames": recipe.frames + 1}),
    ):
        with pytest.raises(catalog.RuleBroken) as caught:
            catalog.check(replace(recipe, **wrong))
        assert caught.value.field == field


# --- What the pipelines do ------------------------------------------------------------------------


@each_way
def test_a_clip_is_made_and_follows_its_recipe(loaded, tiny_entry, model_id, ability):
    model, engine = tiny_entry(model_id), loaded(model_id)
    recipe, image = asked(model, ability)
    told = []
    clip = clip_of(engine, recipe, image, lambda step, steps, draw: told.append((step, steps)))
    assert told == [(step, STEPS) for step in range(1, STEPS + 1)]
    assert (clip.shape, clip.dtype) == ((recipe.frames, recipe.height, recipe.width, 3), np.uint8)
    assert (clip == clip_of(engine, recipe, image)).all()
    assert (clip != clip_of(engine, replace(recipe, seed=6), image)).any()
    if image is not None:
        assert (clip != clip_of(engine, recipe, image[::-1])).any()


@each_way
def test_a_clip_is_seen_forming(loaded, tiny_entry, model_id, ability):
    model, engine = tiny_entry(model_id), loaded(model_id)
    recipe, image = asked(model, ability, size=model.sizes[1], duration=2)
    seen = []
    watched = clip_of(engine, recipe, image, lambda step, steps, draw: seen.append(draw()))
    *_, last = seen
    assert (last.dtype, len(last), last.shape[3]) == (np.uint8, MOMENTS, 3)
    assert last.shape[2] == 2 * last.shape[1] <= recipe.width
    assert sum(pictures is None for pictures in seen) <= 1
    if image is not None:
        fine = recipe.height // last.shape[1]
        small = image.reshape(last.shape[1], fine, last.shape[2], fine, 3).mean((1, 3))
        assert np.abs(last[0] - small).max() <= 1
    assert (watched == clip_of(engine, recipe, image)).all()  # whoever watches changes nothing


@each_entry
def test_what_is_seen_is_what_the_model_guesses_and_not_its_noise(loaded, tiny_entry, model_id):
    """Steps of the entry's scheduler, on the way from noise to a clip that the guesses are all about."""
    import torch

    from generation.engine import latents

    pipe, model = loaded(model_id).pipe, tiny_entry(model_id)
    recipe, _ = asked(model, min(model.abilities))
    eye = latents.Eye(pipe, None, recipe)
    noise = torch.Generator("cpu").manual_seed(1)
    clean, noisy = (torch.randn((1, 4, 2, 4, 4), generator=noise) for _ in range(2))
    pipe.scheduler.set_timesteps(STEPS)
    sample = noisy.clone()
    for number, at in enumerate(pipe.scheduler.timesteps, start=1):
        sample = pipe.scheduler.step(
            toward(pipe.scheduler, at, clean, sample), at, sample, return_dict=False
        )[0]
        eye.follow(number, sample)
        guess = eye._guess()
        if guess is None:
            assert number == 1  # one step of some schedulers tells nothing yet
        else:
            assert float((guess - clean).abs().max()) < 1e-3, number


def toward(scheduler, at, clean, sample):
    """What a model that knows the clip would answer: the velocity of a flow, or DDIM's mixture of clip and noise."""
    import diffusers

    if isinstance(scheduler, diffusers.CogVideoXDDIMScheduler):
        kept = scheduler.alphas_cumprod[int(at)]
        noise = (sample - kept**0.5 * clean) / (1 - kept) ** 0.5
        return kept**0.5 * noise - (1 - kept) ** 0.5 * clean
    sigma = scheduler.sigmas[(scheduler.timesteps == at).nonzero()[0].item()]
    return (sample - clean) / sigma


@each_way
def test_a_cancelled_clip_leaves_nothing_behind_for_one_of_another_size(
    loaded, tiny_entry, model_id, ability
):
    class Cancelled(Exception):
        pass

    def cancel(step, steps, draw):
        if step == 2:
            raise Cancelled

    model, engine = tiny_entry(model_id), loaded(model_id)
    small = asked(model, ability)
    large = asked(model, ability, size=model.sizes[1], duration=2)
    before = clip_of(engine, *large)
    with pytest.raises(Cancelled):
        clip_of(engine, *small, cancel)
    assert (clip_of(engine, *large) == before).all()


@each_entry
def test_parts_are_of_the_kinds_of_number_that_the_entry_asks_for(loaded, model_id):
    import torch

    model, engine = ENTRIES[model_id], loaded(model_id)
    assert set(engine.pipes) == model.abilities
    for pipe in engine.pipes.values():
        for name, part in pipe.components.items():
            if isinstance(part, torch.nn.Module):
                assert part.dtype == getattr(torch, model.dtypes.get(name, model.dtype)), name


@pytest.mark.parametrize("model_id", [model.id for model in ENTRIES.values() if len(model.abilities) > 1])
def test_words_and_pictures_share_one_set_of_weights(loaded, model_id):
    text, image = (loaded(model_id).pipes[ability] for ability in (catalog.TEXT, catalog.IMAGE))
    assert type(text) is not type(image)
    for name, part in text.components.items():
        assert image.components[name] is part, name


def test_a_pipeline_that_takes_no_callback_is_followed_all_the_same(tiny_entry):
    """By its scheduler's steps, as HunyuanVideo15Pipeline is: nothing of the clip depends on which way it tells."""
    from generation.engine.diffusion import Diffusion

    model = tiny_entry("wan-2.1-1.3b")
    recipe, _ = asked(model, catalog.TEXT)
    seen = {}
    for callbacks in (True, False):
        told = seen[callbacks] = []
        engine = Diffusion(replace(model, callbacks=callbacks))
        clip = clip_of(engine, recipe, None, lambda step, steps, draw, told=told: told.append((step, draw())))
        told.append((steps := len(told), clip))
        assert steps == STEPS
        assert "step" not in vars(engine.pipe.scheduler)
    for (step, pictures), (other_step, other_pictures) in zip(seen[True], seen[False], strict=True):
        assert step == other_step
        assert (pictures == other_pictures).all()


@pytest.mark.parametrize("model_id", ["hunyuan-1.5", "cogvideox-5b"])
def test_guidance_reaches_the_model_whichever_way_its_pipeline_takes_it(loaded, tiny_entry, model_id):
    recipe, _ = asked(tiny_entry(model_id), catalog.TEXT)
    clips = [
        clip_of(loaded(model_id), replace(recipe, guidance=guidance), None) for guidance in (6.0, 9.0, 6.0)
    ]
    assert (clips[0] != clips[1]).any()
    assert (clips[0] == clips[2]).all()


def test_weights_whose_rules_are_not_the_entry_s_are_refused(tiny_entry):
    """Else the pipeline would make a smaller clip than was asked for, and say so in a log at most."""
    from generation.engine.diffusion import Diffusion

    fine, coarse = tiny_entry("wan-2.1-1.3b"), tiny_entry("wan-2.2-5b")
    sizes = (catalog.Size(48, 48),)  # 16 pixels make a step for the one, 32 for the other
    Diffusion(replace(fine, sizes=sizes))
    with pytest.raises(EngineError, match="of another model") as caught:
        Diffusion(replace(coarse, sizes=sizes, size_multiple=16))
    assert "sizes in steps of 32" in caught.value.detail


# --- In the child ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model_id, ability",
    [("wan-2.2-5b", catalog.IMAGE), ("ltx-video", catalog.TEXT), ("hunyuan-1.5", catalog.TEXT)],
)
def test_the_child_makes_a_clip_of_it(tiny_entry, tiny_root, tmp_path, monkeypatch, model_id, ability):
    model = tiny_entry(model_id)
    monkeypatch.setenv("SORAHUB_WEIGHTS", str(tiny_root))
    monkeypatch.setattr(catalog, "CATALOG", {model_id: model})
    recipe, image = asked(model, ability)
    given = None
    if image is not None:
        given = tmp_path / "picture"
        Image.fromarray(image).save(given, "PNG")
        recipe = replace(recipe, image=sha256(given.read_bytes()).hexdigest())
    with closing(process.EngineProcess()) as engine, closing(engine.run(recipe, tmp_path, given)) as events:
        *before, done = events
    assert isinstance(done, process.Done), done
    assert [event.step for event in before if isinstance(event, process.Step)] == [1, 2, 3, 4]
    assert any(isinstance(event, process.Preview) for event in before)
    made = encoding.probe(done.video)
    assert (made.width, made.height, made.frames) == (recipe.width, recipe.height, recipe.frames)
    assert done.info["model_revision"] == weights.read_manifest(model.weights).revision


# --- How latents become frames ---------------------------------------------------------------------


@each_way
def test_the_frames_are_those_that_the_pipeline_alone_makes(loaded, tiny_entry, model_id, ability):
    """Whatever is done for memory's sake on the way from latents to frames, it costs not one bit of one pixel."""
    import torch

    engine = loaded(model_id)
    recipe, image = asked(tiny_entry(model_id), ability, duration=2)
    ours = clip_of(engine, recipe, image)
    alone = engine.pipe(
        prompt=recipe.prompt,
        negative_prompt=recipe.negative_prompt,
        width=recipe.width,
        height=recipe.height,
        num_frames=recipe.frames,
        num_inference_steps=recipe.steps,
        **engine._guided(recipe),
        generator=torch.Generator("cpu").manual_seed(recipe.seed),
        output_type="np",
        **({} if image is None else {"image": Image.fromarray(image)}),
        **engine.model.call,
    ).frames[0]
    assert (ours == (alone * 255).round().astype(np.uint8)).all()


@pytest.mark.parametrize("model_id", ["wan-2.1-1.3b", "wan-2.2-5b"])
def test_wan_s_first_frames_are_there_before_its_last_are_decoded(loaded, tiny_entry, model_id):
    engine, decoded = loaded(model_id), []
    hook = engine.pipe.vae.decoder.register_forward_hook(lambda *_: decoded.append(len(decoded)))
    recipe, _image = asked(tiny_entry(model_id), catalog.TEXT, duration=2)
    try:
        moments = [len(decoded) for _frame in engine.generate(recipe, ignore)]
    finally:
        hook.remove()
    assert moments == [1, *[2] * 4, *[3] * 4]
