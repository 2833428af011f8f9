"""Weights are pinned once and verified before each use: whatever differs ends in a sentence, and nothing is loaded."""

import json
import shutil
from contextlib import closing
from dataclasses import replace
from hashlib import sha256

import pytest

from generation.engine import catalog, entries, process, weights

from . import tiny

MODEL = "wan-2.1-1.3b"
COMMIT = entries.WAN_T2V.hub.commit
OTHER_COMMIT = "c" * 40


@pytest.fixture(scope="module")
def pinned(tmp_path_factory):
    """A folder of tiny weights as an operator has pinned it; tests that spoil it copy it."""
    return tiny.save(MODEL, tmp_path_factory.mktemp("weights"))


@pytest.fixture
def folder(pinned, tmp_path):
    return shutil.copytree(pinned, tmp_path / MODEL)


def entry(folder):
    return replace(entries.WAN_T2V, weights=folder)


def pin(folder, *, commit="", hashes=()):
    return weights.pin(folder, weights.Hub("somebody/something", COMMIT, dict(hashes)), commit=commit)


def note(folder, path, *, commit=COMMIT, etag="0"):
    """What the hub's downloader leaves beside a file that it fetched."""
    notes = folder / ".cache" / "huggingface" / "download" / f"{path}.metadata"
    notes.parent.mkdir(parents=True, exist_ok=True)
    notes.write_text(f"{commit}\n{etag}\n1764000000.0\n")


def test_a_manifest_names_every_file_and_where_it_came_from(folder):
    (folder / "vae" / ".lock").write_text("left by a downloader")
    (folder / weights.PREVIEW).write_bytes(b"decides no pixel")
    manifest = pin(folder, commit=COMMIT)
    assert manifest == weights.read_manifest(folder)
    assert (manifest.repo, manifest.commit) == ("somebody/something", COMMIT)
    assert set(manifest.files) == {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", weights.MANIFEST, weights.PREVIEW)
    }
    content = (folder / "vae" / "config.json").read_bytes()
    assert manifest.files["vae/config.json"] == (sha256(content).hexdigest(), len(content))
    assert entry(folder).revision == manifest.revision == weights.revision_of(folder)
    assert weights.verify(folder, "Wan") == manifest


def test_only_pinned_weights_are_on_offer(folder, monkeypatch):
    model = entry(folder)
    monkeypatch.setattr(catalog, "CATALOG", {MODEL: model})
    assert catalog.offered() == (model,)
    (folder / weights.MANIFEST).unlink()
    assert (catalog.offered(), model.revision) == ((), "")
    with pytest.raises(catalog.RuleBroken, match="not available"):
        catalog.check(model.recipe("a boat", seed=1))


LAYER = "transformer/diffusion_pytorch_model.safetensors"
SPOILT = {
    "a byte": (lambda folder: flip(folder / LAYER), f"{LAYER} has another content than it had."),
    "the end": (lambda folder: cut(folder / LAYER), f"{LAYER} has another size than it had."),
    "a file gone": (lambda folder: (folder / LAYER).unlink(), f"{LAYER} is missing."),
    "a setting": (
        lambda folder: (folder / "vae/config.json").write_text("{}"),
        "vae/config.json has another size than it had.",
    ),
    "a file more": (
        lambda folder: (folder / "vae/more.json").write_text("{}"),
        "vae/more.json was not there when it was pinned.",
    ),
    "a pickle": (
        lambda folder: (folder / "vae/model.bin").write_bytes(b"\x80\x04"),
        "vae/model.bin could run code when it is loaded. Only safetensors are used: delete it.",
    ),
    "a program": (
        lambda folder: (folder / "pipeline.py").write_text("print()"),
        "pipeline.py could run code when it is loaded. Only safetensors are used: delete it.",
    ),
    "no manifest": (lambda folder: (folder / weights.MANIFEST).unlink(), "No such file"),
    "half a manifest": (lambda folder: cut(folder / weights.MANIFEST), "Expecting"),
    "another's manifest": (
        lambda folder: (folder / weights.MANIFEST).write_text('{"files": []}'),
        "is no manifest",
    ),
}


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize("how", SPOILT)
def test_whatever_differs_from_what_was_pinned_is_found(folder, how):
    spoil, detail = SPOILT[how]
    spoil(folder)
    with pytest.raises(weights.WeightsWrong, match="are not those that were pinned") as caught:
        weights.verify(folder, "Wan 2.1")
    assert detail in caught.value.detail
    assert str(folder) not in caught.value.sentence
    assert not caught.value.retry


def test_the_child_loads_nothing_that_is_not_what_was_pinned(folder, tmp_path, monkeypatch):
    model = entry(folder)
    monkeypatch.setenv("SORAHUB_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(catalog, "CATALOG", {MODEL: model})
    flip(folder / LAYER)
    with closing(process.EngineProcess()) as engine:
        *_, failed = engine.run(model.recipe("a boat", seed=1), tmp_path / "out")
    assert (
        failed.sentence
        == "The model “Wan 2.1 (1.3B)” can't be used: its files are not those that were pinned."
    )
    assert f"{LAYER} has another content than it had." in failed.detail
    assert not failed.retry


# --- What can't be pinned -------------------------------------------------------------------------


@pytest.mark.parametrize("unsafe", ["vae/model.bin", "unet.ckpt", "x/y.PT", "handler.py", "a/b/c.pkl"])
def test_a_file_that_could_run_code_is_not_pinned(folder, unsafe):
    (folder / unsafe).parent.mkdir(parents=True, exist_ok=True)
    (folder / unsafe).write_bytes(b"anything")
    (folder / weights.MANIFEST).unlink()
    with pytest.raises(ValueError, match="could run code"):
        pin(folder)
    assert not (folder / weights.MANIFEST).exists()


def test_a_part_that_brings_its_own_code_is_not_pinned(folder):
    index = json.loads((folder / weights.INDEX).read_text())
    index["transformer"] = ["far.models.transformer", "FarTransformer"]
    (folder / weights.INDEX).write_text(json.dumps(index))
    with pytest.raises(ValueError, match="part transformer needs code of its own"):
        pin(folder)


def test_a_file_that_lies_elsewhere_is_not_pinned(folder, tmp_path):
    (tmp_path / "elsewhere").write_text("{}")
    (folder / "vae" / "more.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="leads out of the folder"):
        pin(folder)


@pytest.mark.parametrize("missing", ["vae", "shard"])
def test_half_a_model_is_not_pinned(folder, missing):
    if missing == "vae":
        shutil.rmtree(folder / "vae")
    else:
        index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
        (folder / "transformer" / "one.safetensors").write_bytes(b"")
        (folder / "transformer" / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match=r"vae is missing|two.safetensors is missing"):
        pin(folder)


def test_a_file_that_is_not_the_published_one_is_not_pinned(folder):
    right = sha256((folder / LAYER).read_bytes()).hexdigest()
    assert pin(folder, hashes={LAYER: right, "not/there": "a" * 64}).files[LAYER][0] == right
    with pytest.raises(ValueError, match=f"{LAYER} is not the file that was published"):
        pin(folder, hashes={LAYER: "a" * 64})


def test_what_the_downloader_noted_is_held_against_the_files(folder):
    """Of large files its etag is their sha256; of small ones it is something else, which says nothing here."""
    right = sha256((folder / LAYER).read_bytes()).hexdigest()
    note(folder, LAYER, etag=right)
    note(folder, "vae/config.json", etag="d" * 40)
    pin(folder)
    note(folder, LAYER, etag="a" * 64)
    with pytest.raises(ValueError, match=f"{LAYER} is not the file that was published"):
        pin(folder)


def test_another_commit_than_the_catalog_s_is_pinned_only_knowingly(folder):
    note(folder, LAYER, commit=OTHER_COMMIT)
    for told in ("", "d" * 40):
        with pytest.raises(
            ValueError, match=f"are of commit {OTHER_COMMIT}, and {told or COMMIT} is asked for"
        ):
            pin(folder, commit=told)
    assert pin(folder, commit=OTHER_COMMIT).commit == OTHER_COMMIT


def test_a_commit_is_recorded_only_on_somebody_s_word(folder):
    """That the catalog asks for one doesn't make copied files be of it."""
    assert pin(folder).commit == ""
    note(folder, LAYER)
    assert pin(folder).commit == COMMIT
