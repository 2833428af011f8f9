"""A reviewer asks, the artist answers, the clock stands still meanwhile; and nobody else gets a word in, or two."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Notice, User, exclusion
from review import asking, clocks, gate, news, queue, sealing
from review.models import Claim, Clock, Question, Reply
from review.permissions import Conflict, NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db
WHAT, MINE = "Whose song is it?", "My own; I sang it."


@pytest.fixture
def held(reviewer):
    submission = factories.submission()
    assert queue.claim(submission, by=reviewer)
    return submission


def ask(client, submission, text=WHAT):
    return client.post(f"/desk/submissions/{submission.pk}/question/", {"text": text})


def answer(client, submission, text=MINE, number=1):
    return client.post(f"/studio/submissions/{submission.pk}/reply/", {"text": text, "number": number})


def later(**lasting):
    """As if the pause had begun that much earlier."""
    Clock.objects.update(paused_at=timezone.now() - timedelta(**lasting))


# --- The way ---------------------------------------------------------------------------------------


def test_a_question_pauses_the_clock_and_the_answer_resumes_it(login, held, reviewer):
    before = Clock.objects.get()
    assert ask(login(reviewer), held).url == "/desk/"
    assert Clock.objects.get().is_paused
    assert not Claim.objects.exists(), "the clip goes back meanwhile"
    later(hours=7)
    assert answer(login(held.artist), held).url == f"/studio/submissions/{held.pk}/"
    after = Clock.objects.get()
    assert not after.is_paused
    for moved in (after.due_at - before.due_at, after.rings_at - before.rings_at):
        assert timedelta(hours=7) <= moved < timedelta(hours=7, minutes=1)
    made = Question.objects.get()
    assert (made.number, made.by, made.text, made.reply.text) == (1, reviewer, WHAT, MINE)
    acts = AuditEntry.objects.filter(act__in=["submission.asked", "submission.answered"]).order_by("sequence")
    assert [(entry.by, entry.words) for entry in acts] == [(reviewer, ""), (held.artist, "")], (
        "admins read that, not what"
    )


def test_both_see_it_and_the_artist_sees_no_name(login, held, reviewer):
    ask(login(reviewer), held)
    room = login(factories.member("reviewer")).get(f"/desk/submissions/{held.pk}/").text
    page = login(held.artist).get(f"/studio/submissions/{held.pk}/").text
    for told in (room, page):
        assert WHAT in told
        assert "The clock stands still" in told
    assert reviewer.name in room
    assert reviewer.name not in page
    assert "Send the answer" in page
    answer(login(held.artist), held)
    for path, who in (
        (f"/desk/submissions/{held.pk}/", reviewer),
        (f"/studio/submissions/{held.pk}/", held.artist),
    ):
        told = login(who).get(path).text
        assert WHAT in told
        assert MINE in told
        assert "The clock stands still" not in told
        assert "Send the answer" not in told


def test_each_hears_of_the_other_and_a_look_is_enough(
    login, held, reviewer, django_capture_on_commit_callbacks, monkeypatch
):
    monkeypatch.setattr(news.mail_news, "apply_async", lambda args, **_options: news.mail_news(*args))
    with django_capture_on_commit_callbacks(execute=True):
        ask(login(reviewer), held)
    assert list(held.artist.notices.values_list("kind", "path")) == [
        ("question", f"/studio/submissions/{held.pk}/")
    ]
    login(held.artist).get(f"/studio/submissions/{held.pk}/")
    assert not held.artist.notices.filter(read_at=None).exists()
    with django_capture_on_commit_callbacks(execute=True):
        answer(login(held.artist), held)
    assert list(reviewer.notices.values_list("kind", "path")) == [("reply", f"/desk/submissions/{held.pk}/")]
    login(reviewer).get(f"/desk/submissions/{held.pk}/")
    assert not reviewer.notices.filter(read_at=None).exists()
    assert [sent.to for sent in mail.outbox] == [[held.artist.email], [reviewer.email]]
    for sent in mail.outbox:
        told = sent.subject + sent.body + "".join(part.content for part in sent.alternatives)
        assert WHAT not in told
        assert MINE not in told
        assert held.title not in told


def test_a_reviewer_who_is_none_any_more_hears_nothing(held, reviewer, admin):
    asking.ask(held, by=reviewer, text=WHAT)
    exclusion.suspend(reviewer.membership, by=admin, reason="A reason.")
    asking.reply(held, by=held.artist, number=1, text=MINE)
    assert not reviewer.notices.exists()


def test_what_waits_for_an_answer_is_offered_to_nobody_and_can_still_be_decided(login, held, reviewer):
    other, second = factories.member("reviewer"), factories.submission()
    asking.ask(held, by=reviewer, text=WHAT)
    assert queue.claim_next(other) == second
    assert queue.claim_next(reviewer) is None
    listed = login(reviewer).get("/desk/?show=asked")
    assert [each.pk for each in listed.context["waiting"]] == [held.pk]
    assert [each.pk for each in login(reviewer).get("/desk/").context["waiting"]] == [second.pk]
    assert queue.claim(held, by=reviewer)
    gate.decide(held, by=reviewer, outcome="approve", content_hash=held.content_hash)
    assert answer(login(held.artist), held).status_code == 409
    assert not Reply.objects.exists()


def test_paused_time_rings_nothing(held, reviewer):
    asking.ask(held, by=reviewer, text=WHAT)
    Clock.objects.update(
        due_at=timezone.now() - timedelta(hours=1), rings_at=timezone.now() - timedelta(hours=25)
    )
    assert clocks.ring_due() == 0
    later(hours=30)
    asking.reply(held, by=held.artist, number=1, text=MINE)
    assert clocks.ring_due() == 0, "all is moved on by as long as the pause lasted"
    assert Clock.objects.get().due_at > timezone.now() + timedelta(hours=28)


def test_a_second_question_after_the_answer_pauses_again(held, reviewer):
    factories.asked(held, by=reviewer, answer=MINE)
    made = factories.asked(held, by=reviewer, text="And the picture?")
    assert (made.number, Clock.objects.get().is_paused) == (2, True)


def test_withdrawing_settles_a_question(login, held, reviewer):
    asking.ask(held, by=reviewer, text=WHAT)
    assert login(held.artist).post(f"/studio/submissions/{held.pk}/withdrawal/").status_code == 302
    page = answer(login(held.artist), held)
    assert page.status_code == 409
    assert MINE in page.text, "what was typed stays"


# --- Ways round it -----------------------------------------------------------------------------------


def test_a_question_sent_twice_is_asked_once(login, held, reviewer):
    client = login(reviewer)
    assert [ask(client, held).status_code for _click in range(2)] == [302, 302]
    assert Question.objects.count() == 1
    assert held.artist.notices.count() == 1
    assert AuditEntry.objects.filter(act="submission.asked").count() == 1


def test_an_answer_sent_twice_is_given_once_and_the_first_one_stays(login, held, reviewer):
    asking.ask(held, by=reviewer, text=WHAT)
    client = login(held.artist)
    assert [answer(client, held).status_code for _click in range(2)] == [302, 302]
    due = Clock.objects.get().due_at
    other = answer(client, held, "On second thoughts …")
    assert other.status_code == 409
    assert "On second thoughts" in other.text
    assert Reply.objects.get().text == MINE
    assert Clock.objects.get().due_at == due


def test_no_two_questions_are_open_at_once(login, held, reviewer):
    asking.ask(held, by=reviewer, text=WHAT)
    for by in (reviewer, factories.member("reviewer")):
        assert queue.claim(held, by=by)
        refused = ask(login(by), held, "Another one?")
        assert refused.status_code == 409
        assert "Another one?" in refused.text
        queue.release(held, by=by)
    assert Question.objects.count() == 1


@pytest.mark.parametrize("too_late", ["lapsed", "taken", "never held"])
def test_only_who_holds_the_claim_asks(login, held, reviewer, too_late):
    by = factories.member("reviewer") if too_late == "never held" else reviewer
    if too_late != "never held":
        Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    if too_late == "taken":
        assert queue.claim(held, by=factories.member("reviewer"))
    refused = ask(login(by), held)
    assert refused.status_code == 409
    assert WHAT in refused.text
    assert not Question.objects.exists()
    assert not Clock.objects.get().is_paused


@pytest.mark.parametrize("who", ["artist", "admin", "owner", "anonymous"])
def test_strangers_ask_nothing(login, held, who):
    by = {"owner": held.artist, "anonymous": None}.get(who) or (
        factories.member(who) if who != "anonymous" else None
    )
    assert ask(login(by), held).status_code == (302 if who == "anonymous" else 403)
    if by:
        with pytest.raises(NotAllowed):
            asking.ask(held, by=by, text=WHAT)
    assert not Question.objects.exists()


def test_nobody_asks_about_their_own_clip_or_one_that_they_recused_themselves_from(held, reviewer):
    own = factories.submission(artist=reviewer)
    queue.recuse(held, by=reviewer, reason="A friend.")
    for on in (own, held):
        Claim.objects.update_or_create(
            submission=on, defaults={"reviewer": reviewer, "expires_at": timezone.now() + timedelta(hours=1)}
        )
        with pytest.raises(NotAllowed):
            asking.ask(on, by=reviewer, text=WHAT)
    assert not Question.objects.exists()


@pytest.mark.parametrize("who", ["artist", "reviewer", "admin"])
def test_only_its_artist_answers(login, held, reviewer, who):
    asking.ask(held, by=reviewer, text=WHAT)
    by = factories.member(who)
    assert answer(login(by), held).status_code == 404
    assert answer(login(reviewer), held).status_code == 404
    with pytest.raises(NotAllowed, match="Only the artist"):
        asking.reply(held, by=by, number=1, text=MINE)
    assert answer(login(), held).url.startswith("/accounts/login/")
    assert Clock.objects.get().is_paused


@pytest.mark.parametrize("end", ["approve", "refuse", "withdrawn", "preparing"])
def test_nobody_asks_about_what_is_over_or_not_yet_there(login, reviewer, end):
    if end == "preparing":
        artist = factories.member()
        on = sealing.submit(factories.clip(artist), by=artist, title="A title", statement="")
        assert ask(login(reviewer), on).status_code == 404
        return
    on = factories.submission()
    if end == "withdrawn":
        sealing.withdraw(on, by=on.artist)
    else:
        factories.decision(on, end, by=reviewer)
    assert ask(login(reviewer), on).status_code == 409
    with pytest.raises(Conflict):
        asking.ask(on, by=reviewer, text=WHAT)
    assert not Question.objects.exists()


@pytest.mark.parametrize("number", [0, 2, 7, "x", "", -1, 10**9])
def test_an_answer_to_another_question_is_none(login, held, reviewer, number):
    asking.ask(held, by=reviewer, text=WHAT)
    refused = answer(login(held.artist), held, number=number)
    assert refused.status_code in (409, 422)
    assert MINE in refused.text
    assert not Reply.objects.exists()


def test_an_old_page_does_not_answer_the_next_question(login, held, reviewer):
    factories.asked(held, by=reviewer, answer=MINE)
    factories.asked(held, by=reviewer, text="And the picture?")
    assert answer(login(held.artist), held, "Too late for the first one", number=1).status_code == 409
    assert Clock.objects.get().is_paused


@pytest.mark.parametrize("text", ["", "   \n", "x" * 2001, "a\0b"])
def test_words_are_needed_and_not_too_many_and_what_was_typed_stays(login, held, reviewer, text):
    refused = ask(login(reviewer), held, text)
    assert refused.status_code == 422
    assert "text" in refused.context["question_form"].errors
    assert "Your decision" in refused.text
    assert not Question.objects.exists()
    asking.ask(held, by=reviewer, text=WHAT)
    refused = answer(login(held.artist), held, text)
    assert refused.status_code == 422
    assert "text" in refused.context["reply_form"].errors
    if "x" in text:
        assert text in refused.text
    assert not Reply.objects.exists()


def test_markup_in_a_question_is_only_words(login, held, reviewer):
    ask(login(reviewer), held, "<script>alert(1)</script>")
    page = login(held.artist).get(f"/studio/submissions/{held.pk}/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_suspended_artist_can_not_answer(login, held, reviewer, admin):
    asking.ask(held, by=reviewer, text=WHAT)
    client = login(held.artist)
    exclusion.suspend(held.artist.membership, by=admin, reason="A reason.")
    client.force_login(User.objects.get(pk=held.artist_id), backend="accounts.backends.MemberBackend")
    assert answer(client, held).url == "/standing/"
    with pytest.raises(NotAllowed):
        asking.reply(held, by=held.artist, number=1, text=MINE)


def test_the_pages_cost_the_same_with_1_and_with_10_questions(login, held, reviewer):
    factories.asked(held, by=reviewer, answer=MINE)
    Notice.objects.all().delete()
    visits = [
        (login(reviewer), f"/desk/submissions/{held.pk}/"),
        (login(held.artist), f"/studio/submissions/{held.pk}/"),
    ]
    counts = []
    for number in (1, 10):
        for _more in range(number - 1):
            factories.asked(held, by=reviewer, answer=MINE)
        Notice.objects.all().delete()
        for client, path in visits:
            client.get(path)
            with CaptureQueriesContext(connection) as asked:
                assert client.get(path).text.count(MINE) == number
            counts.append(len(asked))
    assert counts[:2] == counts[2:]
