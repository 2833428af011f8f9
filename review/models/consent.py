"""What an artist allows for one frozen version of a work, use by use, the taking back of it, and what the program did.

A consent is about a Submission, not about a Clip: what is allowed is exactly these files and these words. The next
version asks anew, and its form begins with the last one's answers.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..rules.consents import MOST_PLACE
from .submission import Submission


class Use(models.TextChoices):
    GALLERY = "gallery", _("Gallery")
    PRESS = "press", _("Press")
    SOCIAL = "social", _("Social media")
    CONTEST = "contest", _("Contests")
    TRAINING = "training", _("Training of models")
    TOOLS = "tools", _("Tests of tools")


# One honest line each: shown where it is asked for, and where it can be taken back.
EXPLAINED = {
    Use.GALLERY: _("Shown to everybody on this site. Submitting a clip allows this."),
    Use.PRESS: _("Given to journalists, and shown with what they write about the program."),
    Use.SOCIAL: _("Posted by the program on its own accounts. Posts can be copied by others."),
    Use.CONTEST: _("Entered by the program in contests and festivals, with your credits."),
    Use.TRAINING: _("Models may learn from it. What a model has learned can’t be taken out again."),
    Use.TOOLS: _("Used inside the program to try new tools, and not shown to anybody outside."),
}
ASKED = tuple(use for use in Use if use != Use.GALLERY)  # the gallery's is given by submitting


class ConsentQuerySet(models.QuerySet):
    def live(self):
        """Given and not taken back."""
        return self.filter(revocation=None)

    def give(self, submission: Submission, use: str, *, by) -> "Consent":
        """The next one; for acts that hold the submission's row."""
        number = 1 + self.filter(submission=submission, use=use).count()
        return self.create(submission=submission, use=use, number=number, by=by)


class Consent(models.Model):
    """Allows one use of one submission. They count up: what was revoked can be given again, as the next one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    submission = models.ForeignKey(Submission, models.PROTECT, related_name="consents")
    use = models.CharField(max_length=16, choices=Use)
    number = models.PositiveSmallIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        constraints = [
            # Two at once would both be number n, and so one of them is refused.
            models.UniqueConstraint(fields=["submission", "use", "number"], name="consents_count_up"),
            models.CheckConstraint(
                condition=Q(use__in=["gallery", "press", "social", "contest", "training", "tools"]),
                name="consent_to_a_known_use",
            ),
        ]
        indexes = [models.Index(fields=["use", "-at", "-id"], name="consent_newest_of_use")]

    def __str__(self):
        return f"Consent {self.number} to {self.use} of submission {self.submission_id}"

    @property
    def is_live(self) -> bool:
        return not hasattr(self, "revocation")


class Revocation(models.Model):
    """The artist's taking back of one Consent. It ends what is going on; what was done under it stays told."""

    consent = models.OneToOneField(Consent, models.PROTECT, related_name="revocation")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"Revocation of consent {self.consent_id}"


class ConsentedUse(models.Model):
    """What the program did with a public work, and under which consent. The gallery's own is the Publication."""

    consent = models.ForeignKey(Consent, models.PROTECT, related_name="uses")
    place = models.TextField(max_length=MOST_PLACE)  # an address on the web, or in words: where it was used
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-at", "-id"], name="consented_use_newest")]

    def __str__(self):
        return f"Use under consent {self.consent_id}"

    @property
    def is_link(self) -> bool:
        return self.place.startswith(("https://", "http://")) and " " not in self.place
