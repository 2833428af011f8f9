"""A reviewer passes, or recuses themselves, with a reason: recorded for ever, told to staff, kept from the artist."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry
from review import gate, queue, sealing
from review.clauses import FIRST
from review.models import Claim, Decision, Pass, Recusal
from review.permissions import Conflict, NotAllowed
from tests import factories
from tests.gate_sql import run

pytestmark = pytest.mark.django_db
WHY = "The artist is my cousin."


@pytest.fixture
def held(reviewer):
    submission = factories.submission()
    assert queue.claim(submission, by=reviewer)
    return submission


def step_aside(client, submission, how, reason=WHY):
    return client.post(f"/desk/submissions/{submission.pk}/{how}/", {"reason": reason})


def last_entry():
    return AuditEntry.objects.order_by("sequence").last()


# --- Pass ------------------------------------------------------------------------------------------


def test_a_pass_gives_it_back_and_offers_others_first(login, held, reviewer):
    second, other = factories.submission(), factories.member("reviewer")
    assert step_aside(login(reviewer), held, "pass").url == "/desk/"
    assert not Claim.objects.exists()
    made = Pass.objects.get()
    assert (made.submission, made.by, made.reason) == (held, reviewer, WHY)
    entry = last_entry()
    assert (entry.act, entry.by, entry.words) == ("submission.passed_on", reviewer, WHY)
    assert queue.claim_next(reviewer) == second
    assert queue.claim_next(other) == held


def test_a_pass_is_for_a_while_and_keeps_nobody_from_claiming(login, held, reviewer):
    queue.pass_on(held, by=reviewer, reason=WHY)
    assert queue.claim_next(reviewer) is None
    assert held.pk in [each.pk for each in login(reviewer).get("/desk/").context["waiting"]]
    assert login(reviewer).post(f"/desk/submissions/{held.pk}/claim/").status_code == 302
    queue.release(held, by=reviewer)
    with transaction.atomic():
        made = timezone.now() - queue.PASS_HOLDS - timedelta(seconds=1)
        Pass.objects.create(submission=held, by=reviewer, reason=WHY, at=made)
    assert queue.claim_next(reviewer) is None, "the later one holds"
    third = factories.submission()
    Pass.objects.create(submission=third, by=reviewer, reason=WHY, at=made)
    assert queue.claim_next(reviewer) == third


@pytest.mark.parametrize("too_late", ["lapsed", "taken", "never held"])
def test_only_the_holder_passes(login, held, reviewer, too_late):
    by = factories.member("reviewer")
    if too_late != "never held":
        Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    if too_late == "lapsed":
        by = reviewer
    if too_late == "taken":
        assert queue.claim(held, by=by)
        by = reviewer
    answer = step_aside(login(by), held, "pass")
    assert answer.status_code == 409
    assert WHY in answer.text
    assert not Pass.objects.exists()


def test_two_clicks_on_pass_make_one(login, held, reviewer):
    client = login(reviewer)
    assert [step_aside(client, held, "pass").status_code for _click in range(2)] == [302, 409]
    assert Pass.objects.count() == 1


# --- Recusal -----------------------------------------------------------------------------------------


def test_who_is_recused_is_never_offered_it_again_and_can_not_claim_it(login, held, reviewer):
    client = login(reviewer)
    assert step_aside(client, held, "recusal").url == "/desk/"
    assert not Claim.objects.exists()
    made = Recusal.objects.get()
    assert (made.submission, made.by, made.reason) == (held, reviewer, WHY)
    entry = last_entry()
    assert (entry.act, entry.by, entry.words) == ("submission.recused", reviewer, WHY)
    assert client.get("/desk/").context["waiting"] == []
    assert queue.claim_next(reviewer) is None
    assert client.post(f"/desk/submissions/{held.pk}/claim/").status_code == 409
    room = client.get(f"/desk/submissions/{held.pk}/")
    assert "You have recused yourself from this clip" in room.text
    assert "Your decision" not in room.text
    assert queue.claim_next(factories.member("reviewer")) == held


@pytest.mark.parametrize("version", [1, 2])
def test_a_recused_reviewer_gets_round_it_on_no_way(login, held, reviewer, version):
    """Not over the web, not past the views, not past the gate, and not with a claim from nowhere."""
    queue.recuse(held, by=reviewer, reason=WHY)
    on = held
    if version == 2:
        factories.decision(held, "refuse")
        on = factories.submission(held.clip)
    decided = Decision.objects.count()
    Claim.objects.create(submission=on, reviewer=reviewer, expires_at=timezone.now() + timedelta(hours=1))
    words = {"outcome": "approve", "content_hash": on.content_hash}
    answer = login(reviewer).post(f"/desk/submissions/{on.pk}/decision/", words)
    assert answer.status_code == 409
    assert "recused yourself" in answer.text
    with pytest.raises(NotAllowed, match="recused yourself"):
        gate.decide(on, by=reviewer, **words)
    row = {**words, "submission": on, "by": reviewer, "policy_version": FIRST.name}
    with pytest.raises(IntegrityError, match="never decides on it"), transaction.atomic():
        Decision.objects.create(**row)
    assert Decision.objects.count() == decided
    Claim.objects.all().delete()
    assert not queue.claim(on, by=reviewer)
    assert factories.decision(on).is_approval, "and to anybody else it is open"


def test_a_recusal_is_for_one_clip_only(held, reviewer):
    queue.recuse(held, by=reviewer, reason=WHY)
    another = factories.submission(artist=held.artist)
    assert queue.claim_next(reviewer) == another


def test_a_conflict_shows_before_the_claim_too(login, reviewer):
    submission = factories.submission()
    assert step_aside(login(reviewer), submission, "recusal").status_code == 302
    assert Recusal.objects.get().by == reviewer


def test_two_clicks_on_recuse_make_one_and_the_first_reason_stays(login, held, reviewer):
    client = login(reviewer)
    assert step_aside(client, held, "recusal").status_code == 302
    assert step_aside(client, held, "recusal", "Another reason.").status_code == 302
    assert Recusal.objects.get().reason == WHY
    assert AuditEntry.objects.filter(act="submission.recused").count() == 1


@pytest.mark.parametrize("end", ["withdrawn", "decided"])
def test_nobody_steps_aside_from_what_is_over(login, held, reviewer, end):
    if end == "withdrawn":
        sealing.withdraw(held, by=held.artist)
    else:
        gate.decide(held, by=reviewer, outcome="approve", content_hash=held.content_hash)
    for how in ("pass", "recusal"):
        answer = step_aside(login(reviewer), held, how)
        assert answer.status_code == 409
        assert WHY in answer.text
    assert not Pass.objects.exists()
    assert not Recusal.objects.exists()


def test_nobody_steps_aside_from_their_own_clip(login, reviewer):
    own = factories.submission(artist=reviewer)
    assert "own clip" in step_aside(login(reviewer), own, "recusal").text
    with pytest.raises(NotAllowed, match="own clip"):
        queue.pass_on(own, by=reviewer, reason=WHY)


def test_only_reviewers_recuse_themselves(held):
    with pytest.raises(NotAllowed, match="Only reviewers"):
        queue.recuse(held, by=factories.member("admin"), reason=WHY)
    with pytest.raises(Conflict):
        queue.pass_on(held, by=factories.member("admin"), reason=WHY)


@pytest.mark.parametrize("how", ["pass", "recusal"])
@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001, "a\0b"])
def test_a_reason_is_needed_and_what_was_typed_stays(login, held, reviewer, how, reason):
    answer = step_aside(login(reviewer), held, how, reason)
    assert answer.status_code == 422
    assert "reason" in answer.context["aside_form"].errors
    assert "Your decision" in answer.text
    if reason.strip("\0 ab"):
        assert reason in answer.text
    assert not Pass.objects.exists()
    assert not Recusal.objects.exists()
    assert Claim.objects.get().reviewer == reviewer


# --- Who reads it ----------------------------------------------------------------------------------------


def test_staff_read_it_in_the_history_and_the_artist_does_not(login, held, reviewer):
    """With the refusal of the next version too: an earlier version's history is part of the room."""
    queue.pass_on(held, by=reviewer, reason="<b>Not today</b>")
    queue.recuse(held, by=reviewer, reason=WHY)
    factories.decision(held, "refuse", note="The note.")
    later = factories.submission(held.clip)
    for submission in (held, later):
        room = login(factories.member("reviewer")).get(f"/desk/submissions/{submission.pk}/").text
        for word in (reviewer.name, WHY, "&lt;b&gt;Not today&lt;/b&gt;", "Passed on", "Recused", "The note."):
            assert word in room
    artist = login(held.artist)
    for path in (f"/studio/submissions/{held.pk}/", f"/studio/clips/{held.clip_id}/"):
        page = artist.get(path).text
        for word in (reviewer.name, WHY, "Not today", "Passed on", "Recused"):
            assert word not in page


def test_the_room_costs_the_same_with_1_and_with_10_who_stepped_aside(
    login, held, reviewer, django_assert_num_queries
):
    queue.release(held, by=reviewer)
    client, path = login(reviewer), f"/desk/submissions/{held.pk}/"
    factories.stepped_aside(held)
    client.get(path)
    with CaptureQueriesContext(connection) as one:
        client.get(path)
    for _number in range(9):
        factories.stepped_aside(held)
    with django_assert_num_queries(len(one)):
        assert client.get(path).text.count("The artist is a friend.") == 10


def test_a_failed_audit_undoes_a_recusal(held, reviewer):
    run("UPDATE accounts_audithead SET sequence = 0")
    with pytest.raises(IntegrityError), transaction.atomic():
        queue.recuse(held, by=reviewer, reason=WHY)
    assert not Recusal.objects.exists()
    assert Claim.objects.get().reviewer == reviewer
