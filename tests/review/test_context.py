"""What the room tells beside the clip: where it comes from, earlier works, what has changed; and what stays private."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from review import context, queue, sealing
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def artist():
    return factories.member()


def room(client, submission):
    return client.get(f"/desk/submissions/{submission.pk}/")


def beside(client, one, other):
    return client.get(f"/desk/submissions/{one.pk}/beside/{other.pk}/")


def second_version(artist, reviewer, **words):
    clip = factories.clip(artist)
    first = factories.submission(clip, title="The old title", statement="Some words stay here")
    factories.decision(first, "refuse", by=reviewer)
    return first, factories.submission(
        clip, **{"title": "The new title", "statement": "Some words go here"} | words
    )


def test_an_earlier_version_is_laid_beside_with_the_words_that_changed(login, artist, reviewer):
    first, second = second_version(artist, reviewer)
    for page in (room(login(reviewer), second).text, beside(login(reviewer), second, first).text):
        assert "The<mark> old</mark> title" in page
        assert "The<mark> new</mark> title" in page
        assert "<mark> stay</mark>" in page
    page = beside(login(reviewer), second, first).text
    assert "Because of this." in page, "with the decision on it"
    for each in (first, second):
        assert f"/desk/submissions/{each.pk}/poster.jpg" in page


def test_both_sides_play_once_the_copies_are_made(login, artist, reviewer):
    first, second = second_version(artist, reviewer)
    page = beside(login(reviewer), second, first).text
    assert "video.mp4" not in page
    assert 'http-equiv="refresh"' in page
    for each in (first, second):
        factories.viewed(each, by=reviewer)
    page = beside(login(reviewer), second, first).text
    assert 'http-equiv="refresh"' not in page
    for each in (first, second):
        assert f"/desk/submissions/{each.pk}/video.mp4" in page


def test_words_that_changed_are_never_markup(login, artist, reviewer):
    evil = "<script>alert(1)</script> & <mark>new</mark>"
    first, second = second_version(artist, reviewer, title="<b>Bold</b> title", statement=evil)
    for page in (room(login(reviewer), second).text, beside(login(reviewer), second, first).text):
        assert "<script>alert(1)" not in page
        assert "<b>Bold</b>" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<mark>new</mark>" not in page.replace("&lt;mark&gt;new&lt;/mark&gt;", "")


def test_an_earlier_work_of_the_same_family_counts_too(login, artist, reviewer):
    origin = factories.clip(artist, "a red ball")
    first = factories.submission(origin, title="Red")
    factories.decision(first, "refuse", by=reviewer)
    remix = factories.clip(artist, "a blue ball", parent=origin.job, seed=origin.job.seed)
    second = factories.submission(remix, title="Blue")
    page = room(login(reviewer), second).text
    assert "Came of another take (remix): other words." in page
    assert "<mark> red</mark>" in page
    assert beside(login(reviewer), second, first).status_code == 200
    assert beside(login(reviewer), first, second).status_code == 404, "what came later was not earlier"


def test_takes_that_were_never_submitted_stay_private(login, artist, reviewer):
    origin = factories.clip(artist, "a secret beginning")
    withdrawn = factories.submission(factories.clip(artist, "a withdrawn thought", parent=origin.job))
    sealing.withdraw(withdrawn, by=artist)
    shown = factories.submission(factories.clip(artist, "a public ending", parent=origin.job))
    page = room(login(reviewer), shown).text
    assert "Came of another take" in page
    for words in (
        "secret beginning",
        "withdrawn thought",
        str(origin.pk),
        str(origin.job_id),
        str(withdrawn.pk),
    ):
        assert words not in page
    assert beside(login(reviewer), shown, withdrawn).status_code == 404


def test_a_picture_is_told_of_and_not_shown(login, artist, reviewer):
    picture = factories.picture(artist, size=(300, 200))
    clip = factories.clip(artist, picture=picture)
    page = room(login(reviewer), factories.submission(clip)).text
    assert "Begins with a picture of 300 × 200" in page
    assert "I made this picture or may use it here" in page
    assert str(picture.pk) not in page
    assert picture.sha256 not in page
    assert login(reviewer).get(f"/studio/pictures/{picture.pk}/picture.jpg").status_code == 404


def test_only_works_of_one_origin_and_one_artist_are_laid_side_by_side(login, artist, reviewer):
    mine, unrelated = factories.submission(artist=artist), factories.submission(artist=artist)
    others = factories.submission()
    for one, other in ((unrelated, mine), (others, mine), (mine, mine)):
        assert beside(login(reviewer), one, other).status_code == 404


def test_who_may_lay_them_side_by_side(login, artist, reviewer):
    first, second = second_version(artist, reviewer)
    for somebody, status in ((artist, 403), (factories.member(), 403), (factories.member("admin"), 403)):
        assert beside(login(somebody), second, first).status_code == status
    assert beside(login(), second, first).status_code == 302
    assert beside(login(factories.member("reviewer")), second, first).status_code == 200


def test_the_artists_record_is_shown_to_the_desk_alone(login, artist, reviewer):
    factories.decision(factories.submission(artist=artist, title="Was fine"))
    factories.decision(factories.submission(artist=artist, title="Was not"), "refuse")
    factories.decision(factories.submission(title="Of somebody else"))
    waiting = factories.submission(artist=artist)
    page = room(login(reviewer), waiting).text
    for words in ("1 approved, 1 refused", "Was fine", "Was not", "Someone else&#x27;s work"):
        assert words in page
    assert "Of somebody else" not in page
    assert "1 approved, 1 refused" not in login(artist).get(f"/studio/submissions/{waiting.pk}/").text


def test_the_room_costs_the_same_with_one_earlier_work_and_with_nine(
    login, artist, reviewer, django_assert_num_queries
):
    def work():
        made = factories.submission(factories.clip(artist, parent=origin.job))
        factories.decision(made, "refuse", by=factories.member("reviewer"), said_of_frames=[SAID])
        return made

    origin = factories.clip(artist)
    work()
    last = factories.submission(factories.clip(artist, parent=origin.job))
    client = login(reviewer)
    room(client, last)
    with CaptureQueriesContext(connection) as one:
        room(client, last)
    asked = len(one)
    for _number in range(8):
        work()
    newest = factories.submission(factories.clip(artist, parent=origin.job))
    room(client, newest)
    with django_assert_num_queries(asked):
        assert room(client, newest).status_code == 200
    assert len(context.related(newest)) == context.RELATED


SAID = {"first_frame": 1, "last_frame": 2, "text": "Here.", "drawing": ""}


def test_a_remark_on_an_earlier_version_is_there_for_the_next_reviewer(login, artist, reviewer):
    clip = factories.clip(artist)
    first = factories.submission(clip)
    factories.decision(first, "refuse", said_of_frames=[SAID | {"text": "Mend this."}])
    assert queue.claim(second := factories.submission(clip), by=reviewer)
    assert "Mend this." in room(login(reviewer), second).text
