"""What goes on at the desk before a decision: questions and replies, stepping aside, and the clock's milestones."""

from .rule import Record, Rule

MOST_SAID = 2000  # characters of a question, or of a reply

RECORDS = {
    "review_milestone": Record(identity=("id", "submission_id,kind")),
    "review_pass": Record(erasable=("reason",)),
    "review_question": Record(erasable=("text",), identity=("id", "submission_id,number")),
    "review_recusal": Record(erasable=("reason",), identity=("id", "submission_id,by_id")),
    "review_reply": Record(erasable=("text",), identity=("id", "question_id")),
}

RULES = (
    Rule(
        "review_question",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id"
        " AND s.content_hash IS NOT NULL AND s.artist_id <> NEW.by_id)"
        " OR EXISTS (SELECT 1 FROM review_decision d WHERE d.submission_id = NEW.submission_id)"
        " OR EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = NEW.submission_id)"
        " OR EXISTS (SELECT 1 FROM review_recusal r JOIN review_submission o ON o.id = r.submission_id"
        " JOIN review_submission s ON s.clip_id = o.clip_id"
        " WHERE s.id = NEW.submission_id AND r.by_id = NEW.by_id)",
        "a question is about what waits for a decision, and by somebody who may decide",
        reads="review_reply",
    ),
    Rule(
        "review_question",
        "in_turn",
        "INSERT",
        "NEW.number <> 1 + (SELECT count(*) FROM review_question q WHERE q.submission_id = NEW.submission_id)"
        " OR EXISTS (SELECT 1 FROM review_question q LEFT JOIN review_reply r ON r.question_id = q.id"
        " WHERE q.submission_id = NEW.submission_id AND r.id IS NULL)",
        "one question is answered before the next is asked",
        reads="review_reply",
    ),
    Rule(
        "review_question",
        "says",
        "INSERT",
        f"trim(NEW.text) = '' OR length(NEW.text) > {MOST_SAID}",
        "a question says something, and not too much",
    ),
    Rule(
        "review_reply",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_question q JOIN review_submission s ON s.id = q.submission_id"
        " WHERE q.id = NEW.question_id AND s.artist_id = NEW.by_id"
        " AND NOT EXISTS (SELECT 1 FROM review_decision d WHERE d.submission_id = s.id)"
        " AND NOT EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = s.id))",
        "only the artist replies, and only while there is something to decide",
        reads="review_question",
    ),
    Rule(
        "review_reply",
        "says",
        "INSERT",
        f"trim(NEW.text) = '' OR length(NEW.text) > {MOST_SAID}",
        "a reply says something, and not too much",
    ),
)
