"""What visitors can be warned of before they see a clip: some kinds, by code, and a line in the reviewer's own words.

A warning belongs to the Approval and never changes; a code keeps its meaning.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KINDS: dict[str, Promise] = {
    "flashing": _("Flashing lights"),
    "violence": _("Violence"),
    "blood": _("Blood or injuries"),
    "nudity": _("Nudity"),
    "death": _("Death or grief"),
    "phobia": _("Insects, heights or other common fears"),
}
LONGEST_LINE = 120  # characters


@dataclass(frozen=True)
class ContentWarning:
    kinds: tuple[str, ...]  # codes, in the order of KINDS
    line: str

    @property
    def parts(self) -> list:
        """All that it says, piece by piece."""
        return [*(KINDS[code] for code in self.kinds), *([self.line] if self.line else [])]


def told(kinds: str, line: str) -> ContentWarning | None:
    """From the two columns of a Decision; None where there is nothing to warn of."""
    codes = kinds.split()
    return ContentWarning(tuple(code for code in KINDS if code in codes), line) if codes or line else None


def written(kinds: Collection[str]) -> str:
    """The codes as a Decision keeps them."""
    return " ".join(code for code in KINDS if code in kinds)
