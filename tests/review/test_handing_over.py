"""A lead hands a claim over to another reviewer: on record, told to both, and never to whom it must not come."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Membership, RoleChange, User, exclusion, roles
from accounts.permissions import can_lead, can_review, can_take_down, must_set_up_factor
from review import gate, queue, sealing
from review.models import Claim
from review.permissions import Conflict, NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(db):
    return factories.member("lead", name="Lena Lead")


@pytest.fixture
def other(db):
    return factories.member("reviewer", name="Otto Other")


@pytest.fixture
def held(reviewer):
    submission = factories.submission()
    assert queue.claim(submission, by=reviewer)
    return submission


def hand_over(client, submission, to):
    return client.post(f"/desk/submissions/{submission.pk}/handover/", {"to": getattr(to, "pk", to)})


# --- Who is a lead -----------------------------------------------------------------------------------


def test_an_admin_makes_a_reviewer_a_lead_with_a_record(login, admin, reviewer):
    client = login(reviewer)
    path = f"/program/members/{reviewer.pk}/role/"
    assert login(admin).post(path, {"role": "lead"}).status_code == 302
    made = RoleChange.objects.get()
    assert (made.before, made.after, made.by) == ("reviewer", "lead", admin)
    assert AuditEntry.objects.latest("sequence").act == "member.role_changed"
    assert client.get("/desk/").status_code == 302, "their sessions have ended"
    assert login(User.objects.get(pk=reviewer.pk)).get("/desk/").status_code == 200
    assert "Lead reviewer" in login(admin).get("/program/members/?role=lead").text


def test_it_asks_again_who_is_there(login, admin, reviewer, settings):
    settings.REQUIRE_MFA = True
    login(admin).post(f"/program/members/{reviewer.pk}/role/", {"role": "lead"})
    assert not RoleChange.objects.exists()


@pytest.mark.parametrize("who", ["artist", "reviewer", "lead"])
def test_nobody_else_makes_leads(login, reviewer, who):
    path = f"/program/members/{reviewer.pk}/role/"
    assert login(factories.member(who)).post(path, {"role": "lead"}).status_code == 403
    assert Membership.objects.get(user=reviewer).role == "reviewer"


@pytest.mark.parametrize(
    "role,may",
    [
        ("artist", (False, False, False)),
        ("reviewer", (True, False, True)),
        ("lead", (True, True, True)),
        ("admin", (False, False, True)),
    ],
)
def test_who_may_do_what(role, may, settings):
    settings.REQUIRE_MFA = True
    member = factories.member(role)
    assert (can_review(member), can_lead(member), can_take_down(member)) == may
    assert must_set_up_factor(member) == (role != "artist")


def test_a_lead_reviews_like_any_reviewer(lead, held):
    submission = factories.submission()
    assert queue.claim_next(lead) == submission
    assert gate.decide(submission, by=lead, outcome="approve", content_hash=submission.content_hash)


# --- Handing over --------------------------------------------------------------------------------------


def test_a_claim_is_handed_over_with_an_entry_and_a_notice(login, lead, other, held, reviewer):
    assert hand_over(login(lead), held, other).url == f"/desk/submissions/{held.pk}/"
    claim = Claim.objects.get()
    assert (claim.reviewer, claim.handed_by, claim.handed_from) == (other, lead, reviewer)
    assert claim.expires_at > timezone.now() + queue.HANDED_OVER_HOLDS - timedelta(minutes=1)
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.act, entry.by, entry.subject) == ("submission.handed_over", lead, f"submission:{held.pk}")
    assert entry.words == f"{reviewer.name} → {other.name}"
    assert list(other.notices.values_list("kind", "path")) == [
        ("handed-over", f"/desk/submissions/{held.pk}/")
    ]
    assert queue.claim_next(other) == held
    assert queue.claim_next(reviewer) is None


def test_the_former_holder_s_room_says_so_and_takes_no_decision(login, lead, other, held, reviewer):
    client, path = login(reviewer), f"/desk/submissions/{held.pk}/"
    assert "Your decision" in client.get(path).text
    queue.hand_over(held, by=lead, to=other)
    sentence = "Lena Lead, a lead, has handed this clip over to Otto Other."
    assert sentence in client.get(path).text
    assert sentence in client.post(f"{path}renewal/").json()["sentence"]
    refused = client.post(
        f"{path}decision/", {"outcome": "approve", "content_hash": held.content_hash, "note": "What I wrote."}
    )
    assert refused.status_code == 409
    assert sentence in refused.text
    assert "What I wrote." in refused.text
    assert sentence not in login(other).get(path).text
    assert gate.decide(held, by=other, outcome="approve", content_hash=held.content_hash)


def test_a_lead_takes_it_over_themselves_too(login, lead, held, reviewer):
    hand_over(login(lead), held, lead)
    assert Claim.objects.get().reviewer == lead
    assert "has taken this clip over from you" in login(reviewer).get(f"/desk/submissions/{held.pk}/").text
    assert not lead.notices.exists()


def test_two_clicks_hand_over_once(login, lead, other, held):
    client = login(lead)
    assert [hand_over(client, held, other).status_code for _click in range(2)] == [302, 302]
    assert AuditEntry.objects.filter(act="submission.handed_over").count() == 1
    assert other.notices.count() == 1


@pytest.mark.parametrize("to", ["its artist", "recused", "artist", "admin", "suspended", "nobody", ""])
def test_it_never_comes_to_whom_it_must_not_come(login, lead, held, reviewer, admin, to):
    who = factories.member({"artist": "artist", "admin": "admin"}.get(to, "reviewer"))
    submission = held
    if to == "its artist":
        submission = factories.submission(artist=who)
        assert queue.claim(submission, by=reviewer)
    if to == "recused":
        queue.recuse(held, by=who, reason="A friend.")
    if to == "suspended":
        exclusion.suspend(who.membership, by=admin, reason="A reason.")
    if to in ("nobody", ""):
        assert (
            hand_over(login(lead), held, "" if not to else "00000000-0000-0000-0000-000000000000").status_code
            == 422
        )
    else:
        assert hand_over(login(lead), submission, who).status_code == 422
        assert (
            who.name
            not in login(lead)
            .get(f"/desk/submissions/{submission.pk}/")
            .text.partition("handover_to")[2]
            .partition("</select>")[0]
        )
        with pytest.raises(Conflict):
            queue.hand_over(submission, by=lead, to=who)
    assert Claim.objects.get(submission=submission).reviewer == reviewer


def test_a_lead_has_no_hand_in_their_own_clip_nor_where_they_are_recused(login, lead, other, held, reviewer):
    own = factories.submission(artist=lead)
    assert queue.claim(own, by=reviewer)
    queue.recuse(held, by=lead, reason="A friend.")
    for submission in (own, held):
        assert hand_over(login(lead), submission, other).status_code == 409
        assert "handover_to" not in login(lead).get(f"/desk/submissions/{submission.pk}/").text
        assert Claim.objects.get(submission=submission).reviewer == reviewer


@pytest.mark.parametrize("who", ["reviewer", "artist", "admin"])
def test_nobody_but_a_lead_hands_over(login, other, held, reviewer, who):
    by = factories.member(who)
    assert hand_over(login(by), held, other).status_code == 403
    assert hand_over(login(reviewer), held, other).status_code == 403, "not even who holds it"
    with pytest.raises(NotAllowed):
        queue.hand_over(held, by=by, to=other)
    assert Claim.objects.get().reviewer == reviewer


def test_who_was_a_lead_a_moment_ago_hands_nothing_over(login, lead, other, held, admin, reviewer):
    roles.change_role(lead.membership, "reviewer", by=admin)
    lead.refresh_from_db()
    assert hand_over(login(type(lead).objects.get(pk=lead.pk)), held, other).status_code == 403
    assert Claim.objects.get().reviewer == reviewer


@pytest.mark.parametrize("end", ["lapsed", "released", "decided", "withdrawn"])
def test_there_must_be_a_claim_to_hand_over(login, lead, other, held, reviewer, end):
    match end:
        case "lapsed":
            Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        case "released":
            queue.release(held, by=reviewer)
        case "decided":
            gate.decide(held, by=reviewer, outcome="approve", content_hash=held.content_hash)
        case "withdrawn":
            sealing.withdraw(held, by=held.artist)
    assert hand_over(login(lead), held, other).status_code == 409
    assert not other.notices.exists()


def test_once_it_lapsed_and_another_took_it_the_sentence_is_gone(login, lead, other, held, reviewer):
    queue.hand_over(held, by=lead, to=other)
    Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert queue.claim(held, by=lead)
    assert "has handed this clip over" not in login(reviewer).get(f"/desk/submissions/{held.pk}/").text


def test_the_room_of_a_lead_costs_the_same_with_1_and_with_20_reviewers(login, lead, other, held):
    client, path, counts = login(lead), f"/desk/submissions/{held.pk}/", []
    for number in (0, 20):
        for _more in range(number):
            factories.member("reviewer")
        client.get(path)
        with CaptureQueriesContext(connection) as asked:
            assert "Otto Other" in client.get(path).text
        counts.append(len(asked))
    assert counts[0] == counts[1]
