"""Two takes of one's own beside each other: whose, what differs, and what there is to choose from."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User, exclusion
from generation.views import compare
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio(login, artist):
    return login(artist)


def address(one, other=None) -> str:
    return f"/studio/compare/?a={one.pk}" + (f"&b={other.pk}" if other else "")


def test_two_clips_stand_beside_each_other_with_what_differs(studio, artist):
    one = factories.clip(artist, "a red <b> ball", seed=1)
    other = factories.clip(artist, "a blue <b> ball", seed=1, steps=3)
    page = studio.get(address(one, other))
    assert page.status_code == 200
    for clip in (one, other):
        assert f'src="/studio/clips/{clip.pk}/video.mp4"' in page.text
        assert f'poster="/studio/clips/{clip.pk}/poster.jpg"' in page.text
    assert page.text.count("<video") == page.text.count("controls") == 2  # plain players without a script
    assert "a<mark> red</mark> &lt;b&gt; ball" in page.text
    assert "a<mark> blue</mark> &lt;b&gt; ball" in page.text
    assert page.text.count("<tr data-differs>") == 2  # the prompt and the steps


def test_equal_recipes_show_no_difference(studio, artist):
    one, other = (factories.clip(artist, "the same", seed=5) for _ in range(2))
    page = studio.get(address(one, other)).text
    assert "data-differs" not in page
    assert "<mark>" not in page


@pytest.mark.parametrize("role", ["artist", "reviewer", "admin"])
def test_another_s_clip_can_be_compared_by_nobody(login, artist, role):
    mine = factories.clip(artist, "a prompt of the owner's own")
    other = factories.member(role)
    theirs, client = factories.clip(other), login(other)
    for pair in ((mine, theirs), (theirs, mine), (mine, mine), (mine, None)):
        answer = client.get(address(*pair))
        assert answer.status_code == 404
        assert "of the owner" not in answer.text
    assert client.get(f"/studio/compare/?a={theirs.pk}&b={uuid.uuid4()}").status_code == 404
    for page in ("/studio/compare/", address(theirs)):
        assert "of the owner" not in client.get(page).text
        assert str(mine.pk) not in client.get(f"{page}{'&' if '?' in page else '?'}after={mine.pk}").text


def test_a_suspended_owner_compares_nothing(login, artist, admin):
    one, other = factories.clip(artist), factories.clip(artist)
    exclusion.suspend(artist.membership, by=admin, reason="For a reason.")
    assert login(User.objects.get(pk=artist.pk)).get(address(one, other)).url == "/standing/"


@pytest.mark.parametrize("wrong", ["a=x", "a=%00", "b=" + "9" * 500, "a=&b=x"])
def test_what_is_no_id_is_a_404(studio, wrong):
    assert studio.get(f"/studio/compare/?{wrong}").status_code == 404


def test_the_second_is_chosen_from_relatives_first_and_then_from_all_by_key(studio, artist, monkeypatch):
    monkeypatch.setattr(compare, "PAGE", 3)
    clips = [factories.clip(artist) for _ in range(5)]
    first = factories.clip(artist)
    child = factories.clip(artist, parent=first.job)
    page = studio.get(address(first))
    assert page.context["related"] == [child]
    assert page.context["clips"] == clips[:1:-1]
    second = studio.get(f"/studio/compare/{page.context['older']}")
    assert (second.context["related"], second.context["clips"]) == ([], clips[1::-1])
    assert f"?a={first.pk}&amp;b={clips[0].pk}" in second.text
    assert studio.get(address(first, first)).context["first"] == first  # with itself: choose another


def test_without_a_first_one_it_is_chosen_and_without_clips_one_is_told(studio, artist):
    assert "Nothing to choose from" in studio.get("/studio/compare/").text
    clip = factories.clip(artist)
    assert f'href="/studio/compare/?a={clip.pk}"' in studio.get("/studio/compare/").text
    assert "Nothing to choose from" in studio.get(address(clip)).text


def test_the_strip_of_a_click_leads_to_comparing_what_is_ready(studio, artist):
    from generation.models import Job

    sent = {"prompt": "x", "model": "testcard", "aspect": "1:1", "duration": "1", "takes": "3"}
    studio.post("/studio/jobs/", sent)
    first, second, _third = Job.objects.order_by("created_at")
    assert "Compare with take" not in studio.get(f"/studio/jobs/{first.pk}/").text
    one, other = (_made(job) for job in (first, second))
    page = studio.get(f"/studio/jobs/{first.pk}/").text
    assert f"/studio/compare/?a={one.pk}&amp;b={other.pk}" in page
    assert "Compare with take 2" in page
    assert "Compare with take 3" not in page
    assert f"/studio/compare/?a={one.pk}" in studio.get(f"/studio/clips/{one.pk}/").text


def _made(job):
    from generation import queue
    from generation.models import Clip

    files = [factories.stored(kind, f"{kind} {job.pk}".encode()) for kind in ("video", "poster")]
    made = {"width": 128, "height": 128, "frames": 12, "fps": 12.0}
    assert queue.finish(factories.claim_of(job), recipe=job.recipe.to_json(), files=files, **made)
    return Clip.objects.get(job=job)


def test_comparing_costs_three_queries_and_choosing_the_same_with_one_clip_and_with_many(studio, artist):
    one, other = factories.clip(artist), factories.clip(artist)
    studio.get(address(one, other))

    def cost(url) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert studio.get(url).status_code == 200
        return len(queries)

    assert cost(address(one, other)) == 3  # session, member, both clips with their takes
    few = cost(address(one))
    for _ in range(12):
        factories.clip(artist, parent=one.job)
    assert cost(address(one)) == few == 6
