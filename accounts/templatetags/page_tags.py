"""What pages have in common, drawn once in each process from all that it depends on; knows no permission."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.translation import get_language

register = template.Library()


@register.simple_tag
def drawn_once(template_name: str, **facts) -> str:
    """The template of that name, which may read nothing but these facts and the language."""
    return _drawn(template_name, get_language(), **facts)


@lru_cache(maxsize=1024)
def _drawn(template_name: str, _language: str | None, **facts) -> str:
    return render_to_string(template_name, facts)
