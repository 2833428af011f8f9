"""What sorahub asks of allauth: no signup without an invitation, and addresses in one spelling."""

from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.core.exceptions import ValidationError

from . import emails
from .models.user import normal_email


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

    def pre_authenticate(self, request, **credentials):
        """Too many failed logins are told by the status, too: a script reads no sentence in a form."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            raise ImmediateHttpResponse(ratelimit.respond_429(request)) from None


def _at_our_address(url: str) -> str:
    """Links in mails begin as the settings say, whatever host the request named."""
    return settings.SITE_URL + urlsplit(url).path


class FactorAdapter(DefaultMFAAdapter):
    def get_totp_issuer(self):
        return "sorahub"

    def get_public_key_credential_rp_entity(self):
        """A passkey is bound to the host that the page was opened under; browsers know no ports here."""
        return {**super().get_public_key_credential_rp_entity(), "name": "sorahub"}
