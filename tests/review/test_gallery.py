"""The public side: newest first, paged by key, found by its frozen words, at a price that doesn't grow."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import gate
from review.models import Publication
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor(login):
    return login()


def shown(response) -> list[str]:
    return [publication.work["title"] for publication in response.context["publications"]]


def published(title, **words) -> Publication:
    return factories.publication(factories.submission(title=title, **words))


def many(count) -> list[Publication]:
    artist, reviewer = factories.member(), factories.member("reviewer")
    made = []
    for number in range(count):
        submission = factories.submission(artist=artist, title=f"Work {number}")
        factories.decision(submission, by=reviewer)
        made.append(gate.publish(submission, by=artist))
    return made


def test_the_gallery_shows_what_is_live_newest_first(visitor):
    first, _second = published("First"), published("Second")
    factories.submission(title="Waiting")
    assert shown(visitor.get("/")) == ["Second", "First"]
    gate.take_down(first, by=first.submission.artist)
    assert shown(visitor.get("/")) == ["Second"]


def test_an_empty_gallery_says_so(visitor):
    assert "Nothing is public yet" in visitor.get("/").text
    assert "Nothing found" in visitor.get("/?q=nothing").text


@pytest.mark.parametrize(
    "q", ["balloon", "BALLOON", "red balloon", "letting", "study", "Ada", "letting study Ada"]
)
def test_a_search_finds_the_frozen_words(visitor, q):
    artist = factories.member(name="Ada Artist")
    clip = factories.clip(artist, "a red balloon")
    factories.publication(
        factories.submission(clip, title="Letting go", statement="A study.", discloses_recipe=True)
    )
    published("Something else")
    assert shown(visitor.get("/", {"q": q})) == ["Letting go"]


def test_a_search_reads_no_words_that_did_not_pass_the_gate(visitor):
    """Neither a prompt that is kept private, nor words that came later, nor another version's."""
    artist = factories.member(name="Ada Artist")
    clip = factories.clip(artist, "a secret prompt")
    refused = factories.submission(clip, title="Refused words")
    factories.decision(refused, "refuse", note="A reviewer's note")
    factories.publication(factories.submission(clip, title="Letting go"))
    type(artist).objects.filter(pk=artist.pk).update(name="Later Name")
    assert shown(visitor.get("/?q=letting")) == ["Letting go"]
    for words in (
        "secret",
        "refused",
        "later",
        "reviewer",
        "testcard",
        "sha256",
        "video",
        "title",
        "mp4",
        "{",
    ):
        assert shown(visitor.get("/", {"q": words})) == [], words


@pytest.mark.parametrize(
    "q", ["%", "_", "\\", "'", '"', "'; DROP TABLE review_publication; --", "a\0b", "$.title"]
)
def test_signs_in_a_search_mean_themselves(visitor, q):
    published("A plain title")
    response = visitor.get("/", {"q": q})
    assert response.status_code == 200
    assert shown(response) == []


def test_an_absurd_search_is_cut_short(visitor):
    published("A plain title")
    assert visitor.get("/", {"q": "a " * 5000}).status_code == 200
    assert visitor.get("/", {"q": "<script>alert(1)</script>", "after": "x" * 9000}).status_code == 200
    assert "<script>alert" not in visitor.get("/", {"q": "<script>alert(1)</script>"}).text


def test_an_erased_submission_does_not_break_anybodys_search(visitor):
    """The database may read its emptied text before it looks whether it is public."""
    published("A kept title")
    erased = factories.submission(title="An erased title")
    factories.decision(erased, "refuse")
    type(erased).objects.filter(pk=erased.pk).update(
        title="", statement="", content="", erased_at=timezone.now()
    )
    assert shown(visitor.get("/?q=kept")) == ["A kept title"]


def walk(visitor, path="/") -> list[str]:
    found = []
    while path is not None:
        response = visitor.get(path)
        found.append(shown(response))
        path = "/" + response.context["older"] if response.context["older"] else None
    return found


def test_pages_by_key_show_each_work_once(visitor):
    made = many(50)
    pages = walk(visitor)
    assert [len(page) for page in pages] == [24, 24, 2]
    assert [title for page in pages for title in page] == [f"Work {number}" for number in reversed(range(50))]
    assert len(made) == 50


def test_works_published_in_the_same_moment_are_neither_lost_nor_shown_twice(visitor, monkeypatch):
    moment = timezone.now() - timedelta(days=1)
    monkeypatch.setattr(Publication._meta.get_field("published_at"), "_get_default", lambda: moment)
    made = many(30)
    assert {publication.published_at for publication in made} == {moment}
    titles = [title for page in walk(visitor) for title in page]
    assert sorted(titles) == sorted(f"Work {number}" for number in range(30))


def test_a_page_does_not_shift_while_something_new_is_published(visitor):
    many(26)
    older = visitor.get("/").context["older"]
    published("Brand new")
    assert shown(visitor.get("/" + older)) == ["Work 1", "Work 0"]


def test_the_key_of_a_page_may_be_taken_down_meanwhile(visitor):
    made = many(26)
    older = visitor.get("/").context["older"]
    gate.take_down(made[2], by=made[2].submission.artist)
    assert made[2].slug in older
    assert shown(visitor.get("/" + older)) == ["Work 1", "Work 0"]


def test_a_search_is_paged_with_its_words(visitor):
    many(26)
    assert "q=work" in visitor.get("/?q=work").context["older"]
    assert [len(page) for page in walk(visitor, "/?q=work")] == [24, 2]


@pytest.mark.parametrize("path, who, price", [("/", None, 1), ("/?q=work", None, 1), ("/", "artist", 3)])
def test_the_gallery_costs_the_same_with_1_and_with_50_works(login, path, who, price):
    """Logged in, a session and its person come on top."""
    visitor = login(factories.member(who) if who else None)
    many(1)
    visitor.get(path)  # which puts together what is asked from then on, where no test did before
    with CaptureQueriesContext(connection) as one:
        visitor.get(path)
    many(49)
    with CaptureQueriesContext(connection) as fifty:
        assert len(shown(visitor.get(path))) == 24
    assert len(fifty) == len(one) == price


def test_a_card_that_was_drawn_before_is_shown_only_while_its_work_is_public(visitor):
    """Cards are drawn once in each process; whether one is shown is asked each time."""
    artist = factories.member()
    gone, stays = (factories.publication(factories.submission(artist=artist)) for _number in range(2))
    assert all(f"/watch/{each.slug}/" in visitor.get("/").text for each in (gone, stays))
    gate.take_down(gone, by=artist)
    page = visitor.get("/").text
    assert gone.slug not in page
    assert f"/watch/{stays.slug}/" in page


def test_public_pages_are_asked_for_again_each_time(visitor):
    slug = published("A title").slug
    files = [f"/watch/{slug}/{name}" for name in ("", "video.mp4", "poster.jpg", "sprite.jpg")]
    for path in ("/", *files):
        assert {"no-cache", "must-revalidate"} <= set(visitor.get(path)["Cache-Control"].split(", ")), path


def test_markup_in_a_title_stays_text(visitor):
    slug = published("<script>alert(1)</script>", statement="<img src=x onerror=alert(1)>").slug
    for path in ("/", f"/watch/{slug}/"):
        text = visitor.get(path).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
