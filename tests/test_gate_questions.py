"""Questions and replies by raw SQL: by whoever may, while there is something to decide, and one after the other."""

import pytest
from django.utils import timezone

from review.models import Question
from review.rules.desk import MOST_SAID

from . import factories
from .gate_sql import insert, key, refused, run, unsealed

pytestmark = pytest.mark.usefixtures("gate_database")


def new_question(on, by, **changes) -> tuple:
    row = {"submission_id": key(on), "number": 1, "by_id": key(by), "at": timezone.now(), "text": "Why?"}
    return insert(row | changes, "review_question")


def new_reply(to: Question, by, **changes) -> tuple:
    row = {"question_id": to.pk, "by_id": key(by), "at": timezone.now(), "text": "Because."}
    return insert(row | changes, "review_reply")


@pytest.fixture
def fresh(made):
    return factories.submission()


@pytest.fixture
def somebody(made):
    return factories.member("reviewer")


def test_what_may_be_asked_can_be_asked(fresh, somebody):
    run(*new_question(fresh, somebody))
    run(*new_reply(Question.objects.get(submission=fresh), fresh.artist))


def test_nobody_asks_where_there_is_nothing_to_decide(made, somebody):
    for on in (made.refused.submission, made.approved.submission, made.withdrawn, made.live.submission):
        refused(*new_question(on, somebody))
    refused(*new_question(unsealed(made.bare), somebody))


def test_neither_the_artist_nor_who_is_recused_asks(made, fresh):
    refused(*new_question(fresh, fresh.artist))
    refused(*new_question(made.waiting, made.recused, number=2))


@pytest.mark.parametrize("number", [0, 2, 3])
def test_questions_count_up(fresh, somebody, number):
    refused(*new_question(fresh, somebody, number=number))


def test_no_second_question_while_one_is_open(fresh, somebody):
    run(*new_question(fresh, somebody))
    for number in (1, 2):
        refused(*new_question(fresh, somebody, number=number))


@pytest.mark.parametrize("text", ["", "   ", "x" * (MOST_SAID + 1)])
def test_both_say_something_and_not_too_much(fresh, somebody, text):
    refused(*new_question(fresh, somebody, text=text))
    run(*new_question(fresh, somebody))
    refused(*new_reply(Question.objects.get(submission=fresh), fresh.artist, text=text))


def test_only_the_artist_replies_once_and_in_time(made, fresh, somebody):
    run(*new_question(fresh, somebody))
    asked = Question.objects.get(submission=fresh)
    for by in (somebody, made.waiting.artist):
        refused(*new_reply(asked, by))
    factories.decision(fresh, by=somebody)
    refused(*new_reply(asked, fresh.artist))
    answered = Question.objects.get(submission=made.waiting)
    refused(*new_reply(answered, made.waiting.artist))


def test_neither_is_born_erased(fresh, somebody):
    refused(*new_question(fresh, somebody, text="", erased_at=timezone.now()))
    refused(*new_question(fresh, somebody, erased_at=timezone.now()))
    run(*new_question(fresh, somebody))
    refused(*new_reply(Question.objects.get(submission=fresh), fresh.artist, erased_at=timezone.now()))
