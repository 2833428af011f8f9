"""Appeals: against what can be appealed, heard by somebody who took no part, ended once; and what one opens."""

from .rule import Record, Rule

MOST_WRITTEN = 4000  # characters of an appeal, a message in its thread, or a dismissal

RECORDS = {
    "review_appeal": Record(
        erasable=("text",), identity=("id", "submission_id", "refusal_id", "takedown_id")
    ),
    "review_appealmessage": Record(erasable=("text",)),
    "review_dismissal": Record(erasable=("note",), identity=("id", "appeal_id")),
    "review_upholding": Record(identity=("id", "appeal_id", "submission_id")),
}

# Every record by which somebody (`x.by_id`) has had a part in a submission (`o`): review.parts has the same list.
_OF_APPEAL = "JOIN review_appeal e ON e.id = x.appeal_id JOIN review_submission o ON o.id = e.submission_id"
PARTS = (
    "review_decision x JOIN review_submission o ON o.id = x.submission_id",
    "review_assessment x JOIN review_submission o ON o.id = x.submission_id",
    "review_question x JOIN review_submission o ON o.id = x.submission_id",
    "review_pass x JOIN review_submission o ON o.id = x.submission_id",
    "review_recusal x JOIN review_submission o ON o.id = x.submission_id",
    "review_takedown x JOIN review_publication p ON p.id = x.publication_id"
    " JOIN review_decision d ON d.id = p.approval_id JOIN review_submission o ON o.id = d.submission_id",
    f"review_dismissal x {_OF_APPEAL}",
    f"review_upholding x {_OF_APPEAL}",
)


def _took_part(where: str) -> str:
    """SQL for: whoever writes the new row has had a part in a submission of which `where` holds."""
    return " OR ".join(
        f"EXISTS (SELECT 1 FROM {part} WHERE x.by_id = NEW.by_id AND {where})" for part in PARTS
    )


_IN_THIS_CLIP = _took_part(
    "o.clip_id = (SELECT s.clip_id FROM review_appeal a JOIN review_submission s ON s.id = a.submission_id"
    " WHERE a.id = NEW.appeal_id)"
)
_IS_OVER = (
    "EXISTS (SELECT 1 FROM review_dismissal n WHERE n.appeal_id = NEW.appeal_id)"
    " OR EXISTS (SELECT 1 FROM review_upholding u WHERE u.appeal_id = NEW.appeal_id)"
)
_OF_ITS_ARTIST = "EXISTS (SELECT 1 FROM review_appeal a WHERE a.id = NEW.appeal_id AND a.by_id = NEW.by_id)"
_NO_APPEAL = "NOT EXISTS (SELECT 1 FROM review_appeal a WHERE a.id = NEW.appeal_id)"

# Whoever upheld (`u`) can still decide on what that opened: they may review, didn't recuse themselves, and aren't late.
_HEARER_CAN = (
    "EXISTS (SELECT 1 FROM accounts_membership b WHERE b.user_id = u.by_id AND b.role IN ('reviewer', 'lead')"
    " AND NOT EXISTS (SELECT 1 FROM accounts_ending g WHERE g.membership_id = b.id)"
    " AND NOT EXISTS (SELECT 1 FROM accounts_suspension k LEFT JOIN accounts_lift l ON l.suspension_id = k.id"
    " WHERE k.membership_id = b.id AND l.id IS NULL))"
    " AND NOT EXISTS (SELECT 1 FROM review_recusal r JOIN review_submission o ON o.id = r.submission_id"
    " WHERE o.clip_id = s.clip_id AND r.by_id = u.by_id)"
    " AND NOT EXISTS (SELECT 1 FROM review_milestone m WHERE m.submission_id = s.id AND m.kind = 'overdue')"
    " AND NOT EXISTS (SELECT 1 FROM review_assessment h WHERE h.submission_id = s.id AND h.by_id = u.by_id)"
)


def _says(table: str, column: str, sentence: str) -> Rule:
    return Rule(
        table,
        "says",
        "INSERT",
        f"trim(NEW.{column}) = '' OR length(NEW.{column}) > {MOST_WRITTEN}",
        sentence,
    )


RULES = (
    Rule(
        "review_appeal",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s JOIN review_decision d ON d.submission_id = s.id"
        " LEFT JOIN review_publication p ON p.approval_id = d.id LEFT JOIN review_takedown t ON t.publication_id = p.id"
        " WHERE s.id = NEW.submission_id AND s.artist_id = NEW.by_id AND"
        " (d.id = NEW.refusal_id AND d.outcome = 'refuse' OR t.id = NEW.takedown_id AND t.by_id <> s.artist_id))",
        "only its artist appeals, against a refusal, or against a takedown by somebody else",
    ),
    Rule(
        "review_appeal",
        "once",
        "INSERT",
        "NEW.refusal_id IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM review_upholding u WHERE u.submission_id = NEW.submission_id)",
        "what was decided on appeal is not appealed again",
        reads="review_upholding",
    ),
    Rule(
        "review_appeal",
        "latest",
        "INSERT",
        "EXISTS (SELECT 1 FROM review_submission s JOIN review_submission n ON n.clip_id = s.clip_id"
        " AND n.version > s.version LEFT JOIN review_withdrawal w ON w.submission_id = n.id"
        " WHERE s.id = NEW.submission_id AND w.id IS NULL)",
        "what has a later version is not appealed",
    ),
    _says("review_appeal", "text", "an appeal says something, and not too much"),
    Rule(
        "review_appealmessage",
        "fits",
        "INSERT",
        f"{_NO_APPEAL} OR {_IS_OVER} OR NOT ({_OF_ITS_ARTIST}) AND ({_IN_THIS_CLIP})",
        "in an open appeal write its artist, and whoever hears it and took no part",
        reads="review_upholding",
    ),
    _says("review_appealmessage", "text", "a message says something, and not too much"),
    Rule(
        "review_dismissal",
        "fits",
        "INSERT",
        f"{_NO_APPEAL} OR {_IS_OVER} OR {_OF_ITS_ARTIST} OR {_IN_THIS_CLIP}",
        "an appeal is dismissed once, by somebody who is not its artist and took no part",
        reads="review_upholding",
    ),
    _says("review_dismissal", "note", "a dismissal gives its reasons"),
    Rule(
        "review_upholding",
        "fits",
        "INSERT",
        f"{_IS_OVER} OR {_OF_ITS_ARTIST} OR {_IN_THIS_CLIP}",
        "an appeal is upheld once, by somebody who is not its artist and took no part",
        reads="review_dismissal",
    ),
    Rule(
        "review_upholding",
        "opens",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_appeal a JOIN review_submission o ON o.id = a.submission_id"
        " JOIN review_submission s ON s.clip_id = o.clip_id AND s.artist_id = o.artist_id AND s.version > o.version"
        " WHERE a.id = NEW.appeal_id AND s.id = NEW.submission_id AND s.content_hash = o.content_hash)"
        " OR EXISTS (SELECT 1 FROM review_decision d WHERE d.submission_id = NEW.submission_id)"
        " OR EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = NEW.submission_id)",
        "an upheld appeal opens the same content as a later version, which nobody has decided on",
    ),
    Rule(
        "review_decision",
        "heard",
        "INSERT",
        "EXISTS (SELECT 1 FROM review_upholding u JOIN review_submission s ON s.id = u.submission_id"
        f" WHERE s.id = NEW.submission_id AND u.by_id <> NEW.by_id AND ({_HEARER_CAN}"
        f" OR {_took_part('o.clip_id = s.clip_id AND o.version < s.version')}))",
        "what an appeal opened is decided by its hearer, or else by somebody who took no part",
        reads="review_upholding",
    ),
)
