"""`manage.py invite`: prints an invitation's link; also how the first admin of an empty database comes in."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from accounts.models import Invitation
from accounts.models.invitation import NotInvitable, invite, revoke
from accounts.models.membership import Role
from accounts.models.user import normal_email


class Command(BaseCommand):
    help = "Creates an invitation and prints its link, which is shown only once; or takes invitations back."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--role", choices=Role.values)
        parser.add_argument("--cohort", default="First cohort")
        parser.add_argument(
            "--revoke", action="store_true", help="take back what is still open for this address"
        )

    def handle(self, *, email, role, cohort, revoke: bool, **options):
        try:
            Invitation._meta.get_field("email").clean(email, None)
            self.stdout.write(self._revoke(email) if revoke else self._invite(email, role, cohort))
        except ValidationError:
            raise CommandError(f"{email!r} is not an e-mail address.") from None
        except NotInvitable as refusal:
            raise CommandError(str(refusal)) from None
        except (OperationalError, ProgrammingError):
            raise CommandError(
                "The database isn't ready. Does it answer, and has `manage.py migrate` run?"
            ) from None

    def _invite(self, email: str, role: str | None, cohort: str) -> str:
        if role is None:
            raise CommandError(f"Say --role {'|'.join(Role.values)}.")
        if not (cohort.strip() and cohort.isprintable() and len(cohort) <= 80):
            raise CommandError("A cohort's name has 1 to 80 characters, on one line.")
        return invite(email, role=role, cohort=cohort.strip(), by=None)[1]

    def _revoke(self, email: str) -> str:
        found = list(Invitation.objects.open().filter(email=normal_email(email)))
        if not found:
            raise CommandError(f"No invitation is open for {email}.")
        for invitation in found:
            revoke(invitation, by=None)
        return f"Taken back: {len(found)}."
