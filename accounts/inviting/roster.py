"""Reads a list of people to invite, as admins have it: pasted lines, or a file that some spreadsheet wrote.

Bytes and text go in; people, and problems by line number, come out. It knows no database: who may be invited is
`plans`'s.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from ..models.membership import Role
from ..models.user import normal_email

MOST_BYTES = 700_000  # the text travels with the form: keep it below DATA_UPLOAD_MAX_MEMORY_SIZE
MOST_PEOPLE = 5_000
COHORT_LIMIT = 80  # characters
NOTE_LIMIT = 1_000  # characters
EMAIL_LIMIT = 254  # characters

COLUMNS = ("email", "role", "cohort", "note")  # also their order where no header says another
SPELLINGS = {
    "email": {"email", "e-mail", "mail", "address", "email address", "e-mail address"},
    "role": {"role"},
    "cohort": {"cohort"},
    "note": {"note", "personal note", "message"},
}
_NAMED = re.compile(r"[^<>]*<\s*([^<>\s]+)\s*>[\s,;]*")
_ADDRESS_LIKE = re.compile(r"[^\s<>]+@[^\s<>]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Unreadable(Exception):
    """A file that is no list; says why, and what to do."""


@dataclass(frozen=True)
class Person:
    line: int
    email: str
    role: str
    cohort: str
    note: str


@dataclass(frozen=True)
class Problem:
    line: int
    written: str  # what stands there, shortened
    sentence: str


@dataclass(frozen=True)
class Roster:
    people: tuple[Person, ...]
    problems: tuple[Problem, ...]
    remarks: tuple[str, ...] = ()


def check_size(size: int) -> None:
    """Raises Unreadable for more bytes than a list may have: asked before they are read."""
    if size > MOST_BYTES:
        raise Unreadable(
            _("The file has %(size)s KB, and %(most)s KB is the most. Split it.")
            % {"size": size // 1000, "most": MOST_BYTES // 1000}
        )


def decode(content: bytes) -> tuple[str, tuple[str, ...]]:
    """A file's text, and remarks on how it was read. Raises Unreadable."""
    check_size(len(content))
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unreadable(_("This is a spreadsheet file. Save it as CSV there, and choose that file."))
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if content.startswith(mark):
            try:
                text, remarks = content.decode(encoding), ()
                break
            except UnicodeDecodeError:
                continue
    else:
        text = content.decode("cp1252", errors="replace")
        remarks = (
            _(
                "The file isn't in UTF-8. It was read as Western European; look whether names and notes are right."
            ),
        )
    if "\0" in text:
        raise Unreadable(_("This is no text file. Save your list as CSV, and choose that file."))
    return text, remarks


def read(text: str, *, role: str, cohort: str, note: str = "") -> Roster:
    """People and problems of a list; what a row leaves out is filled in from the keywords."""
    text = text.removeprefix("\ufeff")
    people, problems, remarks = [], [], []
    columns, seen = None, {}
    for line, cells, raw, trouble in _rows(text):
        if trouble:
            problems.append(Problem(line, _short(raw), trouble))
            continue
        if columns is None:
            columns, unknown = _header(cells)
            if columns:
                remarks += [
                    _("The column “%(name)s” is not one of email, role, cohort and note, and was left out.")
                    % {"name": _short(name)}
                    for name in unknown
                ]
                continue
            columns = COLUMNS
        for person in _people(cells, raw, columns, line, {"role": role, "cohort": cohort, "note": note}):
            sentence = _wrong_with(person) or (
                _("Twice in the list: it is also on line %(line)s.") % {"line": seen[person.email]}
                if person.email in seen
                else ""
            )
            seen.setdefault(person.email, line)
            if sentence:
                problems.append(Problem(line, _short(person.email or raw), sentence))
            else:
                people.append(person)
    if len(people) > MOST_PEOPLE:
        raise Unreadable(
            _("The list has %(count)s people, and %(most)s at once is the most. Split it.")
            % {"count": len(people), "most": MOST_PEOPLE}
        )
    return Roster(tuple(people), tuple(problems), tuple(remarks))


def wrong_with_cohort(name: str) -> str:
    """A sentence, or nothing."""
    if not (name and name.isprintable() and len(name) <= COHORT_LIMIT):
        return _("A cohort's name has 1 to %(most)s characters, on one line.") % {"most": COHORT_LIMIT}
    return ""


def _rows(text: str) -> Iterator[tuple[int, list[str], str, str]]:
    """Of each row that isn't empty: its line, cells, the text as written, and what is wrong with its quotes."""
    lines = io.StringIO(text, newline=None).read().split("\n")
    separator = _separator(lines)
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=separator, skipinitialspace=True)
    opens = re.compile(rf'(?:^|{re.escape(separator)})\s*"')
    while True:
        start = rows.line_num
        try:
            cells = [cell.strip() for cell in next(rows)]
        except StopIteration:
            return
        except csv.Error:
            yield start + 1, [], lines[start], _("This can't be read as a row: it is too long.")
            continue
        raw = "\n".join(lines[start : rows.line_num])
        if raw.count('"') % 2 and opens.search(raw):
            yield (
                start + 1,
                [],
                lines[start],
                _("A quotation mark opens here and isn't closed, so that rows run together."),
            )
        elif any(cells):
            yield start + 1, cells, raw, ""


def _separator(lines: list[str]) -> str:
    """The one that the first line with any uses most; a comma, if the list has one column."""
    for line in map(str.strip, lines):
        counts = {separator: line.count(separator) for separator in "\t;,"}
        if any(counts.values()):
            return max(counts, key=counts.get)
    return ","


def _header(cells: list[str]) -> tuple[tuple[str, ...] | None, list[str]]:
    """The columns that the first row names, "" for unknown ones; None if it names no address: then it is data."""
    named = [_column(cell) for cell in cells]
    if "email" not in named:
        return None, []
    return tuple(named), [cell for cell, name in zip(cells, named, strict=True) if cell and not name]


def _column(cell: str) -> str:
    return next((name for name, spellings in SPELLINGS.items() if cell.casefold() in spellings), "")


def _people(cells, raw, columns, line, defaults) -> Iterator[Person]:
    """The people of one row: one, or several where a line is nothing but addresses, as mail programs copy them."""
    if columns is COLUMNS:
        filled = [cell for cell in cells if cell]
        if "@" not in cells[0] and _NAMED.fullmatch(raw):  # Doe, Jane <jane@example.org>
            filled = [raw]
        if all(_ADDRESS_LIKE.fullmatch(cell) or _NAMED.fullmatch(cell) for cell in filled):
            for cell in filled:
                yield Person(line, _address(cell), defaults["role"], defaults["cohort"], defaults["note"])
            return
    told = dict(zip(columns, cells, strict=False))
    yield Person(
        line,
        _address(told.get("email", "")),
        _role(told.get("role") or defaults["role"]),
        told.get("cohort") or defaults["cohort"],
        told.get("note") or defaults["note"],
    )


def _address(cell: str) -> str:
    named = _NAMED.fullmatch(cell)
    return normal_email((named[1] if named else cell.strip(",;")).removeprefix("mailto:"))


def _role(word: str) -> str:
    known = {spelling.casefold(): value for value, label in Role.choices for spelling in (value, str(label))}
    return known.get(word.casefold(), word)


def _wrong_with(person: Person) -> str:
    if not person.email:
        return _("There is no address on this line.")
    try:
        validate_email(person.email)
    except ValidationError:
        return _("This is not an e-mail address.")
    if len(person.email) > EMAIL_LIMIT:
        return _("An address has at most %(most)s characters.") % {"most": EMAIL_LIMIT}
    if person.role not in Role.values:
        return _("“%(word)s” is no role here. Write artist, reviewer or admin.") % {
            "word": _short(person.role)
        }
    if sentence := wrong_with_cohort(person.cohort):
        return sentence
    if len(person.note) > NOTE_LIMIT:
        return _("The note has %(count)s characters, and %(most)s is the most.") % {
            "count": len(person.note),
            "most": NOTE_LIMIT,
        }
    if _CONTROL.search(person.note):
        return _("The note holds characters that can't be shown.")
    return ""


def _short(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= 60 else f"{words[:57]}…"
