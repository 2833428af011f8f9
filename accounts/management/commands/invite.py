"""`manage.py invite`: prints an invitation's link; also how the first admin of an empty database comes in."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from accounts.models import Invitation
from accounts.models.invitation import NotInvitable, invite
from accounts.models.membership import Role


class Command(BaseCommand):
    help = "Creates an invitation and prints its link, which is shown only once."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--role", choices=Role.values, required=True)
        parser.add_argument("--cohort", default="First cohort")

    def handle(self, *, email, role, cohort, **options):
        try:
            Invitation._meta.get_field("email").clean(email, None)
            if not (cohort.strip() and cohort.isprintable() and len(cohort) <= 80):
                raise CommandError("A cohort's name has 1 to 80 characters, on one line.")
            _, link = invite(email, role=role, cohort=cohort.strip(), by=None)
        except ValidationError:
            raise CommandError(f"{email!r} is not an e-mail address.") from None
        except NotInvitable as refusal:
            raise CommandError(str(refusal)) from None
        except (OperationalError, ProgrammingError):
            raise CommandError(
                "The database isn't ready. Does it answer, and has `manage.py migrate` run?"
            ) from None
        self.stdout.write(link)
