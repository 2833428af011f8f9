"""Two pairs of eyes: what marks a submission as one that takes two people, and what each of them says.

What a Decision needs where it takes two is one rule, whoever writes the row, and whatever was asked before.
"""

from dataclasses import replace

from . import policy
from .rule import Record, Rule

MOST_WHY = 300  # characters of the reason for a mark

RECORDS = {
    "review_assessment": Record(erasable=("note", "said_of_frames"), identity=("id", "submission_id,by_id")),
    "review_sensitivity": Record(erasable=("why",), identity=("id", "submission_id,kind,source")),
}

_IS_OVER = (
    "EXISTS (SELECT 1 FROM review_decision d WHERE d.submission_id = NEW.submission_id)"
    " OR EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = NEW.submission_id)"
)


def _is_recused(person: str, submission: str) -> str:
    """SQL: is this person recused from the submission's clip, in whatever version?"""
    return (
        "EXISTS (SELECT 1 FROM review_recusal r JOIN review_submission o ON o.id = r.submission_id"
        " JOIN review_submission v ON v.clip_id = o.clip_id"
        f" WHERE v.id = {submission} AND r.by_id = {person})"
    )


def _takes_two(submission: str, outcome: str) -> str:
    """SQL: what is marked as sensitive takes two people, and a refusal of what is marked as criticism."""
    return (
        f"EXISTS (SELECT 1 FROM review_sensitivity m WHERE m.submission_id = {submission}"
        f" AND (m.kind = 'sensitive' OR {outcome} = 'refuse'))"
    )


def _agreed(submission: str, by: str, outcome: str, content_hash: str) -> str:
    """SQL: this person and another one, who isn't recused, have assessed the same content, and alike."""
    alike = f"a.submission_id = {submission} AND a.outcome = {outcome} AND a.content_hash = {content_hash}"
    return (
        f"EXISTS (SELECT 1 FROM review_assessment a WHERE {alike} AND a.by_id = {by})"
        f" AND EXISTS (SELECT 1 FROM review_assessment a WHERE {alike} AND a.by_id <> {by}"
        f" AND NOT {_is_recused('a.by_id', submission)})"
    )


RULES = (
    Rule(
        "review_sensitivity",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id"
        " AND s.content_hash IS NOT NULL AND (NEW.by_id IS NULL OR s.artist_id <> NEW.by_id))"
        f" OR {_IS_OVER} OR (NEW.by_id IS NOT NULL AND {_is_recused('NEW.by_id', 'NEW.submission_id')})",
        "what is marked waits for a decision, and whoever marks it may decide",
    ),
    Rule(
        "review_sensitivity",
        "says",
        "INSERT",
        f"trim(NEW.why) = '' OR length(NEW.why) > {MOST_WHY}",
        "a mark says why, and not too much",
    ),
    Rule(
        "review_assessment",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id"
        " AND s.content_hash = NEW.content_hash AND s.artist_id <> NEW.by_id)"
        f" OR {_IS_OVER} OR {_is_recused('NEW.by_id', 'NEW.submission_id')}",
        "an assessment is of the sealed content, before its decision, and by somebody who may decide",
    ),
    Rule(
        "review_assessment",
        "needed",
        "INSERT",
        f"NOT {_takes_two('NEW.submission_id', 'NEW.outcome')}",
        "an assessment is made where it takes two people",
        reads="review_sensitivity",
    ),
    # By the same version of the policy, and by the same clauses, as a decision.
    *(
        replace(
            each, table="review_assessment", sentence=each.sentence.replace("a decision", "an assessment")
        )
        for each in policy.RULES
        if each.table == "review_decision"
    ),
    Rule(
        "review_decision",
        "two",
        "INSERT",
        f"{_takes_two('NEW.submission_id', 'NEW.outcome')}"
        f" AND NOT ({_agreed('NEW.submission_id', 'NEW.by_id', 'NEW.outcome', 'NEW.content_hash')})",
        "where it takes two people, a decision needs two who agree, and is one of theirs",
        reads="review_assessment",
    ),
    Rule(  # two raw sessions at once could each miss the other row, a mark and a decision; this one meets both
        "review_publication",
        "two",
        "INSERT",
        "EXISTS (SELECT 1 FROM review_decision e WHERE e.id = NEW.approval_id"
        f" AND {_takes_two('e.submission_id', 'e.outcome')}"
        f" AND NOT ({_agreed('e.submission_id', 'e.by_id', 'e.outcome', 'e.content_hash')}))",
        "where it takes two people, nothing is published that fewer have approved",
        reads="review_assessment",
    ),
)
