"""Remarks as a reviewer writes them: rows of the decision's form, checked here and kept with the decision alone.

Nothing is stored before the decision: a claim that is lost takes nobody's half-said words along, and the form keeps
them (its page, and the answer that refuses it).
"""

from django import forms
from django.forms.formsets import BaseFormSet, formset_factory
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import drawing
from .models import Decision, Remark
from .models.remark import LONGEST, MOST
from .permissions import NotAllowed

PREFIX = "remarks"
BLANK = 2  # rows to write into where no script adds any


class RemarkForm(forms.Form):
    first_frame = forms.IntegerField(label=gettext_lazy("Frame"), min_value=1)
    last_frame = forms.IntegerField(label=gettext_lazy("to frame"), min_value=1, required=False)
    text = forms.CharField(
        label=gettext_lazy("What is to be seen there"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )
    drawing = forms.CharField(required=False, max_length=drawing.LONGEST, widget=forms.HiddenInput)

    use_required_attribute = False

    def __init__(self, *args, frames: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.frames = frames
        for name in ("first_frame", "last_frame"):
            self.fields[name].widget.attrs["max"] = frames

    def clean_drawing(self):
        text = self.cleaned_data["drawing"]
        try:
            return str(drawing.read(text)) if text else ""
        except drawing.NotADrawing:
            raise forms.ValidationError(
                _("This drawing can't be read. Remove it, or draw it again.")
            ) from None

    def clean(self):
        cleaned = super().clean()
        if "first_frame" not in cleaned or "last_frame" not in cleaned:
            return cleaned
        cleaned["last_frame"] = cleaned["last_frame"] or cleaned["first_frame"]
        for name in ("first_frame", "last_frame"):
            if cleaned[name] > self.frames:
                words = ngettext("This clip has %(n)s frame.", "This clip has %(n)s frames.", self.frames)
                self.add_error(name, words % {"n": self.frames})
                return cleaned
        if cleaned["last_frame"] < cleaned["first_frame"]:
            self.add_error("last_frame", _("The last frame comes before the first."))
        return cleaned


class _Rows(BaseFormSet):
    """The rows that say something, as the gate takes them: `said`, once the set is valid."""

    @property
    def said(self) -> list[dict]:
        return [form.cleaned_data for form in self.forms if form.has_changed()]

    @property
    def typed(self) -> str:
        """All that was put into the rows, valid or not, as text to copy."""
        lines = []
        for form in self.forms:
            first, last, text = (form[name].value() or "" for name in ("first_frame", "last_frame", "text"))
            if first or text:
                lines.append(f"{in_words(first, last or first)}: {text}")
        return "\n".join(lines)


_RowsOfClip = formset_factory(
    RemarkForm, formset=_Rows, extra=BLANK, max_num=MOST, absolute_max=MOST + 1, validate_max=True
)


def rows(data=None, *, frames: int) -> _Rows:
    """The rows that were sent, or blank ones; a form that was sent without any says nothing of frames."""
    sent = data if data is not None and f"{PREFIX}-TOTAL_FORMS" in data else None
    return _RowsOfClip(sent, prefix=PREFIX, form_kwargs={"frames": frames})


def are_valid(rows: _Rows) -> bool:
    return not rows.is_bound or rows.is_valid()


def said(rows: _Rows) -> list[dict]:
    return rows.said if rows.is_bound and rows.is_valid() else []


def in_words(first, last) -> str:
    return (
        _("Frame %(n)s") % {"n": first}
        if str(first) == str(last)
        else _("Frames %(a)s–%(b)s") % {"a": first, "b": last}
    )


def as_note(remarks: list[dict]) -> str:
    """What stands for the note of a refusal whose author has said all of it on the frames."""
    return "\n".join(
        f"{in_words(each['first_frame'], each['last_frame'])}: {each['text']}" for each in remarks
    )


def check(remarks: list[dict], *, frames: int) -> None:
    """The gate's own look, whoever calls it: the database checks the same once more."""
    if len(remarks) > MOST:
        raise NotAllowed(_("A decision has %(most)s remarks on frames at most.") % {"most": MOST})
    for each in remarks:
        if not 1 <= each["first_frame"] <= each["last_frame"] <= frames:
            raise NotAllowed(_("A remark is about frames that this clip has."))
        if not each["text"].strip() or len(each["text"]) > LONGEST:
            raise NotAllowed(
                _("A remark says something, in %(most)s characters at most.") % {"most": LONGEST}
            )
        if each["drawing"]:
            try:
                drawing.read(each["drawing"])
            except drawing.NotADrawing:
                raise NotAllowed(_("This drawing can't be read. Remove it, or draw it again.")) from None


def keep(remarks: list[dict], *, decision: Decision) -> None:
    Remark.objects.bulk_create(
        Remark(decision=decision, number=number, **each) for number, each in enumerate(remarks, 1)
    )
