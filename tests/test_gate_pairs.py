"""Two pairs of eyes by raw SQL: what is marked is decided by two who agree, and by nobody alone."""

import pytest
from django.utils import timezone

from review import policy
from review.models import Assessment, Decision, Publication
from review.rules.pairs import MOST_WHY

from . import factories
from .gate_sql import insert, key, lowered, new_decision, new_publication, refused, run, unsealed

pytestmark = pytest.mark.usefixtures("gate_database")


def new_mark(on, by=None, **changes) -> tuple:
    row = {
        "submission_id": key(on),
        "kind": "sensitive",
        "source": "reviewer" if by else "machine",
        "by_id": by and key(by),
        "at": timezone.now(),
        "why": "Because.",
    }
    return insert(row | changes, "review_sensitivity")


def new_assessment(on, by, **changes) -> tuple:
    outcome = changes.get("outcome", "approve")
    row = {
        "submission_id": key(on),
        "outcome": outcome,
        "content_hash": on.content_hash or "0" * 64,
        "by_id": key(by),
        "at": timezone.now(),
        "policy_version": policy.current().name,
        "reasons": "rights" if outcome == "refuse" else "",
        "note": "A note.",
        "said_of_frames": "",
    }
    return insert(row | changes, "review_assessment")


@pytest.fixture
def fresh(made):
    return factories.submission()


@pytest.fixture
def marked(fresh):
    run(*new_mark(fresh))
    return fresh


@pytest.fixture
def people(made):
    return [factories.member("reviewer") for _person in range(4)]


# --- First of all: what is right does pass ------------------------------------------------------------


def test_two_who_agree_decide_and_it_is_published(marked, people):
    for by in people[:2]:
        run(*new_assessment(marked, by))
    run(*new_decision(marked, people[1], reasons=""))
    run(*new_publication(Decision.objects.get(submission=marked)))
    assert Publication.objects.live().filter(approval__submission=marked).exists()


def test_where_two_differ_a_third_decides_with_one_of_them(marked, people):
    for by, outcome in zip(people, ("approve", "refuse", "refuse"), strict=False):
        run(*new_assessment(marked, by, outcome=outcome))
    refused(*new_decision(marked, people[0], reasons=""))
    run(*new_decision(marked, people[2], outcome="refuse"))


# --- A decision ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["approve", "refuse"])
def test_nobody_decides_alone_on_what_is_marked_as_sensitive(marked, people, outcome):
    decision = new_decision(marked, people[0], outcome=outcome)
    refused(*decision)
    run(*new_assessment(marked, people[0], outcome=outcome))
    refused(*decision)
    run(*new_assessment(marked, people[1], outcome="approve" if outcome == "refuse" else "refuse"))
    refused(*decision)
    refused(*new_decision(marked, people[1], outcome=outcome))


def test_nobody_decides_on_what_two_others_have_said(marked, people):
    for by in people[:2]:
        run(*new_assessment(marked, by))
    refused(*new_decision(marked, people[2]))
    run(*new_assessment(marked, people[3], outcome="refuse"))
    refused(*new_decision(marked, people[3]))
    refused(*new_decision(marked, people[3], outcome="refuse"))


@pytest.mark.parametrize("source", ["reviewer", "rule", "machine"])
def test_whoever_has_marked_it_it_takes_two(fresh, people, source):
    run(*new_mark(fresh, people[3] if source == "reviewer" else None, source=source))
    refused(*new_decision(fresh, people[0]))


def test_what_is_marked_as_criticism_is_approved_by_one_and_refused_by_two(fresh, people):
    run(*new_mark(fresh, people[3], kind="criticism"))
    refused(*new_decision(fresh, people[0], outcome="refuse"))
    run(*new_assessment(fresh, people[0], outcome="refuse"))
    refused(*new_decision(fresh, people[0], outcome="refuse"))
    refused(*new_decision(fresh, people[1], outcome="refuse"))
    run(*new_decision(fresh, people[1], reasons=""))


def test_who_is_recused_meanwhile_no_longer_counts(made, marked, people):
    first, second, *_others = people
    run(*new_assessment(marked, first))
    row = {"submission_id": key(marked), "by_id": key(first), "at": timezone.now(), "reason": "A friend."}
    run(*insert(row, "review_recusal"))
    run(*new_assessment(marked, second))
    refused(*new_decision(marked, second))
    refused(*new_decision(marked, first))


def test_what_two_said_of_another_submission_does_not_count(marked, people):
    other = factories.submission()
    run(*new_mark(other))
    for by in people[:2]:
        run(*new_assessment(other, by))
    refused(*new_decision(marked, people[0]))


def test_nothing_is_published_that_one_alone_approved_however_that_came_about(marked, people):
    """Two raw sessions at once could each miss the other's row: the mark and the decision."""
    with lowered():
        run(*new_decision(marked, people[0], reasons=""))
    refused(*new_publication(Decision.objects.get(submission=marked)))


# --- An assessment -----------------------------------------------------------------------------------------


def test_an_assessment_is_made_where_two_are_needed(made, fresh, people):
    refused(*new_assessment(fresh, people[0]))
    run(*new_mark(fresh, people[1], kind="criticism"))
    refused(*new_assessment(fresh, people[0]))
    run(*new_assessment(fresh, people[0], outcome="refuse"))


def test_neither_its_artist_nor_who_is_recused_assesses_it(made, marked):
    refused(*new_assessment(marked, marked.artist))
    run(*new_mark(made.waiting))
    refused(*new_assessment(made.waiting, made.recused))


def test_nobody_assesses_it_twice(marked, people):
    run(*new_assessment(marked, people[0]))
    refused(*new_assessment(marked, people[0], outcome="refuse"))
    refused(*new_assessment(marked, people[0]))


def test_an_assessment_is_of_the_content_and_by_the_policy_that_hold(marked, people):
    refused(*new_assessment(marked, people[0], content_hash="0" * 64))
    refused(*new_assessment(marked, people[0], policy_version="1999-01"))
    refused(*new_assessment(marked, people[0], outcome="refuse", reasons="rights nothing"))
    for wrong in ({"reasons": ""}, {"note": ""}):
        refused(*new_assessment(marked, people[0], outcome="refuse", **wrong), words="assessed_with_reasons")
    refused(*new_assessment(marked, people[0], reasons="rights"), words="assessed_with_reasons")
    refused(*new_assessment(marked, people[0], outcome="perhaps"), words="assess")


def test_nothing_is_assessed_that_is_over(made, marked, people):
    for on in (made.refused.submission, made.approved.submission, made.withdrawn):
        with lowered():
            run(*new_mark(on))
        refused(*new_assessment(on, people[0]))
    for by in people[:2]:
        run(*new_assessment(marked, by))
    run(*new_decision(marked, people[1], reasons=""))
    refused(*new_assessment(marked, people[2]))


# --- A mark ------------------------------------------------------------------------------------------------


def test_only_what_waits_is_marked(made, people):
    for on in (made.refused.submission, made.approved.submission, made.live.submission, made.withdrawn):
        refused(*new_mark(on))
        refused(*new_mark(on, people[0]))
    refused(*new_mark(unsealed(made.bare)))


def test_neither_its_artist_nor_who_is_recused_marks_it(made, fresh):
    refused(*new_mark(fresh, fresh.artist))
    refused(*new_mark(made.waiting, made.recused))


@pytest.mark.parametrize("why", ["", "   ", "x" * (MOST_WHY + 1)])
def test_a_mark_says_why_and_not_too_much(fresh, people, why):
    refused(*new_mark(fresh, people[0], why=why))


def test_each_source_marks_it_once_with_each_kind(fresh, people):
    run(*new_mark(fresh, people[0]))
    refused(*new_mark(fresh, people[1]))
    run(*new_mark(fresh))
    run(*new_mark(fresh, people[1], kind="criticism"))


def test_a_mark_is_by_a_reviewer_or_by_nobody(fresh, people):
    refused(*new_mark(fresh, people[0], source="machine"), words="by_a_reviewer_or_by_nobody")
    refused(*new_mark(fresh, None, source="reviewer"), words="by_a_reviewer_or_by_nobody")
    refused(*new_mark(fresh, None, source="oracle"), words="by_a_reviewer_or_by_nobody")
    refused(*new_mark(fresh, people[0], kind="boring"), words="sensitivity_kind")


def test_neither_is_born_erased_and_only_words_are_erased(made, marked, people):
    refused(*new_mark(marked, people[0], erased_at=timezone.now()))
    refused(*new_assessment(marked, people[0], erased_at=timezone.now()))
    now = timezone.now()
    said = Assessment.objects.get(submission=made.two)
    assert said.note
    assert said.said_of_frames
    refused("UPDATE review_assessment SET note = '', erased_at = %s WHERE id = %s", now, said.pk)
    run(
        "UPDATE review_assessment SET note = '', said_of_frames = '', erased_at = %s WHERE id = %s",
        now,
        said.pk,
    )
    refused("UPDATE review_sensitivity SET why = 'Other.', erased_at = %s", now)
    run("UPDATE review_sensitivity SET why = '', erased_at = %s", now)
