"""What the database itself refuses, rule by rule: the tables behind the gate, and SQL that both vendors read alike.

One file for each kind of record. `review.triggers` completes the rules by each table's columns and writes them as
triggers, in each vendor's words.
"""

from . import deciding, desk, people, policy, second_looks, submissions
from .rule import PREFIX, Record, Rule
from .submissions import IS_PUBLIC, SUBMISSION, SUBMISSION_ERASABLE

_KINDS = (people, submissions, desk, deciding, policy, second_looks)

RECORDS: dict[str, Record] = {table: record for kind in _KINDS for table, record in kind.RECORDS.items()}

# What identifies a row of every table behind the gate: the records, and the submission, which is sealed once.
IDENTITY: dict[str, tuple[str, ...]] = {
    **{table: record.identity for table, record in RECORDS.items()},
    SUBMISSION: submissions.SUBMISSION_IDENTITY,
}

FITTING: tuple[Rule, ...] = tuple(rule for kind in _KINDS for rule in kind.RULES)

__all__ = [
    "FITTING",
    "IDENTITY",
    "IS_PUBLIC",
    "PREFIX",
    "RECORDS",
    "SUBMISSION",
    "SUBMISSION_ERASABLE",
    "Record",
    "Rule",
]
