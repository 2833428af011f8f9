"""The statement of reasons that comes with every refusal: on the artist's page, in the mail, and nowhere else."""

from datetime import timedelta

import pytest
from django.core import mail

from review import queue, tasks
from review.models import Decision, Submission
from tests import factories

pytestmark = pytest.mark.django_db
NOTE = "Send it without the <b>logo</b>,\nthen it is fine."


def told_on_the_page(login, submission) -> str:
    return login(submission.artist).get(f"/studio/submissions/{submission.pk}/").content.decode()


def test_the_page_tells_the_reasons_and_how_to_go_on(login):
    submission = factories.submission()
    version = factories.policy_version(words={"rights": "No brands at all."})
    factories.decision(submission, "refuse", note=NOTE)
    factories.policy_version(words={"rights": "Brands are fine now."})
    page = told_on_the_page(login, submission)
    for words in (
        "Statement of reasons",
        "Someone else&#x27;s work",
        "No brands at all.",
        "Send it without the &lt;b&gt;logo&lt;/b&gt;",
        "No machine did.",
        "and came in time",
        "as version 2",
        f"/policy/{version.name}/",
    ):
        assert words in page
    assert "Brands are fine now." not in page


def test_a_decision_that_came_late_says_so(login):
    submission = factories.submission()
    longer = submission.created_at - timedelta(days=30)
    factories.decision(submission, "refuse", note=NOTE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Submission, "deadline", property(lambda self: longer))
        assert "and came late" in told_on_the_page(login, submission)


def test_an_approval_has_no_statement(login):
    submission = factories.submission()
    factories.decision(submission)
    assert "Statement of reasons" not in told_on_the_page(login, submission)


def refuse(login, submission, reviewer, **data):
    queue.claim(submission, by=reviewer)
    data = {
        "content_hash": submission.content_hash,
        "outcome": "refuse",
        "reasons": ["hate"],
        "note": NOTE,
    } | data
    return login(reviewer).post(f"/desk/submissions/{submission.pk}/decision/", data)


def test_a_refusal_is_mailed_to_its_artist_alone(
    login, reviewer, django_capture_on_commit_callbacks, settings
):
    submission = factories.submission(title="A secret title")
    with django_capture_on_commit_callbacks(execute=True):
        refuse(login, submission, reviewer)
    tasks.send_refusal(Decision.objects.get().pk)
    sent = mail.outbox[-1]
    assert sent.to == [submission.artist.email]
    assert sent.subject == "A clip of yours was not accepted"
    page = sent.alternatives[0][0]
    for part in (sent.body, page):
        assert "Hatred" in part
        assert "No machine did." in part
        assert "as version 2" in part
        assert f"{settings.SITE_URL}/studio/submissions/{submission.pk}/" in part
        assert f"{settings.SITE_URL}/policy/2026-11/" in part
        for private in ("A secret title", submission.clip.recipe["prompt"], reviewer.name, reviewer.email):
            assert private not in part
    assert NOTE in sent.body
    assert "<b>logo" not in page


def test_an_approval_is_not_mailed_as_a_refusal(login, reviewer, django_capture_on_commit_callbacks):
    submission = factories.submission()
    with django_capture_on_commit_callbacks(execute=True):
        refuse(login, submission, reviewer, outcome="approve", reasons=[], note="")
    assert not mail.outbox
    approval = Decision.objects.get()
    assert approval.is_approval
    with pytest.raises(Exception, match="does not exist"):
        tasks.send_refusal(approval.pk)


def test_a_broker_that_is_down_stops_no_decision(
    login, reviewer, monkeypatch, django_capture_on_commit_callbacks
):
    def down(*args, **kwargs):
        raise OSError("no broker")

    monkeypatch.setattr(tasks.send_refusal, "apply_async", down)
    with django_capture_on_commit_callbacks(execute=True):
        assert refuse(login, factories.submission(), reviewer).status_code == 302
    assert Decision.objects.get().outcome == "refuse"
