"""What was submitted until now was submitted under the sentence that submitting allows the gallery: from now on that is
a record, and so the database can ask for it. And who has works in public gets the pages that list them."""

import json

from django.db import migrations

BATCH = 1000


def record_consents(apps, _editor):
    submissions, consents = apps.get_model("review", "Submission"), apps.get_model("review", "Consent")
    without = submissions.objects.filter(consents=None).only("artist", "created_at")
    while batch := list(without[:BATCH]):
        consents.objects.bulk_create(
            consents(submission=each, use="gallery", number=1, by_id=each.artist_id, at=each.created_at)
            for each in batch
        )


def make_pages(apps, _editor):
    submissions, pages = apps.get_model("review", "Submission"), apps.get_model("review", "ArtistPage")
    public = submissions.objects.filter(decision__publication__isnull=False).exclude(content="")
    seen = set()
    for each in public.only("artist", "content").iterator(BATCH):
        key = each.artist_id, json.loads(each.content)["credit"]
        if key not in seen:
            seen.add(key)
            pages.objects.get_or_create(artist_id=key[0], credit=key[1])


class Migration(migrations.Migration):
    # The gate stands already: PostgreSQL changes no table's triggers while checks of new rows are pending.
    dependencies = [("review", "0024_credits_and_warnings")]
    operations = [
        migrations.RunPython(record_consents, migrations.RunPython.noop),
        migrations.RunPython(make_pages, migrations.RunPython.noop),
    ]
