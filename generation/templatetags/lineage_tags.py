"""What a take begins with and what it comes of, as pages show it."""

from dataclasses import dataclass

from django import template
from django.utils.translation import gettext as _

from .. import lineage
from ..engine.catalog import Size

register = template.Library()


@dataclass(frozen=True)
class Crop:
    """How a picture fills one size of a take."""

    width: int
    height: int
    words: str
    aspect: str = ""
    is_chosen: bool = True


@register.simple_tag
def crop_of(picture, width: int, height: int) -> Crop:
    """How a picture fills a take of that size; the same cut as generation.pictures.fitted makes."""
    return Crop(width, height, _words(picture, width, height))


@register.simple_tag
def crops_of(form) -> list[Crop]:
    """How the form's picture would fill each size of the form's model, of which one is chosen."""
    picture, chosen = form.beginning, str(form["aspect"].value())
    sizes = form.rules.sizes if form.rules else ()
    if chosen not in [size.aspect for size in sizes]:
        chosen = sizes[0].aspect if sizes else ""
    return [
        Crop(*size, _words(picture, *size), aspect=size.aspect, is_chosen=size.aspect == chosen)
        for size in sizes
    ]


def _words(picture, width: int, height: int) -> str:
    told = {"size": Size(width, height), "was": Size(picture.width, picture.height)}
    if (picture.width, picture.height) == (width, height):
        return _("It fills the take as it is.")
    wide, high = picture.width * height, picture.height * width
    if abs(wide - high) < max(width, height):  # less than a pixel would be cut
        words = _("The whole picture is seen, made %(size)s from %(was)s.")
    elif wide > high:
        words = _("Its middle is seen, cut at the left and the right and made %(size)s from %(was)s.")
    else:
        words = _("Its middle is seen, cut at the top and the bottom and made %(size)s from %(was)s.")
    if picture.width < width or picture.height < height:
        words += " " + _("It is smaller than the take, so it will look soft.")
    return words % told


@register.simple_tag
def can_extend(clip, user) -> bool:
    return lineage.model_to_extend(clip, user) is not None


@register.inclusion_tag("generation/_lineage.html")
def lineage_tree(job) -> dict:
    """The family of a take, of which this one is marked; nothing for a take that stands alone."""
    nodes, is_cut = lineage.tree(job)
    return {"nodes": nodes if len(nodes) > 1 else [], "is_cut": is_cut, "current": job}
