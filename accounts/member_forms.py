"""What admins fill in about members, cohorts and the program, and what a suspended member answers."""

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from .models import Cohort
from .models.exclusion import Standing
from .models.membership import Role

MOST_SECONDS = 10_000_000  # about four months of one GPU


def words(
    label: str, *, required: bool = True, help_text: str = "", say: str = "", rows: int = 3
) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=4000,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows, "dir": "auto"}),
        error_messages={"required": say} if say else {},
    )


# --- Narrowing lists -------------------------------------------------------------------------------


class MemberSearch(forms.Form):
    q = forms.CharField(label=_("Name or e-mail"), required=False, max_length=200)
    role = forms.ChoiceField(label=_("Role"), required=False, choices=[("", _("Any role")), *Role.choices])
    cohort = forms.ModelChoiceField(
        Cohort.objects.order_by("name"), label=_("Cohort"), required=False, empty_label=_("Any cohort")
    )
    standing = forms.ChoiceField(
        label=_("Standing"), required=False, choices=[("", _("Any standing")), *Standing.choices]
    )


class LedgerSearch(forms.Form):
    member = forms.EmailField(label=_("Member’s e-mail"), required=False)
    cohort = forms.ModelChoiceField(
        Cohort.objects.order_by("name"), label=_("Cohort"), required=False, empty_label=_("Any cohort")
    )


class AuditSearch(forms.Form):
    act = forms.ChoiceField(label=_("Act"), required=False)
    by = forms.EmailField(label=_("By (e-mail)"), required=False)

    def __init__(self, *args, acts, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["act"].choices = [("", _("Any act")), *((act, words) for words, act in acts)]


# --- Acts on one member ----------------------------------------------------------------------------


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, widget=forms.RadioSelect)


class MoveForm(forms.Form):
    cohort = forms.ModelChoiceField(Cohort.objects.order_by("name"), label=_("Cohort"), empty_label=None)


class GrantForm(forms.Form):
    seconds = forms.IntegerField(
        label=_("GPU seconds"),
        min_value=-MOST_SECONDS,
        max_value=MOST_SECONDS,
        help_text=_("Below zero takes seconds away."),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def clean_seconds(self):
        if self.cleaned_data["seconds"] == 0:
            raise ValidationError(_("0 seconds would change nothing."))
        return self.cleaned_data["seconds"]


class SuspensionForm(forms.Form):
    reason = words(
        _("Reason"),
        help_text=_("The member reads these words."),
        say=_("Say why: the member will read it, and may object."),
    )


class LiftForm(forms.Form):
    reason = words(_("Note"), required=False, help_text=_("For the record."))


class AnswerForm(forms.Form):
    text = words(_("Answer"), say=_("Say why the suspension stays: the member will read it."))


class EndingForm(SuspensionForm):
    email = forms.CharField(
        label=_("Their e-mail address"),
        max_length=254,
        help_text=_("Type it to make sure that this is the member you mean."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    field_order = ("reason", "email")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self):
        if self.cleaned_data["email"].strip().lower() != self.user.email:
            raise ValidationError(
                _("This isn’t this member’s address. Look again whom you are about to end.")
            )
        return self.user.email


class ObjectionForm(forms.Form):
    text = words(_("Your objection"), rows=6, say=_("Write what the program’s team should consider."))


# --- Cohorts and the program -----------------------------------------------------------------------


class ModelsField(forms.MultipleChoiceField):
    """Ids of models. Which there are is for generation to know: its tag draws the boxes."""

    valid = RegexValidator(r"\A[a-z0-9][a-z0-9._-]{0,63}\Z")

    def valid_value(self, value):
        try:
            self.valid(value)
        except ValidationError:
            return False
        return True


class CohortForm(forms.ModelForm):
    model_ids = ModelsField(
        label=_("Models"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("With none ticked, its members may use all on offer."),
    )

    class Meta:
        model = Cohort
        fields = ("name", "model_ids", "max_queued", "max_running", "allowance")
        help_texts = {
            "max_queued": _("Of one member. Empty: as the program’s settings say."),
            "max_running": _("Of one member. Empty: as the program’s settings say."),
            "allowance": _("GPU seconds a member. Empty: without limit."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, least, most in (
            ("max_queued", 1, 1000),
            ("max_running", 1, 100),
            ("allowance", 0, MOST_SECONDS),
        ):
            self.fields[name] = forms.IntegerField(
                label=self.fields[name].label.capitalize(),
                help_text=self.fields[name].help_text,
                required=False,
                min_value=least,
                max_value=most,
            )
        self.fields["name"].label = _("Name")

    def clean_name(self):
        name = " ".join(self.cleaned_data["name"].split())
        if not name.isprintable():
            raise ValidationError(_("A cohort’s name has letters and signs that can be seen, on one line."))
        twin = Cohort.objects.filter(name__iexact=name).exclude(pk=self.instance.pk)
        if twin.exists():
            raise ValidationError(_("There is a cohort of this name already."))
        return name

    def clean_model_ids(self):
        return sorted(set(self.cleaned_data["model_ids"]))


class PauseForm(forms.Form):
    reason = words(
        _("Reason"), required=False, help_text=_("Members read it while the program is paused."), rows=2
    )
