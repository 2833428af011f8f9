"""The published reasons for refusing a clip: what reviewers cite, and what /policy/ shows.

A clause's code is kept in decisions for ever, so a code never changes its meaning: a changed rule is a new version.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CURRENT = "2026-11"


@dataclass(frozen=True)
class Clause:
    code: str
    title: str | Promise
    text: str | Promise


POLICY: dict[str, tuple[Clause, ...]] = {
    "2026-11": (
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
}


def current() -> tuple[Clause, ...]:
    return POLICY[CURRENT]


def clauses(codes: list[str], *, version: str = CURRENT) -> list[Clause]:
    """The clauses with these codes, in the policy's own order; unknown codes are left out."""
    return [clause for clause in POLICY.get(version, ()) if clause.code in codes]
