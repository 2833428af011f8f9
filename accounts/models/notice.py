"""A member's inbox in the site: a line for what happened while they were away, with a way to it.

A notice holds a kind and a path, never a prompt or a title: what it is about is looked up where it leads.
"""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Notice(models.Model):
    class Kind(models.TextChoices):
        TAKE_READY = "take-ready", _("Your take is ready.")
        TAKE_FAILED = "take-failed", _("A take could not be made.")
        SUSPENSION_LIFTED = "suspension-lifted", _("Your suspension was lifted. Welcome back.")
        ROLE_CHANGED = "role-changed", _("Your role in the program was changed.")
        ALLOWANCE_GRANTED = "allowance-granted", _("You were granted more GPU seconds.")
        QUESTION = "question", _("A reviewer has a question for you. The clock waits for your answer.")
        REPLY = "reply", _("An artist has answered your question.")
        REVIEW_HALF = "review-half", _("Clips at the desk have used half of their time.")
        REVIEW_LATE = "review-late", _("Clips at the desk have used four fifths of their time.")
        SUBMISSION_LATE = (
            "submission-late",
            _("The decision on your clip is late. It comes first in line now."),
        )
        HANDED_OVER = "handed-over", _("A lead has handed a clip over to you.")
        TAKEN_DOWN = "taken-down", _("A clip of yours was taken down. Its page says why.")
        APPEAL_MESSAGE = "appeal-message", _("Whoever hears your appeal has written to you.")
        APPEAL_UPHELD = "appeal-upheld", _("Your appeal was upheld. Your clip is decided on anew.")
        APPEAL_DISMISSED = "appeal-dismissed", _("Your appeal was dismissed. Its page says why.")
        APPEAL_OVERDUE = "appeal-overdue", _("The answer to your appeal is late. It comes first in line now.")
        APPEAL_ANSWER = "appeal-answer", _("An artist has written in an appeal that you hear.")
        APPEAL_HALF = "appeal-half", _("An appeal has used half of its time.")
        APPEAL_LATE = "appeal-late", _("An appeal has used four fifths of its time.")
        USED = "used", _("The program has used a clip of yours, as you allowed. Its page says where.")
        SCHEDULE_KEPT = "schedule-kept", _("A clip of yours went public at the time that you had set.")
        SCHEDULE_FAILED = (
            "schedule-failed",
            _("A clip of yours did not go public at the time that you had set. Its page says why."),
        )
        RULE_OBJECTION = "rule-objection", _("An artist objects to a rule about words.")
        OBJECTION_ANSWERED = "objection-answered", _("An admin has answered your objection.")
        FACTORS_RESET = "factors-reset", _("An admin removed your second factors. Set up new ones.")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=32, choices=Kind)
    path = models.CharField(max_length=200, blank=True)  # where it leads, on this site
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)
    digested_at = models.DateTimeField(
        null=True
    )  # set before the digest with it is sent, so that none is told twice

    class Meta:
        indexes = [
            models.Index(fields=["user", "-id"], name="notice_newest_of_user"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notice_unread"),
        ]

    def __str__(self):
        return f"{self.kind} for {self.user_id}"


def notify(user, kind: str, path: str = "") -> Notice:
    return Notice.objects.create(user=user, kind=kind, path=path)


def seen(user, path: str) -> None:
    """To be called by the page at that path: what led there is read. Without news, it asks nothing."""
    if user.has_news:
        user.notices.filter(read_at=None, path=path).update(read_at=timezone.now())
        user.has_news = user.notices.filter(read_at=None).exists()
