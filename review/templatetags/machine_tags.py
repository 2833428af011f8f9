"""What machines noticed, in words for reviewers: each flag with its evidence, and what could not be looked for."""

from dataclasses import dataclass

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generation.models import WordRule

from ..models import Flag, Submission
from ..models.flag import Kind

register = template.Library()

FRAMES = 6  # of a flagged picture, those that the classifier found most telling
# From which score on which words; below them all stands the last.
SURE = (
    (0.9, gettext_lazy("The classifier is nearly sure")),
    (0.75, gettext_lazy("The classifier is rather sure")),
    (0.0, gettext_lazy("The classifier is not sure")),
)
LOOKED_FOR = {
    Kind.PICTURE: gettext_lazy("nudity in sampled pictures"),
    Kind.WORDS: gettext_lazy("words that the program’s rules name"),
    Kind.DUPLICATE: gettext_lazy("likeness to clips that were refused or taken down"),
}
WHY = {
    "refused": gettext_lazy("refused"),
    "taken-down": gettext_lazy("taken down"),
    "reported": gettext_lazy("reported"),
}
PLACES = WordRule.Place


@dataclass(frozen=True)
class Shown:
    """One flag as the panel has it."""

    flag: Flag
    title: str
    words: str = ""
    frames: tuple = ()  # (number, score) of the most telling ones, in the order of the clip
    other: Submission | None = None


@register.inclusion_tag("review/_machine.html")
def machine_panel(submission: Submission) -> dict:
    """Of a submission with its flags and its screening; one query more where it looks like others."""
    screening = getattr(submission, "screening", None)
    flags = list(submission.flags.all())
    others = _others(flags)
    looked = screening.kinds.split() if screening else []
    return {
        "is_waiting": submission.state == "waiting",
        "shown": [_shown(flag, others) for flag in flags],
        "screening": screening,
        "looked": [LOOKED_FOR[kind] for kind in Kind if kind in looked],
        "missing": [LOOKED_FOR[kind] for kind in Kind if kind not in looked],
    }


def _others(flags: list[Flag]) -> dict[str, Submission]:
    names = [flag.told.get("submission") for flag in flags if flag.kind == Kind.DUPLICATE]
    found = Submission.objects.at_the_desk().filter(pk__in=filter(None, names)) if any(names) else []
    return {str(each.pk): each for each in found}


def _shown(flag: Flag, others: dict) -> Shown:
    told = flag.told
    if not told:
        return Shown(flag, flag.get_kind_display(), _("What it showed was erased."))
    if flag.kind == Kind.PICTURE:
        telling = sorted(told["frames"], key=lambda each: -each[1])[:FRAMES]
        title = next(words for least, words in SURE if flag.score >= least)
        words = _("It looked for nudity in %(count)s pictures. From 0 to 1, these told it most:") % {
            "count": len(told["frames"])
        }
        return Shown(flag, str(title), words, tuple(sorted(map(tuple, telling))))
    if flag.kind == Kind.WORDS:
        place = PLACES(told["place"]).label
        title = _("Rule “%(name)s”") % {"name": told["name"]}
        words = _("%(place)s: “%(words)s”, by the phrase “%(phrase)s”.") % {
            "place": place,
            "words": told["words"],
            "phrase": told["phrase"],
        }
        if told["blocks"]:
            words += " " + _("This rule would stop a new take of that kind.")
        return Shown(flag, title, words)
    title = _("Looks like a clip that was %(why)s") % {"why": WHY.get(told["why"], told["why"])}
    words = _("%(percent)s of 100 of what was compared is the same.") % {
        "percent": round(100 * (1 - told["distance"]))
    }
    return Shown(flag, title, words, other=others.get(told["submission"]))


@register.filter
def flagged_for(submission: Submission) -> str:
    """What of it was flagged, in a few words; "" if nothing was. Read with the prefetches of review.timeline."""
    kinds = {flag.kind for flag in submission.flags.all()}
    return ", ".join(str(kind.label).lower() for kind in Kind if kind in kinds)
