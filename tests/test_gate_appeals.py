"""Appeals by raw SQL: once, by the artist, heard by somebody who took no part; and who decides on what one opens."""

from types import SimpleNamespace

import pytest
from django.utils import timezone

from accounts.models import exclusion, roles
from review import appealing, gate, queue, sealing
from review.models import Appeal, Decision, Milestone, Submission
from review.rules.appeals import MOST_WRITTEN

from . import factories
from .gate_sql import fresh_id, insert, key, new_decision, refused, run

pytestmark = pytest.mark.usefixtures("gate_database")
UNFIT_WORDS = ["", "   ", "x" * (MOST_WRITTEN + 1)]


def new_appeal(on: Submission, **changes) -> tuple:
    decision = Decision.objects.get(submission=on)
    takedown = getattr(getattr(decision, "publication", None), "takedown", None)
    row = {
        "id": fresh_id(),
        "submission_id": key(on),
        "refusal_id": None if takedown else decision.pk,
        "takedown_id": takedown and takedown.pk,
        "by_id": key(on.artist),
        "at": timezone.now(),
        "due_at": timezone.now(),
        "text": "Look again.",
    }
    return insert(row | changes, "review_appeal")


def new_message(in_: Appeal, by, **changes) -> tuple:
    row = {"appeal_id": key(in_), "by_id": key(by), "at": timezone.now(), "text": "Whose is it?"}
    return insert(row | changes, "review_appealmessage")


def new_dismissal(of: Appeal, by, **changes) -> tuple:
    row = {"appeal_id": key(of), "by_id": key(by), "at": timezone.now(), "note": "It stands."}
    return insert(row | changes, "review_dismissal")


def new_upholding(of: Appeal, by, opened: Submission, **changes) -> tuple:
    row = {"appeal_id": key(of), "by_id": key(by), "at": timezone.now(), "submission_id": key(opened)}
    return insert(row | changes, "review_upholding")


@pytest.fixture
def refusal(made):
    return factories.decision(factories.submission(), "refuse").submission


@pytest.fixture
def hearer(made):
    return factories.member("reviewer")


@pytest.fixture
def parts(made):
    """A refused clip, and everybody who had a part in it, by how: over two versions and an appeal."""
    first = factories.submission()
    asker, decider, dismisser, last = (factories.member("reviewer") for _ in range(4))
    factories.asked(first, by=asker, answer="Mine.")
    aside = factories.stepped_aside(first)
    passer = factories.member("reviewer")
    assert queue.claim(first, by=passer)
    queue.pass_on(first, by=passer, reason="Another time.")
    factories.decision(first, "refuse", by=decider)
    appealing.dismiss(factories.appeal(first, hearer=dismisser), by=dismisser, note="It stands.")
    second = factories.submission(first.clip)
    factories.decision(second, "refuse", by=last)
    people = {"asker": asker, "recused": aside, "passer": passer, "decider": decider}
    people |= {"dismisser": dismisser, "last": last, "artist": first.artist}
    return SimpleNamespace(submission=second, people=people)


PARTS = ["asker", "recused", "passer", "decider", "dismisser", "last", "artist"]


def test_what_may_be_appealed_can_be(refusal, hearer, made):
    run(*new_appeal(refusal))
    appeal = Appeal.objects.get(submission=refusal)
    run(*new_message(appeal, hearer))
    run(*new_message(appeal, refusal.artist))
    run(*new_dismissal(appeal, hearer))
    run(*new_appeal(made.ended.submission))


def test_only_the_artist_appeals_and_only_what_went_against_them(refusal, hearer, made):
    refused(*new_appeal(refusal, by_id=key(hearer)))
    for on in (made.approved.submission, made.live.submission):
        refused(*new_appeal(on))
    own = factories.publication()
    gate.take_down(own, by=own.submission.artist)
    refused(*new_appeal(Submission.objects.get(pk=own.submission.pk)))


def test_an_appeal_is_against_the_act_that_its_submission_came_to(refusal, made):
    takedown = made.ended.takedown
    refused(*new_appeal(refusal, refusal_id=made.refused.pk))
    refused(*new_appeal(refusal, refusal_id=None, takedown_id=takedown.pk))
    for both in ({"takedown_id": takedown.pk}, {"refusal_id": None}):
        refused(*new_appeal(refusal, **both), words="")


def test_an_appeal_is_made_once_and_not_past_a_later_version(refusal, made):
    taken_back = factories.submission(refusal.clip)
    refused(*new_appeal(refusal))
    sealing.withdraw(taken_back, by=refusal.artist)
    run(*new_appeal(refusal))
    refused(*new_appeal(refusal), words="")


def test_what_was_refused_on_appeal_is_not_appealed_again(hearer):
    opened = factories.upheld(by=hearer)
    gate.decide(
        opened,
        by=hearer,
        outcome="refuse",
        content_hash=opened.content_hash,
        reasons=["rights"],
        note="After all.",
    )
    refused(*new_appeal(opened))


@pytest.mark.parametrize("who", PARTS)
def test_whoever_took_part_neither_hears_nor_ends_an_appeal(parts, who, hearer):
    appeal = factories.appeal(parts.submission)
    by = parts.people[who]
    if who != "artist":  # whose thread it is
        refused(*new_message(appeal, by))
    refused(*new_dismissal(appeal, by))
    opened = appealing._same_again(appeal.submission)
    refused(*new_upholding(appeal, by, opened))
    run(*new_upholding(appeal, hearer, opened))


def test_who_took_it_down_hears_no_appeal_about_that(made):
    appeal = factories.appeal(made.ended.submission)
    by = made.ended.takedown.by
    refused(*new_dismissal(appeal, by))
    refused(*new_upholding(appeal, by, appealing._same_again(appeal.submission)))


def test_an_appeal_ends_once(refusal, hearer):
    appeal = factories.appeal(refusal)
    opened = appealing._same_again(refusal)
    run(*new_dismissal(appeal, hearer))
    other = factories.member("reviewer")
    refused(*new_dismissal(appeal, other))
    refused(*new_upholding(appeal, other, opened))
    for by in (refusal.artist, hearer):
        refused(*new_message(appeal, by))


def test_an_upheld_appeal_is_not_dismissed(hearer):
    upheld = factories.upheld(by=hearer).upholding
    for by in (hearer, factories.member("reviewer")):
        refused(*new_dismissal(upheld.appeal, by))


def test_an_upheld_appeal_opens_the_same_content_undecided_and_nothing_else(refusal, hearer, made):
    appeal = factories.appeal(refusal)
    for other in (made.waiting, refusal, factories.submission(artist=refusal.artist)):
        refused(*new_upholding(appeal, hearer, other))
    changed = factories.submission(factories.clip(refusal.artist))
    refused(*new_upholding(appeal, hearer, changed))
    opened = appealing._same_again(refusal)
    factories.decision(opened)
    refused(*new_upholding(appeal, hearer, opened))


@pytest.mark.parametrize("words", UNFIT_WORDS)
def test_each_says_something_and_not_too_much(refusal, hearer, words):
    refused(*new_appeal(refusal, text=words))
    appeal = factories.appeal(refusal)
    refused(*new_message(appeal, hearer, text=words))
    refused(*new_dismissal(appeal, hearer, note=words))


def test_none_is_born_erased(refusal, hearer):
    refused(*new_appeal(refusal, erased_at=timezone.now()))
    appeal = factories.appeal(refusal)
    refused(*new_message(appeal, hearer, erased_at=timezone.now()))
    refused(*new_dismissal(appeal, hearer, erased_at=timezone.now()))


# --- Who decides on what an appeal opened -----------------------------------------------------------


def opened_for(hearer, parts=None) -> Submission:
    return factories.upheld(parts and parts.submission, by=hearer)


def test_its_hearer_decides_on_what_an_appeal_opened_and_nobody_else(hearer):
    opened = opened_for(hearer)
    refused(*new_decision(opened, factories.member("reviewer")))
    run(*new_decision(opened, hearer, reasons=""))


@pytest.mark.parametrize("how", ["suspended", "ended", "demoted", "recused", "late"])
def test_somebody_new_decides_where_its_hearer_cannot_and_never_who_took_part(parts, hearer, admin, how):
    opened = opened_for(hearer, parts)
    somebody = factories.member("reviewer")
    refused(*new_decision(opened, somebody))
    match how:
        case "suspended":
            suspension = exclusion.suspend(hearer.membership, by=admin, reason="Why.")
        case "ended":
            exclusion.end(hearer.membership, by=admin, reason="Why.")
        case "demoted":
            roles.change_role(hearer.membership, "artist", by=admin)
        case "recused":
            queue.recuse(opened, by=hearer, reason="A friend.")
        case "late":
            Milestone.objects.create(
                submission=opened, kind="overdue", at=timezone.now(), due_at=timezone.now()
            )
    for who in PARTS:
        refused(*new_decision(opened, parts.people[who]))
    if how == "suspended":
        exclusion.lift(suspension, by=admin, reason="Back.")
        refused(*new_decision(opened, somebody))
        exclusion.suspend(hearer.membership, by=admin, reason="Why.")
    run(*new_decision(opened, somebody, reasons=""))
