"""A single-use key to join, bound to an e-mail address, a role and a cohort."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import allowance, audit
from .exclusion import admins
from .membership import Cohort, Membership, Role
from .user import User, normal_email

# A mail that was begun and not reported for longer than this: nobody knows whether it left.
SILENT = timedelta(minutes=5)


class NotAcceptable(Exception):
    """An invitation that can't be used; says why in words for its holder."""


class NotInvitable(Exception):
    """A person who can't be invited; says why in words for the admin."""


def hashed(key: str) -> str:
    """The key has 256 random bits, so a plain hash is enough to keep a stolen table useless."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_key() -> str:
    return secrets.token_urlsafe(32)


def conditions() -> dict[str, models.Q]:
    """The states that invitations can be looked for by, as of now. "to-mail" and "trouble" are kinds of "open"."""
    now = timezone.now()
    unanswered = models.Q(accepted_at=None, revoked_at=None)
    is_open = unanswered & models.Q(expires_at__gt=now)
    silent = models.Q(mail_error="", mailed_at=None, mail_due_at=None, mail_started_at__lte=now - SILENT)
    return {
        "open": is_open,
        "to-mail": is_open & models.Q(mail_due_at__isnull=False),
        "trouble": is_open & (~models.Q(mail_error="") | silent),
        "accepted": models.Q(accepted_at__isnull=False),
        "expired": unanswered & models.Q(expires_at__lte=now),
        "revoked": models.Q(revoked_at__isnull=False),
    }


class InvitationQuerySet(models.QuerySet):
    def in_state(self, state: str):
        return self.filter(conditions()[state])

    def open(self):
        return self.in_state("open")

    def unanswered(self):
        """Open or expired: those that still take up their address."""
        return self.filter(accepted_at=None, revoked_at=None)

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
    mail_due_at = models.DateTimeField(null=True)  # empty: nothing is to be sent, or it is on its way
    mail_started_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mail_error = models.CharField(max_length=200, blank=True)
    batch = models.UUIDField(null=True)  # shared by those that one press of a button made
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
        indexes = [
            models.Index(fields=["-created_at", "email"], name="invitation_newest"),
            models.Index(
                fields=["mail_due_at"],
                condition=models.Q(mail_due_at__isnull=False),
                name="invitation_to_mail",
            ),
            models.Index(fields=["batch"], condition=models.Q(batch__isnull=False), name="invitation_batch"),
        ]

    def __str__(self):
        return f"{self.email} as {self.role}"

    @property
    def state(self) -> str:
        if self.accepted_at:
            return "accepted"
        if self.revoked_at:
            return "revoked"
        return "open" if self.expires_at > timezone.now() else "expired"

    @property
    def mail_state(self) -> str:
        """How far the mail is: by-hand, waiting, retrying, sending, unknown, failed or mailed."""
        if self.mailed_at:
            return "mailed"
        if self.mail_due_at:
            return "retrying" if self.mail_error else "waiting"
        if self.mail_error:
            return "failed"
        if self.mail_started_at:
            return "sending" if self.mail_started_at > timezone.now() - SILENT else "unknown"
        return "by-hand"


@transaction.atomic
def invite(
    email: str,
    *,
    role: str,
    cohort: str,
    by: User | None,
    note: str = "",
    lifetime: timedelta | None = None,
    batch: uuid.UUID | None = None,
) -> tuple[Invitation, str]:
    """Creates an invitation and returns it with its link, which can't be read again afterwards.

    An address has one open invitation at most: an earlier one is taken back.
    """
    email = normal_email(email)
    if User.objects.filter(email=email).exists():
        raise NotInvitable(_("%(email)s is already a member.") % {"email": email})
    for earlier in Invitation.objects.unanswered().filter(email=email):
        revoke(earlier, by=by)
    key = new_key()
    invitation = Invitation.objects.create(
        email=email,
        role=role,
        cohort=Cohort.objects.get_or_create(name=cohort)[0],
        key_hash=hashed(key),
        invited_by=by,
        note=note,
        expires_at=timezone.now() + (lifetime or settings.INVITATION_LIFETIME),
        batch=batch,
    )
    audit.record("invitation.created", by=by, subject=invitation, words=email)
    return invitation, link_with(key)


def link_with(key: str) -> str:
    return settings.SITE_URL + reverse("invitation", args=[key])


def check_can_accept(invitation: Invitation) -> None:
    if invitation.accepted_at:
        raise NotAcceptable(_("This invitation was already used. Log in with the address it was sent to."))
    if invitation.revoked_at:
        raise NotAcceptable(_("This invitation was taken back. Ask the person who invited you."))
    if invitation.expires_at <= timezone.now():
        raise NotAcceptable(_("This invitation has expired. Ask for a new one."))
    if User.objects.filter(email=invitation.email).exists():
        raise NotAcceptable(_("There is already an account for this address. Log in instead."))
    if invitation.role != Role.ARTIST and not _is_vouched_for(invitation):
        raise NotAcceptable(
            _("Whoever invited you runs the program no longer. Ask its team to send you this again.")
        )


def _is_vouched_for(invitation: Invitation) -> bool:
    """Power comes from those who still have it: an ended admin must not find a door left open."""
    by = invitation.invited_by_id
    return by is None or admins().filter(user=by).exists()


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
    # Read after the row above was written: a change of the cohort waits for it, or is done and seen here.
    if offered := Cohort.objects.get(pk=invitation.cohort_id).allowance:
        allowance.grant(membership, offered, by=invitation.invited_by)
    Invitation.objects.filter(pk=invitation.pk).update(accepted_at=timezone.now())
    audit.record("invitation.accepted", by=user, subject=invitation)
    return user


@transaction.atomic
def renew(invitation: Invitation, *, by: User, seen: datetime, by_mail: bool) -> str | None:
    """Gives an invitation a new key and a new expiry: its earlier link is dead from now on. Where the admin
    who wrote it is none any more, whoever renews it stands for it.

    With `by_mail` the mail brings the new link; else it is returned. `seen` is the expiry that the page showed: a
    second click, or a page from before, changes nothing and is told so by NotInvitable.
    """
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    check_can_renew(invitation)
    if invitation.expires_at != seen:
        raise NotInvitable(_("This invitation was renewed a moment ago. Once is enough."))
    key = new_key()
    Invitation.objects.filter(pk=invitation.pk).update(
        key_hash=hashed(key),
        invited_by=invitation.invited_by_id if _is_vouched_for(invitation) else by.pk,
        expires_at=timezone.now() + settings.INVITATION_LIFETIME,
        mail_due_at=timezone.now() if by_mail else None,
        mail_started_at=None,
        mailed_at=None,
        mail_tries=0,
        mail_error="",
    )
    audit.record("invitation.renewed", by=by, subject=invitation)
    return None if by_mail else link_with(key)


def check_can_renew(invitation: Invitation) -> None:
    if invitation.accepted_at:
        raise NotInvitable(
            _("This invitation was already used: %(email)s is a member.") % {"email": invitation.email}
        )
    if invitation.revoked_at:
        raise NotInvitable(_("This invitation was taken back. Write a new one instead."))
    if User.objects.filter(email=invitation.email).exists():
        raise NotInvitable(_("%(email)s is already a member.") % {"email": invitation.email})
    if invitation.mail_state == "sending":
        raise NotInvitable(_("Its mail is just being sent. Look again in a few minutes."))


@transaction.atomic
def revoke(invitation: Invitation, *, by: User | None) -> None:
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if invitation.accepted_at:
        raise NotAcceptable(_("This invitation was already used, so it can't be taken back."))
    if not invitation.revoked_at:
        Invitation.objects.filter(pk=invitation.pk).update(revoked_at=timezone.now(), revoked_by=by)
        audit.record("invitation.revoked", by=by, subject=invitation)
