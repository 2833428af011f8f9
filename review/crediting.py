"""Whom a work names, and as what: written one a line, `Name, role`, and frozen as pairs."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MOST = 6  # further credits of one work
LONGEST_NAME, LONGEST_ROLE = 80, 60  # characters


def read(text: str) -> list[tuple[str, str]]:
    """(name, role) of each line; the role may be empty. Whatever was kept is read, so nothing is refused here."""
    pairs = (line.partition(",") for line in text.splitlines() if line.strip())
    return [(name.strip(), role.strip()) for name, _comma, role in pairs]


def check(text: str) -> None:
    found = read(text)
    if len(found) > MOST:
        raise ValidationError(
            _("Name at most %(most)s people here, not %(count)s.") % {"most": MOST, "count": len(found)}
        )
    for name, role in found:
        if not name:
            raise ValidationError(_("A line begins with a name: “%(role)s” has none.") % {"role": role})
        if len(name) > LONGEST_NAME:
            raise ValidationError(
                _("“%(name)s…” is too long: a name has at most %(most)s characters.")
                % {"name": name[:20], "most": LONGEST_NAME}
            )
        if len(role) > LONGEST_ROLE:
            raise ValidationError(
                _("What %(name)s did is too long: write at most %(most)s characters.")
                % {"name": name, "most": LONGEST_ROLE}
            )


def written(text: str) -> str:
    """One spelling for the same credits, so that a second click is known for one."""
    return "\n".join(f"{name}, {role}" if role else name for name, role in read(text))
