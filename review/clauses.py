"""The reasons for refusing a clip, as a text: what a clause and a version of the policy are, and the version that comes
with the program. Nothing here asks the database; `review.policy` knows which version holds.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

MOST = 20  # clauses of a version
CODE_LENGTH = 19  # so that a decision can cite all of them: its column holds 400 characters, with the spaces


@dataclass(frozen=True)
class Clause:
    """One published reason for a refusal, in the words that were saved, and in the reader's language where
    that has them: what a later version keeps of the words that came with the program stays translated.
    """

    code: str
    saved_title: str
    saved_text: str

    @property
    def title(self) -> str:
        return _translated(self.saved_title)

    @property
    def text(self) -> str:
        return _translated(self.saved_text)


@dataclass(frozen=True)
class Policy:
    """One version, whole. The first holds from the program's beginning, and so has no moment and no summary."""

    name: str
    clauses: tuple[Clause, ...]
    number: int = 1
    at: datetime | None = None
    summary: str = ""
    by_id: object = None

    @property
    def codes(self) -> set[str]:
        return {clause.code for clause in self.clauses}

    def clauses_of(self, codes) -> list[Clause]:
        """Those with these codes, in the policy's own order; unknown codes are left out."""
        return [clause for clause in self.clauses if clause.code in codes]


FIRST = Policy(
    "2026-11",
    (
        Clause(
            "rights",
            _("Someone else's work"),
            _(
                "The clip copies a protected work, character, logo or brand closely enough to be taken for it."
            ),
        ),
        Clause(
            "likeness",
            _("A real person's likeness"),
            _("A real, recognizable person appears without any sign that they agreed to it."),
        ),
        Clause(
            "minors",
            _("Harm to children"),
            _("The clip sexualizes, endangers or demeans children. There are no exceptions."),
        ),
        Clause(
            "sexual",
            _("Sexual content"),
            _(
                "The clip is made to arouse. Nudity in a plainly artistic setting is not refused for that alone."
            ),
        ),
        Clause(
            "violence",
            _("Cruelty"),
            _("The clip dwells on gore or suffering for its own sake, or praises violence against people."),
        ),
        Clause(
            "hate",
            _("Hatred"),
            _(
                "The clip attacks people for what they are: their origin, faith, sex, orientation or disability."
            ),
        ),
        Clause(
            "deception",
            _("Made to deceive"),
            _(
                "The clip or its words present an invented event as real in a way that could mislead the public."
            ),
        ),
        Clause(
            "private",
            _("Private information"),
            _("The clip or its words show someone's address, documents or other private facts."),
        ),
        Clause(
            "broken",
            _("A technical fault"),
            _("The clip is black, frozen or broken. Submit another take: nothing else stands in its way."),
        ),
    ),
)

_SHIPPED = {words for clause in FIRST.clauses for words in (clause.saved_title, clause.saved_text)}


def _translated(words: str) -> str:
    return gettext(words) if words in _SHIPPED else words
