"""What a machine can run follows from its weights and its memory, as its own tools tell it."""

from dataclasses import replace

import pytest

from generation.engine import catalog, machine
from generation.engine.model import NO_GPU, Needs

SMI = "0, GPU-8a1f, 24564\n1, GPU-77c2, 81559\n"
SMALL, LARGE = 24564 * 2**20, 81559 * 2**20


VISIBLE = {
    None: SMALL,
    "0": SMALL,
    "1": LARGE,
    "1,0": LARGE,
    "GPU-77": LARGE,
    "": None,
    "-1": None,
    "2": None,
}


@pytest.mark.parametrize("visible, found", VISIBLE.items())
def test_the_gpu_that_counts_is_the_first_that_an_engine_would_see(visible, found):
    assert machine.first_visible(SMI, visible) == found


@pytest.mark.parametrize("told", ["", "No devices were found\n", "0, GPU-8a1f, [N/A]\n"])
def test_what_the_tool_does_not_know_is_no_gpu(told):
    assert machine.first_visible(told, None) is None


def test_a_machine_without_the_tool_has_no_gpu(monkeypatch):
    monkeypatch.setattr(machine, "ASKED", ("there-is-no-such-tool",))
    assert machine.gpu_bytes() is None


def model(name: str, needs: Needs = NO_GPU) -> catalog.Model:
    return replace(catalog.get("testcard"), id=name, needs=needs)


def test_beside_a_gpu_fits_what_it_can_hold_in_parts_and_without_one_what_main_memory_can(monkeypatch):
    here = [model("small"), model("middle", Needs(40, 24)), model("large", Needs(55, 40))]
    for gpu, main, fits in (
        (24 * 10**9, 8 * 10**9, ["small", "middle"]),
        (24 * 10**9 - 1, 400 * 10**9, ["small"]),
        (80 * 10**9, 8 * 10**9, ["small", "middle", "large"]),
        (None, 40 * 10**9, ["small", "middle"]),
        (None, 40 * 10**9 - 1, ["small"]),
    ):
        monkeypatch.setattr(machine, "gpu_bytes", lambda gpu=gpu: gpu)
        monkeypatch.setattr(machine, "main_bytes", lambda main=main: main)
        assert [found.id for found in machine.fitting(here)] == fits


def test_a_machine_is_not_asked_for_a_gpu_that_no_model_here_needs(monkeypatch):
    monkeypatch.setattr(machine, "gpu_bytes", lambda: pytest.fail("asked"))
    assert len(machine.fitting([model("small")])) == 1


def test_main_memory_is_what_this_machine_has():
    assert 2**28 < machine.main_bytes() < 2**50


def test_an_operator_s_word_counts_for_what_is_here_and_for_nothing_else(monkeypatch):
    monkeypatch.setattr(machine, "fitting", lambda here: [])
    assert machine.models.__wrapped__() == ()
    assert machine.models(("testcard", "ltx-video", "misspelled")) == ("testcard",)
    assert machine.models(("testcard", "embedded")) == ("embedded", "testcard")


def test_a_laptop_runs_what_ships_with_sorahub():
    assert set(machine.models()) >= {"embedded", "testcard"}
