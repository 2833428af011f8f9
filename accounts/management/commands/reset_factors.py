"""Helps somebody who lost their second factors where no admin can: the last admin, above all."""

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.models.exclusion import Impossible
from accounts.models.factors import reset
from accounts.models.user import normal_email
from accounts.tasks import tell_of_factor_reset


class Command(BaseCommand):
    help = "Removes somebody's passkeys, authenticator app and recovery codes, and ends their sessions, with a record."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="how you made sure that it is them who ask")

    def handle(self, email, reason, **options):
        try:
            made = reset(User.objects.get(email=normal_email(email)), by=None, reason=reason)
        except User.DoesNotExist:
            raise CommandError(f"Nobody here has the address {email}.") from None
        except Impossible as refusal:
            raise CommandError(str(refusal)) from None
        tell_of_factor_reset(made)
        self.stdout.write(f"{email} can log in with the password alone and set up new ones.")
