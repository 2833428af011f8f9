"""Who is kept out: suspensions, which a lift undoes, and endings, which nothing undoes.

These are records that other rooms ask; what follows from them (cancelled jobs, freed claims) is done there.
"""

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from . import audit
from .membership import Membership
from .notice import Notice, notify
from .user import User


class Impossible(Exception):
    """An act on a member that can't be done, with a sentence that the admin can act on."""


class SuspensionQuerySet(models.QuerySet):
    def in_force(self):
        return self.filter(lift=None)


class Suspension(models.Model):
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="suspensions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField()  # the member reads it
    erased_at = models.DateTimeField(null=True)

    objects = SuspensionQuerySet.as_manager()

    def __str__(self):
        return f"Suspension of membership {self.membership_id}"


class Lift(models.Model):
    """Ends a suspension."""

    suspension = models.OneToOneField(Suspension, models.PROTECT, related_name="lift")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField(blank=True)
    erased_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"Lift of suspension {self.suspension_id}"


class Objection(models.Model):
    """What a suspended member answers, once."""

    suspension = models.OneToOneField(Suspension, models.PROTECT, related_name="objection")
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField()
    erased_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"Objection to suspension {self.suspension_id}"


class Ending(models.Model):
    """Ends a membership for good; the person's records and clips stay theirs."""

    membership = models.OneToOneField(Membership, models.PROTECT, related_name="ending")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField()
    erased_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"Ending of membership {self.membership_id}"


def kept_out():
    """Memberships that are suspended or ended; a query, for others to exclude `.values("user")` by."""
    suspended = Suspension.objects.in_force().filter(membership=OuterRef("pk"))
    return Membership.objects.filter(Q(ending__isnull=False) | Exists(suspended))


def is_kept_out(user: User) -> bool:
    """Asked of the person in front of a page, this costs no query: it came with them."""
    known = getattr(user, "is_kept_out", None)
    return kept_out().filter(user=user.pk).exists() if known is None else known


@transaction.atomic
def suspend(membership: Membership, *, by: User | None, reason: str) -> Suspension:
    """Keeps a member out from the next request on; asked twice, it gives the same suspension."""
    membership = _locked(membership)
    if hasattr(membership, "ending"):
        raise Impossible(_("This membership has ended already."))
    suspension = membership.suspensions.in_force().first()
    if suspension is None:
        suspension = Suspension.objects.create(membership=membership, by=by, reason=reason.strip())
        end_sessions(membership.user)
        audit.record("member.suspended", by=by, subject=membership, words=suspension.reason)
    return suspension


@transaction.atomic
def lift(suspension: Suspension, *, by: User | None, reason: str = "") -> Lift:
    """Lets a suspended member in again; asked twice, it gives the same lift."""
    _locked(suspension.membership)
    made, is_new = Lift.objects.get_or_create(
        suspension=suspension, defaults={"by": by, "reason": reason.strip()}
    )
    if is_new:
        audit.record("member.suspension_lifted", by=by, subject=suspension.membership, words=made.reason)
        notify(suspension.membership.user, Notice.Kind.SUSPENSION_LIFTED)
    return made


@transaction.atomic
def object_to(suspension: Suspension, *, text: str) -> Objection:
    """Records what the member says to it, once: the first words stay."""
    membership = _locked(suspension.membership)
    made, is_new = Objection.objects.get_or_create(suspension=suspension, defaults={"text": text.strip()})
    if is_new:
        audit.record("member.objected", by=membership.user, subject=membership, words=made.text)
    return made


@transaction.atomic
def end(membership: Membership, *, by: User | None, reason: str) -> Ending:
    """Ends a membership for good; asked twice, it gives the same ending."""
    membership = _locked(membership)
    made, is_new = Ending.objects.get_or_create(
        membership=membership, defaults={"by": by, "reason": reason.strip()}
    )
    if is_new:
        end_sessions(membership.user)
        audit.record("member.ended", by=by, subject=membership, words=made.reason)
    return made


def end_sessions(user: User) -> None:
    """Every session of this person is worth nothing from the next request on, in every process."""
    user.renew_session_salt()


def _locked(membership: Membership) -> Membership:
    return Membership.objects.select_for_update(of=("self",)).select_related("user").get(pk=membership.pk)
