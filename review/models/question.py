"""What a reviewer asks the artist before they decide, and what the artist answers. Both stay."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..rules.desk import MOST_SAID
from .submission import Submission


class QuestionQuerySet(models.QuerySet):
    def open(self):
        return self.filter(reply=None)

    def told(self):
        """With all that a history tells of them."""
        return self.select_related("by", "reply").order_by("number")


class Question(models.Model):
    """Pauses the submission's clock until its Reply. They count up from 1, and each is answered before the next."""

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="questions")
    number = models.PositiveSmallIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField(max_length=MOST_SAID)
    erased_at = models.DateTimeField(null=True)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        # Two at once would both be number n, and so one of them is refused.
        constraints = [models.UniqueConstraint(fields=["submission", "number"], name="questions_count_up")]

    def __str__(self):
        return f"Question {self.number} on submission {self.submission_id}"


class Reply(models.Model):
    """The artist's answer to one Question; the clock goes on."""

    question = models.OneToOneField(Question, models.PROTECT, related_name="reply")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField(max_length=MOST_SAID)
    erased_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"Reply to question {self.question_id}"
