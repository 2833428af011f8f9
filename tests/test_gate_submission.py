"""A submission is sealed once, and from then on no SQL opens it, adds to it, writes over it or withdraws it wrongly."""

import hashlib

import pytest
from django.utils import timezone

from review.models import Submission

from . import factories
from .gate_sql import a_row, insert, key, new_submission, refused, run, sqlite_only, unsealed

pytestmark = pytest.mark.usefixtures("gate_database")


def test_an_unsealed_submission_can_still_be_filled_and_sealed_once(made):
    draft = unsealed(made.bare)
    run("UPDATE review_submission SET title = 'Other words' WHERE id = %s", key(draft))
    run(*file_of(draft))
    run(*sealing_of(draft))
    refused(*sealing_of(draft))


def sealing_of(draft) -> tuple:
    seal = "UPDATE review_submission SET content = 'x', content_hash = %s, sealed_at = %s WHERE id = %s"
    return seal, "a" * 64, timezone.now(), key(draft)


def file_of(draft, kind="video") -> tuple:
    file = a_row("review_publicfile") | {"submission_id": key(draft), "kind": kind}
    file.pop("id")
    return insert(file, "review_publicfile")


def test_nothing_is_sealed_without_its_video(made):
    draft = unsealed(made.bare)
    refused(*sealing_of(draft))
    run(*file_of(draft, "poster"))
    refused(*sealing_of(draft))
    run(*file_of(draft))
    run(*sealing_of(draft))


def test_nothing_withdrawn_is_sealed(made):
    draft = unsealed(made.bare)
    run(*file_of(draft))
    row = {"submission_id": key(draft), "by_id": key(draft.artist), "at": timezone.now()}
    run(*insert(row, "review_withdrawal"))
    refused(*sealing_of(draft))


def test_a_content_hash_is_the_sha256_of_the_frozen_text(made):
    for submission in Submission.objects.exclude(content_hash=None):
        assert submission.content_hash == hashlib.sha256(submission.content.encode()).hexdigest()


def test_no_submission_is_born_sealed(made):
    refused(*new_submission(made.bare, content="x", content_hash="a" * 64, sealed_at=timezone.now()))


def test_a_sealed_submission_is_not_opened_again(made):
    opened = "UPDATE review_submission SET content_hash = NULL, sealed_at = NULL, content = '' WHERE id = %s"
    refused(opened, key(made.waiting))


def test_a_sealed_submission_gets_no_further_files(made):
    file = a_row("review_publicfile")
    file.pop("id")
    refused(*insert(file | {"submission_id": key(made.waiting), "kind": "sprite"}, "review_publicfile"))


@sqlite_only
def test_an_unsealed_submission_is_not_moved_over_a_sealed_one(made):
    draft = unsealed(made.bare)
    for move in ("id = %s", "rowid = (SELECT rowid FROM review_submission WHERE id = %s)"):
        refused(
            f"UPDATE OR REPLACE review_submission SET {move} WHERE id = %s",
            key(made.approved.submission),
            key(draft),
        )
    victim = made.approved.submission
    move = "UPDATE OR REPLACE review_submission SET clip_id = %s, version = %s WHERE id = %s"
    refused(move, key(victim.clip), victim.version, key(draft))


def test_only_the_artist_withdraws_and_only_before_the_decision(made):
    def withdrawal(of, by):
        row = {"submission_id": key(of), "by_id": key(by), "at": timezone.now()}
        return insert(row, "review_withdrawal")

    refused(*withdrawal(made.waiting, factories.member()))
    for decided in (made.refused, made.approved, made.live.approval):
        refused(*withdrawal(decided.submission, decided.submission.artist))
