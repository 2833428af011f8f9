"""A claim holds while its holder is there: renewed by the room, shortened on leaving, freed where nobody may review."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.backends import at_the_door
from accounts.models import exclusion
from review import gate, queue, sealing
from review.models import Claim, Decision
from review.permissions import NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def held(reviewer):
    submission = factories.submission()
    assert queue.claim(submission, by=reviewer)
    return submission


@pytest.fixture
def other(db):
    return factories.member("reviewer")


def lapse():
    Claim.objects.update(expires_at=timezone.now() - SECOND)


def left() -> timedelta:
    return Claim.objects.get().expires_at - timezone.now()


def renew(client, submission):
    return client.post(f"/desk/submissions/{submission.pk}/renewal/")


def leave(client, submission, until):
    return client.post(f"/desk/submissions/{submission.pk}/leaving/", {"until": until})


# --- The room's sign of life ----------------------------------------------------------------------


def test_a_renewal_tells_until_when_the_claim_holds(login, held, reviewer):
    Claim.objects.update(expires_at=timezone.now() + SECOND)
    answer = renew(login(reviewer), held)
    assert answer.json() == {
        "until": Claim.objects.get().expires_at.isoformat(),
        "seconds": settings.CLAIM_LIFETIME.total_seconds(),
    }
    assert left() > settings.CLAIM_LIFETIME - 10 * SECOND


def test_a_renewal_revives_no_claim_that_has_lapsed(login, held, reviewer):
    lapse()
    answer = renew(login(reviewer), held)
    assert answer.status_code == 409
    assert "has ended. Claim it again" in answer.json()["sentence"]
    assert left() < timedelta(0)


def test_a_renewal_takes_no_claim_that_somebody_else_has_taken(login, held, reviewer, other):
    lapse()
    assert queue.claim(held, by=other)
    answer = renew(login(reviewer), held)
    assert answer.status_code == 409
    assert "somebody else has claimed it" in answer.json()["sentence"]
    assert Claim.objects.get().reviewer == other


def test_a_renewal_claims_nothing(login, reviewer):
    submission = factories.submission()
    assert renew(login(reviewer), submission).status_code == 409
    assert not Claim.objects.exists()


@pytest.mark.parametrize("end", ["withdrawn", "decided"])
def test_a_renewal_tells_what_has_happened_meanwhile(login, held, reviewer, end):
    if end == "withdrawn":
        sealing.withdraw(held, by=held.artist)
    else:
        gate.decide(held, by=reviewer, outcome="approve", content_hash=held.content_hash)
    assert not Claim.objects.exists()
    answer = renew(login(reviewer), held)
    assert answer.status_code == 409
    assert end in answer.json()["sentence"]


def test_a_renewal_costs_five_queries_at_most(login, held, reviewer, django_assert_max_num_queries):
    client = login(reviewer)
    renew(client, held)
    with django_assert_max_num_queries(5):
        assert renew(client, held).status_code == 200


# --- Leaving -------------------------------------------------------------------------------------------


def test_a_page_that_goes_frees_the_clip_shortly(login, held, reviewer, other):
    until = renew(login(reviewer), held).json()["until"]
    assert leave(login(reviewer), held, until).status_code == 204
    assert timedelta(0) < left() <= queue.COMING_BACK
    assert queue.claim_next(other) is None, "it may only be reloading"
    Claim.objects.update(expires_at=timezone.now() - SECOND)
    assert queue.claim_next(other) == held


def test_a_page_that_comes_back_in_time_has_lost_nothing(login, held, reviewer):
    client = login(reviewer)
    leave(client, held, renew(client, held).json()["until"])
    assert "Your decision" in client.get(f"/desk/submissions/{held.pk}/").text
    assert renew(client, held).status_code == 200
    assert left() > settings.CLAIM_LIFETIME - 10 * SECOND


def test_a_goodbye_that_comes_late_ends_nothing(login, held, reviewer):
    """The page was reloaded, or is open in another tab: the claim has been renewed since."""
    client = login(reviewer)
    old = renew(client, held).json()["until"]
    renew(client, held)
    assert leave(client, held, old).status_code == 204
    assert left() > queue.COMING_BACK


def test_a_goodbye_lengthens_nothing_and_ends_nobody_elses_claim(login, held, reviewer, other):
    until = timezone.now() + SECOND
    Claim.objects.update(expires_at=until)
    leave(login(other), held, until.isoformat())
    leave(login(reviewer), held, until.isoformat())
    assert Claim.objects.get().expires_at == until
    until = renew(login(reviewer), held).json()["until"]
    leave(login(other), held, until)
    assert Claim.objects.get().expires_at.isoformat() == until


@pytest.mark.parametrize(
    "until",
    [
        "",
        "soon",
        "2026-13-01T00:00:00Z",
        "\0",
        "9" * 400,
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_a_goodbye_without_a_time_is_refused_and_changes_nothing(login, held, reviewer, until):
    before = Claim.objects.get().expires_at
    assert leave(login(reviewer), held, until).status_code == 422
    assert Claim.objects.get().expires_at == before


def test_the_room_tells_how_long_the_claim_holds(login, held, reviewer):
    page = login(reviewer).get(f"/desk/submissions/{held.pk}/").text
    assert "Yours for 5 minutes" in page
    assert f'data-until="{Claim.objects.get().expires_at.isoformat()}"' in page


# --- Who may not review any more ------------------------------------------------------------------------


def keep_out(reviewer, how):
    membership = reviewer.membership
    if how == "suspended":
        exclusion.suspend(membership, by=None, reason="A reason.")
    elif how == "ended":
        exclusion.end(membership, by=None, reason="A reason.")
    else:
        membership.role = "artist"
        membership.save()


every_way_out = pytest.mark.parametrize("how", ["suspended", "ended", "another role"])


@every_way_out
def test_the_claim_of_who_may_not_review_any_more_is_free_at_once(login, held, reviewer, other, how):
    artist = login(held.artist)
    path = f"/studio/submissions/{held.pk}/"
    assert "A reviewer is looking at it now" in artist.get(path).text
    keep_out(reviewer, how)
    assert "A reviewer is looking at it now" not in artist.get(path).text
    desk = login(other).get("/desk/").text
    assert reviewer.name not in desk
    assert queue.claim_next(other) == held
    assert Claim.objects.get().reviewer == other


@every_way_out
def test_a_live_claim_decides_nothing_for_who_may_not_review_any_more(login, held, reviewer, how):
    """Over the web, and past the views: with the user as their last request had loaded it."""
    client, as_loaded = login(reviewer), at_the_door().get(pk=reviewer.pk)
    keep_out(reviewer, how)
    words = {"outcome": "approve", "content_hash": held.content_hash}
    assert client.post(f"/desk/submissions/{held.pk}/decision/", words).status_code in (302, 403)
    client.force_login(reviewer, backend="accounts.backends.MemberBackend")
    assert client.post(f"/desk/submissions/{held.pk}/decision/", words).status_code in (302, 403)
    with pytest.raises(NotAllowed):
        gate.decide(held, by=as_loaded, **words)
    assert renew(client, held).status_code in (302, 403)
    with pytest.raises(NotAllowed):
        queue.renew(held, by=as_loaded)
    assert not Decision.objects.exists()
    assert left() > timedelta(0), "by its time alone it would still hold"


def test_a_lift_within_the_lease_gives_the_claim_back_unless_somebody_took_it(held, reviewer):
    suspension = exclusion.suspend(reviewer.membership, by=None, reason="A mistake.")
    exclusion.lift(suspension, by=None)
    assert queue.renew(held, by=reviewer)


# --- Words are never lost ---------------------------------------------------------------------------------


def test_a_decision_too_late_gives_back_the_note_and_the_ticked_clauses(login, held, reviewer):
    lapse()
    words = {
        "outcome": "refuse",
        "content_hash": held.content_hash,
        "reasons": ["hate", "broken"],
        "note": "A note.",
    }
    page = login(reviewer).post(f"/desk/submissions/{held.pk}/decision/", words)
    assert page.status_code == 409
    for word in ("A note.", "Hatred", "A technical fault", f"/desk/submissions/{held.pk}/"):
        assert word in page.text
