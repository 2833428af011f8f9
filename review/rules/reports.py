"""Reports on what is public, and the answers to them."""

from .rule import Record, Rule

MOST_REPORTED = 2000  # characters
MOST_ANSWERED = 2000
OTHER = "other"  # the reason that is no clause

RECORDS = {
    "review_report": Record(erasable=("text", "email"), identity=("id", "publication_id,number")),
    "review_reportanswer": Record(erasable=("note",), identity=("id", "publication_id,last_number")),
}

_TAKEN_DOWN = "EXISTS (SELECT 1 FROM review_takedown t WHERE t.publication_id = NEW.publication_id)"

RULES = (
    Rule(
        "review_report",
        "fits",
        "INSERT",
        f"{_TAKEN_DOWN} OR NEW.number <> 1 +"
        " (SELECT count(*) FROM review_report r WHERE r.publication_id = NEW.publication_id)",
        "what is public is reported, and reports count up",
    ),
    Rule(
        "review_report",
        "says",
        "INSERT",
        f"NEW.reason = '' OR length(NEW.text) > {MOST_REPORTED}"
        f" OR NEW.reason = '{OTHER}' AND trim(NEW.text) = ''",
        "a report gives a reason, in words where it is no clause",
    ),
    Rule(
        "review_reportanswer",
        "fits",
        "INSERT",
        "NEW.last_number <> (SELECT count(*) FROM review_report r WHERE r.publication_id = NEW.publication_id)"
        " OR NEW.last_number <= (SELECT COALESCE(MAX(a.last_number), 0) FROM review_reportanswer a"
        " WHERE a.publication_id = NEW.publication_id)"
        " OR EXISTS (SELECT 1 FROM review_publication p JOIN review_decision d ON d.id = p.approval_id"
        " JOIN review_submission s ON s.id = d.submission_id"
        " WHERE p.id = NEW.publication_id AND s.artist_id = NEW.by_id)",
        "an answer is to all reports that have none, and not by the artist",
        reads="review_report",
    ),
    Rule(
        "review_reportanswer",
        "is_true",
        "INSERT",
        f"NEW.outcome = 'kept' AND {_TAKEN_DOWN} OR NEW.outcome <> 'kept' AND NOT {_TAKEN_DOWN}",
        "an answer says what became of the clip",
    ),
    Rule(
        "review_reportanswer",
        "says",
        "INSERT",
        f"trim(NEW.note) = '' OR length(NEW.note) > {MOST_ANSWERED}",
        "an answer says something, and not too much",
    ),
)
