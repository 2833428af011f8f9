"""What a member's page tells admins about their second factors."""

from django import template
from django.urls import reverse

from ..models import User
from ..models.factors import Authenticator, can_reset

register = template.Library()


@register.inclusion_tag("accounts/_factors.html", takes_context=True)
def second_factors_of(context, member: User) -> dict:
    """`{% second_factors_of member %}` on an admin's page: which kinds there are, the resets, and the way to one."""
    held = list(Authenticator.objects.filter(user=member.pk).values_list("type", flat=True))
    page = context["request"].path
    return {
        "member": member,
        "passkeys": held.count(Authenticator.Type.WEBAUTHN),
        "has_app": Authenticator.Type.TOTP in held,
        "resets": member.factor_resets.select_related("by").order_by("-pk"),
        "is_here": page == reverse("factor_reset", args=[member.pk]),
        "can_reset": can_reset(member, by=context["request"].user),
    }
