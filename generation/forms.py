"""The prompt form: free text and numbers in, a Recipe that its model accepts out."""

import json
import re
import secrets
import uuid

from django import forms
from django.conf import settings
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.paging import as_uuid

from . import offers, pictures
from .engine import Recipe, RuleBroken, catalog
from .models import Artifact, Feedback, Job, Picture

# What the engine calls a field, where the form has another word for it.
FIELD_OF_RULE = {"size": "aspect"}

MOST_TAKES = 4  # of one click

# Beyond these, a number is not even worth quoting in a sentence; the model's own rules are far narrower.
ABSURD = 10**15
QUOTABLE = {
    "min_value": -ABSURD,
    "max_value": ABSURD,
    "error_messages": dict.fromkeys(("min_value", "max_value"), _("No setting is as large as that.")),
}


class PromptForm(forms.Form):
    prompt = forms.CharField(
        label=_("Prompt"),
        max_length=catalog.PROMPT_LIMIT,
        widget=forms.Textarea(
            attrs={"rows": 4, "dir": "auto", "placeholder": _("a red balloon over the sea at dusk")}
        ),
        error_messages={"required": _("Say what should be seen: a few words are enough.")},
    )
    negative_prompt = forms.CharField(
        label=_("Leave out"),
        required=False,
        max_length=catalog.PROMPT_LIMIT,
        help_text=_("What should not be seen."),
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )
    # Whoever leaves these out gets the model's own: scripts, and browsers whose model was changed without a script.
    model = forms.ChoiceField(label=_("Model"), required=False)
    aspect = forms.ChoiceField(label=_("Size"), required=False, widget=forms.RadioSelect)
    duration = forms.ChoiceField(label=_("Duration"), required=False, widget=forms.RadioSelect)
    steps = forms.IntegerField(label=_("Steps"), required=False, **QUOTABLE)
    guidance = forms.FloatField(label=_("Guidance"), required=False, **QUOTABLE)
    seed = forms.IntegerField(
        label=_("Seed"),
        required=False,
        help_text=_("The same seed gives the same clip. Empty: a new one. Several takes count up from it."),
        widget=forms.NumberInput(attrs={"placeholder": _("random")}),
        **QUOTABLE,
    )
    keep_seed = forms.BooleanField(label=_("Keep this seed for the next take"), required=False)
    takes = forms.TypedChoiceField(
        label=_("Takes"),
        required=False,
        coerce=int,
        empty_value=1,
        choices=[(number, str(number)) for number in range(1, MOST_TAKES + 1)],
        widget=forms.RadioSelect,
    )
    # What the take begins with: a picture that was taken in before, or one that comes with the form, and another take.
    image = forms.FileField(
        label=_("Begin with a picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    rights = forms.BooleanField(label=pictures.RIGHTS, required=False)
    picture = forms.UUIDField(required=False, widget=forms.HiddenInput)
    without_picture = forms.BooleanField(label=_("Leave this picture out"), required=False)
    parent = forms.UUIDField(required=False, widget=forms.HiddenInput)
    without_parent = forms.BooleanField(label=_("Make it a take of its own"), required=False)
    form_key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data=None, *, owner=None, initial=None, models=None, **kwargs):
        """`models` are those that its owner may use; left out, all that are on offer."""
        self.owner = owner
        models = offers.offered() if models is None else models
        asked = (data or initial or {}).get("model")
        self.rules = next((model for model in models if model.id == asked), models[0] if models else None)
        super().__init__(data, initial=self._initial(initial), **kwargs)
        self.fields["model"].choices = [(model.id, model.name) for model in models]
        if len(models) == 1:
            self.fields["model"].widget = forms.HiddenInput()
        if self.rules:
            self._offer(self.rules)

    def _initial(self, given: dict | None) -> dict:
        if not self.rules:
            return given or {}
        defaults = {
            "model": self.rules.id,
            "steps": int(self.rules.steps.default),
            "guidance": self.rules.guidance.default,
            "aspect": self.rules.sizes[0].aspect,
            "duration": f"{self.rules.durations[0]:g}",
            "takes": 1,
        }
        return defaults | (given or {})

    def _offer(self, rules: catalog.Model) -> None:
        self.fields["aspect"].choices = [(size.aspect, size.label) for size in rules.sizes]
        self.fields["duration"].choices = [
            (
                f"{seconds:g}",
                _("%(n)s s") % {"n": f"{seconds:g}"},
            )  # seconds; written out, three don't fit a phone
            for seconds in sorted(rules.durations)
        ]
        for name in ("aspect", "duration"):
            if len(self.fields[name].choices) == 1:  # nothing to choose
                self.fields[name].widget = forms.HiddenInput()
        for name, limits in (("steps", rules.steps), ("guidance", rules.guidance)):
            self.fields[name].widget.attrs.update(min=f"{limits.low:g}", max=f"{limits.high:g}")
            self.fields[name].help_text = _("From %(low)s to %(high)s.") % {
                "low": f"{limits.low:g}",
                "high": f"{limits.high:g}",
            }
        self.fields["guidance"].widget.attrs["step"] = "0.5"
        self.fields["seed"].widget.attrs.update(min="0", max=str(catalog.SEED_LIMIT))

    @cached_property
    def beginning(self) -> Picture | None:
        """The picture that the form holds, if it is its owner's."""
        return self._of_owner(Picture, "picture")

    @cached_property
    def origin(self) -> Job | None:
        """The take that the form's recipe comes from, if it is its owner's and still there."""
        return self._of_owner(Job, "parent", "clip")

    @property
    def begins_with(self) -> Picture | None:
        return None if self.cleaned_data.get("without_picture") else self.beginning

    @property
    def comes_of(self) -> Job | None:
        return None if self.cleaned_data.get("without_parent") else self.origin

    def _of_owner(self, model, name: str, *related: str):
        pk = as_uuid(str(self[name].value() or ""))
        if not pk or self.owner is None:
            return None
        return model.objects.visible_to(self.owner).select_related(*related).filter(pk=pk).first()

    @property
    def takes_pictures(self) -> bool:
        return self.rules is not None and catalog.IMAGE in self.rules.abilities

    @property
    def picture_bytes(self) -> int:
        return settings.PICTURE_MB * 2**20

    @property
    def picture_limit(self) -> str:
        return _("A picture may have %(most)s MB. Choose a smaller one.") % {"most": settings.PICTURE_MB}

    @property
    def picture_models(self) -> list[str]:
        """Names of the models on offer here that can begin with a picture."""
        offered = [catalog.get(model) for model, _name in self.fields["model"].choices]
        return [model.name for model in offered if catalog.IMAGE in model.abilities]

    def clean(self):
        cleaned = super().clean()
        self._show_hidden_errors()
        self._check_beginning(cleaned)
        if self.errors:
            return cleaned
        try:
            cleaned["recipe"] = self._recipe(cleaned)
            catalog.check(cleaned["recipe"])
        except RuleBroken as broken:
            field = FIELD_OF_RULE.get(broken.field, broken.field)
            self.add_error(field if field in self.fields else None, broken.sentence)
        cleaned["form_key"] = self._key_of_content(cleaned.get("form_key"))
        return cleaned

    def _check_beginning(self, cleaned: dict) -> None:
        if cleaned.get("picture") and self.beginning is None:
            self.add_error("image", _("The picture is gone. Choose it again, or go on without it."))
        if self.begins_with and self.begins_with.needs_word and not cleaned.get("rights"):
            self.add_error("rights", _("Say first that you may use this picture."))

    def _show_hidden_errors(self) -> None:
        """A field that nobody sees can't be marked: what is wrong with it is said above the form."""
        for field in self.hidden_fields():
            for error in self.errors.pop(field.name, []):
                self.add_error(None, f"{field.label}: {error}")

    def _key_of_content(self, form_key: uuid.UUID | None) -> uuid.UUID | None:
        """A double click sends the same words twice; the page found again by "back" and changed is another take."""
        if form_key is None:
            return None
        content = [self.data.get(name, "") for name in self.fields if name != "form_key"]
        return uuid.uuid5(form_key, json.dumps(content))

    def as_it_stands(self) -> Recipe:
        """What the settings shown would make, for an estimate; the model's own where one of them is no setting."""
        steps, limits = str(self["steps"].value()), self.rules.steps
        is_right = re.fullmatch("[0-9]{1,6}", steps) and limits.low <= int(steps) <= limits.high
        told = {name: str(self[name].value()) for name in ("aspect", "duration")}
        return self.rules.recipe("", seed=0, steps=int(steps) if is_right else None, **self._shape(told))

    def _shape(self, told: dict) -> dict:
        rules = self.rules
        return {
            "size": next((size for size in rules.sizes if size.aspect == told["aspect"]), None),
            "duration": next((value for value in rules.durations if f"{value:g}" == told["duration"]), None),
        }

    def _recipe(self, cleaned: dict) -> Recipe:
        rules = self.rules or catalog.get(cleaned["model"])
        seed = cleaned.get("seed")
        return rules.recipe(
            cleaned["prompt"],
            negative_prompt=cleaned["negative_prompt"],
            **self._shape(cleaned),
            steps=cleaned.get("steps"),
            guidance=cleaned.get("guidance"),
            seed=secrets.randbelow(catalog.SEED_LIMIT + 1) if seed is None else seed,
            image=self.begins_with.sha256 if self.begins_with else "",
        )


class FeedbackForm(forms.Form):
    """An artist's word on one of their clips."""

    rating = forms.TypedChoiceField(
        label=_("How good is it?"),
        coerce=int,
        choices=[(number, str(number)) for number in Feedback.RATINGS],
        widget=forms.RadioSelect,
        help_text=_("1 is useless, 5 is what you had in mind."),
        error_messages={"required": _("Choose a number from 1 to 5.")},
    )
    artifacts = forms.TypedMultipleChoiceField(
        label=_("What went wrong?"),
        required=False,
        choices=Artifact,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(
        label=_("Anything else"),
        required=False,
        max_length=Feedback.NOTE_LIMIT,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )

    @classmethod
    def of(cls, given: Feedback | None):
        shown = {"rating": given.rating, "artifacts": given.artifacts, "note": given.note} if given else {}
        return cls(initial=shown, auto_id="feedback_%s")

    def clean_artifacts(self):
        """In one order, each once, however they were sent."""
        return [artifact for artifact in Artifact.values if artifact in self.cleaned_data["artifacts"]]
