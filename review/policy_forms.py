"""What an admin tells about the policy: all its clauses, of which a new version is made, and in words what changes."""

import re
import unicodedata

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from .clauses import CODE_LENGTH, MOST, Clause, Policy
from .forms import check_visible

EMPTY = 2  # places for new clauses, below those that are there
_CODE = RegexValidator(
    re.compile(r"\A[a-z][a-z0-9-]*\Z"),
    _("A code begins with a small letter, and has small letters, digits and hyphens only."),
)


class Words(forms.CharField):
    """Text as it is compared from version to version: one spelling of each letter, one kind of line's end."""

    def to_python(self, value):
        return unicodedata.normalize(
            "NFC", super().to_python(value).replace("\r\n", "\n").replace("\r", "\n")
        )


class ClauseForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=CODE_LENGTH,
        validators=[_CODE],
        widget=forms.TextInput(attrs={"class": "mono", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": _("Give it a code: decisions cite the clause by it.")},
    )
    title = Words(
        label=_("Title"),
        max_length=80,
        validators=[check_visible],
        widget=forms.TextInput(attrs={"dir": "auto"}),
        error_messages={"required": _("Give it a title.")},
    )
    text = Words(
        label=_("Text"),
        max_length=1000,
        validators=[check_visible],
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        error_messages={"required": _("Say what the clause refuses, or retire it.")},
    )


class ClauseFormSet(
    forms.formset_factory(
        ClauseForm,
        extra=EMPTY,
        can_order=True,
        can_delete=True,
        max_num=MOST,
        absolute_max=2 * MOST,
        validate_max=False,  # the act says it in its own words
    )
):
    """The clauses of a version that is being written."""

    deletion_widget = forms.CheckboxInput

    @classmethod
    def of(cls, policy: Policy):
        initial = [
            {"code": each.code, "title": each.saved_title, "text": each.saved_text} for each in policy.clauses
        ]
        return cls(initial=initial, prefix="clause")

    def add_fields(self, form, index):
        super().add_fields(form, index)
        form.fields["ORDER"].label = _("Place")
        form.fields["ORDER"].widget.attrs |= {"min": 1, "inputmode": "numeric"}
        form.fields["DELETE"].label = _("Retire this clause")

    def clean(self):
        """Says at the clause itself what the act would say about the whole."""
        seen = set()
        for form in self.forms:
            code = form.cleaned_data.get("code") if form not in self.deleted_forms else None
            if code in seen:
                form.add_error("code", _("Another clause has this code already."))
            seen |= {code} if code else set()

    def written(self) -> list[Clause]:
        forms_ = [form for form in self.ordered_forms if form.cleaned_data.get("code")]
        return [
            Clause(form.cleaned_data["code"], form.cleaned_data["title"], form.cleaned_data["text"])
            for form in forms_
        ]


class SummaryForm(forms.Form):
    shown = forms.CharField(max_length=16, widget=forms.HiddenInput)  # the version that the page showed
    summary = Words(
        label=_("What changes, and why"),
        max_length=300,
        validators=[check_visible],
        help_text=_("One or two sentences to the public: the policy's history shows them."),
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        error_messages={"required": _("Say what changes: artists and reviewers will read it.")},
    )
