"""Leads, a fourth role, and notices about questions, deadlines and claims that were handed over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_mail_about_news"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="membership",
            name="membership_role_is_known",
        ),
        migrations.AlterField(
            model_name="invitation",
            name="role",
            field=models.CharField(
                choices=[
                    ("artist", "Artist"),
                    ("reviewer", "Reviewer"),
                    ("lead", "Lead reviewer"),
                    ("admin", "Admin"),
                ],
                max_length=16,
                verbose_name="role",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(
                choices=[
                    ("artist", "Artist"),
                    ("reviewer", "Reviewer"),
                    ("lead", "Lead reviewer"),
                    ("admin", "Admin"),
                ],
                max_length=16,
                verbose_name="role",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("take-ready", "Your take is ready."),
                    ("take-failed", "A take could not be made."),
                    ("suspension-lifted", "Your suspension was lifted. Welcome back."),
                    ("role-changed", "Your role in the program was changed."),
                    ("allowance-granted", "You were granted more GPU seconds."),
                    ("question", "A reviewer has a question for you. The clock waits for your answer."),
                    ("reply", "An artist has answered your question."),
                    ("review-half", "Clips at the desk have used half of their time."),
                    ("review-late", "Clips at the desk have used four fifths of their time."),
                    ("submission-late", "The decision on your clip is late. It comes first in line now."),
                    ("handed-over", "A lead has handed a clip over to you."),
                    ("factors-reset", "An admin removed your second factors. Set up new ones."),
                ],
                max_length=32,
            ),
        ),
        migrations.AlterField(
            model_name="rolechange",
            name="after",
            field=models.CharField(
                choices=[
                    ("artist", "Artist"),
                    ("reviewer", "Reviewer"),
                    ("lead", "Lead reviewer"),
                    ("admin", "Admin"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="rolechange",
            name="before",
            field=models.CharField(
                choices=[
                    ("artist", "Artist"),
                    ("reviewer", "Reviewer"),
                    ("lead", "Lead reviewer"),
                    ("admin", "Admin"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["artist", "reviewer", "lead", "admin"])),
                name="membership_role_is_known",
            ),
        ),
    ]
