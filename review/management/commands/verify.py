"""`manage.py verify FILE`: is it a released clip, a withdrawn one, an unreleased one (and whose copy), or unknown?"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from review import recognizing, signs

RELEASED, UNKNOWN, UNREADABLE, WITHDRAWN, UNRELEASED = 0, 1, 2, 3, 4
SAYS = {
    "released": (RELEASED, "released"),
    "withdrawn": (WITHDRAWN, "withdrawn: it was public and was taken down"),
    "unreleased": (UNRELEASED, "unreleased: it was never public"),
}


class Command(BaseCommand):
    help = (
        "Says whether FILE is a released clip, a withdrawn one, an unreleased one (and whose copy), or unknown, by "
        "its bytes, its manifest, its mark and its looks. Exits with 0 for a release, 1 for an unknown file, 2 for "
        "one that can't be read, 3 for a withdrawn one, 4 for an unreleased clip or a copy made for one person."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)

    def handle(self, *, file, **options):
        try:
            found_signs = signs.read(file)
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror}.", returncode=UNREADABLE) from None
        except signs.Busy:
            raise CommandError(
                "Other files are being opened just now; try again.", returncode=UNREADABLE
            ) from None
        if found_signs.refusal:
            self.stderr.write(f"It was not opened, and only its bytes compared. {found_signs.refusal}")
        found = recognizing.everything(found_signs)
        for each in found:
            self.stdout.write(_line(each))
        if not found:
            self.stdout.write("unknown: nothing of this program is recognized in it")
        raise SystemExit(_worst(found))


def _line(found: recognizing.Found) -> str:
    words = [SAYS[found.standing][1], f"clip {found.clip.pk} by {found.clip.owner.email}"]
    if found.viewer:
        words.append(f"the copy made for {found.viewer.email}")
    words.append(f"by its {found.proof.label.lower()}")
    if found.confidence < 1:
        words.append(f"confidence {found.confidence:.0%}")
    return ", ".join(words)


def _worst(found: list[recognizing.Found]) -> int:
    """What the surest finding says; a copy made for one person is a leak, whatever became of the clip since."""
    if not found:
        return UNKNOWN
    return UNRELEASED if found[0].viewer else SAYS[found[0].standing][0]
