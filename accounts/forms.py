"""The forms by which people come in, by which an admin helps them to, and by which they say how news reaches them."""

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.utils.translation import gettext_lazy as _

from . import digest
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


class MailForm(forms.Form):
    """How news comes by mail, besides the inbox."""

    AT_ONCE, DAILY, NEVER = "at-once", "daily", "never"
    mail = forms.ChoiceField(
        label=_("How news reaches you by mail"),
        choices=[
            (AT_ONCE, _("At once, while you are away: many of one kind make one mail")),
            (DAILY, _("Once a day: one mail with all that you haven’t read")),
            (NEVER, _("Not at all: it waits for you here")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of these."), "invalid_choice": _("Choose one of these.")},
    )

    @classmethod
    def of(cls, user: User) -> str:
        """What holds for them now."""
        return cls.AT_ONCE if user.wants_mail else cls.DAILY if user.wants_digest else cls.NEVER

    def save(self, user: User) -> None:
        wanted = self.cleaned_data["mail"]
        if wanted == self.DAILY and not user.wants_digest:
            digest.begin(user)
        user.wants_mail, user.wants_digest = wanted == self.AT_ONCE, wanted == self.DAILY
        user.save(update_fields=["wants_mail", "wants_digest"])
