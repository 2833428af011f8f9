"""Under which address the public finds an artist's works: one for each name under which they let them be shown."""

from django.conf import settings
from django.db import models

from .publication import SLUG_LENGTH, Publication, random_slug


class ArtistPage(models.Model):
    """One page for each artist and credit line: who shows some works under another name isn't given away by a list."""

    artist = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="pages")
    credit = models.CharField(max_length=120)  # as it is frozen in the works
    slug = models.CharField(max_length=SLUG_LENGTH, unique=True, default=random_slug)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["artist", "credit"], name="artist_page_one_for_each_credit")
        ]

    def __str__(self):
        return f"Artist page {self.slug}"

    def works(self):
        """What this page shows, as a query that starts where everything anonymous does."""
        live = Publication.objects.live().with_content()
        return live.filter(approval__submission__artist=self.artist_id).credited_to(self.credit)
