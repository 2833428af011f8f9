"""Public files are made by a worker, and staff see copies of their own; who waits, waits since the artist's click."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.trail


def making() -> list:
    return [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        (
            "request_id",
            models.CharField(default=accounts.trail.request_id, editable=False, max_length=64, null=True),
        ),
        ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
        ("token", models.PositiveIntegerField(default=0)),
        ("tries", models.PositiveSmallIntegerField(default=0)),
        ("lease_until", models.DateTimeField(null=True)),
        ("ended_at", models.DateTimeField(null=True)),
        ("error", models.TextField(blank=True)),
        ("detail", models.TextField(blank=True)),
    ]


def still_open(name: str) -> models.Index:
    return models.Index(condition=models.Q(("ended_at", None)), fields=["asked_at"], name=name)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("review", "0008_lookups_and_sightings"),
    ]
    operations = [
        migrations.CreateModel(
            name="Preparation",
            fields=[
                *making(),
                (
                    "submission",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="preparation",
                        to="review.submission",
                    ),
                ),
            ],
            options={"indexes": [still_open("preparation_open")]},
        ),
        migrations.CreateModel(
            name="StaffCopy",
            fields=[
                *making(),
                ("sha256", models.CharField(blank=True, db_index=True, max_length=64)),
                ("size", models.PositiveBigIntegerField(default=0)),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="staff_copies",
                        to="review.submission",
                    ),
                ),
                (
                    "viewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [still_open("staff_copy_open")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("submission", "viewer"), name="staff_copy_one_for_each_viewer"
                    )
                ],
            },
        ),
        migrations.RemoveIndex(model_name="submission", name="submission_by_waiting_time"),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["created_at", "id"], name="submission_by_waiting_time"),
        ),
    ]
