"""Drawings as pages show them: made here from whole numbers, so that nothing which a client sent is ever markup."""

from django import template
from django.utils.html import format_html

from .. import remarks
from ..drawing import WHOLE, Drawing

register = template.Library()


@register.simple_tag
def drawn(drawing: Drawing, width: int, height: int) -> str:
    """The shape, in a picture of that many pixels."""
    points = [(round(x * width / WHOLE, 1), round(y * height / WHOLE, 1)) for x, y in drawing.points]
    if drawing.kind == "box":
        (left, top), (right, bottom) = points
        size = (f"{right - left:.1f}", f"{bottom - top:.1f}")
        return format_html('<rect x="{}" y="{}" width="{}" height="{}"/>', str(left), str(top), *size)
    return format_html('<polyline points="{}"/>', " ".join(f"{x},{y}" for x, y in points))


@register.filter
def frames_in_words(remark) -> str:
    return remarks.in_words(remark.first_frame, remark.last_frame)
