"""What people tell the gate: a decision, a takedown's reason, a question, a file to compare.

What artists tell of their own works is in review.own_forms."""

import unicodedata
from datetime import UTC

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User

from . import content_warnings, remarks
from .clauses import Policy
from .models import Decision, Sensitivity
from .models.comfort import MOST_IN_A_ROW
from .rules.desk import MOST_SAID
from .rules.pairs import MOST_WHY


def check_visible(words: str) -> None:
    """A title, or a name, of nothing but blanks and format characters would be a link that nobody can see."""
    if all(unicodedata.category(letter)[0] in "CZ" for letter in words):
        raise ValidationError(_("This needs at least one letter or sign that can be seen."))


class VerifyForm(forms.Form):
    file = forms.FileField(
        label=_("Video file"),
        help_text=_("An MP4, or any other file of this program. It is compared and then deleted."),
        error_messages={
            "required": _("Choose a file first."),
            "empty": _("This file is empty. Choose another."),
        },
        widget=forms.FileInput(attrs={"accept": "video/mp4,.mp4"}),
    )


class DecisionForm(forms.Form):
    """A decision by `policy`, the version that holds; its fields are the same in every version."""

    content_hash = forms.CharField(max_length=64, widget=forms.HiddenInput)
    # What the page showed. A script that names none decides by the version that holds.
    policy_version = forms.CharField(max_length=16, required=False, widget=forms.HiddenInput)
    reasons = forms.MultipleChoiceField(
        label=_("Reasons for a refusal"), required=False, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(
        label=_("Note to the artist"),
        required=False,
        max_length=4000,
        help_text=_("For a refusal: what would make it acceptable."),
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
    )
    warning_kinds = forms.MultipleChoiceField(
        label=_("Warn visitors of"),
        required=False,
        choices=content_warnings.KINDS.items(),
        help_text=_(
            "The public page and its card are blurred until a visitor chooses to see. For an approval only."
        ),
        widget=forms.CheckboxSelectMultiple,
    )
    warning_line = forms.CharField(
        label=_("In your words"),
        required=False,
        max_length=content_warnings.LONGEST_LINE,
        help_text=_("Visitors and the artist read this."),
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )
    outcome = forms.ChoiceField(label=_("Decision"), choices=Decision.Outcome)
    then_next = forms.BooleanField(label=_("Then on to the next clip"), required=False)

    def __init__(self, *args, policy: Policy, said_of_frames=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.said_of_frames = said_of_frames
        self.fields["reasons"].choices = [(clause.code, clause.title) for clause in policy.clauses]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("outcome") == Decision.Outcome.REFUSE:
            cleaned |= {"warning_kinds": [], "warning_line": ""}  # there will be nothing to warn of
            if "reasons" in cleaned and not cleaned["reasons"]:
                self.add_error("reasons", _("A refusal names at least one clause of the policy."))
            if "note" in cleaned and not cleaned["note"].strip() and self.said_of_frames:
                cleaned["note"] = remarks.as_note(self.said_of_frames)
            elif "note" in cleaned and not cleaned["note"].strip():
                self.add_error("note", _("A refusal says what would make the clip acceptable."))
        elif cleaned.get("reasons"):
            self.add_error("reasons", _("An approval has no reasons for a refusal. Untick them, or refuse."))
        return cleaned


class TakedownForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        error_messages={"required": _("Say why: the artist will read it.")},
    )


class AsideForm(forms.Form):
    """Why a reviewer passes, or recuses themselves: one field for both."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        error_messages={"required": _("Say why: the other reviewers will read it.")},
    )


class HandoverForm(forms.Form):
    to = forms.ModelChoiceField(
        User.objects.none(),
        label=_("To"),
        empty_label=None,
        error_messages={"invalid_choice": _("They can’t decide on this clip. Choose somebody else.")},
    )

    def __init__(self, *args, takers, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = takers


class SaidForm(forms.Form):
    """A question to an artist, or the answer to it."""

    text = forms.CharField(
        label=_("Question to the artist"),
        max_length=MOST_SAID,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        error_messages={"required": _("Write what you want to know: nothing was sent.")},
    )


class ReplyForm(SaidForm):
    number = forms.IntegerField(min_value=1, max_value=32767, widget=forms.HiddenInput)  # of the question

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["text"].label = _("Your answer")
        self.fields["text"].error_messages["required"] = _("Write your answer: nothing was sent.")


class SensitivityForm(forms.Form):
    """That a clip takes two people, by a reviewer's word."""

    kind = forms.ChoiceField(
        label=_("What it is"),
        choices=Sensitivity.Kind,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of them.")},
    )
    why = forms.CharField(
        label=_("Why"),
        max_length=MOST_WHY,
        help_text=_("What is to be looked at, not how you would decide: the next reviewer reads it."),
        widget=forms.TextInput(attrs={"dir": "auto"}),
        error_messages={"required": _("Say why: the next reviewer reads it.")},
    )

    use_required_attribute = False


class ComfortForm(forms.Form):
    """How a reviewer wants to be shown what is flagged."""

    blurs = forms.BooleanField(label=_("Blurred, until I lift it (key v)"), required=False)
    grays = forms.BooleanField(label=_("In gray, until I lift it (key h)"), required=False)
    mutes = forms.BooleanField(label=_("Without sound, until I switch it on (key m)"), required=False)
    in_a_row = forms.IntegerField(
        label=_("Flagged clips in a row"),
        min_value=0,
        max_value=MOST_IN_A_ROW,
        help_text=_(
            "After so many decisions on flagged clips, “the next one” is one that isn't flagged, if there is one."
            " 0: any number."
        ),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={"required": _("Say how many, or 0 for any number.")},
    )


class LeavingForm(forms.Form):
    until = forms.DateTimeField()  # when the claim would lapse, as the page that goes away last heard it

    def clean_until(self):
        try:
            return self.cleaned_data["until"].astimezone(UTC)
        except OverflowError:  # at the ends of the calendar, where no database could be asked
            raise ValidationError(_("This is no time at which a claim could lapse.")) from None
