"""What a rule is, and what makes a record."""

from dataclasses import dataclass

PREFIX = "gate_"


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


@dataclass(frozen=True)
class Record:
    """A table whose rows say what people did: they are never changed or deleted."""

    erasable: tuple[str, ...] = ()  # columns that erasure may empty, once
    # What REPLACE INTO could push a row out by: a column each, or several that are unique together, with commas.
    identity: tuple[str, ...] = ("id",)
