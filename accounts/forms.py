"""The forms by which people come in, and by which an admin helps them to."""

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.utils.translation import gettext_lazy as _

from .models import User


class AcceptInvitationForm(forms.Form):
    name = forms.CharField(
        label=_("Your name"),
        max_length=80,
        help_text=_("Shown as the credit on the clips that you publish."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=_("Choose a password"),
        strip=False,
        max_length=1024,
        help_text=password_validators_help_text_html(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args, email: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self):
        password = self.cleaned_data["password"]
        validate_password(password, User(email=self.email, name=self.cleaned_data.get("name", "")))
        return password


class FactorResetForm(forms.Form):
    reason = forms.CharField(
        label=_("How do you know that it is them?"),
        max_length=2000,
        help_text=_("Kept with the record. “Called me on the number that I know”, and who called."),
        error_messages={"required": _("Say how you made sure who asked: it is the only lock that is left.")},
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
