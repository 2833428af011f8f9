"""The versions of the policy that admins saved: public text, whole, never changed and never deleted.

A version's clauses are written before its own row, and the database takes none afterwards: so no version is ever there
in part. The version that came with the program has no row; it is `review.clauses.FIRST`.
"""

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..clauses import CODE_LENGTH, FIRST, Clause, Policy

NAME_LENGTH = 16  # as a Decision keeps it


class PolicyVersion(models.Model):
    number = models.PositiveIntegerField(
        primary_key=True
    )  # counts up from the first version's 1: a trigger checks
    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    summary = models.CharField(max_length=300)  # what changed and why: the history shows it
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"Policy {self.name}"


class PolicyClause(models.Model):
    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="clauses")
    place = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=CODE_LENGTH)
    title = models.CharField(max_length=80)
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "code"], name="policy_clause_once_a_version"),
            models.UniqueConstraint(fields=["version", "place"], name="policy_clause_has_its_place"),
        ]

    def __str__(self):
        return f"Clause {self.code} of version {self.version_id}"


def whole(rows: list[PolicyClause]) -> Policy:
    """A version made of its clauses' rows, in order, each with its `version`."""
    version = rows[0].version
    clauses = tuple(Clause(row.code, row.title, row.text) for row in rows)
    told = {"number": version.number, "at": version.at, "summary": version.summary, "by_id": version.by_id}
    return Policy(version.name, clauses, **told)


def named(name: str) -> Policy | None:
    """The version of this name, which may come from a visitor. The first costs no query."""
    if name == FIRST.name:
        return FIRST
    if "\0" in name:  # PostgreSQL could not even be asked
        return None
    rows = PolicyClause.objects.filter(version__name=name).select_related("version").order_by("place")
    return whole(list(rows)) if rows else None
