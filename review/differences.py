"""What a version of the policy changed: clause by clause, and word by word within one."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from .clauses import Clause, Policy

_PIECES = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)  # words, gaps, and each other sign alone


@dataclass(frozen=True)
class Piece:
    kind: str  # "same", "new" or "gone"
    words: str


@dataclass(frozen=True)
class Difference:
    """One clause after the change, or the clause that was retired."""

    kind: str  # "same", "new", "changed" or "retired"
    clause: Clause
    title: list[Piece]
    text: list[Piece]


def between(before: Policy, after: Policy) -> list[Difference]:
    """All clauses of the later version in its order, and then those that it retired."""
    old = {clause.code: clause for clause in before.clauses}
    shown = [_against(old.get(clause.code), clause) for clause in after.clauses]
    retired = [clause for clause in before.clauses if clause.code not in after.codes]
    return shown + [
        Difference("retired", each, [Piece("gone", each.title)], [Piece("gone", each.text)])
        for each in retired
    ]


def _against(old: Clause | None, new: Clause) -> Difference:
    if old is None:
        return Difference("new", new, [Piece("new", new.title)], [Piece("new", new.text)])
    kind = "same" if old == new else "changed"
    return Difference(kind, new, in_words(old.title, new.title), in_words(old.text, new.text))


def in_words(before: str, after: str) -> list[Piece]:
    old, new = _PIECES.findall(before), _PIECES.findall(after)
    found = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Piece("same", "".join(new[k:m])))
            continue
        found += [Piece("gone", "".join(old[i:j]))] if i < j else []
        found += [Piece("new", "".join(new[k:m]))] if k < m else []
    return found
