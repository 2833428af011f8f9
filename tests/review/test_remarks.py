"""Remarks on frames: made with a decision or not at all, about frames that there are, and the artist's alone."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from review import drawing, gate, queue, remarks, sealing
from review.models import Claim, Decision, Remark
from review.permissions import Conflict, NotAllowed
from tests import factories
from tests.gate_sql import REFUSED, lowered, run

pytestmark = pytest.mark.django_db
BOX = "box 1000 2000 5000 6000"
LINE = "line 0 0 10 20 10000 10000"
EVIL = "<script>alert(1)</script><svg onload=alert(2)>"


@pytest.fixture
def held(reviewer):
    submission = factories.submission(title="A title")
    assert queue.claim(submission, by=reviewer)
    return submission


def row(first=3, last="", text="A hand with six fingers.", drawing=""):
    return {"first_frame": first, "last_frame": last, "text": text, "drawing": drawing}


def refuse(client, submission, *rows, **data):
    sent = {
        "content_hash": submission.content_hash,
        "outcome": "refuse",
        "reasons": ["broken"],
        "note": "Why.",
    }
    sent |= {"remarks-TOTAL_FORMS": len(rows), "remarks-INITIAL_FORMS": 0}
    for number, each in enumerate(rows):
        sent |= {f"remarks-{number}-{name}": value for name, value in each.items()}
    return client.post(f"/desk/submissions/{submission.pk}/decision/", sent | data)


def said(first=3, last=3, text="Here.", drawing=""):
    return {"first_frame": first, "last_frame": last, "text": text, "drawing": drawing}


def decide(submission, by, *remarks, outcome="refuse"):
    more = {"reasons": ["broken"], "note": "Why."} if outcome == "refuse" else {}
    given = {"content_hash": submission.content_hash, "outcome": outcome, "said_of_frames": list(remarks)}
    return gate.decide(submission, by=by, **given, **more)


# --- Made with the decision ----------------------------------------------------------------------------------


def test_they_are_kept_with_the_refusal_and_shown_to_its_artist(login, held, reviewer):
    rows = [row(drawing="box 5000 6000 1000 2000"), row(4, 9, "It\nflickers.", LINE)]
    assert refuse(login(reviewer), held, *rows).status_code == 302
    decision = Decision.objects.get(submission=held)
    assert decision.remark_count == 2
    kept = decision.remarks.values_list("number", "first_frame", "last_frame", "text", "drawing")
    assert list(kept) == [(1, 3, 3, "A hand with six fingers.", BOX), (2, 4, 9, "It\nflickers.", LINE)]
    for client, path in (
        (login(held.artist), f"/studio/submissions/{held.pk}/"),
        (login(factories.member("reviewer")), f"/desk/submissions/{held.pk}/"),
    ):
        page = client.get(path).text
        assert "A hand with six fingers." in page
        assert "Frames 4–9" in page
        assert f'data-drawing="{BOX}"' in page
        assert '<rect x="12.8" y="25.6" width="51.2" height="51.2"/>' in page  # of 128 × 128
        assert '<polyline points="0.0,0.0 0.1,0.3 128.0,128.0"/>' in page


def test_what_is_said_on_frames_can_stand_for_the_note(login, held, reviewer):
    assert refuse(login(reviewer), held, row(), row(4, 9, "It flickers."), note=" ").status_code == 302
    assert Decision.objects.get().note == "Frame 3: A hand with six fingers.\nFrames 4–9: It flickers."


def test_blank_rows_and_a_form_without_any_say_nothing(login, held, reviewer):
    blank = row("", "", "", "")
    assert refuse(login(reviewer), held, blank, blank).status_code == 302
    assert Decision.objects.get().remark_count == 0
    other = factories.submission()
    queue.claim(other, by=reviewer)
    sent = {"content_hash": other.content_hash, "outcome": "approve"}
    assert login(reviewer).post(f"/desk/submissions/{other.pk}/decision/", sent).status_code == 302
    assert not Remark.objects.exists()


@pytest.mark.parametrize(
    "wrong,sentence",
    [
        (row(0), "greater than or equal to 1"),
        (row(13), "This clip has 12 frames."),
        (row(3, 13), "This clip has 12 frames."),
        (row(5, 4), "The last frame comes before the first."),
        (row("three"), "Enter a whole number."),
        (row("NaN"), "Enter a whole number."),
        (row("1e3"), "Enter a whole number."),
        (row(""), "This field is required."),
        (row(text=" "), "This field is required."),
        (row(text="x" * 501), "at most 500 characters"),
        (row(drawing="<svg/>"), "This drawing can&#x27;t be read."),
        (row(drawing="line NaN 0 1 1"), "This drawing can&#x27;t be read."),
        (row(drawing="box 0 0 10001 5"), "This drawing can&#x27;t be read."),
        (row(drawing="x" * 5000), "at most 1445 characters"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(login, held, reviewer, wrong, sentence):
    answer = refuse(login(reviewer), held, wrong, row(5, 6, "Another, which is fine."))
    assert answer.status_code == 422
    for words in (sentence, "Another, which is fine.", "Why."):
        assert words in answer.text
    assert not Decision.objects.exists()
    assert not Remark.objects.exists()


@pytest.mark.parametrize("count", [21, 22, 10_000, "x"])
def test_more_rows_than_there_may_be_are_refused_whole(login, held, reviewer, count):
    rows = [row(1 + number % 12, text=f"No. {number}") for number in range(22)]
    answer = refuse(login(reviewer), held, *rows, **{"remarks-TOTAL_FORMS": count})
    assert answer.status_code == 422
    assert not Decision.objects.exists()


def test_the_next_clip_is_claimed_with_the_decision_if_asked(login, held, reviewer):
    following = factories.submission()
    answer = refuse(login(reviewer), held, row(), then_next="on")
    assert answer["Location"] == f"/desk/submissions/{following.pk}/"
    assert list(Claim.objects.values_list("submission", "reviewer")) == [(following.pk, reviewer.pk)]
    answer = refuse(login(reviewer), following, then_next="on")
    assert answer["Location"] == "/desk/", "nothing is left"
    assert not Claim.objects.exists()


def test_a_refused_decision_claims_nothing_more(login, held, reviewer):
    factories.submission()
    assert refuse(login(reviewer), held, row(99), then_next="on").status_code == 422
    queue.release(held, by=reviewer)
    assert refuse(login(reviewer), held, row(), then_next="on").status_code == 409
    assert not Claim.objects.exists()


def test_twenty_are_not_too_many(login, held, reviewer):
    assert refuse(login(reviewer), held, *[row() for _ in range(20)]).status_code == 302
    assert Remark.objects.count() == 20


def test_a_decision_that_comes_too_late_gives_them_back(login, held, reviewer):
    queue.release(held, by=reviewer)
    answer = refuse(login(reviewer), held, row(4, 9, "It flickers."), row(13, text="Beyond the end."))
    assert answer.status_code == 409
    for words in ("Frames 4–9: It flickers.", "Frame 13: Beyond the end.", "Why."):
        assert words in answer.text
    assert not Remark.objects.exists()


def test_words_are_never_markup(login, held, reviewer):
    answer = refuse(login(reviewer), held, row(99, text=EVIL, drawing=f'box"{EVIL}'))
    assert answer.status_code == 422
    assert EVIL not in answer.text
    assert refuse(login(reviewer), held, row(text=EVIL)).status_code == 302
    for client, path in (
        (login(held.artist), f"/studio/submissions/{held.pk}/"),
        (login(reviewer), f"/desk/submissions/{held.pk}/"),
    ):
        page = client.get(path).text
        assert EVIL not in page
        assert "&lt;script&gt;alert(1)" in page


def test_a_drawing_that_was_forged_in_the_database_is_not_drawn(login, held, reviewer):
    decide(held, reviewer, said())
    with lowered():
        Remark.objects.update(drawing=f'box 1 2 3 "/>{EVIL}')
    page = login(held.artist).get(f"/studio/submissions/{held.pk}/").text
    assert "alert(2)" not in page
    assert "data-drawing" not in page


# --- Who ---------------------------------------------------------------------------------------------------


def test_nobody_else_makes_them(login, held, reviewer):
    for somebody, status in (
        (None, 302),
        (held.artist, 403),
        (factories.member(), 403),
        (factories.member("admin"), 403),
        (factories.member("reviewer"), 409),
    ):
        assert refuse(login(somebody) if somebody else login(), held, row()).status_code == status
    assert not Remark.objects.exists()
    assert Claim.objects.get().reviewer == reviewer


def test_none_on_what_was_withdrawn(login, held, reviewer):
    sealing.withdraw(held, by=held.artist)
    answer = refuse(login(reviewer), held, row())
    assert answer.status_code == 409
    assert "withdrawn" in answer.text
    assert "A hand with six fingers." in answer.text
    with pytest.raises(Conflict):
        decide(held, reviewer, said())
    assert not Remark.objects.exists()


def test_they_are_the_artists_alone_and_never_public(login, reviewer):
    held = factories.submission(publish_on_approval=True)
    queue.claim(held, by=reviewer)
    decide(held, reviewer, said(text="Lovely light here."), outcome="approve")
    slug = Decision.objects.get().publication.slug
    assert "Lovely light here." in login(held.artist).get(f"/studio/submissions/{held.pk}/").text
    for client, path, status in (
        (login(), f"/watch/{slug}/", 200),
        (login(factories.member()), f"/watch/{slug}/", 200),
        (login(held.artist), f"/watch/{slug}/", 200),
        (login(), "/", 200),
        (login(factories.member()), f"/studio/submissions/{held.pk}/", 404),
        (login(factories.member("admin")), f"/studio/submissions/{held.pk}/", 404),
    ):
        answer = client.get(path)
        assert answer.status_code == status
        assert "Lovely light" not in answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        said(0),
        said(13, 13),
        said(5, 4),
        said(text=" "),
        said(text="x" * 501),
        said(drawing="box 1 2"),
        said(2, 99),
    ],
)
def test_the_gate_looks_for_itself(held, reviewer, wrong):
    with pytest.raises(NotAllowed):
        decide(held, reviewer, said(), wrong)
    with pytest.raises(NotAllowed):
        decide(held, reviewer, *[said()] * 21)
    assert not Decision.objects.exists()


# --- What the database refuses ----------------------------------------------------------------------------


def insert(decision, number, *, first=1, last=1, text="Forged.", drawing="", erased_at=None):
    columns = "decision_id, number, first_frame, last_frame, text, drawing, erased_at"
    values = (decision.pk, number, first, last, text, drawing, erased_at)
    run(f"INSERT INTO review_remark ({columns}) VALUES (%s, %s, %s, %s, %s, %s, %s)", *values)


def refused(act, *args, words=REFUSED, **kwargs):
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        act(*args, **kwargs)


def test_none_is_added_after_the_decision(held, reviewer):
    decision = decide(held, reviewer, said(), said(4, 9))
    for number in (0, 1, 2, 3, 20, 21):
        refused(insert, decision, number)
    bare = decide_another(reviewer)
    refused(insert, bare, 1)
    refused(run, "UPDATE review_decision SET remark_count = 5")
    refused(run, "UPDATE review_decision SET remark_count = NULL")


def decide_another(reviewer):
    other = factories.submission()
    queue.claim(other, by=reviewer)
    return decide(other, reviewer)


def test_older_decisions_have_none(held, reviewer):
    decision = decide(held, reviewer)
    with lowered():
        Decision.objects.update(remark_count=None)
    refused(insert, decision, 1)


def test_none_is_changed_or_deleted(held, reviewer):
    decide(held, reviewer, said(text="One.", drawing=BOX), said(text="Two."))
    for change in (
        "text = 'Another.'",
        "drawing = ''",
        "first_frame = 2",
        "last_frame = 12",
        "number = 7",
        "text = '', drawing = ''",
        "text = '', erased_at = '2026-11-25 12:00:00'",
    ):
        refused(run, f"UPDATE review_remark SET {change} WHERE number = 1")
    refused(run, "DELETE FROM review_remark")
    erased = "UPDATE review_remark SET text = '', drawing = '', erased_at = %s WHERE number = 1"
    run(erased, timezone.now())
    refused(run, erased, timezone.now())
    assert Remark.objects.get(number=1).drawn is None


def test_a_decision_that_fails_leaves_none(held, reviewer):
    run("UPDATE accounts_audithead SET sequence = 0")
    with pytest.raises(IntegrityError), transaction.atomic():
        decide(held, reviewer, said())
    assert not Remark.objects.exists()


def test_frames_that_the_clip_does_not_have_are_refused_below_the_gate(held, reviewer, monkeypatch):
    monkeypatch.setattr(remarks, "check", lambda *args, **kwargs: None)
    for wrong in (said(1, 13), said(0, 1), said(5, 4), said(text="")):
        with pytest.raises(IntegrityError), transaction.atomic():
            decide(held, reviewer, wrong)
    assert not Decision.objects.exists()


def test_an_erased_decision_gets_none(held, reviewer):
    decision = decide(held, reviewer, said())
    with lowered():
        Remark.objects.all().delete()
    Decision.objects.filter(pk=decision.pk).update(note="", erased_at=timezone.now())
    refused(insert, decision, 1)


# --- Drawings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [BOX, LINE, "line 0 0 0 0", "line " + " ".join(["10000 0"] * 120)])
def test_a_drawing_is_read_as_it_is_written(text):
    assert str(drawing.read(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "box",
        "box 1 2 3",
        "box 1 2 3 4 5 6",
        "box 5 5 5 9",
        "line 1 2",
        "line 1 2 3 4 5",
        "line -1 2 3 4",
        "line 1.5 2 3 4",
        "line 1e3 2 3 4",
        "line nan nan nan nan",
        "line inf 1 2 3",
        "line 10001 0 0 0",
        "line 99999 0 0 0",
        "line 100000 0 0 0",
        "line 01 2 3 4",
        "line \u0661 2 3 4",
        "line 1  2 3 4",
        "line 1 2 3 4\n",
        " line 1 2 3 4",
        "path M0 0L1 1",
        "line " + " ".join(["0 0"] * 121),
        "line " + "9" * 100_000,
    ],
)
def test_what_is_no_drawing_is_not_read(text):
    with pytest.raises(drawing.NotADrawing):
        drawing.read(text)
