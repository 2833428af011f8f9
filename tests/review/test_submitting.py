"""Sending a clip to the desk: what is frozen, what can be sent again, and what is refused with a sentence."""

import hashlib
import json

import pytest

from generation import storage
from review.models import Submission
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def clip(artist):
    return factories.clip(artist, "a prompt of its own")


def submit(client, clip, **data):
    return client.post(f"/studio/clips/{clip.pk}/submissions/", {"title": "A title", "statement": "", **data})


def test_submitting_freezes_the_words_and_the_files(login, artist, clip):
    response = submit(login(artist), clip, title="Der Fluß", statement="Two\nlines", discloses_recipe="on")
    made = factories.prepared(Submission.objects.get())
    assert (response.status_code, response.url) == (302, f"/studio/submissions/{made.pk}/")
    content = json.loads(made.content)
    assert (content["title"], content["statement"], content["credit"]) == (
        "Der Fluß",
        "Two\nlines",
        artist.name,
    )
    assert content["recipe"]["prompt"] == "a prompt of its own"
    assert "versions" not in content["recipe"]
    assert set(content["files"]) == {"video", "poster", "sprite"}
    for kind, file in content["files"].items():
        assert file["sha256"] == hashlib.sha256(factories.bytes_of(made, kind)).hexdigest()
    assert made.content_hash == hashlib.sha256(made.content.encode()).hexdigest()
    assert made.content == json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_a_recipe_that_is_not_disclosed_is_not_in_what_becomes_public(login, artist, clip):
    submit(login(artist), clip)
    made = factories.prepared(Submission.objects.get())
    assert json.loads(made.content)["recipe"] is None
    assert "a prompt of its own" not in made.content


@pytest.mark.parametrize(
    "words",
    [
        "one\n\u0303two",  # an accent after a line break: joined to the n of the escape, it once broke the gallery
        "one\r\n\u0301two\t\u0323",
        "\u0338 begins with an accent",
        "e\u0301 in two characters",
        "\u202eright to left\u202c שלום",
        '"quotes" and \\backslashes\\ and \u2028 a line separator',
        "🎬" * 50,
    ],
)
def test_any_words_can_be_frozen_and_read_again(login, artist, clip, words):
    import unicodedata

    assert submit(login(artist), clip, title="T", statement=words).status_code == 302
    made = factories.prepared(Submission.objects.get())
    assert json.loads(made.content)["statement"] == unicodedata.normalize("NFC", made.statement)
    assert made.statement == words.strip()
    slug = factories.publication(made).slug
    for path in ("/", "/?q=two", f"/watch/{slug}/"):
        assert login().get(path).status_code == 200


def test_two_spellings_of_one_text_have_one_hash():
    from review import sealing

    composed, decomposed = {"title": "é", "é": ["é"]}, {"title": "e\u0301", "e\u0301": ["e\u0301"]}
    assert sealing.canonical(composed) == sealing.canonical(decomposed)


def test_a_double_click_makes_one_submission(login, artist, clip):
    client = login(artist)
    first, second = submit(client, clip), submit(client, clip)
    assert (first.status_code, second.status_code, second.url) == (302, 302, first.url)
    assert clip.submissions.count() == 1


def test_a_second_submission_with_other_words_is_told_to_wait(login, artist, clip):
    submit(login(artist), clip)
    response = submit(login(artist), clip, title="Other words")
    assert response.status_code == 409
    assert "already being prepared" in response.text
    factories.prepared(clip.submissions.get())
    response = submit(login(artist), clip, title="Other words")
    assert (response.status_code, "already waiting" in response.text) == (409, True)


def test_after_a_refusal_the_same_clip_is_submitted_as_version_two(login, artist, clip):
    first = factories.submission(clip)
    factories.decision(first, "refuse")
    assert "Submit a new version" in login(artist).get(f"/studio/clips/{clip.pk}/").text
    response = submit(login(artist), clip, title="Better words")
    second = clip.submissions.get(version=2)
    assert response.url == f"/studio/submissions/{second.pk}/"
    assert (second.state, Submission.objects.get(pk=first.pk).state) == ("preparing", "refused")
    assert factories.prepared(second).state == "waiting"


@pytest.mark.parametrize("end", ["withdrawn", "taken-down"])
def test_what_was_taken_back_can_be_submitted_again_and_needs_a_new_approval(login, artist, clip, end):
    from review import gate, sealing

    first = factories.submission(clip)
    if end == "withdrawn":
        sealing.withdraw(first, by=artist)
    else:
        gate.take_down(factories.publication(first), by=artist)
    assert submit(login(artist), clip).status_code == 302
    second = factories.prepared(clip.submissions.get(version=2))
    assert second.state == "waiting"
    with pytest.raises(gate.NotPublishable):
        gate.publish(second, by=artist)


@pytest.mark.parametrize("state", ["approved", "published"])
def test_what_is_approved_is_not_submitted_again(login, artist, clip, state):
    first = factories.submission(clip)
    if state == "approved":
        factories.decision(first)
    else:
        factories.publication(first)
    assert submit(login(artist), clip, title="Again").status_code == 409
    assert clip.submissions.count() == 1


@pytest.mark.parametrize("kind", ["video", "poster"])
@pytest.mark.parametrize("harm", ["cut short", "missing"])
def test_a_damaged_clip_is_refused_with_a_sentence(login, artist, clip, kind, harm):
    path = storage.private().path(storage.private_name(clip.rendition(kind).sha256))
    if harm == "cut short":
        path.write_bytes(b"other bytes")
    else:
        path.unlink()
    response = submit(login(artist), clip, title="Kept words")
    assert response.status_code == 422
    assert "damaged or missing" in response.text
    assert "Kept words" in response.text
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    "data",
    [{"title": ""}, {"title": "   "}, {"title": "x" * 121}, {"statement": "x" * 2001}, {"title": "a\0b"}],
)
def test_bad_words_are_refused_and_kept(login, artist, clip, data):
    response = submit(login(artist), clip, **{"statement": "Kept words"} | data)
    assert response.status_code == 422
    assert "Kept words" in response.text or "statement" in data
    assert not Submission.objects.exists()


def test_somebody_elses_clip_can_not_be_submitted(login, clip):
    assert submit(login(factories.member()), clip).status_code == 404
    assert not Submission.objects.exists()


def test_a_frozen_submission_is_not_changed_by_what_happens_to_its_artist_or_clip(login, artist, clip):
    made = factories.submission(clip, title="Frozen", discloses_recipe=True)
    publication = factories.publication(made)
    credit = artist.name
    type(artist).objects.filter(pk=artist.pk).update(name="Another name")
    type(clip).objects.filter(pk=clip.pk).update(recipe={**clip.recipe, "prompt": "another prompt"})
    page = login().get(f"/watch/{publication.slug}/").text
    assert credit in page
    assert "Another name" not in page
    assert "another prompt" not in page


def test_a_disclosed_recipe_does_not_name_the_picture_that_stays_private(login, clip):
    named = "5e" * 32
    type(clip).objects.filter(pk=clip.pk).update(recipe={**clip.recipe, "image": named})
    clip.refresh_from_db()
    made = factories.submission(clip, discloses_recipe=True)
    page = login().get(f"/watch/{factories.publication(made).slug}/").text
    assert clip.recipe["prompt"] in page
    assert named not in page
    assert named not in made.content


def test_withdrawing_ends_it_before_a_decision(login, artist, clip, reviewer):
    made = factories.submission(clip)
    assert login(artist).post(f"/studio/submissions/{made.pk}/withdrawal/").status_code == 302
    assert login(reviewer).get(f"/desk/submissions/{made.pk}/").status_code == 404
    again = login(artist).post(f"/studio/submissions/{made.pk}/withdrawal/")
    assert (again.status_code, "too late" in again.text) == (409, True)
