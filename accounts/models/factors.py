"""Second factors: who has one, and the record of an admin's help for somebody who lost theirs."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from . import audit
from .exclusion import Impossible, check_runs_program, end_sessions
from .notice import Notice, notify
from .user import User

# Recovery codes alone are none: they stand in for one of these.
SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class FactorReset(models.Model):
    """All second factors of a person were removed, after somebody made sure that it is them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="factor_resets")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField()  # how the admin made sure who asked
    erased_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"Factor reset of {self.user_id}"


def second_factors():
    return Authenticator.objects.filter(type__in=SECOND_FACTORS)


def has_second_factor(user: User) -> bool:
    """Asked of the person in front of a page, this costs no query: it came with them."""
    known = getattr(user, "has_second_factor", None)
    return second_factors().filter(user=user.pk).exists() if known is None else known


def check_can_reset(user: User, *, by: User | None) -> None:
    if by is not None and by.pk == user.pk:
        raise Impossible(_("Your own second factors are yours to change, on your account's pages."))
    if not Authenticator.objects.filter(user=user.pk).exists():
        raise Impossible(_("%(name)s has no second factor that could be reset.") % {"name": user})


def can_reset(user: User, *, by: User | None) -> bool:
    try:
        check_can_reset(user, by=by)
    except Impossible:
        return False
    return True


@transaction.atomic
def reset(user: User, *, by: User | None, reason: str) -> FactorReset:
    """Removes all that a person could prove themselves with beside the password, and ends their sessions."""
    user = User.objects.select_for_update().get(pk=user.pk)
    check_runs_program(by)
    check_can_reset(user, by=by)
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    made = FactorReset.objects.create(user=user, by=by, reason=reason.strip())
    audit.record("member.factors_reset", by=by, subject=made, words=made.reason)
    notify(user, Notice.Kind.FACTORS_RESET, "/accounts/2fa/")
    return made
