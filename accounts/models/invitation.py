"""A single-use key to join, bound to an e-mail address, a role and a cohort."""

import hashlib
import secrets
import uuid

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import allowance, audit
from .membership import Cohort, Membership, Role
from .user import User, normal_email


class NotAcceptable(Exception):
    """An invitation that can't be used; says why in words for its holder."""


class NotInvitable(Exception):
    """A person who can't be invited; says why in words for the admin."""


def hashed(key: str) -> str:
    """The key has 256 random bits, so a plain hash is enough to keep a stolen table useless."""
    return hashlib.sha256(key.encode()).hexdigest()


class InvitationQuerySet(models.QuerySet):
    def open(self):
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())

    def with_key(self, key: str):
        return self.filter(key_hash=hashed(key))


class Invitation(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(gettext_lazy("email address"))
    role = models.CharField(gettext_lazy("role"), max_length=16, choices=Role)
    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="invitations")
    key_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="invitations_sent")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    note = models.TextField(gettext_lazy("personal note"), blank=True)
    # The key is made when the mail is, so it lies nowhere. Started and never sent: the mail may or may not have left.
    mail_started_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    mail_error = models.CharField(max_length=200, blank=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(accepted_at=None) | models.Q(revoked_at=None),
                name="invitation_accepted_or_revoked",
            ),
            models.UniqueConstraint(
                fields=["email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_one_open_per_address",
            ),
        ]

    def __str__(self):
        return f"{self.email} as {self.role}"


@transaction.atomic
def invite(email: str, *, role: str, cohort: str, by: User | None) -> tuple[Invitation, str]:
    """Creates an invitation and returns it with its link, which can't be read again afterwards.

    An address has one open invitation at most: an earlier one is taken back.
    """
    email = normal_email(email)
    if User.objects.filter(email=email).exists():
        raise NotInvitable(_("%(email)s is already a member.") % {"email": email})
    for earlier in Invitation.objects.filter(email=email, accepted_at=None, revoked_at=None):
        revoke(earlier, by=by)
    key = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        email=email,
        role=role,
        cohort=Cohort.objects.get_or_create(name=cohort)[0],
        key_hash=hashed(key),
        invited_by=by,
        expires_at=timezone.now() + settings.INVITATION_LIFETIME,
    )
    audit.record("invitation.created", by=by, subject=invitation, words=email)
    return invitation, settings.SITE_URL + reverse("invitation", args=[key])


def check_can_accept(invitation: Invitation) -> None:
    if invitation.accepted_at:
        raise NotAcceptable(_("This invitation was already used. Log in with the address it was sent to."))
    if invitation.revoked_at:
        raise NotAcceptable(_("This invitation was taken back. Ask the person who invited you."))
    if invitation.expires_at <= timezone.now():
        raise NotAcceptable(_("This invitation has expired. Ask for a new one."))
    if User.objects.filter(email=invitation.email).exists():
        raise NotAcceptable(_("There is already an account for this address. Log in instead."))


@transaction.atomic
def accept(invitation: Invitation, *, name: str, password: str) -> User:
    """Turns an invitation into a member, once: the row is locked, so a second click finds it used."""
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    check_can_accept(invitation)
    user = User.objects.create_user(invitation.email, password, name=name)
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    membership = Membership.objects.create(
        user=user, role=invitation.role, cohort=invitation.cohort, invitation=invitation
    )
    if invitation.cohort.allowance:
        allowance.grant(membership, invitation.cohort.allowance, by=invitation.invited_by)
    Invitation.objects.filter(pk=invitation.pk).update(accepted_at=timezone.now())
    audit.record("invitation.accepted", by=user, subject=invitation)
    return user


@transaction.atomic
def revoke(invitation: Invitation, *, by: User | None) -> None:
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if invitation.accepted_at:
        raise NotAcceptable(_("This invitation was already used, so it can't be taken back."))
    if not invitation.revoked_at:
        Invitation.objects.filter(pk=invitation.pk).update(revoked_at=timezone.now(), revoked_by=by)
        audit.record("invitation.revoked", by=by, subject=invitation)
