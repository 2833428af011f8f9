"""What a second reviewer would have decided, said without knowing what the first one did: for the numbers alone."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .decision import Decision
from .policy import named

MOST = 1000  # characters of a note


class SecondLook(models.Model):
    """One per Decision, by somebody else; it changes nothing for the clip. Which decisions get one, no row says:

    review.second_looks works it out.
    """

    decision = models.OneToOneField(Decision, models.PROTECT, related_name="second_look")
    outcome = models.CharField(max_length=16, choices=Decision.Outcome)
    policy_version = models.CharField(max_length=16)  # the decision's: both judge by the same words
    reasons = models.CharField(max_length=400, blank=True)  # codes of clauses, separated by spaces
    note = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["at"], name="second_look_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="approve", reasons="") | (Q(outcome="refuse") & ~Q(reasons="")),
                name="second_look_refuses_for_reasons",
            )
        ]

    def __str__(self):
        return f"Second look at decision {self.decision_id}"

    @property
    def agrees(self) -> bool:
        return self.outcome == self.decision.outcome

    @property
    def clauses(self) -> list:
        """In the words that held then."""
        policy = named(self.policy_version) if self.reasons else None
        return policy.clauses_of(self.reasons.split()) if policy else []
