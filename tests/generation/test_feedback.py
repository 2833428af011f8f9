"""An artist says what they think of a take; it is theirs alone, until the program reads it by model, without names."""

import csv
import io

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from generation import feedback
from generation.models import Artifact, Feedback
from review import deleting
from tests import factories

pytestmark = pytest.mark.django_db

SAID = {"rating": "4", "artifacts": ["still", "flicker"], "note": "The fox blinks."}


@pytest.fixture
def clip(artist):
    return factories.clip(artist, "a fox in the snow")


@pytest.fixture
def studio(login, artist):
    return login(artist)


def address(clip) -> str:
    return f"/studio/clips/{clip.pk}/feedback/"


def exported(client, query="") -> list[dict]:
    answer = client.get(f"/program/feedback.csv{query}")
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


# --- Given, changed, taken back ----------------------------------------------------------------------


def test_feedback_is_kept_with_its_clip_and_shown_where_it_was_given(studio, clip):
    answer = studio.post(address(clip), SAID)
    assert answer.url == f"/studio/clips/{clip.pk}/#feedback"
    given = Feedback.objects.get(clip=clip)
    assert (given.rating, given.artifacts, given.note) == (4, ["flicker", "still"], "The fox blinks.")
    page = studio.get(f"/studio/clips/{clip.pk}/")
    assert "Your feedback: 4 of 5" in page.text
    assert "The fox blinks." in page.text
    assert page.text.count(" checked") == 3  # the rating and two artifacts


def test_a_second_word_replaces_the_first(studio, clip):
    studio.post(address(clip), SAID)
    studio.post(address(clip), {"rating": "1"})
    given = Feedback.objects.get()
    assert (given.rating, given.artifacts, given.note) == (1, [], "")


def test_it_is_taken_back_for_good_and_twice_does_no_harm(studio, clip):
    studio.post(address(clip), SAID)
    for _ in range(2):
        assert studio.post(address(clip) + "deletion/").status_code == 302
    assert not Feedback.objects.exists()
    assert "Give feedback on this take" in studio.get(f"/studio/clips/{clip.pk}/").text


@pytest.mark.parametrize(
    "said, sentence",
    [
        ({}, "Choose a number from 1 to 5."),
        ({"rating": "0"}, "Select a valid choice."),
        ({"rating": "6"}, "Select a valid choice."),
        ({"rating": "four"}, "Select a valid choice."),
        ({"rating": "3", "artifacts": ["flicker", "boredom"]}, "Select a valid choice."),
        ({"rating": "3", "note": "x" * 501}, "at most 500 characters"),
        ({"rating": "3", "note": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_what_can_not_be_kept_is_refused_with_a_sentence_and_what_was_written(studio, clip, said, sentence):
    answer = studio.post(address(clip), said)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert '<details class="fold" id="feedback" open>' in answer.text
    assert not Feedback.objects.exists()


def test_a_rating_outside_of_one_to_five_is_refused_by_the_database_too(clip):
    for rating in (0, 6):
        with pytest.raises(IntegrityError), transaction.atomic():
            Feedback.objects.create(clip=clip, rating=rating)


def test_each_artifact_has_words_for_the_page():
    assert len({artifact.label for artifact in Artifact}) == len(Artifact)


# --- Whose it is -------------------------------------------------------------------------------------


def test_nobody_else_gives_or_takes_back_feedback_on_a_clip(login, studio, clip):
    studio.post(address(clip), SAID)
    for person in ("artist", "reviewer", "admin"):
        other = login(factories.member(person))
        assert other.post(address(clip), {"rating": "1"}).status_code == 404
        assert other.post(address(clip) + "deletion/").status_code == 404
    assert Feedback.objects.get().rating == 4


def test_feedback_goes_with_its_clip(studio, artist, clip):
    studio.post(address(clip), SAID)
    deleting.delete(clip, by=artist)
    assert not Feedback.objects.exists()


def test_what_is_submitted_never_carries_feedback(studio, clip):
    studio.post(address(clip), SAID)
    sent = factories.submission(clip)
    assert "fox blinks" not in sent.content
    studio.post(address(clip), {"rating": "2"})  # nor is it frozen with it
    assert Feedback.objects.get().rating == 2
    sent.refresh_from_db()
    assert sent.is_whole


# --- In the studio -----------------------------------------------------------------------------------


def test_a_rated_take_says_so_on_its_card(studio, artist, clip):
    factories.clip(artist)
    assert "Your rating" not in studio.get("/studio/").text
    studio.post(address(clip), SAID)
    assert studio.get("/studio/").text.count("Your rating: 4 of 5") == 1
    studio.post(address(clip), {"rating": "2"})
    assert studio.get("/studio/").text.count("Your rating: 2 of 5") == 1


def test_a_clip_costs_the_same_with_and_without_feedback(studio, clip):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            studio.get(f"/studio/clips/{clip.pk}/")
        return len(queries)

    before = cost()
    studio.post(address(clip), SAID)
    studio.get(f"/studio/clips/{clip.pk}/")  # what was said once is said
    assert cost() == before


# --- What the program reads --------------------------------------------------------------------------


def test_it_is_exported_by_model_without_names_prompts_and_addresses(login, admin, artist, clip):
    other = factories.clip(factories.member(name="Nia Other"), "another prompt")
    feedback.give(clip, rating=4, artifacts=["flicker", "still"], note="The fox blinks.")
    feedback.give(other, rating=1, artifacts=[], note="")
    first, second = exported(login(admin))
    assert second == {
        "day": f"{clip.feedback.at:%Y-%m-%d}",
        "model": "testcard",
        "revision": "1",
        "artist": second["artist"],
        "rating": "4",
        "artifacts": "flicker still",
        "note": "The fox blinks.",
        "width": "128",
        "height": "128",
        "frames": "12",
        "steps": str(clip.job.steps),
    }
    assert first["artist"] != second["artist"]
    told = login(admin).get("/program/feedback.csv").getvalue().decode()
    for member in (clip.owner, other.owner):
        for private in (member.name, member.email, str(member.pk), member.pk.hex):
            assert private not in told
    for private in (clip, clip.job, other, other.job):
        assert str(private.pk) not in told
    assert "a fox in the snow" not in told


def test_one_artist_keeps_one_pseudonym_which_another_installation_does_not_share(
    login, admin, artist, clip, settings
):
    feedback.give(clip, rating=4, artifacts=[], note="")
    feedback.give(factories.clip(artist), rating=2, artifacts=[], note="")
    first, second = (row["artist"] for row in exported(login(admin)))
    assert first == second
    settings.SECRET_KEY = "of another installation, and long enough"
    assert {row[3] for row in feedback.rows()}.isdisjoint({first})


def test_one_model_is_exported_alone(login, admin, clip):
    feedback.give(clip, rating=4, artifacts=[], note="")
    assert len(exported(login(admin), "?model=testcard")) == 1
    assert exported(login(admin), "?model=another") == []


def test_a_note_that_begins_like_a_formula_is_no_formula_in_a_spreadsheet(login, admin, clip):
    feedback.give(clip, rating=4, artifacts=[], note='=HYPERLINK("http://evil.example","a")')
    (row,) = exported(login(admin))
    assert row["note"].startswith("'=")


def test_the_programs_page_tells_counts_and_means(login, admin, clip, django_assert_num_queries):
    assert "No feedback yet" in login(admin).get("/program/feedback/").text
    feedback.give(clip, rating=4, artifacts=[], note="The fox blinks.")
    room = login(admin)
    room.get("/program/")
    with CaptureQueriesContext(connection) as one:
        room.get("/program/feedback/")
    for number in range(6):
        feedback.give(factories.clip(factories.member()), rating=1 + number % 5, artifacts=[], note="")
    with django_assert_num_queries(len(one)):
        page = room.get("/program/feedback/")
    (row,) = page.context["models"]
    assert (row["model"], row["count"], round(row["mean"], 2)) == ("testcard", 7, round((4 + 16) / 7, 2))
    assert "fox" not in page.text
