"""What artists tell about a work of their own: its words and credits, what it may be used for, when it goes public."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from . import crediting
from .forms import check_visible
from .models import Use
from .models.consent import ASKED, EXPLAINED


def _in_zone() -> str:
    """js/zone.js puts the browser's own in, here and in the field that is sent."""
    words = gettext("In the time zone {}. Late by minutes at times, never early.")
    return format_html(words, format_html("<span data-zone>{}</span>", settings.TIME_ZONE))


class TimeForm(forms.Form):
    """A time as clocks in the artist's own zone show it; `publish_at` is cleaned to a moment, `zone` to its name."""

    publish_at = forms.CharField(
        label=_("Publish at a set time"),
        required=False,
        max_length=40,
        help_text=lazy(_in_zone, str)(),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean(self):
        cleaned = super().clean()
        text, zone = cleaned.get("publish_at"), cleaned.get("zone") or settings.TIME_ZONE
        if not text or "zone" not in cleaned:
            return cleaned | {"publish_at": None, "zone": ""}
        try:
            return cleaned | {"publish_at": _moment(text, zone), "zone": zone}
        except ValidationError as error:
            self.add_error("publish_at", error)
            return cleaned


def _moment(text: str, zone: str) -> datetime:
    if zone not in _zones():
        raise ValidationError(
            gettext("We don’t know the time zone that your browser tells us: %(zone)s.") % {"zone": zone}
        )
    try:
        read = datetime.fromisoformat(text)
        found = read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))
        moment = found.astimezone(UTC)
        shown = moment.astimezone(found.tzinfo)
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        raise ValidationError(gettext("Write the time like 2026-12-24 18:00.")) from None
    if shown.replace(tzinfo=None) != found.replace(tzinfo=None):
        raise ValidationError(gettext("There is no such time on that day: clocks are put forward then."))
    return moment


@cache
def _zones() -> set[str]:
    return available_timezones()


class ScheduleForm(TimeForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["publish_at"].required = True
        self.fields["publish_at"].error_messages["required"] = gettext("Choose a day and a time.")


class UseForm(forms.Form):
    use = forms.ChoiceField(choices=Use, error_messages={"required": _("Say which use you mean.")})


def _uses() -> list[tuple]:
    return [(use.value, format_html("<strong>{}.</strong> {}", use.label, EXPLAINED[use])) for use in ASKED]


class SubmissionForm(TimeForm):
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
    credit = forms.CharField(
        label=_("Credit"),
        required=False,
        max_length=crediting.LONGEST_NAME,
        validators=[check_visible],
        help_text=_("The name that it is shown under: yours, or the one that you work by."),
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )
    credits = forms.CharField(
        label=_("Also credited"),
        required=False,
        max_length=1000,
        validators=[crediting.check],
        help_text=_("One person a line: their name, a comma, and what they did. Name people as they wish."),
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )
    discloses_recipe = forms.BooleanField(
        label=_("Show the prompt and settings with the clip"), required=False
    )
    consents = forms.MultipleChoiceField(
        label=_("What else the program may do with it"),
        required=False,
        choices=_uses,
        help_text=_(
            "Only once it is public. You can change each of these at any time, on the page of this submission."
        ),
        widget=forms.CheckboxSelectMultiple,
    )
    publish_on_approval = forms.BooleanField(
        label=_("Publish as soon as it is approved"),
        required=False,
        help_text=_("Otherwise you choose the moment yourself."),
    )

    field_order = (
        *("title", "statement", "credit", "credits", "discloses_recipe", "consents"),
        *("publish_on_approval", "publish_at", "zone"),
    )

    def clean_credits(self):
        return crediting.written(self.cleaned_data["credits"])

    def clean_consents(self):
        """In one order, so that a second click is known for one."""
        return [use.value for use in ASKED if use in self.cleaned_data["consents"]]


class PlaceForm(forms.Form):
    """What the program did with a work, in the words of an admin."""

    consent = forms.UUIDField(widget=forms.HiddenInput)
    place = forms.CharField(
        label=_("Where it was used"),
        max_length=300,
        help_text=_("The address of the page, or a few words. The artist reads this."),
        error_messages={"required": _("Say where: the artist will read it.")},
    )
