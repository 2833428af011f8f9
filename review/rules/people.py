"""The records about members, and the marks of files: kept, and nothing more."""

from .rule import Record

RECORDS = {
    "accounts_allowanceentry": Record(identity=("id", "job,kind")),
    "accounts_answer": Record(erasable=("text",), identity=("id", "objection_id")),
    "accounts_auditentry": Record(erasable=("words", "salt"), identity=("sequence", "entry_hash")),
    "accounts_ending": Record(erasable=("reason",), identity=("id", "membership_id")),
    "accounts_factorreset": Record(erasable=("reason",)),
    "accounts_lift": Record(erasable=("reason",), identity=("id", "suspension_id")),
    "accounts_objection": Record(erasable=("text",), identity=("id", "suspension_id")),
    "accounts_pause": Record(erasable=("reason",)),
    "accounts_resumption": Record(identity=("id", "pause_id")),
    "accounts_rolechange": Record(),
    "accounts_suspension": Record(erasable=("reason",)),
    "generation_mark": Record(identity=("id", "number")),
}

RULES = ()  # nothing is asked of them but to stay
