"""What artists and reviewers tell the gate: a submission's words, a decision, a takedown's reason."""

import unicodedata
from datetime import UTC

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User

from . import remarks
from .clauses import Policy
from .models import Decision
from .models.second_look import MOST as SECOND_LOOK_NOTE
from .rules.desk import MOST_SAID


def check_visible(words: str) -> None:
    """A title of nothing but blanks and format characters would be a link that nobody can see."""
    if all(unicodedata.category(letter)[0] in "CZ" for letter in words):
        raise ValidationError(_("A title needs at least one letter or sign that can be seen."))


class SubmissionForm(forms.Form):
    title = forms.CharField(
        label=_("Title"),
        max_length=120,
        validators=[check_visible],
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )
    statement = forms.CharField(
        label=_("Statement"),
        required=False,
        max_length=2000,
        help_text=_("A few words to the public, if you like."),
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
    )
    discloses_recipe = forms.BooleanField(
        label=_("Show the prompt and settings with the clip"), required=False
    )
    publish_on_approval = forms.BooleanField(
        label=_("Publish as soon as it is approved"),
        required=False,
        help_text=_("Otherwise you choose the moment yourself."),
    )


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
    outcome = forms.ChoiceField(label=_("Decision"), choices=Decision.Outcome)
    then_next = forms.BooleanField(label=_("Then on to the next clip"), required=False)

    def __init__(self, *args, policy: Policy, said_of_frames=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.said_of_frames = said_of_frames
        self.fields["reasons"].choices = [(clause.code, clause.title) for clause in policy.clauses]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("outcome") == Decision.Outcome.REFUSE:
            if "reasons" in cleaned and not cleaned["reasons"]:
                self.add_error("reasons", _("A refusal names at least one clause of the policy."))
            if "note" in cleaned and not cleaned["note"].strip() and self.said_of_frames:
                cleaned["note"] = remarks.as_note(self.said_of_frames)
            elif "note" in cleaned and not cleaned["note"].strip():
                self.add_error("note", _("A refusal says what would make the clip acceptable."))
        elif cleaned.get("reasons"):
            self.add_error("reasons", _("An approval has no reasons for a refusal. Untick them, or refuse."))
        return cleaned


class SecondLookForm(forms.Form):
    """What somebody would have decided by `policy`, the version that the decision was made by."""

    reasons = forms.MultipleChoiceField(
        label=_("Reasons, if you would refuse"), required=False, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=SECOND_LOOK_NOTE,
        help_text=_("For leads, who read it where the two of you disagree. The artist doesn’t."),
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    outcome = forms.ChoiceField(
        label=_("Your opinion"),
        choices=Decision.Outcome,
        error_messages={"required": _("Say whether you would approve or refuse.")},
    )

    def __init__(self, *args, policy: Policy, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reasons"].choices = [(clause.code, clause.title) for clause in policy.clauses]

    def clean(self):
        cleaned = super().clean()
        refuses = cleaned.get("outcome") == Decision.Outcome.REFUSE
        if refuses and "reasons" in cleaned and not cleaned["reasons"]:
            self.add_error("reasons", _("A refusal names at least one clause of the policy."))
        if cleaned.get("outcome") == Decision.Outcome.APPROVE and cleaned.get("reasons"):
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


class LeavingForm(forms.Form):
    until = forms.DateTimeField()  # when the claim would lapse, as the page that goes away last heard it

    def clean_until(self):
        try:
            return self.cleaned_data["until"].astimezone(UTC)
        except OverflowError:  # at the ends of the calendar, where no database could be asked
            raise ValidationError(_("This is no time at which a claim could lapse.")) from None
