"""How recipes and times read on a page."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..engine import RuleBroken, catalog

register = template.Library()


@register.simple_tag
def recipe_rows(recipe: dict) -> list[tuple[str, str]]:
    """Pairs of term and value for components/_recipe.html; the prompt itself is shown apart."""
    rows = [
        (_("Model"), model_name(recipe["model"])),
        (_("Size"), f"{recipe['width']} × {recipe['height']}"),
        (
            _("Length"),
            _("%(frames)s frames at %(fps)s a second")
            % {"frames": recipe["frames"], "fps": f"{recipe['fps']:g}"},
        ),
        (_("Steps"), recipe["steps"]),
        (_("Guidance"), f"{recipe['guidance']:g}"),
        (_("Seed"), recipe["seed"]),
    ]
    if recipe.get("negative_prompt"):
        rows.insert(0, (_("Left out"), recipe["negative_prompt"]))
    if recipe.get("image"):
        rows.append((_("Begins with"), _("A picture")))
    if recipe.get("revision"):
        rows.append((_("Revision"), recipe["revision"][:12]))
    return rows


@register.filter
def model_name(model_id: str) -> str:
    """A model that is no longer in the catalog keeps the name it was recorded under."""
    try:
        return catalog.get(model_id).name
    except RuleBroken:
        return model_id


@register.filter
def in_words(seconds: float | None) -> str:
    """A span for people: seconds below a minute, minutes above, hours and minutes above that."""
    if seconds is None:
        return ""
    seconds = max(round(seconds), 0)
    if seconds < 60:
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    minutes = round(seconds / 60)
    if minutes < 120:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    hours = round(seconds / 3600)
    if hours < 72:
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    days = round(seconds / 86400)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


@register.filter
def short(prompt: str, length: int = 80) -> str:
    """A prompt as a heading: its first words, on one line."""
    words = " ".join(prompt.split())
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"


@register.filter
def unfinished(takes) -> bool:
    return any(not take.is_over for take in takes)
