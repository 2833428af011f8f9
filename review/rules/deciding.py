"""Decisions and what they were made with, publications and takedowns."""

from ..content_warnings import KINDS
from .rule import Record, Rule

RECORDS = {
    "review_decision": Record(erasable=("note",), identity=("id", "submission_id")),
    "review_remark": Record(erasable=("text", "drawing"), identity=("id", "decision_id,number")),
    "review_publication": Record(identity=("id", "approval_id", "slug")),
    "review_takedown": Record(erasable=("reason",), identity=("id", "publication_id")),
}

_WARNINGS = " UNION ALL ".join(f"SELECT '{code}' AS code" for code in KINDS)

RULES = (
    Rule(
        "review_decision",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id"
        " AND s.content_hash = NEW.content_hash AND s.artist_id <> NEW.by_id)"
        " OR EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = NEW.submission_id)",
        "a decision must be on the sealed content, by someone who is not its artist, and before any withdrawal",
    ),
    Rule(
        "review_decision",
        "recused",
        "INSERT",
        "EXISTS (SELECT 1 FROM review_recusal r JOIN review_submission o ON o.id = r.submission_id"
        " JOIN review_submission s ON s.clip_id = o.clip_id"
        " WHERE s.id = NEW.submission_id AND r.by_id = NEW.by_id)",
        "who is recused from a clip never decides on it, in any version",
        reads="review_recusal",
    ),
    Rule(  # all that it warns of is accounted for by known codes, each with the space behind it
        "review_decision",
        "warns",
        "INSERT",
        "NEW.warning_kinds <> '' AND length(NEW.warning_kinds) + 1 <> (SELECT COALESCE(SUM(length(k.code) + 1), 0)"
        f" FROM ({_WARNINGS}) k WHERE replace(' ' || NEW.warning_kinds || ' ', ' ' || k.code || ' ', '')"
        " <> ' ' || NEW.warning_kinds || ' ')",
        "an approval warns of kinds that are known",
        reads="review_consent",  # which came with the column
    ),
    Rule(
        "review_remark",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_decision d JOIN review_submission s ON s.id = d.submission_id"
        " JOIN generation_clip c ON c.id = s.clip_id WHERE d.id = NEW.decision_id AND d.erased_at IS NULL"
        " AND NEW.number BETWEEN 1 AND d.remark_count AND NEW.last_frame <= c.frames)",
        "a remark is one of those that its decision was made with, and about frames that the clip has",
    ),
    Rule(
        "review_publication",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_decision d JOIN review_submission s ON s.id = d.submission_id"
        " WHERE d.id = NEW.approval_id AND d.outcome = 'approve' AND d.content_hash = NEW.content_hash"
        " AND s.content_hash = NEW.content_hash AND s.artist_id <> d.by_id"
        " AND NOT EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = s.id))",
        "a publication needs an approval of exactly this content, by someone who is not its artist",
    ),
)
