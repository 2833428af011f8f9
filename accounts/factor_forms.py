"""allauth's forms for second factors, where ours ask for more or say it in other words."""

import struct
from contextlib import contextmanager

from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

NAME_LIMIT = 80


class OnceOnly:
    """A code works once for as long as it is good: allauth forgets it after one step, and we allow for three."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        code.label = _("Code from your app, or a recovery code")
        code.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 32}

    def clean_code(self):
        code = super().clean_code()
        good_for = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)
        if not cache.add(
            f"accounts.code:{self.user.pk}:{''.join(filter(str.isalnum, code))}", True, good_for
        ):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(OnceOnly, AuthenticateForm):
    """The second step of logging in."""


class ConfirmCodeForm(OnceOnly, ReauthenticateForm):
    """Asked again, of somebody who is in."""


@contextmanager
def made_up_refused():
    """The parsers below allauth's forms know what a browser sends; to anything else they answer with these."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError, struct.error):
        raise get_adapter().validation_error("incorrect_code") from None


class UsePasskeyForm(AuthenticateWebAuthnForm):
    """The second step of logging in."""

    def clean_credential(self):
        with made_up_refused():
            return super().clean_credential()


class ConfirmPasskeyForm(ReauthenticateWebAuthnForm):
    """Asked again, of somebody who is in."""

    def clean_credential(self):
        with made_up_refused():
            return super().clean_credential()


class PasskeyAloneForm(LoginWebAuthnForm):
    """All of logging in."""

    def clean_credential(self):
        with made_up_refused():
            return super().clean_credential()


class AddPasskeyForm(AddWebAuthnForm):
    """What a passkey is good for is both: the second step after the password, or all of it alone."""

    def clean(self):
        with made_up_refused():
            return super().clean()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
        self.fields["name"].help_text = _("By which you will know it: “Phone”, “Blue key”.")
        self.fields["name"].widget.attrs["maxlength"] = NAME_LIMIT
        alone = self.fields["passwordless"]
        alone.initial = True
        alone.label = _("Log in with it alone, without the password")
        alone.help_text = _("It then asks for a fingerprint, a face or a PIN of its own.")

    def clean_name(self):
        return super().clean_name()[:NAME_LIMIT]  # refusing it would lose the passkey that was just made


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(label=_("Name"), max_length=NAME_LIMIT)
