"""What an admin writes into a rule about words, what an artist objects to it, and what is answered."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import rules, wording
from .engine import catalog
from .models import WordRule
from .models.rule import MOST_SAID

Place, Does = WordRule.Place, WordRule.Does
BAD_PHRASES = {
    "long": _("A phrase has at most %(most)s characters.") % {"most": wording.PHRASE_LENGTH},
    "words": _("A phrase has at most %(most)s words.") % {"most": wording.MOST_WORDS},
    "stars": _("A word has at most %(most)s wildcards.") % {"most": wording.MOST_STARS},
    "empty": _("This would be found everywhere or nowhere: a phrase needs a word of two letters or more."),
}


class RuleForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("For admins and reviewers. Artists don’t see it."),
        widget=forms.TextInput(attrs={"dir": "auto"}),
        error_messages={"required": _("Give it a name.")},
    )
    phrases = forms.CharField(
        label=_("Words and phrases"),
        max_length=wording.MOST_PHRASES * (wording.PHRASE_LENGTH + 2),
        help_text=_(
            "One on each line. Case, accents, signs between letters and look-alike letters make no difference."
            " * stands for any letters of a word (nud* finds nudity), and by itself for up to three words."
        ),
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto", "spellcheck": "false"}),
        error_messages={"required": _("Write at least one word that it looks for.")},
    )
    looks_in = forms.MultipleChoiceField(
        label=_("Where it looks"),
        choices=Place,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Say where it looks.")},
    )
    does = forms.ChoiceField(label=_("What it does"), choices=Does, widget=forms.RadioSelect)
    sentence = forms.CharField(
        label=_("What the artist reads"),
        required=False,
        max_length=300,
        help_text=_("For a rule that blocks: why, and what would be fine. Don’t name the words."),
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )

    @classmethod
    def of(cls, rule: WordRule):
        names = ("name", "phrases", "does", "sentence")
        return cls(initial={name: getattr(rule, name) for name in names} | {"looks_in": rule.places})

    def clean_phrases(self):
        lines = [line.strip() for line in self.cleaned_data["phrases"].splitlines() if line.strip()]
        if len(lines) > wording.MOST_PHRASES:
            raise ValidationError(
                _("A rule has at most %(most)s phrases. Make two of it.") % {"most": wording.MOST_PHRASES}
            )
        for line in lines:
            try:
                wording.phrases(line)
            except wording.BadPhrase as bad:
                raise ValidationError(f"“{line[:40]}”: {BAD_PHRASES[str(bad)]}") from None
        return "\n".join(dict.fromkeys(lines))

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("does") == Does.BLOCK and not cleaned.get("sentence", "").strip():
            self.add_error("sentence", _("Say why: the artist reads it instead of getting a take."))
        return cleaned


class ObjectionForm(forms.Form):
    """The words that are blocked, and what their artist says for them."""

    prompt = forms.CharField(required=False, max_length=catalog.PROMPT_LIMIT, widget=forms.HiddenInput)
    negative_prompt = forms.CharField(
        required=False, max_length=catalog.PROMPT_LIMIT, widget=forms.HiddenInput
    )
    title = forms.CharField(required=False, max_length=120, widget=forms.HiddenInput)
    statement = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)
    text = forms.CharField(
        label=_("Why should these words pass?"),
        max_length=MOST_SAID,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        error_messages={"required": _("Say why: an admin reads it together with your words.")},
    )

    @classmethod
    def to(cls, hits: list[rules.Hit], texts: dict[str, str]):
        """With what is blocked, and nothing else of the form."""
        return cls(initial={hit.place: texts[hit.place] for hit in hits}, auto_id="objection_%s")

    @property
    def texts(self) -> dict[str, str]:
        return {place: self.cleaned_data[place] for place in Place.values if self.cleaned_data.get(place)}


class AnswerForm(forms.Form):
    outcome = forms.ChoiceField(
        choices=[("uphold", _("Let these words pass")), ("keep", _("Keep to the rule"))]
    )
    text = forms.CharField(
        label=_("Answer"),
        max_length=MOST_SAID,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        error_messages={"required": _("Say why: the artist reads it.")},
    )
