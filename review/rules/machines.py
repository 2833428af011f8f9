"""What machines noticed, and what it can't do: a flag comes before the decision, and is no part of it."""

from .rule import Record, Rule

RECORDS = {
    "review_flag": Record(erasable=("evidence",)),
    "review_screening": Record(identity=("id", "submission_id")),
}

_DECIDED = (
    "EXISTS (SELECT 1 FROM review_decision d WHERE d.submission_id = NEW.submission_id)"
    " OR EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = NEW.submission_id)"
)

RULES = (
    Rule(
        "review_flag",
        "in_time",
        "INSERT",
        _DECIDED,
        "what is decided or withdrawn is flagged no more",
    ),
    Rule(
        "review_flag",
        "shows",
        "INSERT",
        "trim(NEW.evidence) = '' OR trim(NEW.said_by) = '' OR trim(NEW.said_version) = ''",
        "a flag shows its evidence, and says which machine made it",
    ),
    Rule(
        "review_screening",
        "in_time",
        "INSERT",
        _DECIDED,
        "what is decided or withdrawn is screened no more",
    ),
)
