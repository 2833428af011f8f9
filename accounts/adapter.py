"""What sorahub asks of allauth: invitations only, one spelling of an address, second factors under lock."""

import base64
import logging
import secrets
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import record_authentication
from allauth.core import context, ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, gettext_lazy

from . import emails, stepup, whereabouts
from .models import audit
from .models.factors import second_factors
from .models.user import normal_email

log = logging.getLogger(__name__)


class InvitationOnlyAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        return False  # accounts.views.invitation is the only way in

    def clean_email(self, email):
        return normal_email(email)

    def get_reset_password_from_key_url(self, key):
        return _at_our_address(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request, emailconfirmation):
        return _at_our_address(super().get_email_confirmation_url(request, emailconfirmation))

    def render_mail(self, template_prefix, email, context, headers=None):
        return emails.dress(super().render_mail(template_prefix, email, context, headers))

    def send_mail(self, template_prefix, email, context):
        super().send_mail(template_prefix, email, {**context, "site_url": settings.SITE_URL})

    def validation_error(self, code, *args):
        """Too many tries are told by the status, too: a script reads no sentence in a form."""
        if code in ("too_many_login_attempts", "rate_limited"):
            raise ImmediateHttpResponse(ratelimit.respond_429(context.request))
        return super().validation_error(code, *args)

    def login(self, request, user):
        super().login(request, user)
        whereabouts.arrived(request)

    def post_login(self, request, user, *, signup, **kwargs):
        if signup:  # whoever has just chosen a password need not show that they know it
            record_authentication(request, user, method="password")
        return super().post_login(request, user, signup=signup, **kwargs)

    def is_reauthentication_required(self, *, app, **kwargs):
        """Whoever has just logged in was just asked."""
        required = super().is_reauthentication_required(app=app, **kwargs)
        return required and not stepup.is_proven(context.request)

    def get_reauthentication_methods(self, user):
        """With a second factor, that is asked for: a password alone must not be enough to take it away."""
        methods = {method["id"]: method for method in super().get_reauthentication_methods(user)}
        stronger = {
            "mfa_reauthenticate:webauthn": gettext("Use your passkey"),
            "mfa_reauthenticate": gettext("Use a code"),
        }
        found = [
            methods[name] | {"description": words} for name, words in stronger.items() if name in methods
        ]
        return found or list(methods.values())

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        """allauth calls this at each change of how somebody logs in: the place for its trace, too."""
        audit.record("account." + template_prefix.rpartition("/")[2], by=user, subject=user)
        try:
            super().send_notification_mail(template_prefix, user, context, email)
        except OSError as error:  # the change is made: a mail server that is away must not spoil the page
            log.warning("A mail about %s could not be sent: %s", template_prefix, type(error).__name__)


def _at_our_address(url: str) -> str:
    """Links in mails begin as the settings say, whatever host the request named."""
    return settings.SITE_URL + urlsplit(url).path


class FactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "That was not accepted. A code works once, and an app shows a new one soon."
        ),
        "cannot_generate_recovery_codes": gettext_lazy(
            "Recovery codes stand in for a passkey or an app: add one first."
        ),
    }

    def get_totp_issuer(self):
        return "sorahub"

    def get_public_key_credential_rp_entity(self):
        """A passkey is bound to the host that the page was opened under; browsers know no ports here."""
        return {**super().get_public_key_credential_rp_entity(), "name": "sorahub"}

    def generate_authenticator_name(self, user, type):
        return gettext("Passkey %(number)s") % {
            "number": second_factors().filter(user=user.pk, type=type).count() + 1
        }

    def encrypt(self, text):
        """A stolen copy of the database must not hold everybody's second factors."""
        return _locks().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text):
        try:
            return _locks().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            log.error(
                "A second factor can't be read: was SECRET_KEY changed? SECRET_KEY_FALLBACKS keeps the old one."
            )
            return base64.b32encode(secrets.token_bytes(20)).decode()  # which no code fits


def _locks() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        [
            Fernet(
                base64.urlsafe_b64encode(
                    salted_hmac("accounts.factors", "", key, algorithm="sha256").digest()
                )
            )
            for key in keys
        ]
    )
