"""The prompt form as the studio shows it. One that nobody has sent yet looks alike for many, and is drawn once in each
process: putting it together takes longer than all else on the page.
"""

import json
from dataclasses import dataclass
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.translation import get_language

from .. import offers, queue
from ..embedded import EXAMPLES
from ..engine import catalog
from ..forms import PromptForm

OF_ITS_OWNER = ("picture", "parent")  # what a form may hold that only its owner may see


@dataclass(frozen=True)
class Panel:
    form: PromptForm  # as it was sent, with what is wrong in it; or as it is before, and then maybe many pages' own
    fields: str = ""  # HTML: all but the keys, which are new on each page
    price: int = 0  # GPU seconds, of the takes that the form asks for
    pace: str = ""  # JSON: what the page needs for making the price anew, see studio.js


def unsent(user, initial: dict) -> Panel:
    """The form to begin with, filled with `initial`: words and numbers by field."""
    models = offers.offered_to(user.membership.cohort)
    if any(initial.get(name) for name in OF_ITS_OWNER):
        return of(PromptForm(initial=initial, owner=user, models=models))
    return _drawn_once(tuple(initial.items()), models, get_language())


def of(form: PromptForm) -> Panel:
    if not form.rules:
        return Panel(form)
    examples = EXAMPLES if form.rules.id == "embedded" else ()
    fields = render_to_string("generation/_prompt_fields.html", {"form": form, "examples": examples})
    return Panel(form, fields, _price(form), _pace(form.rules))


@lru_cache(maxsize=256)
def _drawn_once(initial: tuple, models: tuple[catalog.Model, ...], _language: str | None) -> Panel:
    return of(PromptForm(initial=dict(initial), models=models))


def _price(form: PromptForm) -> int:
    """The estimate for what the form shows now."""
    takes = str(form["takes"].value() or 1)
    return (int(takes) if takes in ("1", "2", "3", "4") else 1) * queue.price_of(form.as_it_stands())


def _pace(rules: catalog.Model) -> str:
    return json.dumps(
        {
            "seconds": rules.step_seconds / 1e6,  # for a step over one pixel of one frame
            "pixels": {size.aspect: size.width * size.height for size in rules.sizes},
            "frames": {f"{seconds:g}": frames for seconds, frames in rules.lengths.items()},
            "steps": [rules.steps.low, rules.steps.high, rules.steps.default],
        }
    )
