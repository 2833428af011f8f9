"""Who is kept out: suspensions, which a lift undoes, and endings, which nothing undoes.

These are records that other rooms ask; what follows from them (cancelled jobs, freed claims) is done there. Acts of
which two at once could leave the program without an admin lock all admins' rows, in one order.
"""

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import audit
from .membership import Membership, Role
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


class Answer(models.Model):
    """What the program says to an objection that it doesn't follow, once; an objection that it follows is a Lift."""

    objection = models.OneToOneField(Objection, models.PROTECT, related_name="answer")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField()  # the member reads it
    erased_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"Answer to objection {self.objection_id}"


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


class Standing(models.TextChoices):
    ACTIVE = "active", gettext_lazy("Active")
    SUSPENDED = "suspended", gettext_lazy("Suspended")
    ENDED = "ended", gettext_lazy("Ended")


def with_standing():
    """Memberships with their `standing`; a query, which can be narrowed by it."""
    suspended = Suspension.objects.in_force().filter(membership=OuterRef("pk"))
    ended, kept = Value(Standing.ENDED), Value(Standing.SUSPENDED)
    return Membership.objects.annotate(
        standing=Case(
            When(ending__isnull=False, then=ended),
            When(Exists(suspended), then=kept),
            default=Value(Standing.ACTIVE),
            output_field=models.CharField(),
        )
    )


def unanswered():
    """Objections that neither a lift nor an answer has met, nor an ending made void; a query, the oldest first."""
    open_ones = Objection.objects.filter(
        answer=None, suspension__lift=None, suspension__membership__ending=None
    )
    return open_ones.order_by("at", "pk")


def is_kept_out(user: User) -> bool:
    """Asked of the person in front of a page, this costs no query: it came with them."""
    known = getattr(user, "is_kept_out", None)
    return kept_out().filter(user=user.pk).exists() if known is None else known


def admins():
    """Memberships that can run the program now; a query."""
    return Membership.objects.filter(role=Role.ADMIN).exclude(pk__in=kept_out().values("pk"))


# --- What allows it --------------------------------------------------------------------------------


def check_runs_program(by: User | None) -> None:
    """Asked anew under the lock: whoever began as an admin may be none any more. None is the command line."""
    if by is not None and not admins().filter(user=by.pk).exists():
        raise Impossible(_("You are no longer an admin of this program. Nothing was changed."))


def check_an_admin_stays(without: Membership) -> None:
    if not admins().exclude(pk=without.pk).exists() and admins().filter(pk=without.pk).exists():
        raise Impossible(_("This is the last admin: the program would have nobody to run it."))


def check_can_keep_out(membership: Membership, by: User | None) -> None:
    check_runs_program(by)
    if hasattr(membership, "ending"):
        raise Impossible(_("This membership has ended already."))
    if by is not None and membership.user_id == by.pk:
        raise Impossible(_("Nobody suspends or ends themselves. Ask another admin."))
    check_an_admin_stays(membership)


# --- What is done ----------------------------------------------------------------------------------


@transaction.atomic
def suspend(membership: Membership, *, by: User | None, reason: str) -> Suspension:
    """Keeps a member out from the next request on; asked twice, it gives the same suspension."""
    membership = locked(membership)
    check_can_keep_out(membership, by)
    suspension = membership.suspensions.in_force().first()
    if suspension is None:
        suspension = Suspension.objects.create(membership=membership, by=by, reason=reason.strip())
        end_sessions(membership.user)
        audit.record("member.suspended", by=by, subject=membership, words=suspension.reason)
    return suspension


@transaction.atomic
def lift(suspension: Suspension, *, by: User | None, reason: str = "") -> Lift:
    """Lets a suspended member in again; asked twice, it gives the same lift."""
    membership = locked(suspension.membership)
    check_runs_program(by)
    made, is_new = Lift.objects.get_or_create(
        suspension=suspension, defaults={"by": by, "reason": reason.strip()}
    )
    if is_new:
        audit.record("member.suspension_lifted", by=by, subject=membership, words=made.reason)
        notify(membership.user, Notice.Kind.SUSPENSION_LIFTED)
    return made


@transaction.atomic
def object_to(suspension: Suspension, *, text: str) -> Objection:
    """Records what the member says to it, once: the first words stay."""
    membership = locked(suspension.membership)
    made, is_new = Objection.objects.get_or_create(suspension=suspension, defaults={"text": text.strip()})
    if is_new:
        audit.record("member.objected", by=membership.user, subject=membership, words=made.text)
    return made


@transaction.atomic
def answer(objection: Objection, *, by: User | None, text: str) -> Answer:
    """Tells the member why their suspension stays, once. Another admin's answer is not written over."""
    membership = locked(objection.suspension.membership)
    check_runs_program(by)
    if Lift.objects.filter(suspension=objection.suspension_id).exists():
        raise Impossible(_("This suspension was lifted meanwhile: there is nothing left to answer."))
    made, is_new = Answer.objects.get_or_create(
        objection=objection, defaults={"by": by, "text": text.strip()}
    )
    if is_new:
        audit.record("member.answered", by=by, subject=membership, words=made.text)
    elif made.by_id != (by and by.pk):
        raise Impossible(_("Another admin has answered this already. Your words were not sent."))
    return made


@transaction.atomic
def end(membership: Membership, *, by: User | None, reason: str) -> Ending:
    """Ends a membership for good; asked twice, it gives the same ending."""
    membership = locked(membership)
    if hasattr(membership, "ending"):
        return membership.ending
    check_can_keep_out(membership, by)
    made = Ending.objects.create(membership=membership, by=by, reason=reason.strip())
    end_sessions(membership.user)
    audit.record("member.ended", by=by, subject=membership, words=made.reason)
    return made


def end_sessions(user: User) -> None:
    """Every session of this person is worth nothing from the next request on, in every process."""
    user.renew_session_salt()


def locked(membership: Membership) -> Membership:
    """The member as they are now, their row and all admins' locked until the act is done.

    Read after the lock, in a statement of its own: PostgreSQL drops a row from a join with its cohort if the member was
    moved to another one while the lock was waited for.
    """
    rows = Membership.objects.filter(Q(pk=membership.pk) | Q(role=Role.ADMIN)).order_by("pk")
    list(rows.select_for_update().values_list("pk"))
    return Membership.objects.select_related("user", "cohort").get(pk=membership.pk)
