"""What a search for publications looks through: the words of their frozen texts, once more, in a narrow table.

It follows from the frozen texts, can be made again from them at any time, and opens nothing: what a search finds is
shown by its live Publication.
"""

from django.db import models

from .publication import Publication


class Words(models.Model):
    """Of one live publication; they go with its takedown."""

    publication = models.OneToOneField(Publication, models.PROTECT, primary_key=True, related_name="words")
    published_at = models.DateTimeField()  # the publication's: a search reads the newest first
    said = models.TextField()  # as review.searching folds it

    class Meta:
        # On PostgreSQL a migration adds an index of trigrams, which Django's models can't name for both databases.
        indexes = [models.Index(fields=["-published_at", "-publication"], name="words_newest")]

    def __str__(self):
        return f"Words of publication {self.publication_id}"
