"""Second looks by raw SQL: once, by somebody who had no part in the decision, and by the decision's own policy."""

import pytest
from django.utils import timezone

from review.models import SecondLook, Submission

from . import factories
from .gate_sql import insert, key, refused, run

pytestmark = pytest.mark.usefixtures("gate_database")


def new_look(decision, by, **changes) -> tuple:
    row = {
        "decision_id": decision.pk,
        "outcome": "refuse",
        "policy_version": decision.policy_version,
        "reasons": "rights",
        "note": "",
        "by_id": key(by),
        "at": timezone.now(),
    }
    return insert(row | changes, "review_secondlook")


@pytest.fixture
def decided(made):
    return factories.decision(factories.submission(), by=factories.member("reviewer"))


@pytest.fixture
def somebody(made):
    return factories.member("reviewer")


def test_what_may_be_said_can_be_said_once(decided, somebody):
    run(*new_look(decided, somebody))
    assert SecondLook.objects.get(decision=decided).by == somebody
    refused(*new_look(decided, factories.member("reviewer")))


def test_it_is_by_neither_the_first_reviewer_nor_the_artist(decided):
    refused(*new_look(decided, decided.by))
    refused(*new_look(decided, decided.submission.artist))


def test_it_is_not_by_who_is_recused_from_any_version_of_the_clip(made):
    first = factories.submission()
    recused = factories.stepped_aside(first)
    factories.decision(first, "refuse", by=factories.member("reviewer"))
    second = factories.decision(factories.submission(first.clip), by=factories.member("reviewer"))
    refused(*new_look(second, recused))


def test_both_are_by_the_same_policy_and_cite_what_it_has(decided, somebody):
    refused(*new_look(decided, somebody, policy_version="2030-01"))
    factories.policy_version()
    later = factories.policy_version()
    refused(*new_look(decided, somebody, policy_version=later.name))
    for reasons in ("invented", "rights rights", "rights invented"):
        refused(*new_look(decided, somebody, reasons=reasons))


def test_a_refusal_has_reasons_and_an_approval_none(decided, somebody):
    other = "second_look_refuses_for_reasons"
    refused(*new_look(decided, somebody, reasons=""), words=other)
    refused(*new_look(decided, somebody, outcome="approve"), words=other)
    refused(*new_look(decided, somebody, outcome="maybe"), words=other)


def test_none_is_born_erased_or_about_what_is_erased(decided, somebody):
    refused(*new_look(decided, somebody, erased_at=timezone.now()))
    Submission.objects.filter(pk=decided.submission_id).update(
        title="", statement="", content="", erased_at=timezone.now()
    )
    refused(*new_look(decided, somebody))
