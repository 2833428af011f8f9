"""A reviewer asks the artist, and the artist answers: the clock stands still in between, and both see that it does."""

from django.db import transaction

from accounts.models import audit

from . import clocks, news, queue
from .models import Question, Reply, Submission
from .permissions import check_can_ask, check_can_reply, check_still_in


@transaction.atomic
def ask(submission: Submission, *, by, text: str) -> Question:
    """Pauses the clock and gives the claim back; the same question sent twice is asked once."""
    submission, text = _locked(submission), text.strip()
    check_still_in(by)
    same = Question.objects.open().filter(submission=submission, by=by, text=text).first()
    if same is not None:
        return same
    check_can_ask(submission, by)
    made = Question.objects.create(
        submission=submission, number=submission.questions.count() + 1, by=by, text=text
    )
    clocks.pause(submission)
    queue.release(submission, by=by)
    audit.record("submission.asked", by=by, subject=submission)  # its words are between the two of them
    news.tell_of_question(made)
    return made


@transaction.atomic
def reply(submission: Submission, *, by, number: int, text: str) -> Reply:
    """Lets the clock go on. `number` is the question that the page showed; the same answer sent twice is one."""
    submission, text = _locked(submission), text.strip()
    check_still_in(by)
    question = submission.questions.select_related("reply", "by").filter(number=number).first()
    same = getattr(question, "reply", None)
    if same is not None and (same.by_id, same.text) == (by.pk, text):
        return same
    check_can_reply(question, by, submission=submission)
    made = Reply.objects.create(question=question, by=by, text=text)
    clocks.resume(submission)
    audit.record("submission.answered", by=by, subject=submission)
    news.tell_of_reply(made)
    return made


def _locked(submission: Submission) -> Submission:
    return Submission.objects.select_for_update().get(pk=submission.pk)
