"""An appeal: made once, heard by somebody who had no part, said in a thread, ended by reasons or a new decision."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Notice, exclusion
from review import appealing, clocks, gate, holding, news, queue, sealing
from review.models import Appeal, AppealMessage, Clock, Dismissal, Hearing, Publication, Submission, Upholding
from review.permissions import Conflict, NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db
WHY, ASKED, NO = "The song is my own.", "Where is it from?", "It is on a record of somebody else’s."


@pytest.fixture
def refused():
    return factories.decision(factories.submission(), "refuse", note="Whose song?").submission


@pytest.fixture
def appeal(refused, reviewer):
    """Which the reviewer hears."""
    return factories.appeal(refused, hearer=reviewer, text=WHY)


def post(client, place, of, **data):
    return client.post(f"/{place}/{of.pk}/{data.pop('act')}/", data)


def at_desk(client, appeal, act, **data):
    return post(client, "desk/appeals", appeal, act=act, **data)


def in_studio(client, submission, act="appeal", **data):
    return post(client, "studio/submissions", submission, act=act, **data)


def page_of(login, submission) -> str:
    return login(submission.artist).get(f"/studio/submissions/{submission.pk}/").text


def due(appeal):
    Hearing.objects.filter(pk=appeal.pk).update(rings_at=timezone.now() - timedelta(seconds=1))


def aged(appeal, **lasting):
    """As if it had been made that much earlier; what a person did is never changed, so only here."""
    from tests.gate_sql import lowered

    with lowered():
        made = Appeal.objects.filter(pk=appeal.pk)
        now = made.get()
        made.update(at=now.at - timedelta(**lasting), due_at=now.due_at - timedelta(**lasting))
    appeal.refresh_from_db()
    Hearing.objects.filter(pk=appeal.pk).update(due_at=appeal.due_at, rings_at=appeal.moment("reminder"))


# --- Making one ------------------------------------------------------------------------------------


def test_an_artist_appeals_once_and_reads_when_it_is_answered(login, refused, settings):
    settings.APPEAL_DEADLINE = timedelta(days=3)
    page = page_of(login, refused)
    assert "Appeal, if you think that this is wrong" in page
    assert page.count("within 3 days") == 2  # with the form, and in the statement of reasons
    client = login(refused.artist)
    assert in_studio(client, refused, text=WHY).url == f"/studio/submissions/{refused.pk}/"
    assert in_studio(client, refused, text=WHY).status_code == 302, "a second click"
    assert in_studio(client, refused, text="Something else.").status_code == 409
    appeal = Appeal.objects.get()
    assert (appeal.refusal, appeal.takedown, appeal.text) == (refused.decision, None, WHY)
    assert appeal.due_at - appeal.at - timedelta(days=3) < timedelta(seconds=1)
    page = page_of(login, refused)
    assert "Your appeal is being heard" in page
    assert WHY in page
    assert "Submit a new version</a>" not in page
    assert AuditEntry.objects.filter(act="submission.appealed", by=refused.artist, words="").count() == 1


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001])
def test_bad_input_keeps_the_form_and_says_what_is_wrong(login, refused, text):
    answer = in_studio(login(refused.artist), refused, text=text)
    assert answer.status_code == 422
    assert ("Write why" if not text.strip() else "at most 4000 characters") in answer.text
    assert (text in answer.text) if text.strip() else True
    assert not Appeal.objects.exists()


def test_only_what_went_against_the_artist_is_appealed(login):
    waiting, approved = factories.submission(), factories.decision(factories.submission()).submission
    own = factories.publication().submission
    gate.take_down(Publication.objects.get(), by=own.artist)
    for other in (waiting, approved, own):
        answer = in_studio(login(other.artist), other, text=WHY)
        assert answer.status_code == 409
        assert WHY in answer.text, "what was written isn't lost"
        assert "Appeal, if" not in page_of(login, other)
    assert in_studio(login(factories.member()), waiting, text=WHY).status_code == 404


def test_a_takedown_by_staff_is_appealed_and_its_artist_hears_of_it(login):
    takedown = factories.takedown(reason="It shows somebody who exists.")
    submission = takedown.publication.submission
    assert list(submission.artist.notices.values_list("kind", flat=True)) == ["taken-down"]
    page = page_of(login, submission)
    assert "Taken down by the program" in page
    assert takedown.reason in page
    assert in_studio(login(submission.artist), submission, text=WHY).status_code == 302
    assert Appeal.objects.get().takedown == takedown
    with pytest.raises(NotAllowed, match="had a part"):
        appealing.claim(Appeal.objects.get(), by=takedown.by)


def test_an_appeal_and_a_new_version_stand_in_each_others_way(login, refused):
    later = factories.submission(refused.clip)
    assert in_studio(login(refused.artist), refused, text=WHY).status_code == 409
    sealing.withdraw(later, by=refused.artist)
    assert in_studio(login(refused.artist), refused, text=WHY).status_code == 302
    answer = login(refused.artist).post(f"/studio/clips/{refused.clip_id}/submissions/", {"title": "New"})
    assert answer.status_code == 409
    assert "is being heard" in answer.text
    appeal = Appeal.objects.get()
    hearer = factories.member("reviewer")
    appealing.claim(appeal, by=hearer)
    appealing.dismiss(appeal, by=hearer, note=NO)
    assert factories.submission(refused.clip).version == 3


# --- Who hears it ------------------------------------------------------------------------------------


def test_it_is_offered_to_everybody_but_those_who_had_a_part(login, refused):
    asker, decider, hearer = factories.member("reviewer"), refused.decision.by, factories.member("reviewer")
    appeal = factories.appeal(refused)
    aside = factories.stepped_aside(factories.submission())
    for who, is_offered in ((hearer, True), (aside, True), (asker, True), (decider, False)):
        desk = login(who).get("/desk/")
        assert ("appeals" in desk.context["news"]) is is_offered
        rows = login(who).get("/desk/?show=appeals").context["rows"]
        assert [row.pk for row in rows] == ([appeal.pk] if is_offered else [])
    assert at_desk(login(decider), appeal, "claim").status_code == 409
    assert at_desk(login(hearer), appeal, "claim").status_code == 302
    said = at_desk(login(asker), appeal, "claim")
    assert said.status_code == 409
    assert "Somebody else hears this appeal" in said.text
    page = login(decider).get(f"/desk/appeals/{appeal.pk}/").text
    assert "You have had a part" in page
    assert "Dismiss the appeal" not in page


def test_an_artist_who_is_a_reviewer_hears_no_appeal_of_their_own(login):
    submission = factories.submission(artist=factories.member("reviewer"))
    factories.decision(submission, "refuse")
    appeal = factories.appeal(submission)
    client = login(submission.artist)
    assert client.get("/desk/?show=appeals").context["rows"] == []
    for act, data in (("claim", {}), ("messages", {"text": "I."}), ("dismissal", {"note": "No."})):
        assert at_desk(client, appeal, act, **data).status_code == 409
    assert at_desk(client, appeal, "upholding").status_code == 409


def test_its_claim_lapses_and_is_free_when_its_holder_may_not_review(login, appeal, reviewer, admin):
    other = factories.member("reviewer")
    with pytest.raises(Conflict):
        appealing.claim(appeal, by=other)
    exclusion.suspend(reviewer.membership, by=admin, reason="Why.")
    appealing.claim(appeal, by=other)
    assert holding.holder_of(appeal.hearing) == other
    Hearing.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert holding.holder_of(appeal.hearing) is None
    answer = at_desk(login(other), appeal, "dismissal", note=NO)
    assert answer.status_code == 409
    assert NO in answer.text
    assert at_desk(login(other), appeal, "release").url == "/desk/?show=appeals"


# --- The thread ------------------------------------------------------------------------------------


def test_both_write_and_each_hears_of_the_other(
    login, appeal, reviewer, django_capture_on_commit_callbacks, monkeypatch
):
    monkeypatch.setattr(news.mail_news, "apply_async", lambda args, **_options: news.mail_news(*args))
    artist = appeal.by
    with django_capture_on_commit_callbacks(execute=True):
        assert at_desk(login(reviewer), appeal, "messages", text=ASKED).status_code == 302
    at_desk(login(reviewer), appeal, "messages", text=ASKED)  # a second click
    page = page_of(login, appeal.submission)
    assert ASKED in page
    assert reviewer.name not in page
    with django_capture_on_commit_callbacks(execute=True):
        assert in_studio(login(artist), appeal.submission, "appeal/messages", text=WHY).status_code == 302
    assert [said.by for said in AppealMessage.objects.order_by("pk")] == [reviewer, artist]
    assert list(artist.notices.values_list("kind", "path")) == [
        ("appeal-message", f"/studio/submissions/{appeal.submission_id}/")
    ]
    assert list(reviewer.notices.values_list("kind", "path")) == [
        ("appeal-answer", f"/desk/appeals/{appeal.pk}/")
    ]
    assert WHY in login(reviewer).get(f"/desk/appeals/{appeal.pk}/").text
    assert not reviewer.notices.filter(read_at=None).exists()
    assert [sent.to for sent in mail.outbox] == [[artist.email], [reviewer.email]]
    for sent in mail.outbox:
        told = sent.subject + sent.body + "".join(part.content for part in sent.alternatives)
        assert not any(words in told for words in (ASKED, WHY, appeal.submission.title))


def test_whoever_wrote_last_hears_of_the_answer_though_their_claim_has_lapsed(appeal, reviewer):
    appealing.write(appeal, by=reviewer, text=ASKED)
    holding.release(appeal.hearing, by=reviewer)
    appealing.write(Appeal.objects.get(), by=appeal.by, text=WHY)
    assert reviewer.notices.get().kind == "appeal-answer"


def test_nobody_else_gets_a_word_in(login, appeal):
    for who in (factories.member("reviewer"), appeal.refusal.by):
        assert at_desk(login(who), appeal, "messages", text=ASKED).status_code == 409
    assert (
        in_studio(login(factories.member()), appeal.submission, "appeal/messages", text=ASKED).status_code
        == 404
    )
    assert not AppealMessage.objects.exists()


@pytest.mark.parametrize("text", ["", " ", "x" * 4001])
def test_bad_messages_are_said_to_be_so_on_both_sides(login, appeal, reviewer, text):
    for answer in (
        at_desk(login(reviewer), appeal, "messages", text=text),
        at_desk(login(reviewer), appeal, "dismissal", note=text),
        in_studio(login(appeal.by), appeal.submission, "appeal/messages", text=text),
    ):
        assert answer.status_code == 422
        assert "form-errors" in answer.text
        assert WHY in answer.text


# --- Dismissed ------------------------------------------------------------------------------------


def test_a_dismissal_gives_its_reasons_by_mail_too_and_ends_it(
    login, appeal, reviewer, django_capture_on_commit_callbacks, monkeypatch
):
    monkeypatch.setattr(
        news.mail_dismissal, "apply_async", lambda args, **_options: news.mail_dismissal(*args)
    )
    appeal.by.wants_mail = False
    appeal.by.save()
    with django_capture_on_commit_callbacks(execute=True):
        assert at_desk(login(reviewer), appeal, "dismissal", note=NO).status_code == 302
    assert at_desk(login(reviewer), appeal, "dismissal", note=NO).status_code == 302, "a second click"
    (sent,) = mail.outbox
    assert sent.to == [appeal.by.email]
    for part in (sent.body, sent.alternatives[0].content):
        assert NO in part
        assert reviewer.name not in part
        assert appeal.submission.title not in part
    page = page_of(login, appeal.submission)
    assert "Your appeal was dismissed" in page
    assert NO in page
    assert reviewer.name not in page
    assert Dismissal.objects.get().by == reviewer
    assert Hearing.objects.get().closed_at
    for act, data in (("messages", {"text": "More."}), ("upholding", {}), ("dismissal", {"note": "More."})):
        assert at_desk(login(reviewer), appeal, act, **data).status_code == 409
    assert in_studio(login(appeal.by), appeal.submission, "appeal/messages", text="More.").status_code == 409
    assert in_studio(login(appeal.by), appeal.submission, text="Again.").status_code == 409
    assert list(appeal.by.notices.values_list("kind", flat=True)) == ["appeal-dismissed"]


# --- Upheld ------------------------------------------------------------------------------------


def test_upheld_it_opens_the_same_content_which_its_hearer_decides(login, appeal, reviewer):
    old = appeal.submission
    answer = at_desk(login(reviewer), appeal, "upholding")
    opened = Submission.objects.get(version=2)
    assert answer.url == f"/desk/submissions/{opened.pk}/"
    assert at_desk(login(reviewer), appeal, "upholding").url == answer.url, "a second click"
    assert (opened.content, opened.content_hash) == (old.content, old.content_hash)
    assert [(f.kind, f.sha256, f.size) for f in opened.files.order_by("kind")] == [
        (f.kind, f.sha256, f.size) for f in old.files.order_by("kind")
    ]
    assert opened.claim.reviewer == reviewer
    assert Clock.objects.running().filter(submission=opened).exists()
    assert "An appeal opened this version" in login(reviewer).get(answer.url).text
    page = page_of(login, old)
    assert "Your appeal was upheld" in page
    assert f"/studio/submissions/{opened.pk}/" in page
    assert "whoever heard it decides" in page_of(login, opened)
    assert old.artist.notices.get().kind == "appeal-upheld"
    decision = {"outcome": "approve", "content_hash": opened.content_hash}
    assert post(login(reviewer), "desk/submissions", opened, act="decision", **decision).status_code == 302
    public = gate.publish(opened, by=opened.artist)
    assert login().get(f"/watch/{public.slug}/video.mp4").getvalue() == factories.bytes_of(old)


def test_the_words_stay_the_same_though_the_artist_has_another_name(appeal, reviewer):
    appeal.by.name = "Another Name"
    appeal.by.save()
    opened = appealing.uphold(appeal, by=reviewer)
    assert opened.content_hash == appeal.submission.content_hash


def test_after_a_takedown_it_comes_back_at_another_address(login, reviewer):
    takedown = factories.takedown()
    old = takedown.publication
    opened = factories.upheld(Submission.objects.get(pk=old.submission.pk), by=reviewer)
    gate.decide(opened, by=reviewer, outcome="approve", content_hash=opened.content_hash)
    new = gate.publish(opened, by=opened.artist)
    assert new.slug != old.slug
    for name in ("", "video.mp4"):
        assert login().get(f"/watch/{old.slug}/{name}").status_code == 410
        assert login().get(f"/watch/{new.slug}/{name}").status_code == 200


def test_nobody_but_its_hearer_is_offered_or_given_what_it_opened(login, reviewer):
    opened, other, lead = (
        factories.upheld(by=reviewer),
        factories.member("reviewer"),
        factories.member("lead"),
    )
    queue.release(opened, by=reviewer)
    for who in (other, lead):
        assert queue.claim_next(who) is None
        assert not queue.claim(opened, by=who)
        assert login(who).get("/desk/").context["waiting"] == []
    queue.claim(opened, by=reviewer)
    assert not queue.takers(opened).exclude(pk=reviewer.pk).exists()
    with pytest.raises(Conflict, match="An appeal opened"):
        queue.hand_over(opened, by=lead, to=other)
    queue.pass_on(opened, by=reviewer, reason="Tomorrow.")
    assert queue.claim(opened, by=reviewer), "passed on, it stays theirs"


@pytest.mark.parametrize("how", ["suspended", "recused", "late"])
def test_where_its_hearer_cannot_decide_somebody_new_does(login, admin, reviewer, how):
    refused = factories.decision(factories.submission(), "refuse").submission
    opened, other = factories.upheld(refused, by=reviewer), factories.member("reviewer")
    match how:
        case "suspended":
            exclusion.suspend(reviewer.membership, by=admin, reason="Why.")
        case "recused":
            queue.recuse(opened, by=reviewer, reason="A friend.")
        case "late":
            queue.release(opened, by=reviewer)
            Clock.objects.filter(submission=opened).update(
                due_at=timezone.now(), rings_at=timezone.now() - timedelta(seconds=1)
            )
            clocks.ring_due()
    assert queue.claim_next(refused.decision.by) is None, "who refused it doesn't decide again"
    assert refused.decision.by not in queue.takers(opened)
    assert queue.claim_next(other) == opened
    gate.decide(opened, by=other, outcome="approve", content_hash=opened.content_hash)


def test_who_steps_in_may_ask_and_still_decide(admin, reviewer):
    opened, other = factories.upheld(by=reviewer), factories.member("reviewer")
    exclusion.suspend(reviewer.membership, by=admin, reason="Why.")
    factories.asked(opened, by=other, answer="Mine.")
    assert queue.claim(opened, by=other)
    gate.decide(opened, by=other, outcome="approve", content_hash=opened.content_hash)


def test_a_hearer_who_comes_back_is_the_one_who_decides(admin, reviewer):
    opened, other = factories.upheld(by=reviewer), factories.member("reviewer")
    suspension = exclusion.suspend(reviewer.membership, by=admin, reason="Why.")
    assert queue.claim(opened, by=other)
    exclusion.lift(suspension, by=admin, reason="Back.")
    with pytest.raises(NotAllowed, match="An appeal opened"):
        gate.decide(opened, by=other, outcome="approve", content_hash=opened.content_hash)


def test_what_was_refused_on_appeal_is_not_appealed_again(login, reviewer):
    opened = factories.upheld(by=reviewer)
    refusal = {"outcome": "refuse", "reasons": ["rights"], "note": "After all."}
    gate.decide(opened, by=reviewer, content_hash=opened.content_hash, **refusal)
    page = page_of(login, opened)
    assert "can’t be appealed again" in page
    assert "Appeal, if" not in page
    assert in_studio(login(opened.artist), opened, text=WHY).status_code == 409
    assert factories.submission(opened.clip).version == 3, "a new version is another thing"


def test_erased_words_are_not_opened_again(appeal, reviewer):
    Submission.objects.filter(pk=appeal.submission_id).update(
        title="", statement="", content="", erased_at=timezone.now()
    )
    with pytest.raises(Conflict, match="erased"):
        appealing.uphold(Appeal.objects.get(), by=reviewer)
    assert not Upholding.objects.exists()


# --- Deadlines ------------------------------------------------------------------------------------


def test_reviewers_leads_and_the_artist_are_told_in_turn_and_once(refused):
    hearer, lead = factories.member("reviewer"), factories.member("lead")
    appeal = factories.appeal(refused)
    assert appealing.ring_due() == 0
    aged(appeal, days=4)
    assert (appealing.ring_due(), appealing.ring_due()) == (1, 0)
    assert hearer.notices.get().kind == "appeal-half"
    assert hearer.notices.get().path == "/desk/?show=appeals"
    assert not refused.decision.by.notices.exists(), "who refused it can't hear it"
    aged(appeal, days=2)
    Hearing.objects.update(rings_at=appeal.moment("escalation"))
    assert (appealing.ring_due(), appealing.ring_due()) == (1, 0)
    assert set(lead.notices.values_list("kind", flat=True)) == {"appeal-half", "appeal-late"}
    aged(appeal, days=2)
    Hearing.objects.update(rings_at=appeal.moment("overdue"))
    assert (appealing.ring_due(), appealing.ring_due()) == (1, 0)
    assert refused.artist.notices.get().kind == "appeal-overdue"
    assert AuditEntry.objects.filter(act="submission.appeal_overdue").count() == 1
    assert Hearing.objects.get().rings_at is None


def test_after_a_long_silence_of_the_sweep_all_is_told_at_once(refused):
    appeal = factories.appeal(refused)
    aged(appeal, days=9)
    assert (appealing.ring_due(), appealing.ring_due()) == (3, 0)


def test_where_no_lead_is_left_admins_are_told(refused, admin):
    aged(factories.appeal(refused), days=6)
    appealing.ring_due()
    assert admin.notices.get().kind == "appeal-late"


def test_an_appeal_that_is_over_rings_no_more(appeal, reviewer):
    appealing.dismiss(appeal, by=reviewer, note=NO)
    due(appeal)
    assert appealing.ring_due() == 0


# --- Cost, and what stays where ----------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 12])
def test_the_desk_asks_the_same_for_one_appeal_and_for_many(login, count, django_assert_num_queries):
    reviewer = factories.member("reviewer")
    for _ in range(count):
        factories.appeal()
    client = login(reviewer)
    client.get("/desk/")  # its questions are put together once in a process
    with django_assert_num_queries(4):
        assert len(client.get("/desk/?show=appeals").context["rows"]) == count


@pytest.mark.parametrize("count", [2, 12])
def test_an_appeal_s_pages_ask_the_same_whatever_was_said(
    login, appeal, reviewer, count, django_assert_num_queries
):
    for number in range(count):
        by = (reviewer, appeal.by)[number % 2]
        appealing.write(appeal, by=by, text=f"Message {number}.")
    Notice.objects.update(read_at=timezone.now())
    factories.viewed(appeal.submission, by=reviewer)
    client, artist = login(reviewer), login(appeal.by)
    with django_assert_num_queries(12):
        assert client.get(f"/desk/appeals/{appeal.pk}/").status_code == 200
    with django_assert_num_queries(8):
        assert artist.get(f"/studio/submissions/{appeal.submission_id}/").status_code == 200


def test_appeals_are_paged_by_their_deadline(login, monkeypatch):
    from review.views import held

    monkeypatch.setattr(held, "PAGE", 2)
    made = [factories.appeal() for _ in range(5)]
    client, path, seen = login(factories.member("reviewer")), "?show=appeals", []
    while path:
        context = client.get(f"/desk/{path}").context
        seen += [row.pk for row in context["rows"]]
        path = context["more"]
    assert seen == [appeal.pk for appeal in made]


def test_its_pages_are_kept_by_no_cache(appeal, login, reviewer):
    for answer in (
        login(reviewer).get(f"/desk/appeals/{appeal.pk}/"),
        login(reviewer).get("/desk/?show=appeals"),
    ):
        assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))


def test_acts_need_their_token(appeal, reviewer):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(reviewer, backend="accounts.backends.MemberBackend")
    for act in ("claim", "release", "messages", "dismissal", "upholding"):
        assert at_desk(strict, appeal, act, text="x", note="x").status_code == 403
