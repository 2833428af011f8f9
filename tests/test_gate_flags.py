"""Flags, screenings and rules about words by raw SQL: a machine speaks before the decision, and opens nothing."""

import uuid

import pytest
from django.utils import timezone

from generation import rules
from generation.models import WordRule

from . import factories
from .gate_sql import fresh_id, insert, key, new_publication, refused, run

pytestmark = pytest.mark.usefixtures("gate_database")


def new_flag(on, **changes) -> tuple:
    row = {"submission_id": key(on), "kind": "picture", "score": 0.9, "evidence": "{}", "at": timezone.now()}
    return insert(row | {"said_by": "a model", "said_version": "1"} | changes, "review_flag")


def new_screening(on, **changes) -> tuple:
    row = {"submission_id": key(on), "kinds": "", "failed": "", "at": timezone.now()}
    return insert(row | changes, "review_screening")


def new_rule(**changes) -> tuple:
    row = {
        "id": fresh_id(),
        "family": fresh_id(),
        "version": 1,
        "name": "N",
        "phrases": "word",
        "does": "block",
    }
    row |= {"looks_in": "prompt", "sentence": "Why.", "at": timezone.now()}
    row["by_id"] = changes.pop("by_id", None) or key(factories.member("admin"))
    return insert(row | changes, "generation_wordrule")


def new_objection(to, **changes) -> tuple:
    row = {
        "id": fresh_id(),
        "rule_id": key(to),
        "place": "prompt",
        "words": "w",
        "text": "t",
        "digest": "0" * 64,
    }
    row["owner_id"] = changes.pop("owner_id", None) or key(factories.member())
    return insert(row | {"at": timezone.now()} | changes, "generation_ruleobjection")


def new_answer(to, by, **changes) -> tuple:
    row = {"objection_id": key(to), "is_upheld": True, "text": "t", "by_id": key(by), "at": timezone.now()}
    return insert(row | changes, "generation_ruleanswer")


# --- What machines noticed ---------------------------------------------------------------------------


def test_what_waits_may_be_flagged_and_screened_once(made):
    fresh = factories.submission()
    run(*new_flag(fresh))
    run(*new_flag(fresh, kind="words"))
    run(*new_screening(fresh))
    refused(*new_screening(fresh))


def test_nothing_is_flagged_or_screened_after_its_end(made):
    for on in (made.refused.submission, made.approved.submission, made.live.submission, made.withdrawn):
        refused(*new_flag(on))
        refused(*new_screening(on))


@pytest.mark.parametrize("column", ["evidence", "said_by", "said_version"])
def test_a_flag_shows_its_evidence_and_says_who_made_it(made, column):
    refused(*new_flag(made.waiting, **{column: " "}))


@pytest.mark.parametrize("changes", [{"score": 1.1}, {"score": -0.1}, {"kind": "verdict"}])
def test_a_flag_is_of_a_known_kind_and_its_score_is_a_share(made, changes):
    refused(*new_flag(made.waiting, **changes), words="flag_")


def test_no_flag_is_born_erased(made):
    refused(*new_flag(made.waiting, erased_at=timezone.now()))


def test_a_flag_of_whatever_score_opens_nothing(made):
    """Neither by itself nor in the place of an approval."""
    fresh = factories.flagged("picture", "words", "duplicate")
    for flag in fresh.flags.all():
        row = new_publication(made.approved, approval_id=flag.pk + 10_000, content_hash=fresh.content_hash)
        refused(*row)


# --- Rules about words -------------------------------------------------------------------------------


@pytest.fixture
def rule(made):
    return factories.word_rule("a thing")


@pytest.mark.parametrize("version", [0, 1, 3])
def test_versions_of_a_rule_follow_each_other(rule, version):
    refused(*new_rule(family=_key(rule.family), version=version))


def test_the_next_version_and_another_rule_are_written(rule):
    run(*new_rule(family=_key(rule.family), version=2))
    run(*new_rule())


def test_nothing_follows_an_end_and_the_newest_version_ends(rule):
    run(*new_rule(family=_key(rule.family), version=2))
    old, new = WordRule.objects.filter(family=rule.family).order_by("version")
    end = {"by_id": key(rule.by), "at": timezone.now()}
    refused(*insert(end | {"rule_id": key(old)}, "generation_ruleend"))
    run(*insert(end | {"rule_id": key(new)}, "generation_ruleend"))
    refused(*new_rule(family=_key(rule.family), version=3))


@pytest.mark.parametrize("column", ["name", "phrases", "looks_in", "sentence"])
def test_a_rule_says_what_it_does(made, column):
    refused(*new_rule(**{column: " "}))


def test_objections_are_to_what_blocks_and_say_something(rule):
    run(*new_objection(rule))
    for changes in ({"words": " "}, {"text": ""}, {"digest": "0"}):
        refused(*new_objection(rule, **changes))
    refused(*new_objection(factories.word_rule("mild", does="flag")))


def test_nobody_answers_their_own_objection_and_none_twice(made):
    factories.word_rule("forbidden")
    artist, admin = factories.member(), factories.member("admin")
    objection = rules.object_to(artist, {"prompt": "forbidden"}, text="Why not?")[0]
    refused(*new_answer(objection, artist))
    refused(*new_answer(objection, admin, text=""))
    run(*new_answer(objection, admin))
    refused(*new_answer(objection, factories.member("admin")))


def _key(value: uuid.UUID):
    from django.db import connection

    return value.hex if connection.vendor == "sqlite" else value
