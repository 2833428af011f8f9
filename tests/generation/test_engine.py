"""What the catalog accepts, what each engine promises, and the two commands that need no database."""

import itertools
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from generation import encoding
from generation.engine import EngineError, Recipe, RuleBroken, catalog, in_eight_bits, presentable
from generation.engine.testcard import Testcard


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    monkeypatch.setenv("SORAHUB_TESTCARD", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def good(**changes):
    return replace(catalog.TESTCARD.recipe("moving bars", seed=7, steps=3), **changes)


# --- The catalog -----------------------------------------------------------------------------------


def test_each_offer_of_each_model_passes_its_own_check():
    for model in catalog.offered():
        for size, duration in itertools.product(model.sizes, model.durations):
            for steps in (model.steps.low, model.steps.high, None):
                catalog.check(model.recipe("bars", seed=0, size=size, duration=duration, steps=steps))


@pytest.mark.parametrize(
    "changes, field, says",
    [
        ({"model": "sora"}, "model", "“sora”"),
        ({"prompt": " \n"}, "prompt", "needs a prompt"),
        ({"prompt": "x" * 2001}, "prompt", "at most 2,000 characters; this one has 2,001"),
        ({"prompt": "a\0b"}, "prompt", "not text"),
        ({"prompt": "a\ud800b"}, "prompt", "not text"),
        ({"negative_prompt": "x" * 2001}, "negative_prompt", "at most 2,000 characters"),
        ({"negative_prompt": "\0"}, "negative_prompt", "not text"),
        ({"width": 130}, "size", "128 × 128 or 192 × 128 pixels, not 130 × 128"),
        ({"height": -128}, "size", "not 128 × -128"),
        ({"frames": 13}, "duration", "12 or 24 frames, 12 a second, not 13 frames"),
        ({"fps": 24}, "duration", "not 12 frames, 24 a second"),
        ({"steps": 0}, "steps", "from 1 to 50, not 0"),
        ({"steps": 51}, "steps", "from 1 to 50, not 51"),
        ({"steps": 2.0}, "steps", "whole number"),
        ({"steps": True}, "steps", "whole number"),
        ({"guidance": 0.5}, "guidance", "from 1 to 10, not 0.5"),
        ({"guidance": float("nan")}, "guidance", "not nan"),
        ({"guidance": "3"}, "guidance", "a number"),
        ({"seed": -1}, "seed", "from 0 to 4294967295, not -1"),
        ({"seed": 2**32}, "seed", "from 0 to 4294967295, not 4294967296"),
        ({"image": "A" * 64}, "image", "not the name of a picture"),
        ({"image": "../" + "a" * 61}, "image", "not the name of a picture"),
    ],
)
def test_a_broken_rule_names_the_field_the_limit_and_the_value(changes, field, says):
    with pytest.raises(RuleBroken) as caught:
        catalog.check(good(**changes))
    assert caught.value.field == field
    assert says in caught.value.sentence
    assert not caught.value.retry


@pytest.mark.parametrize(
    "abilities, image, says",
    [
        ({catalog.TEXT}, "a" * 64, "Test card begins with words alone. Leave the picture out."),
        ({catalog.IMAGE}, "", "Test card needs a picture to begin with. Choose one."),
    ],
)
def test_a_model_is_asked_only_for_what_it_is_able_to(monkeypatch, abilities, image, says):
    able = replace(catalog.TESTCARD, abilities=frozenset(abilities))
    monkeypatch.setattr(catalog, "CATALOG", {"testcard": able})
    with pytest.raises(RuleBroken, match=says) as caught:
        catalog.check(good(image=image))
    assert caught.value.field == "image"
    catalog.check(good(image="" if image else "a" * 64))


def test_the_ends_of_each_range_are_allowed():
    for changes in (
        {"seed": 0},
        {"seed": 2**32 - 1},
        {"steps": 50},
        {"guidance": 1},
        {"guidance": 10.0},
        {"prompt": "é" * 2000},
        {"prompt": "שלום 🎈\nsecond line"},
    ):
        catalog.check(good(**changes))


def test_the_test_card_is_offered_only_where_asked_for(monkeypatch):
    assert catalog.TESTCARD in catalog.offered()
    monkeypatch.delenv("SORAHUB_TESTCARD")
    assert catalog.TESTCARD not in catalog.offered()
    with pytest.raises(RuleBroken, match="not available"):
        catalog.check(good())


def test_a_length_that_is_not_on_offer_is_refused():
    assert catalog.TESTCARD.frames_for(2.0) == 24
    with pytest.raises(RuleBroken, match="1 or 2 seconds, not 3") as caught:
        catalog.TESTCARD.frames_for(3)
    assert caught.value.field == "duration"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sizes": (catalog.Size(100, 128),)},
        {"lengths": {2: 24}},
        {"abilities": frozenset()},
        {"abilities": frozenset({"sound"})},
    ],
)
def test_an_entry_that_breaks_its_own_rules_is_no_model(wrong):
    with pytest.raises(ValueError, match="embedded"):
        replace(catalog.EMBEDDED, **wrong)


@pytest.mark.parametrize(
    "size, aspect, label",
    [
        ((128, 128), "1:1", "Square, 128 × 128"),
        ((832, 480), "16:9", "Wide, 832 × 480"),
        ((480, 832), "9:16", "Tall, 480 × 832"),
        ((192, 128), "3:2", "Wide, 192 × 128"),
    ],
)
def test_a_size_is_called_by_the_ratio_that_people_know(size, aspect, label):
    assert (catalog.Size(*size).aspect, catalog.Size(*size).label) == (aspect, label)


def test_a_model_without_its_weights_is_not_offered(tmp_path, monkeypatch):
    bare = replace(catalog.EMBEDDED, weights=tmp_path)
    monkeypatch.setattr(catalog, "CATALOG", {"embedded": bare})
    assert catalog.offered() == ()
    assert bare.revision == ""
    with pytest.raises(RuleBroken, match="not available") as caught:
        catalog.check(bare.recipe("a boat", seed=1))
    assert caught.value.field == "model"


def test_a_revision_follows_from_names_and_bytes(tmp_path):
    revisions = set()
    for folder, files in (
        ("one", {"model_index.json": "{}", "vae/weights": "abc"}),
        ("same", {"vae/weights": "abc", "model_index.json": "{}"}),
        ("bytes", {"model_index.json": "{}", "vae/weights": "abd"}),
        ("names", {"model_index.json": "{}", "vae/weight": "abc"}),
    ):
        for name, text in files.items():
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_text(text)
        revisions.add(replace(catalog.EMBEDDED, weights=tmp_path / folder).revision)
    assert len(revisions) == 3
    assert {len(revision) for revision in revisions} == {64}


def test_more_work_is_estimated_longer():
    small, large = good(), good(width=192, frames=24, steps=50)
    assert 0 < catalog.estimate_seconds(small) < catalog.estimate_seconds(large)


# --- The promise -----------------------------------------------------------------------------------


def test_a_recipe_survives_the_way_through_json():
    assert Recipe.from_json(good().to_json()) == good()
    with pytest.raises(TypeError):
        Recipe.from_json({"prompt": "half a recipe"})


def test_a_recipe_from_before_there_were_pictures_means_none():
    told = good().to_json()
    del told["image"]
    assert Recipe.from_json(told) == good(image="")


def test_the_test_card_shows_the_recipe_and_nothing_else():
    def frames(**changes):
        return np.stack(list(Testcard().generate(good(steps=1, **changes), lambda step, steps, draw: None)))

    video = frames()
    assert (video.shape, video.dtype) == ((12, 128, 128, 3), np.uint8)
    assert (video == frames()).all()
    assert (video[0] != video[6]).any()
    assert (video != frames(seed=8)).any()
    assert (video != frames(prompt="other bars")).any()


def test_the_test_card_begins_with_the_picture_and_covers_it():
    image = np.random.default_rng(1).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    recipe = good(steps=1, image="a" * 64)
    frames = list(Testcard().generate(recipe, lambda step, steps, draw: None, image))
    assert (frames[0] == image).all()
    assert (frames[6][:, 96:] == image[:, 96:]).all()
    assert (frames[6][:, :48] != image[:, :48]).any()
    assert (frames[-1] != image).any()


def test_broken_or_black_output_is_no_clip():
    video = np.full((3, 8, 8, 3), 0.5, np.float32)
    assert [frame[0, 0, 0] for frame in presentable([in_eight_bits(video)])] == [128, 128, 128]
    for number in (np.inf, np.nan):
        video[2, 4, 4, 1] = number
        with pytest.raises(EngineError, match="no picture"):
            list(presentable([in_eight_bits(video[:2]), in_eight_bits(video[2:])]))
    with pytest.raises(EngineError, match="only black"):
        list(presentable([in_eight_bits(np.zeros((3, 8, 8, 3), np.float32))] * 2))


def test_a_clip_that_is_black_at_first_is_one():
    dark, light = np.zeros((3, 8, 8, 3), np.float32), np.full((1, 8, 8, 3), 0.5, np.float32)
    assert len(list(presentable([in_eight_bits(dark), in_eight_bits(light), in_eight_bits(dark)]))) == 7


# --- The commands ----------------------------------------------------------------------------------


def command(*words, **options):
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def test_generate_writes_a_video_and_says_so_without_a_database(tmp_path):
    target = tmp_path / "new folder" / "clip.mp4"
    printed = command(
        "generate", "moving bars", out=target, model="testcard", steps=2, seed=9, size="192x128"
    )
    encoded = encoding.probe(target)
    assert (encoded.width, encoded.height, encoded.frames, encoded.codec) == (192, 128, 12, "h264")
    assert "Step 2 of 2" in printed
    assert "seed 9" in printed
    assert [path.name for path in target.parent.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize(
    "options, says",
    [
        ({"steps": 99}, "from 1 to 50, not 99"),
        ({"model": "sora"}, "no model named “sora”"),
        ({"size": "large"}, "such as 128x128, not “large”"),
        ({"size": "64x64"}, "not 64 × 64"),
        ({"duration": 9.0}, "1 or 2 seconds, not 9.0"),
    ],
)
def test_generate_refuses_in_a_sentence(tmp_path, options, says):
    with pytest.raises(CommandError, match=says) as caught:
        command("generate", "bars", out=tmp_path / "clip.mp4", **{"model": "testcard", **options})
    assert caught.value.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_generate_tells_what_failed_and_leaves_nothing(tmp_path):
    with pytest.raises(CommandError, match="asked to fail, and did"):
        command("generate", "fail", out=tmp_path / "clip.mp4", model="testcard", steps=1)
    with pytest.raises(CommandError, match="is a folder"):
        command("generate", "bars", out=tmp_path, model="testcard")
    assert list(tmp_path.iterdir()) == []


def test_models_lists_rules_license_and_weights(monkeypatch):
    lines = {line.split()[0]: line for line in command("models").splitlines() if line.strip()}
    assert {"embedded", "testcard"} <= set(lines)
    for fact in ("128x128, 192x128", "1, 2", "12, 24 at 12/s", "1-50 (8)", "Apache-2.0", "here"):
        assert fact in lines["testcard"]
    monkeypatch.delenv("SORAHUB_TESTCARD")
    assert "testcard" not in command("models")
