"""Which invisible number belongs to whom: what "whose copy is this?" is answered from. Only admins are shown it."""

import secrets

import numpy as np
from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from generation.marks import NUMBERS

TRIES = 5
PIECE = 20_000  # rows that are read at once


class MarkManager(models.Manager):
    def of(self, submission_id, *, owner, viewer=None) -> "Mark":
        """The one of this submission's public files, or of a viewer's copy of them; drawn at the first call.

        Two at once may draw two, which both tell the truth.
        """
        wanted = {"submission": submission_id, "viewer": viewer}
        return self.filter(**wanted).order_by("pk").first() or self._draw(owner=owner, **wanted)

    def numbers(self) -> np.ndarray:
        """All there are, as uint32: four bytes each, however many."""
        pieces, last = [np.empty(0, np.uint32)], 0
        while rows := list(self.filter(pk__gt=last).order_by("pk").values_list("pk", "number")[:PIECE]):
            pieces.append(np.array([number for _pk, number in rows], np.uint32))
            last = rows[-1][0]
        return np.concatenate(pieces)

    def _draw(self, **told) -> "Mark":
        for last in (False,) * TRIES + (True,):
            try:
                with transaction.atomic():
                    # Random, so that a number doesn't tell how many there are.
                    return self.create(number=secrets.randbelow(NUMBERS), **told)
            except IntegrityError:  # that number is somebody's already
                if last:
                    raise


class Mark(models.Model):
    """A number drawn for one set of copies: a submission's public files (no viewer), or what one viewer is shown of it.

    A row is evidence: it is never changed or deleted, and the database sees to that.
    """

    number = models.PositiveBigIntegerField(unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="marks")
    submission = models.UUIDField()  # by id alone: submissions belong to an app that this one doesn't know
    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    drawn_at = models.DateTimeField(default=timezone.now)

    objects = MarkManager()

    class Meta:
        indexes = [models.Index(fields=["submission"], name="mark_of_submission")]

    def __str__(self):
        return f"Mark on submission {self.submission}"
