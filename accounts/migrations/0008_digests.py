"""One mail a day in place of many, and notices about consents and set times."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_notices_of_appeals'),
    ]

    operations = [
        migrations.AddField(
            model_name='notice',
            name='digested_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='wants_digest',
            field=models.BooleanField(default=False, verbose_name='one mail a day with all news'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='kind',
            field=models.CharField(choices=[('take-ready', 'Your take is ready.'), ('take-failed', 'A take could not be made.'), ('suspension-lifted', 'Your suspension was lifted. Welcome back.'), ('role-changed', 'Your role in the program was changed.'), ('allowance-granted', 'You were granted more GPU seconds.'), ('question', 'A reviewer has a question for you. The clock waits for your answer.'), ('reply', 'An artist has answered your question.'), ('review-half', 'Clips at the desk have used half of their time.'), ('review-late', 'Clips at the desk have used four fifths of their time.'), ('submission-late', 'The decision on your clip is late. It comes first in line now.'), ('handed-over', 'A lead has handed a clip over to you.'), ('taken-down', 'A clip of yours was taken down. Its page says why.'), ('appeal-message', 'Whoever hears your appeal has written to you.'), ('appeal-upheld', 'Your appeal was upheld. Your clip is decided on anew.'), ('appeal-dismissed', 'Your appeal was dismissed. Its page says why.'), ('appeal-overdue', 'The answer to your appeal is late. It comes first in line now.'), ('appeal-answer', 'An artist has written in an appeal that you hear.'), ('appeal-half', 'An appeal has used half of its time.'), ('appeal-late', 'An appeal has used four fifths of its time.'), ('used', 'The program has used a clip of yours, as you allowed. Its page says where.'), ('schedule-kept', 'A clip of yours went public at the time that you had set.'), ('schedule-failed', 'A clip of yours did not go public at the time that you had set. Its page says why.'), ('factors-reset', 'An admin removed your second factors. Set up new ones.')], max_length=32),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('wants_mail', False), ('wants_digest', False), _connector='OR'), name='news_come_by_mail_in_one_way'),
        ),
    ]
