"""The silent second look: chosen so that nobody can foretell it, blind to what the first one did, without effect."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, exclusion
from review import gate, second_looks
from review.models import Decision, Publication, SecondLook, Submission
from review.permissions import Conflict, NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db
FIRST, NOTE = "Frida First", "The note of the first."


@pytest.fixture(autouse=True)
def every_one(settings):
    settings.SECOND_LOOK = 1.0


@pytest.fixture
def first(db):
    return factories.member("reviewer", name=FIRST)


@pytest.fixture
def refused(first):
    return factories.decision(factories.submission(title="Refused"), "refuse", by=first, note=NOTE)


@pytest.fixture
def approved(first):
    return factories.decision(factories.submission(title="Approved"), by=first, note=NOTE)


def room(submission) -> str:
    return f"/desk/submissions/{submission.pk}/"


def look(submission) -> str:
    return f"/desk/second-looks/{submission.pk}/"


# --- Which ones ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0, 0.05, 0.5, 1])
def test_a_share_is_chosen_and_always_the_same_ones(settings, share):
    settings.SECOND_LOOK = share
    chosen = [number for number in range(20_000) if second_looks.is_chosen(number)]
    assert abs(len(chosen) - share * 20_000) <= 300
    assert chosen == [number for number in range(20_000) if second_looks.is_chosen(number)]


def test_another_key_chooses_others_and_a_larger_share_keeps_those_that_were_chosen(settings):
    settings.SECOND_LOOK = 0.05
    chosen = {number for number in range(5000) if second_looks.is_chosen(number)}
    settings.SECOND_LOOK = 0.1
    assert chosen < {number for number in range(5000) if second_looks.is_chosen(number)}
    settings.SECOND_LOOK, settings.SECRET_KEY = 0.05, "another key, which is long enough to be one"
    others = {number for number in range(5000) if second_looks.is_chosen(number)}
    assert len(chosen & others) < len(chosen) / 4


def test_what_is_not_chosen_waits_for_nobody(settings, login, refused, reviewer):
    settings.SECOND_LOOK = 0
    client = login(reviewer)
    assert client.get(look(refused.submission)).status_code == 404
    assert client.post(look(refused.submission), {"outcome": "approve"}).status_code == 404
    assert NOTE in client.get(room(refused.submission)).text
    with pytest.raises(Conflict):
        second_looks.say(refused.submission, by=reviewer, outcome="approve")


# --- The way ---------------------------------------------------------------------------------------------


def test_a_second_reviewer_says_what_they_would_have_decided(login, refused, reviewer):
    client = login(reviewer)
    assert look(refused.submission) in client.get("/desk/second-looks/").text
    page = client.get(look(refused.submission))
    assert "What would you have decided?" in page.text
    assert {"private", "no-store"} <= set(page["Cache-Control"].split(", "))
    sent = {"outcome": "refuse", "reasons": ["hate", "rights"], "note": " A note for leads. "}
    answer = client.post(look(refused.submission), sent)
    assert (answer.status_code, answer.url) == (302, look(refused.submission))
    made = SecondLook.objects.get()
    assert (made.decision, made.by, made.outcome, made.reasons) == (
        refused,
        reviewer,
        "refuse",
        "rights hate",
    )
    assert (made.note, made.policy_version) == ("A note for leads.", refused.policy_version)
    told = client.get(answer.url).text
    assert "You agree" in told
    assert FIRST in told
    assert NOTE in client.get(room(refused.submission)).text
    assert look(refused.submission) in client.get("/desk/second-looks/").text, "one's own are found again"
    entry = AuditEntry.objects.get(act="submission.looked_again")
    assert (entry.by, entry.words) == (reviewer, "")


def test_it_changes_nothing_for_the_clip(login, approved, reviewer):
    publication = gate.publish(approved.submission, by=approved.submission.artist)
    before = Decision.objects.values().get(), Publication.objects.values().get()
    login(reviewer).post(look(approved.submission), {"outcome": "refuse", "reasons": ["hate"]})
    assert SecondLook.objects.get().agrees is False
    assert (Decision.objects.values().get(), Publication.objects.values().get()) == before
    assert login().get(f"/watch/{publication.slug}/").status_code == 200
    page = login(approved.submission.artist).get(f"/studio/submissions/{approved.submission.pk}/").text
    assert reviewer.name not in page
    assert "econd look" not in page
    assert "econd look" not in login(approved.by).get(room(approved.submission)).text


def test_said_twice_it_is_said_once_and_another_opinion_is_too_late(login, refused, reviewer):
    client = login(reviewer)
    for _click in range(2):
        assert client.post(look(refused.submission), {"outcome": "approve"}).status_code == 302
    changed = client.post(
        look(refused.submission), {"outcome": "refuse", "reasons": ["hate"], "note": "Kept."}
    )
    assert changed.status_code == 409
    assert "Kept." in changed.text
    other = login(factories.member("reviewer"))
    late = other.post(look(refused.submission), {"outcome": "approve"})
    assert late.status_code == 409
    assert "taken already" in late.text
    assert other.get(look(refused.submission)).url == room(refused.submission), (
        "its room is open to all again"
    )
    assert NOTE in other.get(room(refused.submission)).text
    assert SecondLook.objects.get().outcome == "approve"


@pytest.mark.parametrize(
    "sent, words",
    [
        ({}, "Say whether you would approve or refuse."),
        ({"outcome": "maybe"}, "maybe"),
        ({"outcome": "refuse"}, "A refusal names at least one clause"),
        ({"outcome": "approve", "reasons": ["hate"]}, "An approval has no reasons"),
        ({"outcome": "refuse", "reasons": ["invented"]}, "invented"),
        ({"outcome": "approve", "note": "x" * 1001}, "1000"),
    ],
)
def test_what_can_t_be_said_comes_back_with_a_sentence(login, refused, reviewer, sent, words):
    answer = login(reviewer).post(look(refused.submission), {"note": "Typed."} | sent)
    assert answer.status_code == 422
    assert words in answer.text
    assert "Typed." in answer.text or "note" in sent
    assert NOTE not in answer.text
    assert not SecondLook.objects.exists()


def test_both_judge_by_the_same_version_of_the_policy(login, refused, reviewer):
    factories.policy_version(without=("hate",))
    page = login(reviewer).get(look(refused.submission)).text
    assert 'value="hate"' in page
    login(reviewer).post(look(refused.submission), {"outcome": "refuse", "reasons": ["hate"]})
    assert SecondLook.objects.get().clauses[0].code == "hate"


def test_it_shows_what_was_asked_without_names(login, first, reviewer):
    submission = factories.submission()
    factories.asked(submission, by=first, answer="My own song.")
    factories.decision(submission, by=first)
    page = login(reviewer).get(look(submission)).text
    assert "My own song." in page
    assert FIRST not in page


# --- Who -------------------------------------------------------------------------------------------------


def test_the_first_reviewer_can_t_tell_that_there_is_one(login, refused, first, settings):
    """Chosen or not, each page is the same to them."""

    def told():
        client = login(first)
        paths = (look(refused.submission), room(refused.submission), "/desk/", "/desk/second-looks/")
        return [(answer.status_code, answer.text) for answer in map(client.get, paths)]

    chosen = told()
    settings.SECOND_LOOK = 0
    assert [status for status, _text in chosen] == [404, 200, 200, 200]
    for (status, text), (other_status, other_text) in zip(chosen, told(), strict=True):
        assert status == other_status
        assert without_tokens(text) == without_tokens(other_text)


def without_tokens(page: str) -> str:
    """And without what the time that passes between two looks changes."""
    lines = (line for line in page.splitlines() if "csrfmiddlewaretoken" not in line)
    return re.sub(r"\d+ seconds?", "", "\n".join(lines))


def test_neither_the_artist_nor_who_is_recused_nor_others_than_reviewers_look_again(login, first):
    artist = factories.member("reviewer")
    submission = factories.submission(artist=artist)
    recused = factories.stepped_aside(submission)
    factories.decision(submission, by=first)
    assert login(artist).get(look(submission)).status_code == 404
    assert login(recused).get(look(submission)).url == room(submission)
    assert login(recused).post(look(submission), {"outcome": "approve"}).status_code == 409
    for role in ("artist", "admin"):
        assert login(factories.member(role)).get(look(submission)).status_code == 403
    for nobody in (artist, recused, first):
        assert second_looks.open_to(nobody) == []
        with pytest.raises(NotAllowed):
            second_looks.say(submission, by=nobody, outcome="approve")
    suspended = factories.member("reviewer")
    exclusion.suspend(suspended.membership, by=factories.member("admin"), reason="A reason.")
    with pytest.raises(NotAllowed):
        second_looks.say(submission, by=suspended, outcome="approve")
    assert not SecondLook.objects.exists()


def test_what_has_told_its_outcome_is_open_to_nobody(login, approved, refused, reviewer, first):
    public = gate.publish(approved.submission, by=approved.submission.artist)
    assert second_looks.open_to(reviewer) == [approved.pk, refused.pk]
    gate.take_down(public, by=approved.submission.artist)
    factories.submission(refused.submission.clip)
    assert second_looks.open_to(reviewer) == []
    assert login(reviewer).get(look(approved.submission)).url == room(approved.submission)
    assert login(reviewer).post(look(refused.submission), {"outcome": "approve"}).status_code == 409
    erased = factories.decision(factories.submission(), by=first)
    assert second_looks.open_to(reviewer) == [erased.pk]
    Submission.objects.filter(pk=erased.submission_id).update(
        title="", statement="", content="", erased_at=timezone.now()
    )
    assert second_looks.open_to(reviewer) == []
    assert login(reviewer).get(room(erased.submission)).status_code == 200


def test_after_a_week_its_room_opens_to_all(login, refused, reviewer, monkeypatch):
    assert login(reviewer).get(room(refused.submission)).url == look(refused.submission)
    monkeypatch.setattr(second_looks, "OPEN_FOR", timedelta(0))
    assert NOTE in login(reviewer).get(room(refused.submission)).text
    assert login(reviewer).get(look(refused.submission)).url == room(refused.submission)
    assert login(reviewer).post(look(refused.submission), {"outcome": "approve"}).status_code == 409


# --- Blind -----------------------------------------------------------------------------------------------


@pytest.fixture
def telling(first):
    """A refusal whose artist has other works at the desk, one of them of the same origin: all that could tell it."""
    artist = factories.member()
    one = factories.clip(artist, "the first take")
    judged = factories.submission(one, title="The judged one")
    decision = factories.decision(
        judged,
        "refuse",
        by=first,
        reasons=["likeness"],
        note=NOTE,
        said_of_frames=[{"first_frame": 1, "last_frame": 2, "text": "Said of a frame.", "drawing": ""}],
    )
    child = factories.clip(artist, "the second take", parent=one.job)
    waiting = factories.submission(child, title="Of the same origin")
    other = factories.submission(artist=artist, title="Another work")
    return decision, [waiting, other]


SECRETS = (FIRST, NOTE, "Said of a frame.", 'data-state="refused"', "1 refused")


def reached(client, decision, others) -> dict[str, str]:
    """Each page and each answer of the desk that could tell how it was decided, as this reviewer gets it."""
    pk = decision.submission_id
    gets = [
        "/desk/",
        "/desk/?show=held",
        "/desk/?show=late",
        "/desk/second-looks/",
        look(decision.submission),
    ]
    gets += [room(decision.submission), f"{room(decision.submission)}copy/", "/inbox/"]
    gets += [room(each) for each in others]
    gets += [f"{room(each)}beside/{pk}/" for each in others]
    gets += [f"{room(decision.submission)}beside/{each.pk}/" for each in others]
    told = {path: client.get(path, follow=True).text for path in gets}
    hashed = {"content_hash": decision.content_hash}
    posts = {
        "claim/": {},
        "question/": {},
        "pass/": {},
        "recusal/": {"reason": "Mine."},
        "release/": {},
        "decision/": hashed | {"outcome": "approve"},
        "renewal/": {},
        "handover/": {},
    }
    for act, data in posts.items():
        path = room(decision.submission) + act
        told[f"POST {path}"] = client.post(path, data, follow=True).text
    path = room(decision.submission) + "decision/"
    told["a decision without an outcome"] = client.post(path, hashed, follow=True).text
    return told


@pytest.mark.parametrize("role", ["reviewer", "lead"])
def test_nothing_that_the_second_reviewer_can_reach_tells_the_outcome(login, telling, role, settings):
    decision, others = telling
    settings.SECOND_LOOK = 0
    open_to_all = "".join(reached(login(factories.member(role)), decision, others).values())
    assert {secret for secret in SECRETS if secret in open_to_all} == set(SECRETS), (
        "there is something to tell"
    )
    settings.SECOND_LOOK = 1.0
    told = reached(login(factories.member(role)), decision, others)
    found = {(path, secret) for path, text in told.items() for secret in SECRETS if secret in text}
    assert found == set()


def test_once_it_is_said_all_of_it_is_told(login, telling, reviewer):
    decision, others = telling
    client = login(reviewer)
    client.post(look(decision.submission), {"outcome": "approve"})
    told = "".join(reached(client, decision, others).values())
    assert {secret for secret in SECRETS if secret in told} == set(SECRETS)


# --- Leads, and the price ----------------------------------------------------------------------------------


def test_a_lead_sees_where_two_disagreed(login, refused, approved, reviewer):
    second_looks.say(refused.submission, by=reviewer, outcome="approve", note="I see nothing wrong in it.")
    second_looks.say(approved.submission, by=reviewer, outcome="approve")
    page = login(factories.member("lead")).get("/desk/second-looks/disagreements/").text
    assert room(refused.submission) in page
    assert "I see nothing wrong in it." in page
    assert FIRST in page
    assert reviewer.name in page
    assert room(approved.submission) not in page
    for role in ("reviewer", "admin", "artist"):
        assert login(factories.member(role)).get("/desk/second-looks/disagreements/").status_code == 403


def cost(client, path) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_the_pages_cost_the_same_with_one_row_and_with_many(login, first, reviewer):
    lead, viewer = factories.member("lead"), factories.member("reviewer")
    paths = {"/desk/second-looks/": viewer, "/desk/second-looks/disagreements/": lead}

    def made():
        open_one = factories.decision(factories.submission(), by=first)
        seen = factories.decision(factories.submission(), "refuse", by=first)
        second_looks.say(seen.submission, by=reviewer, outcome="approve")
        return open_one

    one = made()
    before = {path: cost(login(who), path) for path, who in paths.items()}
    page = cost(login(viewer), look(one.submission))
    for _number in range(7):
        made()
    assert {path: cost(login(who), path) for path, who in paths.items()} == before
    assert cost(login(viewer), look(one.submission)) == page
