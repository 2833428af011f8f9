"""What a member's page tells about their second factors, and an admin's help when they are lost."""

from django import template

from ..forms import FactorResetForm
from ..models import User
from ..models.factors import Authenticator, can_reset

register = template.Library()


@register.inclusion_tag("accounts/_factors.html", takes_context=True)
def second_factors_of(context, member: User) -> dict:
    """`{% second_factors_of member %}` on an admin's page: which kinds there are, the resets, and the form for one."""
    held = list(Authenticator.objects.filter(user=member.pk).values_list("type", flat=True))
    return {
        "request": context["request"],
        "csrf_token": context.get("csrf_token"),
        "member": member,
        "passkeys": held.count(Authenticator.Type.WEBAUTHN),
        "has_app": Authenticator.Type.TOTP in held,
        "resets": member.factor_resets.select_related("by").order_by("-pk"),
        "form": FactorResetForm() if can_reset(member, by=context["request"].user) else None,
    }
