"""A person who can log in. What they may do in the program is their Membership, not this."""

import secrets
import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


def random_salt() -> str:
    return secrets.token_hex(8)


class UserManager(BaseUserManager):
    def create_user(self, email: str, password: str | None = None, **fields):
        user = self.model(email=normal_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, email):
        return self.get(email=normal_email(email))


class User(AbstractBaseUser):
    """Anonymized on erasure, never deleted: records point here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("email address"), unique=True)
    name = models.CharField(
        _("name"), max_length=80, help_text=_("Shown as the credit on your published clips.")
    )
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)
    # How news comes by mail, besides the inbox: at once, once a day, or neither.
    wants_mail = models.BooleanField(_("mail when there is news"), default=True)
    wants_digest = models.BooleanField(_("one mail a day with all news"), default=False)
    # Part of what each session is bound to: a new one ends them all, wherever they are stored.
    session_salt = models.CharField(max_length=16, default=random_salt, editable=False)

    objects = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(wants_mail=False) | Q(wants_digest=False), name="news_come_by_mail_in_one_way"
            )
        ]

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    def __str__(self):
        return self.name or self.email

    def get_full_name(self):
        return self.name

    def _get_session_auth_hash(self, secret=None):
        bound_to = f"{self.password}:{self.session_salt}"
        own = salted_hmac("accounts.User.session", bound_to, secret=secret, algorithm="sha256")
        return own.hexdigest()

    def renew_session_salt(self) -> None:
        self.session_salt = random_salt()
        self.save(update_fields=["session_salt"])


def normal_email(email: str) -> str:
    """One spelling per address, so that an invitation and a login can't miss each other."""
    return email.strip().lower()
