"""The desk: the earliest deadline first, one claim at a time, and a price that doesn't grow with the queue."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation import storage
from review import queue, sealing
from review.models import Claim, Submission
from tests import factories

pytestmark = pytest.mark.django_db


def next_of(client):
    return client.post("/desk/next/").url


def test_the_longest_waiting_comes_first(login, reviewer):
    first, second = factories.submission(title="First"), factories.submission(title="Second")
    desk = login(reviewer).get("/desk/")
    assert re.findall("<bdi>(First|Second)</bdi>", desk.text) == ["First", "Second"]
    assert next_of(login(reviewer)) == f"/desk/submissions/{first.pk}/"
    assert next_of(login(factories.member("reviewer"))) == f"/desk/submissions/{second.pk}/"


def test_asking_for_the_next_gives_ones_own_claim_back_and_renews_it(login, reviewer):
    first, _second = factories.submission(), factories.submission()
    client = login(reviewer)
    room = next_of(client)
    Claim.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    assert next_of(client) == room == f"/desk/submissions/{first.pk}/"
    assert Claim.objects.get().expires_at > timezone.now() + settings.CLAIM_LIFETIME - timedelta(minutes=1)


def test_a_claim_is_exclusive_until_it_lapses(login, reviewer):
    submission, other = factories.submission(), factories.member("reviewer")
    path = f"/desk/submissions/{submission.pk}/claim/"
    assert login(reviewer).post(path).status_code == 302
    assert login(other).post(path).status_code == 409
    assert next_of(login(other)) == "/desk/"
    Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert login(other).post(path).status_code == 302
    assert Claim.objects.get().reviewer == other


def test_a_claim_given_back_is_free_at_once(login, reviewer):
    submission, other = factories.submission(), factories.member("reviewer")
    assert queue.claim(submission, by=reviewer)
    login(other).post(f"/desk/submissions/{submission.pk}/release/")
    assert Claim.objects.get().reviewer == reviewer, "only its holder gives a claim back"
    login(reviewer).post(f"/desk/submissions/{submission.pk}/release/")
    assert queue.claim_next(other) == submission


def test_a_look_at_the_room_claims_nothing(login, reviewer):
    submission = factories.submission()
    page = login(reviewer).get(f"/desk/submissions/{submission.pk}/")
    assert "Claim this clip" in page.text
    assert "content_hash" not in page.text
    assert not Claim.objects.exists()


def test_the_room_shows_the_frozen_poster_and_the_viewer_s_own_copy_of_the_video(login, reviewer):
    submission = factories.submission()
    client = login(reviewer)
    copy = factories.viewed(submission, by=reviewer)
    shown = {
        "poster.jpg": factories.bytes_of(submission, "poster"),
        "video.mp4": b"".join(storage.private().blocks(storage.private_name(copy.sha256))),
    }
    for name, content in shown.items():
        response = client.get(f"/desk/submissions/{submission.pk}/{name}")
        assert response.getvalue() == content
        assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))


def test_the_room_tells_of_earlier_versions(login, reviewer):
    first = factories.submission()
    factories.decision(first, "refuse", note="The earlier note.")
    second = factories.submission(first.clip)
    assert "The earlier note." in login(reviewer).get(f"/desk/submissions/{second.pk}/").text


def test_what_is_withdrawn_or_decided_leaves_the_queue(login, reviewer):
    withdrawn, decided, waiting = (factories.submission() for _number in range(3))
    sealing.withdraw(withdrawn, by=withdrawn.artist)
    factories.decision(decided)
    assert [each.pk for each in login(reviewer).get("/desk/").context["waiting"]] == [waiting.pk]
    assert login(reviewer).get(f"/desk/submissions/{withdrawn.pk}/").status_code == 404


def test_an_empty_desk_says_so(login, reviewer):
    assert "The desk is clear" in login(reviewer).get("/desk/").text
    page = login(reviewer).post("/desk/next/", follow=True)
    assert "Nothing is waiting for you right now." in page.text


def test_the_artist_sees_the_place_in_the_queue(login):
    _first, second = factories.submission(), factories.submission()
    assert queue.place(second) == 2
    assert "Number 2 in the queue" in login(second.artist).get(f"/studio/submissions/{second.pk}/").text


def cost(client, path) -> int:
    client.get(path)  # the session and the caches of a first visit
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def many(count: int, **kwargs) -> list[Submission]:
    return [factories.submission(artist=factories.member(), **kwargs) for _number in range(count)]


def test_the_desk_costs_the_same_with_1_and_with_50_waiting(login, reviewer):
    many(1)
    factories.decision(factories.submission(), by=reviewer)
    client = login(reviewer)
    queue.claim(Submission.objects.waiting().first(), by=factories.member("reviewer"))
    one = cost(client, "/desk/")
    for submission in many(49):
        queue.claim(submission, by=factories.member("reviewer"))
    for _number in range(4):
        factories.decision(factories.submission(), by=reviewer)
    assert len(client.get("/desk/").context["waiting"]) == 40
    assert cost(client, "/desk/") == one == 5, (
        "session, person, what waits, here and beside, what one has decided"
    )


def test_a_room_costs_the_same_with_1_and_with_10_earlier_versions(login, reviewer):
    submission = factories.submission()
    for _version in range(1):
        factories.decision(submission, "refuse")
        submission = factories.submission(submission.clip)
    client = login(reviewer)
    one = cost(client, f"/desk/submissions/{submission.pk}/")
    for _version in range(9):
        factories.decision(submission, "refuse")
        submission = factories.submission(submission.clip)
    assert cost(client, f"/desk/submissions/{submission.pk}/") == one


def test_the_studio_costs_the_same_with_1_and_with_50_takes(login, artist):
    client = login(artist)
    factories.publication(factories.submission(artist=artist))
    one = cost(client, "/studio/")
    for number in range(49):
        made = factories.submission(artist=artist) if number % 2 else factories.clip(artist)
        if number % 10 == 1:
            factories.publication(made)
    assert cost(client, "/studio/") == one
    assert len(client.get("/studio/").context["takes"]) == 24
