"""What is submitted: frozen, sealed once with its files, and taken back by its artist alone."""

from .rule import Record, Rule

SUBMISSION = "review_submission"
SUBMISSION_ERASABLE = ("title", "statement", "credit", "credits", "content")
SUBMISSION_IDENTITY = ("id", "clip_id,version")

RECORDS = {
    "review_publicfile": Record(identity=("id", "submission_id,kind")),
    "review_withdrawal": Record(identity=("id", "submission_id")),
}

RULES = (
    Rule(
        "review_withdrawal",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id AND s.artist_id = NEW.by_id)"
        " OR EXISTS (SELECT 1 FROM review_decision d WHERE d.submission_id = NEW.submission_id)",
        "only the artist withdraws a submission, and only before its decision",
    ),
    Rule(
        "review_publicfile",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id AND s.content_hash IS NULL)",
        "a sealed submission gets no further files",
    ),
    Rule(
        SUBMISSION,
        "unsealed",
        "INSERT",
        "NEW.content_hash IS NOT NULL",
        "a submission is sealed after its files",
    ),
    Rule(
        SUBMISSION,
        "filled",
        "UPDATE",
        "OLD.content_hash IS NULL AND NEW.content_hash IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM review_publicfile f WHERE f.submission_id = OLD.id AND f.kind = 'video')",
        "a submission is sealed with its files, never without",
    ),
    Rule(
        SUBMISSION,
        "withdrawn",
        "UPDATE",
        "OLD.content_hash IS NULL AND NEW.content_hash IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = OLD.id)",
        "a withdrawn submission is never sealed",
    ),
)

# What is public is ended by a takedown before its words are erased: public pages read them.
IS_PUBLIC = (
    "EXISTS (SELECT 1 FROM review_publication p JOIN review_decision d ON d.id = p.approval_id"
    " LEFT JOIN review_takedown t ON t.publication_id = p.id WHERE d.submission_id = OLD.id AND t.id IS NULL)"
)
