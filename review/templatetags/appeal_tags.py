"""What pages tell of appeals, and the fields of a report: fetched by the templates themselves."""

from functools import lru_cache

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from generation.templatetags.generation_tags import in_words

from .. import policy
from ..appeal_forms import AppealForm, MessageForm, ReportForm
from ..appealing import check_can_appeal
from ..clauses import Policy
from ..permissions import allows

register = template.Library()


@register.simple_tag
def appeal_time() -> str:
    """Within which the program promises an answer, in words."""
    return in_words(settings.APPEAL_DEADLINE.total_seconds())


@register.inclusion_tag("review/_appeal_panel.html", takes_context=True)
def appeal_panel(context, submission) -> dict:
    appeal = getattr(submission, "appeal", None)
    form = context.get("appeal_form")
    return {
        "submission": submission,
        "appeal": appeal,
        "thread": list(appeal.messages.order_by("pk")) if appeal else [],
        "can_appeal": bool(form) or allows(check_can_appeal, submission, context["user"]),
        "form": form or AppealForm(auto_id="appeal_%s"),
        "message_form": context.get("appeal_message_form") or MessageForm(auto_id="appeal_%s"),
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag
def report_fields() -> str:
    """Those of an empty report, by the policy that holds now."""
    return _report_fields(policy.current(), get_language())


@lru_cache(maxsize=16)
def _report_fields(held: Policy, _language: str) -> str:
    """Each visitor of each clip gets them: drawn anew, they would take half as long as all the rest of the page."""
    return mark_safe(render_to_string("review/_report_fields.html", {"form": ReportForm(policy=held)}))
