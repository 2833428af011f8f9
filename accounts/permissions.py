"""What a member's role allows, as pairs: `check_x` raises a sentence, `can_x` answers yes or no."""

from functools import wraps

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from .models import exclusion, roles
from .models.exclusion import is_kept_out, kept_out
from .models.factors import has_second_factor
from .models.membership import Membership, Role

REVIEWERS = (Role.REVIEWER, Role.LEAD)  # a lead is a reviewer who may do more


def role_of(user) -> str | None:
    """The role that counts now: who is suspended or has ended has none."""
    membership = getattr(user, "membership", None) if user.is_authenticated else None
    return membership.role if membership and not is_kept_out(user) else None


def can_create(user) -> bool:
    """Every member may make clips: reviewers and admins are often artists too."""
    return role_of(user) is not None


def can_review(user) -> bool:
    return role_of(user) in REVIEWERS


def reviewers():
    """Memberships of those who can review now: what `can_review` asks of one person, as a query."""
    return Membership.objects.filter(role__in=REVIEWERS).exclude(pk__in=kept_out().values("pk"))


def can_lead(user) -> bool:
    """Hand claims over, and be told what takes too long."""
    return role_of(user) == Role.LEAD


def can_read_numbers(user) -> bool:
    """What each reviewer did, by name, is for those who can do something about it."""
    return role_of(user) in (Role.LEAD, Role.ADMIN)


def leads():
    """What `can_lead` asks of one person, as a query."""
    return Membership.objects.filter(role=Role.LEAD).exclude(pk__in=kept_out().values("pk"))


def can_take_down(user) -> bool:
    return role_of(user) in (*REVIEWERS, Role.ADMIN)


def can_run_program(user) -> bool:
    """Invitations, members, cohorts and the pause are the admins'."""
    return role_of(user) == Role.ADMIN


def must_set_up_factor(user) -> bool:
    """Whoever decides about others proves themselves by more than a password, where that is asked for."""
    powerful = role_of(user) in (*REVIEWERS, Role.ADMIN)
    return settings.REQUIRE_MFA and powerful and not has_second_factor(user)


def can_invite(user) -> bool:
    return role_of(user) == Role.ADMIN


def can_change_role(user, membership) -> bool:
    return _allows(roles.check_can_change_role, membership, user)


def can_keep_out(user, membership) -> bool:
    """Suspend or end: not oneself, not the last admin, nobody who has ended."""
    return _allows(exclusion.check_can_keep_out, membership, user)


def _allows(check, membership, by) -> bool:
    """The `can_x` of a check that an act makes again, under its lock."""
    try:
        check(membership, by)
    except exclusion.Impossible:
        return False
    return True


def check_can_create(user) -> None:
    if not can_create(user):
        raise PermissionDenied(_("The studio is for members of the program."))


def check_can_review(user) -> None:
    if not can_review(user):
        raise PermissionDenied(_("The desk is for reviewers."))


def check_can_lead(user) -> None:
    if not can_lead(user):
        raise PermissionDenied(_("Only leads hand claims over."))


def check_can_read_numbers(user) -> None:
    if not can_read_numbers(user):
        raise PermissionDenied(_("The desk’s numbers are for leads and admins."))


def check_can_take_down(user) -> None:
    if not can_take_down(user):
        raise PermissionDenied(_("Only reviewers and admins can take a clip down."))


def check_can_run_program(user) -> None:
    if not can_run_program(user):
        raise PermissionDenied(_("The program's pages are for admins."))


def check_can_invite(user) -> None:
    if not can_invite(user):
        raise PermissionDenied(_("Only admins invite people."))


def requires(check):
    """Guards a view by a permission's check, before anything is looked up: a refusal tells nothing about rows."""

    def guard(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            check(request.user)
            return view(request, *args, **kwargs)

        return guarded

    return guard


def nav(request):
    """Template context: where the person in front of the page is, and which rooms they can enter."""
    user = getattr(request, "user", None)
    known = user is not None and user.is_authenticated
    return {
        "here": request.path,
        "nav": {
            "can_create": known and can_create(user),
            "can_review": known and can_review(user),
            "can_lead": known and can_lead(user),
            "can_take_down": known and can_take_down(user),
            "can_run_program": known and can_run_program(user),
            "must_set_up_factor": known and must_set_up_factor(user),
            "is_paused": known and getattr(user, "is_program_paused", False),
            "has_news": known and getattr(user, "has_news", False),
            "demo": settings.DEMO,
        },
    }
