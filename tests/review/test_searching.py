"""Searching: the same works on both databases, however deep they lie, and never one that isn't public."""

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from review import gate, searching, sweep
from review.models import Publication, Words
from tests import factories
from tests.gate_sql import postgres_only

pytestmark = pytest.mark.django_db


@pytest.fixture
def shallow(monkeypatch):
    """As if nearly all works lay deeper than the first looks go."""
    monkeypatch.setattr(searching, "DEEP", 1)
    monkeypatch.setattr(searching, "DEEPER", 1)


def published(title, **words) -> Publication:
    return factories.publication(factories.submission(title=title, **words))


def titles(client, **asked) -> list[str]:
    return [each.work["title"] for each in client.get("/", asked).context["publications"]]


@pytest.mark.parametrize("deep, deeper, some", [(1, 1, 3), (1, 3, 0), (1, 5000, 0), (5000, 5000, 3)])
@pytest.mark.parametrize(
    "words, expected",
    [
        ("balloon", ["Balloons", "A red balloon"]),
        ("BALLOON red", ["A red balloon"]),
        ("loon", ["Balloons", "A red balloon"]),
        ("größe", ["GRÖSSE"]),
        ("Größe", ["GRÖSSE"]),
        ("cafe\u0301", ["Le caf\u00e9"]),
        ("气球", ["红气球"]),
        ("100%", ["100% wool"]),
        ("d_d", []),
        ("nothing", []),
    ],
)
def test_words_are_found_wherever_they_lie(login, monkeypatch, deep, deeper, some, words, expected):
    for name, value in {"DEEP": deep, "DEEPER": deeper, "SOME": some}.items():
        monkeypatch.setattr(searching, name, value)
    for title in ("红气球", "A red balloon", "Balloons", "GRÖSSE", "Le caf\u00e9", "100% wool", "The dad"):
        published(title)
    if deeper < 5000 and all(len(word) < searching.TRIGRAM for word in words.split()):
        expected = []  # so short a word is looked for among the newest alone
    assert titles(login(), q=words) == expected


def test_a_page_goes_on_where_the_last_one_ended(login, shallow):
    many = [published(f"Work {number}") for number in range(30)]
    client = login()
    first = client.get("/", {"q": "work"})
    rest = client.get("/" + first.context["older"])
    shown = [each.pk for page in (first, rest) for each in page.context["publications"]]
    assert shown == [each.pk for each in reversed(many)]


def test_it_is_one_question_whatever_it_finds(login, shallow):
    client = login()

    def cost() -> list[int]:
        found = []
        for words in ("work", "nothing", "x"):
            with CaptureQueriesContext(connection) as queries:
                client.get("/", {"q": words})
            found.append(len(queries))
        return found

    published("Work")
    assert cost() == [1, 1, 1]
    for number in range(7):
        published(f"Work {number}")
    assert cost() == [1, 1, 1]


def test_the_words_go_with_the_takedown_and_come_with_the_publication(login):
    decision = factories.decision(factories.submission(title="Here today", statement="And gone."))
    assert not Words.objects.exists()
    public = gate.publish(decision.submission, by=decision.submission.artist)
    words = Words.objects.get()
    assert (words.published_at, words.said.splitlines()[:2]) == (
        public.published_at,
        ["here today", "and gone."],
    )
    assert titles(login(), q="gone") == ["Here today"]
    gate.take_down(public, by=decision.submission.artist)
    assert not Words.objects.exists()
    assert titles(login(), q="gone") == []
    at_once = factories.submission(title="At once", publish_on_approval=True)
    factories.decision(at_once)
    assert titles(login(), q="once") == ["At once"]


def test_the_words_go_with_a_takedown_that_is_replayed_after_a_restore():
    public = published("A title")
    told = {
        "slug": public.slug,
        "content_hash": public.content_hash,
        "at": None,
        "by": public.submission.artist,
    }
    assert gate.replay_takedown(str(public.pk), **told) == gate.Replayed.AGAIN
    assert not Words.objects.exists()


def test_words_that_stayed_open_nothing(login):
    """What is taken down is not found, even if somebody has left its words behind."""
    public = published("A title")
    kept = Words.objects.values().get()
    gate.take_down(public, by=public.submission.artist)
    Words.objects.create(**kept)
    assert titles(login(), q="title") == []


def test_the_sweep_mends_what_isn_t_as_it_should_be(login):
    kept, gone = published("Kept"), published("Gone")
    Words.objects.filter(publication=kept).delete()
    words = Words.objects.get(publication=gone)
    gate.take_down(gone, by=gone.submission.artist)
    words.save(force_insert=True)
    assert titles(login(), q="kept") == []
    sweep.sweep()
    assert [each.publication_id for each in Words.objects.all()] == [kept.pk]
    assert titles(login(), q="kept") == ["Kept"]
    assert searching.catch_up() == 0


def test_only_what_people_wrote_is_searched():
    work = published("Title", statement="Statement").submission
    assert Words.objects.get().said == f"title\nstatement\n{work.artist.name.casefold()}\n"


@postgres_only
def test_what_is_rare_is_found_by_an_index():
    for number in range(20):
        published(f"Work {number}")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT * FROM review_words WHERE said LIKE '%work 7%'")
        assert "words_by_trigram" in str(cursor.fetchall())


def test_each_publication_has_its_words():
    published("One")
    assert Words.objects.filter(published_at=F("publication__published_at")).count() == 1
