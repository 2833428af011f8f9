"""What is said in an appeal, and what is reported and answered about a public clip."""

from django import forms
from django.utils.translation import gettext_lazy as _

from .clauses import Policy
from .models import ReportAnswer
from .rules.appeals import MOST_WRITTEN
from .rules.reports import MOST_ANSWERED, MOST_REPORTED, OTHER


def _words(label, required: str, *, rows: int, most: int, **more) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "dir": "auto"})
    return forms.CharField(
        label=label, max_length=most, widget=widget, error_messages={"required": required}, **more
    )


class AppealForm(forms.Form):
    text = _words(
        _("Why this should be decided otherwise"),
        _("Write why it should be decided otherwise: nothing was sent."),
        rows=5,
        most=MOST_WRITTEN,
    )


class MessageForm(forms.Form):
    text = _words(_("Your message"), _("Write your message: nothing was sent."), rows=3, most=MOST_WRITTEN)


class DismissalForm(forms.Form):
    note = _words(
        _("Why it stands"),
        _("Say why: the artist will read it."),
        rows=4,
        most=MOST_WRITTEN,
        help_text=_("Answer what the artist brought up, in words that you would sign."),
    )


class ReportForm(forms.Form):
    """`policy`: the version that holds. Its clauses are what a clip can be reported for, and anything else in words."""

    reason = forms.ChoiceField(
        label=_("What is wrong with it"), error_messages={"required": _("Choose what is wrong with it.")}
    )
    text = forms.CharField(
        label=_("In your words"),
        required=False,
        max_length=MOST_REPORTED,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    email = forms.EmailField(
        label=_("Your e-mail address"),
        required=False,
        help_text=_("For the answer alone. The artist never learns who reported."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def __init__(self, *args, policy: Policy, **kwargs):
        super().__init__(*args, auto_id="report_%s", **kwargs)
        reasons = {clause.code: clause.title for clause in policy.clauses} | {OTHER: _("Something else")}
        self.fields["reason"].choices = [("", _("Choose …")), *reasons.items()]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("reason") == OTHER and not cleaned.get("text", "").strip() and "text" in cleaned:
            self.add_error("text", _("Say in a few words what is wrong with it."))
        return cleaned


class ReportAnswerForm(forms.Form):
    seen = forms.IntegerField(
        min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput
    )  # the last report shown
    outcome = forms.ChoiceField(label=_("Answer"), choices=ReportAnswer.Outcome)
    note = _words(
        _("Your words"),
        _("Say why: whoever reported it reads it."),
        rows=4,
        most=MOST_ANSWERED,
        help_text=_(
            "Whoever left an address reads them. Of a takedown, the artist reads them too, and whoever opens its page."
        ),
    )
