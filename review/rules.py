"""What the database itself refuses, rule by rule: the tables behind the gate, and SQL that both vendors read alike.

`review.triggers` completes these by each table's columns and writes them as triggers, in each vendor's words.
"""

from dataclasses import dataclass

from .clauses import FIRST

PREFIX = "gate_"
MOST_SAID = 2000  # characters of a question, or of a reply


@dataclass(frozen=True)
class Rule:
    """Refuses a row operation when `when` holds; `when` is SQL over OLD and NEW that both vendors read alike."""

    table: str
    name: str
    event: str  # INSERT, UPDATE or DELETE
    when: str
    sentence: str
    reads: str = ""  # a table that came later: until its migration has run, the rule waits

    @property
    def trigger(self) -> str:
        return f"{PREFIX}{self.table}_{self.name}"


# Rows that record what people did. Erasure may empty the named columns, once.
APPEND_ONLY: dict[str, tuple[str, ...]] = {
    "accounts_allowanceentry": (),
    "accounts_answer": ("text",),
    "accounts_auditentry": ("words", "salt"),
    "accounts_ending": ("reason",),
    "accounts_factorreset": ("reason",),
    "accounts_lift": ("reason",),
    "accounts_objection": ("text",),
    "accounts_pause": ("reason",),
    "accounts_resumption": (),
    "accounts_rolechange": (),
    "accounts_suspension": ("reason",),
    "generation_mark": (),
    "review_decision": ("note",),
    "review_milestone": (),
    "review_pass": ("reason",),
    "review_policyclause": (),
    "review_policyversion": (),
    "review_publicfile": (),
    "review_publication": (),
    "review_question": ("text",),
    "review_recusal": ("reason",),
    "review_remark": ("text", "drawing"),
    "review_reply": ("text",),
    "review_takedown": ("reason",),
    "review_withdrawal": (),
}
SUBMISSION = "review_submission"
SUBMISSION_ERASABLE = ("title", "statement", "content")

# What REPLACE INTO could push out: the columns that identify a row.
IDENTITY: dict[str, tuple[str, ...]] = {
    "accounts_allowanceentry": ("id", "job,kind"),
    "accounts_answer": ("id", "objection_id"),
    "accounts_auditentry": ("sequence", "entry_hash"),
    "accounts_ending": ("id", "membership_id"),
    "accounts_factorreset": ("id",),
    "accounts_lift": ("id", "suspension_id"),
    "accounts_objection": ("id", "suspension_id"),
    "accounts_pause": ("id",),
    "accounts_resumption": ("id", "pause_id"),
    "accounts_rolechange": ("id",),
    "accounts_suspension": ("id",),
    "generation_mark": ("id", "number"),
    "review_decision": ("id", "submission_id"),
    "review_milestone": ("id", "submission_id,kind"),
    "review_pass": ("id",),
    "review_policyclause": ("id", "version_id,code", "version_id,place"),
    "review_policyversion": ("number", "name"),
    "review_publicfile": ("id", "submission_id,kind"),
    "review_publication": ("id", "approval_id", "slug"),
    "review_question": ("id", "submission_id,number"),
    "review_recusal": ("id", "submission_id,by_id"),
    "review_remark": ("id", "decision_id,number"),
    "review_reply": ("id", "question_id"),
    "review_takedown": ("id", "publication_id"),
    "review_withdrawal": ("id", "submission_id"),
    SUBMISSION: ("id", "clip_id,version"),
}

# The first version of the policy has no rows: its name and its codes are written into the rules. They never change.
_CODES = (
    "SELECT c.code FROM review_policyclause c JOIN review_policyversion v ON v.number = c.version_id"
    " WHERE v.name = NEW.policy_version"
) + "".join(
    f" UNION ALL SELECT '{clause.code}' WHERE NEW.policy_version = '{FIRST.name}'" for clause in FIRST.clauses
)

FITTING = (
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
        "review_decision",
        "policy",
        "INSERT",
        "NEW.policy_version <> COALESCE((SELECT v.name FROM review_policyversion v ORDER BY v.number DESC LIMIT 1),"
        f" '{FIRST.name}')",
        "a decision is made by the version of the policy that holds",
        reads="review_policyversion",
    ),
    Rule(  # all that it cites is accounted for by codes of the version, each with the space behind it
        "review_decision",
        "cites",
        "INSERT",
        "NEW.reasons <> '' AND length(NEW.reasons) + 1 <> (SELECT COALESCE(SUM(length(k.code) + 1), 0)"
        f" FROM ({_CODES}) k"
        " WHERE replace(' ' || NEW.reasons || ' ', ' ' || k.code || ' ', '') <> ' ' || NEW.reasons || ' ')",
        "a decision cites clauses that its version of the policy has",
        reads="review_policyclause",
    ),
    Rule(
        "review_policyversion",
        "follows",
        "INSERT",
        "NEW.number <> (SELECT COALESCE(MAX(v.number), 1) + 1 FROM review_policyversion v)"
        f" OR NEW.name = '{FIRST.name}' OR trim(NEW.name) = '' OR trim(NEW.summary) = ''"
        " OR NOT EXISTS (SELECT 1 FROM review_policyclause c WHERE c.version_id = NEW.number)",
        "a version of the policy follows the last one, under a name of its own, and has clauses",
        reads="review_policyclause",
    ),
    Rule(
        "review_policyclause",
        "whole",
        "INSERT",
        "EXISTS (SELECT 1 FROM review_policyversion v WHERE v.number >= NEW.version_id) OR NEW.version_id < 2"
        " OR NEW.code = '' OR NEW.code LIKE '% %' OR trim(NEW.title) = '' OR trim(NEW.text) = ''",
        "a version of the policy is whole before it holds, and each clause has a code, a title and a text",
        reads="review_policyversion",
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
    Rule(
        "review_withdrawal",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id AND s.artist_id = NEW.by_id)"
        " OR EXISTS (SELECT 1 FROM review_decision d WHERE d.submission_id = NEW.submission_id)",
        "only the artist withdraws a submission, and only before its decision",
    ),
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
