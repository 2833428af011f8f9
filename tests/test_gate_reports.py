"""Reports and answers by raw SQL: on what is public, counted up, answered all together, by others than the artist."""

import pytest
from django.utils import timezone

from review import gate
from review.models import Publication
from review.rules.reports import MOST_ANSWERED, MOST_REPORTED

from . import factories
from .gate_sql import insert, key, refused, run

pytestmark = pytest.mark.usefixtures("gate_database")


def new_report(on: Publication, **changes) -> tuple:
    row = {"publication_id": key(on), "number": 1, "reason": "hate", "text": "At its end.", "email": ""}
    return insert(row | {"at": timezone.now()} | changes, "review_report")


def new_answer(on: Publication, by, **changes) -> tuple:
    row = {"publication_id": key(on), "last_number": 1, "outcome": "kept", "note": "It is fine."}
    return insert(row | {"by_id": key(by), "at": timezone.now()} | changes, "review_reportanswer")


@pytest.fixture
def public(made):
    return factories.publication()


@pytest.fixture
def somebody(made):
    return factories.member("reviewer")


def test_what_is_public_is_reported_and_answered(public, somebody):
    for number in (1, 2):
        run(*new_report(public, number=number))
    run(*new_answer(public, somebody, last_number=2))
    run(*new_report(public, number=3))
    run(*new_answer(public, somebody, last_number=3))


def test_reports_count_up_and_nothing_that_is_gone_is_reported(public, made):
    for number in (0, 2):
        refused(*new_report(public, number=number))
    run(*new_report(public))
    refused(*new_report(public))
    refused(*new_report(made.ended))


@pytest.mark.parametrize(
    "said", [{"reason": ""}, {"reason": "other", "text": " "}, {"text": "x" * (MOST_REPORTED + 1)}]
)
def test_a_report_says_what_is_wrong(public, said):
    refused(*new_report(public, **said))


@pytest.mark.parametrize("note", ["", "  ", "x" * (MOST_ANSWERED + 1)])
def test_an_answer_says_why(public, somebody, note):
    run(*new_report(public))
    refused(*new_answer(public, somebody, note=note))


def test_an_answer_is_to_all_that_have_none(public, somebody):
    refused(*new_answer(public, somebody))
    refused(*new_answer(public, somebody, last_number=0))
    for number in (1, 2):
        run(*new_report(public, number=number))
    for number in (1, 3):
        refused(*new_answer(public, somebody, last_number=number))
    run(*new_answer(public, somebody, last_number=2))
    refused(*new_answer(public, somebody, last_number=2))


def test_no_artist_answers_reports_on_their_own_clip(public):
    run(*new_report(public))
    refused(*new_answer(public, public.submission.artist))


def test_an_answer_says_what_is_true(public, somebody):
    run(*new_report(public))
    refused(*new_answer(public, somebody, outcome="taken-down"))
    refused(*new_answer(public, somebody, outcome="perhaps"), words="")
    gate.take_down(public, by=somebody, reason="A reason.")
    refused(*new_answer(public, somebody))
    run(*new_answer(public, somebody, outcome="taken-down"))


def test_neither_is_born_erased(public, somebody):
    refused(*new_report(public, erased_at=timezone.now()))
    run(*new_report(public))
    refused(*new_answer(public, somebody, erased_at=timezone.now()))
