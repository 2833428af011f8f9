"""The rules of a decision: who makes it, on what, with which words, and what happens to those who come too late."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from review import gate, queue, sealing
from review.models import Claim, Decision, Publication
from review.permissions import Conflict, NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db
NOTE = "Please send it without the logo, then it is fine."


@pytest.fixture
def submission():
    return factories.submission(title="A title")


@pytest.fixture
def held(submission, reviewer):
    assert queue.claim(submission, by=reviewer)
    return submission


def decide(client, submission, **data):
    data = {"content_hash": submission.content_hash, "outcome": "approve"} | data
    return client.post(f"/desk/submissions/{submission.pk}/decision/", data)


def test_an_approval_is_recorded_with_what_was_seen(login, held, reviewer):
    assert decide(login(reviewer), held).status_code == 302
    decision = Decision.objects.get(submission=held)
    assert (decision.outcome, decision.by, decision.content_hash) == ("approve", reviewer, held.content_hash)
    assert not Claim.objects.filter(submission=held).exists()
    assert not Publication.objects.exists(), "an approval alone publishes nothing"
    entry = AuditEntry.objects.order_by("sequence").last()
    assert (entry.act, entry.by, entry.subject) == ("submission.approved", reviewer, f"submission:{held.pk}")


def test_a_clip_goes_public_on_approval_if_its_artist_said_so(login, reviewer):
    submission = factories.submission(publish_on_approval=True)
    queue.claim(submission, by=reviewer)
    decide(login(reviewer), submission)
    slug = Publication.objects.get(by=submission.artist).slug
    assert login().get(f"/watch/{slug}/video.mp4").getvalue() == factories.bytes_of(submission)
    acts = AuditEntry.objects.order_by("sequence").values_list("act", "by")
    assert list(acts)[-2:] == [
        ("submission.approved", reviewer.pk),
        ("publication.created", submission.artist.pk),
    ]


def test_a_refusal_tells_the_artist_why(login, held, reviewer):
    assert (
        decide(login(reviewer), held, outcome="refuse", reasons=["rights", "hate"], note=NOTE).status_code
        == 302
    )
    decision = Decision.objects.get(submission=held)
    assert (decision.outcome, decision.reasons.split(), decision.note) == ("refuse", ["rights", "hate"], NOTE)
    page = login(held.artist).get(f"/studio/submissions/{held.pk}/").text
    assert NOTE in page
    assert "Hatred" in page
    assert reviewer.name not in page, "artists are told the role, not the person"


@pytest.mark.parametrize(
    "missing", [{"reasons": []}, {"note": ""}, {"note": "   "}, {"reasons": ["no-such-clause"]}]
)
def test_a_refusal_without_its_reasons_or_note_keeps_the_form_filled(login, held, reviewer, missing):
    data = {"outcome": "refuse", "reasons": ["rights", "hate"], "note": NOTE} | missing
    response = decide(login(reviewer), held, **data)
    assert response.status_code == 422
    assert not Decision.objects.exists()
    form = response.context["form"]
    assert set(form.errors) == set(missing)
    assert form["content_hash"].value() == held.content_hash
    if "note" not in missing:
        assert NOTE in response.text
    if "reasons" not in missing:
        assert response.text.count(" checked") == 2
    assert decide(login(reviewer), held).status_code == 302, "and the claim is still held"


@pytest.mark.parametrize("outcome", ["", "perhaps", "approve\0"])
def test_a_decision_is_one_of_two_words(login, held, reviewer, outcome):
    assert decide(login(reviewer), held, outcome=outcome, note=NOTE).status_code == 422
    assert not Decision.objects.exists()


def test_nobody_decides_on_their_own_clip(login, reviewer):
    own = factories.submission(artist=reviewer)
    assert not queue.claim(own, by=reviewer)
    assert queue.claim_next(reviewer) is None
    Claim.objects.create(submission=own, reviewer=reviewer, expires_at=timezone.now() + timedelta(hours=1))
    response = decide(login(reviewer), own)
    assert response.status_code == 409
    assert "own clip" in response.text
    with pytest.raises(NotAllowed, match="own clip"):
        gate.decide(own, by=reviewer, outcome="approve", content_hash=own.content_hash)
    assert not Decision.objects.exists()
    assert "somebody else decides" in login(reviewer).get(f"/desk/submissions/{own.pk}/").text


@pytest.mark.parametrize("role", ["artist", "admin"])
def test_only_reviewers_decide(login, submission, role):
    other = factories.member(role)
    Claim.objects.create(
        submission=submission, reviewer=other, expires_at=timezone.now() + timedelta(hours=1)
    )
    assert decide(login(other), submission).status_code == 403
    with pytest.raises(NotAllowed, match="Only reviewers"):
        gate.decide(submission, by=other, outcome="approve", content_hash=submission.content_hash)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("shown", ["0" * 64, "", "x", "A" * 64])
def test_a_page_that_showed_other_content_decides_nothing(login, held, reviewer, shown):
    response = decide(login(reviewer), held, content_hash=shown, note=NOTE)
    assert response.status_code == 409
    assert NOTE in response.text
    assert "another version" in response.text
    assert not Decision.objects.exists()


def test_the_content_of_one_clip_does_not_approve_another(login, held, reviewer):
    other = factories.submission()
    assert decide(login(reviewer), held, content_hash=other.content_hash).status_code == 409
    assert not Decision.objects.exists()


def test_a_lapsed_claim_decides_nothing(login, held, reviewer):
    Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = decide(login(reviewer), held, note=NOTE)
    assert response.status_code == 409
    assert "Claim it again" in response.text
    assert NOTE in response.text
    assert not Decision.objects.exists()
    assert queue.claim(held, by=reviewer)
    assert decide(login(reviewer), held, note=NOTE).status_code == 302


def test_without_a_claim_nothing_is_decided(login, submission, reviewer):
    assert decide(login(reviewer), submission).status_code == 409
    other = factories.member("reviewer")
    assert queue.claim(submission, by=other)
    assert decide(login(reviewer), submission).status_code == 409
    assert not Decision.objects.exists()


@pytest.mark.parametrize("outcome", ["approve", "refuse"])
def test_a_second_tab_is_told_and_gets_its_note_back(login, held, reviewer, outcome):
    tab = login(reviewer)
    assert decide(tab, held).status_code == 302
    response = decide(tab, held, outcome=outcome, reasons=["hate"], note=NOTE)
    assert response.status_code == 409
    assert NOTE in response.text
    assert "already" in response.text
    assert Decision.objects.get().is_approval


@pytest.mark.parametrize("late", ["withdrawn", "lapsed", "decided"])
def test_a_form_that_is_wrong_and_too_late_gives_its_note_back_too(login, held, reviewer, late):
    """A refusal without a clause can't be shown again where there is nothing to decide: the note must not be lost."""
    if late == "withdrawn":
        sealing.withdraw(held, by=held.artist)
    elif late == "lapsed":
        Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        decide(login(reviewer), held)
    response = decide(login(reviewer), held, outcome="refuse", note=NOTE)
    assert response.status_code == 409
    assert NOTE in response.text


def test_a_withdrawn_clip_is_not_decided_on(login, held, reviewer):
    sealing.withdraw(held, by=held.artist)
    response = decide(login(reviewer), held, note=NOTE)
    assert response.status_code == 409
    assert "withdrawn" in response.text
    assert NOTE in response.text
    assert not Decision.objects.exists()


def test_markup_in_a_note_stays_text(login, held, reviewer):
    decide(login(reviewer), held, outcome="refuse", reasons=["hate"], note="<script>alert(1)</script>")
    for page in (
        login(held.artist).get(f"/studio/submissions/{held.pk}/"),
        login(reviewer).get(f"/desk/submissions/{held.pk}/"),
    ):
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text


def test_a_failed_audit_undoes_the_decision(held, reviewer, monkeypatch):
    """No act without its trace: the chain's head is lost, so nothing can be recorded, and nothing is decided."""
    from accounts.models import AuditHead

    AuditHead.objects.update(sequence=0)  # the next entry collides with the first
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        gate.decide(held, by=reviewer, outcome="approve", content_hash=held.content_hash)
    assert not Decision.objects.exists()
    assert Claim.objects.filter(submission=held).exists()


def test_the_gate_itself_asks_for_reasons_and_a_note(held, reviewer):
    for words in ({"reasons": ["hate"]}, {"note": NOTE}):
        with pytest.raises(NotAllowed, match="names at least one clause"):
            gate.decide(held, by=reviewer, outcome="refuse", content_hash=held.content_hash, **words)
    with pytest.raises(Conflict):
        gate.decide(held, by=reviewer, outcome="approve", content_hash="0" * 64)
    assert not Decision.objects.exists()
