"""How a member's standing looks, and the line above the studio while the program is paused."""

from django import template

from ..models import pause
from ..models.exclusion import Standing

register = template.Library()


@register.inclusion_tag("components/_badge.html")
def standing_badge(standing: str) -> dict:
    return {"state": standing, "state_label": Standing(standing).label}


@register.inclusion_tag("accounts/_pause.html", takes_context=True)
def pause_line(context) -> dict:
    """Costs a query only while there is a pause: that there is one came with the person."""
    return {"pause": pause.current() if context["nav"]["is_paused"] else None}
