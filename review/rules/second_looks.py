"""Second looks: said once of a decision, by somebody who had no part in it."""

from .policy import CITES_OTHERS
from .rule import Record, Rule

RECORDS = {"review_secondlook": Record(erasable=("note",), identity=("id", "decision_id"))}

RULES = (
    Rule(
        "review_secondlook",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_decision d JOIN review_submission s ON s.id = d.submission_id"
        " WHERE d.id = NEW.decision_id AND d.by_id <> NEW.by_id AND s.artist_id <> NEW.by_id"
        " AND d.policy_version = NEW.policy_version AND d.erased_at IS NULL AND s.erased_at IS NULL)"
        " OR EXISTS (SELECT 1 FROM review_decision d JOIN review_submission s ON s.id = d.submission_id"
        " JOIN review_submission o ON o.clip_id = s.clip_id JOIN review_recusal r ON r.submission_id = o.id"
        " WHERE d.id = NEW.decision_id AND r.by_id = NEW.by_id)",
        "a second look is by neither the artist nor the first reviewer nor who is recused, and by the same policy",
    ),
    Rule(
        "review_secondlook",
        "cites",
        "INSERT",
        CITES_OTHERS,
        "a second look cites clauses that its version of the policy has",
        reads="review_policyclause",
    ),
)
