"""A mark that a stranger's copy shows too faintly is read in the queue, among the numbers that exist; the stranger is
told no more for it."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation import encoding, marks
from generation.models import Mark
from generation.models import mark as mark_rows
from review import recognizing, signs, tasks
from review.models import Lookup, Proof, Sighting
from tests import factories
from tests.generation.test_marks import HALF, KEY, NUMBER, clip

from .test_verifying import asked_for, copied, told, verify

pytestmark = pytest.mark.django_db

SEED = 0  # with KEY and NUMBER, a clip whose halved copy is read by nobody who doesn't know the numbers
FPS = 12.5


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A clip, its halved copy with NUMBER in it, and a halved copy of another clip without any mark."""
    folder = tmp_path_factory.mktemp("films")
    paths = {name: folder / f"{name}.mp4" for name in ("plain", "marked", "faint", "other", "unmarked")}
    encoding.encode(iter(clip(SEED)), paths["plain"], FPS)
    encoding.encode(marks.embed(iter(clip(SEED)), NUMBER, KEY), paths["marked"], FPS)
    encoding.encode(iter(clip(5)), paths["other"], FPS)
    for video, copy in (("marked", "faint"), ("other", "unmarked")):
        copied(paths[video], paths[copy], "-crf", "28", "-vf", HALF)
    return paths


@pytest.fixture(autouse=True)
def own_key(settings):
    settings.MARK_KEY = KEY


@pytest.fixture
def waiting(films):
    return factories.submission(factories.clip(factories.member(), video=films["plain"].read_bytes()))


@pytest.fixture
def viewer(waiting):
    """Whoever was given the copy with NUMBER to look at, and many others who were given theirs."""
    viewer = factories.member("reviewer", name="Rita Reviewer")
    given(waiting, viewer, [NUMBER])
    given(waiting, factories.member("reviewer"), others(2_000))
    return viewer


def given(submission, viewer, numbers) -> None:
    Mark.objects.bulk_create(
        Mark(number=number, owner=submission.artist, submission=submission.pk, viewer=viewer)
        for number in numbers
    )


def others(count: int) -> list[int]:
    drawn = np.random.default_rng(7).choice(marks.NUMBERS, count, replace=False).tolist()
    return [number for number in drawn if number != NUMBER]


def test_a_faint_copy_leads_to_its_viewer_later_and_the_public_is_told_what_it_was_before(
    films, waiting, viewer
):
    expected, queries = asked_for(films["unmarked"])
    assert "Not recognized" in told(expected)
    assert signs.read(films["faint"]).number is None  # by itself, nobody reads it
    response, asked = asked_for(films["faint"])
    assert (told(response), asked) == (told(expected), queries)
    assert response.headers.keys() == expected.headers.keys()
    assert not Sighting.objects.exists()
    tasks.follow_up()
    seen = Sighting.objects.get()
    assert (seen.viewer, seen.proof, seen.clip) == (viewer, Proof.MARK, waiting.clip)
    assert 0.4 < seen.confidence < 0.6
    assert not Lookup.objects.exists()
    assert told(asked_for(films["faint"])[0]) == told(expected)


def test_whose_number_it_was_is_told_to_admins_with_its_confidence(films, viewer, login, admin):
    asked_for(films["faint"])
    tasks.follow_up()
    page = login(admin).get("/program/sightings/").content.decode()
    assert "Rita Reviewer" in page
    assert f"{Sighting.objects.get().percent} %" in page or f"{Sighting.objects.get().percent}%" in page


def test_a_faint_copy_of_a_release_is_neither_told_to_the_public_by_its_mark_nor_a_sighting(films):
    clip = factories.clip(factories.member(), video=films["other"].read_bytes())  # it looks different
    given(factories.publication(factories.submission(clip)).submission, None, [NUMBER])
    response, _queries = asked_for(films["faint"])
    assert "Not recognized" in told(response)
    found = recognizing.everything(signs.read(films["faint"]))
    assert [(each.clip, each.proof, each.is_leak) for each in found] == [(clip, Proof.MARK, False)]
    tasks.follow_up()
    assert not Sighting.objects.exists()


def test_a_copy_without_a_mark_is_nobodys_however_many_marks_there_are(films, waiting):
    given(waiting, factories.member("reviewer"), others(20_000))
    asked_for(films["unmarked"])
    assert bytes(Lookup.objects.get().trace)
    tasks.follow_up()
    assert (Sighting.objects.count(), Lookup.objects.count()) == (0, 0)


def test_the_operator_is_told_at_once(films, viewer, capsys):
    ended, line = verify(capsys, films["faint"])
    assert ended == 4
    assert f"the copy made for {viewer.email}, by its invisible mark, confidence" in line
    assert verify(capsys, films["unmarked"])[0] == 1


def test_what_is_kept_until_then_is_bounded_and_nothing_where_a_number_is_sure(films, waiting):
    for name, least, most in (("faint", 1, marks.MOST_BYTES), ("marked", 0, 0)):
        asked_for(films[name])
        assert least <= len(bytes(Lookup.objects.latest("pk").trace)) <= most
    assert marks.MOST_BYTES < 25_000


def test_a_trace_of_another_version_hinders_no_other_sign(films, waiting, viewer):
    asked_for(films["plain"])
    asked_for(films["faint"])
    Lookup.objects.update(trace=b"\xff of tomorrow")
    tasks.follow_up()
    assert Sighting.objects.get(proof=Proof.BYTES).clip == waiting.clip
    assert not Sighting.objects.filter(viewer=viewer).exists()
    assert not Lookup.objects.exists()


def test_a_round_ends_in_time_and_the_next_goes_on(films, viewer, monkeypatch):
    for _ in range(3):
        asked_for(films["faint"])
    monkeypatch.setattr(recognizing, "ROUND", 0)
    assert [recognizing.follow_up() for _ in range(4)] == [1, 1, 1, 0]
    assert Sighting.objects.get().times == 3


def test_numbers_are_read_in_pieces(waiting, monkeypatch):
    assert Mark.objects.numbers().tolist() == list(Mark.objects.values_list("number", flat=True))
    drawn = others(7)
    given(waiting, None, drawn)
    monkeypatch.setattr(mark_rows, "PIECE", 3)
    with CaptureQueriesContext(connection) as asked:
        numbers = Mark.objects.numbers()
    assert numbers.dtype == np.uint32
    assert set(drawn) < set(numbers.tolist()) == set(Mark.objects.values_list("number", flat=True))
    assert len(numbers) == len(set(numbers.tolist()))
    assert len(asked) == -(-len(numbers) // 3) + 1
