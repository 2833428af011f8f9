"""The words of publications in a table of their own, which a search can go through however many there are."""

import logging
from itertools import islice

import django.db.models.deletion
from django.db import migrations, models

from review import searching

BATCH = 1000
log = logging.getLogger(__name__)


def index_trigrams(_apps, editor):
    """The extension is one that a database's owner may create. Where it isn't installed, searches for rare words take

    longer, and find the same.
    """
    if editor.connection.vendor != "postgresql":
        return
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
        if not cursor.fetchone()[0]:
            log.warning("pg_trgm is not installed beside PostgreSQL: searches for rare words will take longer")
            return
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        cursor.execute(
            "CREATE INDEX words_by_trigram ON review_words USING gin (said gin_trgm_ops) WITH (fastupdate = off)"
        )


def fill(apps, editor):
    """What is public already; a frozen text is read alike in every version."""
    words = apps.get_model("review", "Words").objects
    live = apps.get_model("review", "Publication").objects.filter(takedown=None)
    rows = live.values_list("pk", "published_at", "approval__submission__content").iterator(chunk_size=BATCH)
    while batch := list(islice(rows, BATCH)):
        words.bulk_create(
            words.model(publication_id=pk, published_at=at, said=searching.said(content)) for pk, at, content in batch
        )
    editor.connection.check_constraints()  # PostgreSQL makes no index while checks of rows are pending


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0019_second_looks'),
    ]

    operations = [
        migrations.CreateModel(
            name='Words',
            fields=[
                ('publication', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='words', serialize=False, to='review.publication')),
                ('published_at', models.DateTimeField()),
                ('said', models.TextField()),
            ],
            options={
                'indexes': [models.Index(fields=['-published_at', '-publication'], name='words_newest')],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(index_trigrams, migrations.RunPython.noop),
    ]
