"""Rules about words, as admins made them: what they look for, what follows, and what an artist may say against it.

Nothing here is ever changed. Another wording is another version, and a rule is over when its end is recorded. What a
rule finds, and whom it stops, is generation.rules'.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

MOST_SAID = 2000  # characters of an objection, or of its answer


class WordRuleQuerySet(models.QuerySet):
    def newest(self):
        """The latest version of each rule, whether it holds or has ended."""
        later = WordRule.objects.filter(family=OuterRef("family"), version__gt=OuterRef("version"))
        return self.filter(~Exists(later))

    def in_force(self):
        return self.newest().filter(end=None)


class WordRule(models.Model):
    class Does(models.TextChoices):
        FLAG = "flag", _("Flags it for the reviewers")
        BLOCK = "block", _("Blocks it")

    class Place(models.TextChoices):
        PROMPT = "prompt", _("Prompt")
        NEGATIVE_PROMPT = "negative_prompt", _("What to leave out")
        TITLE = "title", _("Title")
        STATEMENT = "statement", _("Statement")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    family = models.UUIDField(default=uuid.uuid4, editable=False)  # the versions of one rule share it
    version = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=80)
    phrases = models.TextField()  # one on each line, as generation.wording reads them
    looks_in = models.CharField(max_length=60)  # of Place, with spaces between
    does = models.CharField(max_length=8, choices=Does)
    sentence = models.CharField(max_length=300, blank=True)  # what an artist reads whose words are blocked
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    objects = WordRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["family", "version"], name="word_rule_versions_count_up"),
            models.CheckConstraint(condition=Q(does__in=["flag", "block"]), name="word_rule_does_what"),
            models.CheckConstraint(
                condition=~Q(does="block") | ~Q(sentence=""), name="word_rule_that_blocks_says_why"
            ),
        ]

    def __str__(self):
        return f"Word rule {self.pk}"

    @property
    def blocks(self) -> bool:
        return self.does == self.Does.BLOCK

    @property
    def places(self) -> list[str]:
        return self.looks_in.split()

    @property
    def places_in_words(self) -> str:
        return ", ".join(str(self.Place(place).label) for place in self.places)


class RuleEnd(models.Model):
    """Ends a rule, in the version that it points at."""

    rule = models.OneToOneField(WordRule, models.PROTECT, related_name="end")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"End of word rule {self.rule_id}"


class RuleBlock(models.Model):
    """That a rule kept somebody's words from going on. The words themselves are not kept with it."""

    rule = models.ForeignKey(WordRule, models.PROTECT, related_name="blocks_made")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    place = models.CharField(max_length=16, choices=WordRule.Place)
    job = models.UUIDField(
        null=True
    )  # a take that had been accepted before the rule came; it may be gone by now
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["job"], condition=Q(job__isnull=False), name="rule_block_of_job"),
            models.Index(fields=["at"], name="rule_block_by_time"),
        ]

    def __str__(self):
        return f"Block by word rule {self.rule_id}"


class RuleObjectionQuerySet(models.QuerySet):
    def unanswered(self):
        return self.filter(answer=None).order_by("at", "pk")


class RuleObjection(models.Model):
    """What an artist says against a block of their words, once for the same words and rule."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.ForeignKey(WordRule, models.PROTECT, related_name="objections")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    place = models.CharField(max_length=16, choices=WordRule.Place)
    words = models.TextField()  # what was blocked
    digest = models.CharField(
        max_length=64
    )  # of those words, as they are compared: it outlasts their erasure
    text = models.TextField(max_length=MOST_SAID)
    at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True)

    objects = RuleObjectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "rule", "digest"], name="rule_objected_to_once")
        ]
        indexes = [models.Index(fields=["owner", "-at"], name="rule_objection_of_owner")]

    def __str__(self):
        return f"Objection {self.pk}"


class RuleAnswer(models.Model):
    """An admin's answer. Upheld, it lets these words of this member pass all rules that were made before it."""

    objection = models.OneToOneField(RuleObjection, models.PROTECT, related_name="answer")
    is_upheld = models.BooleanField()
    text = models.TextField(max_length=MOST_SAID)  # the artist reads it
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True)

    def __str__(self):
        return f"Answer to objection {self.objection_id}"
