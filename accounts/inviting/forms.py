"""The forms by which admins invite: one person, or a list of them."""

import hashlib
import json
import uuid
from datetime import timedelta

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from ..models import Cohort
from ..models.membership import Role
from ..models.user import normal_email
from . import plans, roster

MOST_DAYS = 90
COHORTS_OFFERED = 100  # in the list that the browser suggests; any other may be typed


class _Terms(forms.Form):
    """What an invitation says besides its address."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.ARTIST)
    cohort = forms.CharField(
        label=_("Cohort"),
        max_length=roster.COHORT_LIMIT,
        widget=forms.TextInput(attrs={"list": "cohorts", "autocomplete": "off", "dir": "auto"}),
        help_text=_("One that exists, or a new name."),
    )
    days = forms.IntegerField(
        label=_("Days to accept"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=lambda: settings.INVITATION_LIFETIME.days,
    )
    note = forms.CharField(
        label=_("Personal note"),
        required=False,
        max_length=roster.NOTE_LIMIT,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text=_("Quoted in the mail, above the link."),
    )
    form_key = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid.uuid4)

    def cohorts(self):
        return Cohort.objects.order_by("-pk").values_list("name", flat=True)[:COHORTS_OFFERED]

    def clean_cohort(self):
        cohort = self.cleaned_data["cohort"]
        if sentence := roster.wrong_with_cohort(cohort):
            raise forms.ValidationError(sentence)
        return cohort

    def clean_note(self):
        # Browsers send \r\n for each line break that the limit has counted as one character.
        return self.cleaned_data["note"].replace("\r\n", "\n")

    def clean_form_key(self):
        return self.cleaned_data["form_key"] or uuid.uuid4()

    @property
    def lifetime(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])

    @property
    def batch(self) -> uuid.UUID:
        """The same for the same form with the same content: sent twice, it invites once."""
        told = {name: str(value) for name, value in self.cleaned_data.items() if name not in ("file", "seen")}
        content = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        return uuid.uuid5(self.cleaned_data["form_key"], content)


class InviteForm(_Terms):
    MAIL, LINK = "mail", "link"

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=roster.EMAIL_LIMIT,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    delivery = forms.ChoiceField(
        label=_("How it gets there"),
        choices=[
            (MAIL, _("sorahub sends the mail")),
            (LINK, _("Show me the link, once; I pass it on myself")),
        ],
        initial=MAIL,
        widget=forms.RadioSelect,
    )
    field_order = ("email", "role", "cohort", "days", "note", "delivery", "form_key")

    def plan(self) -> plans.Plan:
        """The form's one person, as a list of one."""
        told = self.cleaned_data
        person = roster.Person(1, normal_email(told["email"]), told["role"], told["cohort"], told["note"])
        return plans.plan(roster.Roster((person,), ()))


class RosterForm(_Terms):
    text = forms.CharField(
        label=_("The list"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 10,
                "class": "mono",
                "spellcheck": "false",
                "placeholder": "email,role,cohort,note\nada@example.com\nGrace <grace@example.com>",
            }
        ),
        help_text=_(
            "An address on each line, or a table with the columns email, role, cohort and note, of which only the "
            "first is needed. Commas, semicolons and tabs are all right."
        ),
    )
    file = forms.FileField(
        label=_("Or a CSV file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
        help_text=_(
            "It takes the place of what stands in the list above. At most %(people)s people or %(size)s KB."
        )
        % {"people": roster.MOST_PEOPLE, "size": roster.MOST_BYTES // 1000},
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    field_order = ("text", "file", "role", "cohort", "days", "note", "form_key", "seen")

    def __init__(self, data=None, files=None, **kwargs):
        self.remarks = ()
        self.unreadable = ""
        super().__init__(self._with_file(data, files), files, **kwargs)
        # A page that comes back with a mistake in it has no file any more: its text stands in the list.
        self.fields["cohort"].help_text = _("For rows that name none: one that exists, or a new name.")
        self.fields["note"].help_text = _("For rows without one. Quoted in the mail, above the link.")

    def _with_file(self, data, files):
        """The file's text, in the list's place: so it can be mended there, and travels on to the confirmation."""
        if not (data and files and files.get("file")):
            return data
        data = data.copy()
        try:
            roster.check_size(files["file"].size)
            data["text"], self.remarks = roster.decode(files["file"].read())
        except roster.Unreadable as reason:
            self.unreadable = str(reason)
        return data

    def with_seen(self, digest: str) -> "RosterForm":
        """The form as the dry run shows it: what it has shown goes with it."""
        self.data = self.data.copy()
        self.data["seen"] = digest
        return self

    def clean(self):
        told = super().clean()
        if self.unreadable:
            self.add_error("file", self.unreadable)
        elif not told.get("text", "").strip() and "text" not in self.errors:
            self.add_error("text", _("Paste a list, or choose a file."))
        elif not self.errors:
            try:
                self.roster = roster.read(
                    told["text"], role=told["role"], cohort=told["cohort"], note=told["note"]
                )
            except roster.Unreadable as reason:
                self.add_error("text", str(reason))
        return told
