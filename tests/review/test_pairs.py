"""What takes two people: marked by whoever sees it, said by each without the other, and decided when two agree."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Notice, exclusion, roles
from review import assessing, clocks, gate, queue, sealing, sensitivity
from review.models import Assessment, Claim, Clock, Decision, Publication, Sensitivity, Submission
from review.permissions import Conflict, NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db
NOTE = "note-that-only-the-first-has-written"
FRAME = {"first_frame": 2, "last_frame": 3, "text": "remark-of-the-first", "drawing": "box 1 2 3 4"}
ROWS = {
    "remarks-TOTAL_FORMS": "1",
    "remarks-INITIAL_FORMS": "0",
    "remarks-0-first_frame": "2",
    "remarks-0-last_frame": "3",
    "remarks-0-text": "remark-of-the-first",
    "remarks-0-drawing": "box 1 2 3 4",
}


@pytest.fixture
def submission(artist):
    return factories.submission(artist=artist)


@pytest.fixture
def marked(submission):
    return factories.marked(submission)


@pytest.fixture
def first():
    return factories.member("reviewer", name="Fiona First")


@pytest.fixture
def second():
    return factories.member("reviewer", name="Sam Second")


@pytest.fixture
def third():
    return factories.member("reviewer", name="Theo Third")


def decide(client, submission, outcome="approve", **data):
    """As the page does, or a script: claims it, and posts the form."""
    client.post(f"/desk/submissions/{submission.pk}/claim/")
    more = {"reasons": ["rights"], "note": NOTE} if outcome == "refuse" else {"note": NOTE}
    given = {"outcome": outcome, "content_hash": submission.content_hash, **more, **data}
    return client.post(f"/desk/submissions/{submission.pk}/decision/", given)


def mark(client, submission, kind="sensitive", why="A real person, perhaps."):
    return client.post(f"/desk/submissions/{submission.pk}/sensitivity/", {"kind": kind, "why": why})


def acts(submission) -> list[str]:
    """What was done to it since it was sealed, oldest first."""
    of = AuditEntry.objects.filter(subject=f"submission:{submission.pk}").order_by("sequence")
    found = list(of.values_list("act", flat=True))
    return found[found.index("submission.sealed") + 1 :]


# --- Two decide ----------------------------------------------------------------------------------------


def test_two_who_agree_approve(login, marked, first, second):
    response = decide(login(first), marked)
    assert response.status_code == 302
    assert not Decision.objects.filter(submission=marked).exists()
    assert not Claim.objects.filter(submission=marked).exists()
    assert Submission.objects.get(pk=marked.pk).state == "waiting"
    assert decide(login(second), marked, note="").status_code == 302
    decision = Decision.objects.get(submission=marked)
    assert (decision.by, decision.outcome, decision.note) == (second, "approve", "")
    said = Assessment.objects.order_by("pk")
    assert [(each.by, each.outcome) for each in said] == [(first, "approve"), (second, "approve")]
    assert acts(marked) == ["submission.marked", "submission.assessed", "submission.approved"]


def test_the_first_is_told_in_a_sentence_that_nothing_is_decided(login, marked, first):
    client = login(first)
    decide(client, marked)
    assert "decides nothing yet: this clip takes two people" in client.get("/desk/").text


def test_where_two_differ_a_third_decides_with_one_of_them(login, marked, first, second, third):
    decide(login(first), marked, "refuse")
    decide(login(second), marked)
    assert Submission.objects.get(pk=marked.pk).state == "waiting"
    decide(login(third), marked, "refuse", note="Of the third.")
    decision = Decision.objects.get(submission=marked)
    assert (decision.by, decision.outcome, decision.note) == (third, "refuse", "Of the third.")


def test_the_clock_runs_on_between_them(login, marked, first):
    before = Clock.objects.get(submission=marked)
    decide(login(first), marked)
    after = Clock.objects.get(submission=marked)
    assert (after.due_at, after.paused_at, after.stopped_at) == (before.due_at, None, None)


def test_what_was_asked_for_on_approval_happens_when_two_have_approved(login, artist, first, second):
    marked = factories.marked(artist=artist, publish_on_approval=True)
    decide(login(first), marked)
    assert not Publication.objects.exists()
    decide(login(second), marked)
    assert gate.has_its_files(Publication.objects.get(approval__submission=marked))


def test_what_nobody_has_marked_is_decided_by_one(login, submission, first):
    decide(login(first), submission)
    assert (Decision.objects.get().by, Assessment.objects.count()) == (first, 0)


def test_a_mark_between_the_page_and_the_decision_counts(login, submission, first, second):
    client = login(first)
    client.post(f"/desk/submissions/{submission.pk}/claim/")
    shown = client.get(f"/desk/submissions/{submission.pk}/").text
    assert "takes two people</h2>" not in shown
    mark(login(second), submission)
    decide(client, submission)
    assert (Decision.objects.count(), Assessment.objects.get().by) == (0, first)


def test_criticism_is_approved_by_one_and_refused_by_two(login, artist, first, second):
    works = [factories.marked(kind="criticism", artist=artist) for _work in range(3)]
    decide(login(first), works[0])
    assert Decision.objects.get(submission=works[0]).by == first
    for work in works[1:]:
        decide(login(first), work, "refuse")
        assert Submission.objects.get(pk=work.pk).state == "waiting"
    decide(login(second), works[1], "refuse")
    assert Decision.objects.get(submission=works[1]).outcome == "refuse"
    decide(login(second), works[2])
    assert Decision.objects.get(submission=works[2]).outcome == "approve"


def test_only_the_decision_is_told_to_the_artist(
    login, marked, first, second, django_capture_on_commit_callbacks
):
    told = {"outcome": "refuse", "content_hash": marked.content_hash, "reasons": ["rights"], "note": NOTE}
    mails = []
    for by in (first, second):
        assert queue.claim(marked, by=by)
        with django_capture_on_commit_callbacks() as sent:
            login(by).post(f"/desk/submissions/{marked.pk}/decision/", told)
        mails.append(len(sent))
    assert mails == [0, 1]


# --- Once each, and not by everybody -------------------------------------------------------------------


def test_nobody_assesses_twice_and_a_double_click_does_nothing(login, marked, first):
    client = login(first)
    decide(client, marked)
    response = decide(client, marked, note="Written twice.")
    assert response.status_code == 409
    assert "You have assessed this clip already" in response.text
    assert "Written twice." in response.text
    assert Assessment.objects.count() == 1
    with pytest.raises(Conflict, match="You have assessed this clip already"):
        gate.decide(marked, by=first, outcome="approve", content_hash=marked.content_hash)


def test_who_has_assessed_is_never_offered_it_again(login, marked, first, second):
    client = login(first)
    decide(client, marked)
    assert queue.claim_next(first) is None
    assert client.post("/desk/next/").url == "/desk/"
    assert client.post(f"/desk/submissions/{marked.pk}/claim/").status_code == 409
    assert marked.title not in client.get("/desk/").text
    assert queue.claim_next(second) == marked


def test_who_has_assessed_is_not_reminded(marked, first, second):
    factories.decision(marked, by=first)
    clock = Clock.objects.get(submission=marked)
    Clock.objects.filter(pk=marked.pk).update(
        due_at=clock.due_at - clock.allowed / 2, rings_at=timezone.now()
    )
    assert clocks.ring_due() == 1
    told = Notice.objects.filter(kind=Notice.Kind.REVIEW_HALF).values_list("user", flat=True)
    assert (first.pk in told, second.pk in told) == (False, True)


def test_who_recuses_themselves_afterwards_does_not_count(marked, first, second, third):
    factories.decision(marked, by=first)
    queue.recuse(marked, by=first, reason="A friend, I hear.")
    assert isinstance(factories.decision(marked, by=second), Assessment)
    assert isinstance(factories.decision(marked, by=third), Decision)


def test_what_somebody_said_counts_who_was_suspended_since(marked, first, second, admin):
    factories.decision(marked, by=first)
    exclusion.suspend(first.membership, by=admin, reason="Why.")
    assert isinstance(factories.decision(marked, by=second), Decision)


def test_what_was_withdrawn_between_them_is_over(login, marked, first, second):
    decide(login(first), marked)
    sealing.withdraw(marked, by=marked.artist)
    assert decide(login(second), marked).status_code == 409
    assert Assessment.objects.count() == 1


def test_remarks_on_frames_are_kept_with_an_assessment_and_become_a_decisions_own(
    login, marked, first, second
):
    decide(login(first), marked, "refuse", **ROWS)
    said = Assessment.objects.get()
    assert [(each.first_frame, each.last_frame, each.text, str(each.drawn)) for each in said.remarks] == [
        (2, 3, "remark-of-the-first", "box 1 2 3 4")
    ]
    decide(login(second), marked, "refuse", **{**ROWS, "remarks-0-text": "Of the second."})
    decision = Decision.objects.get()
    assert (decision.remark_count, [each.text for each in decision.remarks.all()]) == (1, ["Of the second."])


def test_an_incomplete_assessment_is_shown_again(login, marked, first):
    response = decide(login(first), marked, "refuse", reasons=[])
    assert response.status_code == 422
    assert NOTE in response.text
    assert not Assessment.objects.exists()


# --- Blind ---------------------------------------------------------------------------------------------


def everything(client, submission) -> str:
    """All pages on which something could be said of what waits."""
    pages = (
        f"/desk/submissions/{submission.pk}/",
        *("/desk/", "/desk/?show=two", "/desk/?show=free", "/desk/?show=all"),
        *("/inbox/", "/transparency/", "/transparency.csv", "/policy/", "/"),
        f"/studio/submissions/{submission.pk}/",
    )
    answers = [client.get(path) for path in pages]
    return "\n".join(answer.getvalue().decode() for answer in answers if answer.status_code == 200)


SECRETS = ("Fiona First", NOTE, "remark-of-the-first", "For refusing it", "Assessed", "box 1 2 3 4")


def leaked(client, submission) -> set:
    told = everything(client, submission)
    return {secret for secret in SECRETS if secret in told}


def test_before_the_decision_nobody_sees_what_another_says(login, marked, first, second):
    lead = factories.member("lead")
    decide(login(first), marked, "refuse", **ROWS)
    for person in (second, lead, marked.artist):
        assert leaked(login(person), marked) == set()
        if person != marked.artist:
            login(person).post(f"/desk/submissions/{marked.pk}/claim/")
            assert leaked(login(person), marked) == set()
            Claim.objects.all().delete()
    decide(login(second), marked, "refuse", note="Of the second.")
    for person in (second, lead, first):
        assert leaked(login(person), marked) == set(SECRETS)
    # The artist: the decisive note, no name, and nothing of the other one.
    told = login(marked.artist).get(f"/studio/submissions/{marked.pk}/").text
    assert "Of the second." in told
    assert not [name for name in (*SECRETS, "Sam Second", "takes two") if name in told]


def test_whoever_has_assessed_sees_their_own(login, marked, first):
    decide(login(first), marked, "refuse", **ROWS)
    told = login(first).get(f"/desk/submissions/{marked.pk}/").text
    assert "You have assessed it." in told
    for own in (NOTE, "remark-of-the-first", "For refusing it"):
        assert own in told
    assert "decision-form" not in told


def test_what_was_withdrawn_before_it_was_decided_tells_nothing_in_the_next_version(
    login, marked, first, second
):
    decide(login(first), marked, "refuse", **ROWS)
    sealing.withdraw(marked, by=marked.artist)
    again = factories.submission(marked.clip)
    assert "version 2" in login(second).get(f"/desk/submissions/{again.pk}/").text
    assert leaked(login(second), again) == set()


def test_who_marked_it_is_told_after_the_decision(login, submission, first, second, third):
    mark(login(first), submission, why="Somebody real.")
    told = login(second).get(f"/desk/submissions/{submission.pk}/").text
    assert "Somebody real." in told
    assert "Fiona First" not in told
    for by in (second, third):
        factories.decision(submission, by=by)
    assert "Fiona First" in login(second).get(f"/desk/submissions/{submission.pk}/").text


def test_nobody_hands_a_marked_clip_over(login, marked, first, second):
    """To whom it can go would tell who has assessed it; and of criticism, that somebody has would tell how."""
    lead = factories.member("lead")
    assert queue.claim(marked, by=first)
    with pytest.raises(Conflict, match="This clip takes two people"):
        queue.hand_over(marked, by=lead, to=second)
    assert 'id="handover"' not in login(lead).get(f"/desk/submissions/{marked.pk}/").text
    assert "#handover" not in login(lead).get("/desk/").text


def test_admins_read_in_the_audit_log_that_somebody_assessed_and_not_how(login, admin, marked, first):
    decide(login(first), marked, "refuse")
    told = login(admin).get("/program/audit/").text
    assert "Assessed a submission that takes two people" in told
    assert NOTE not in told


# --- Which one of them one is --------------------------------------------------------------------------


def room(client, submission) -> str:
    return client.get(f"/desk/submissions/{submission.pk}/").text


def test_the_room_says_which_one_one_is(login, marked, first, second, third):
    for person, place, outcome in ((first, "first", "approve"), (second, "second", "refuse")):
        assert f"You are the {place}." in room(login(person), marked)
        decide(login(person), marked, outcome)
    assert "You are the third." in room(login(third), marked)
    assert "You are the" not in room(login(first), marked)


def test_of_criticism_it_says_no_place_for_that_would_tell_what_the_first_one_said(
    login, artist, first, second
):
    marked = factories.marked(kind="criticism", artist=artist)
    before = room(login(second), marked)
    decide(login(first), marked, "refuse")
    after = room(login(second), marked)
    assert "Refusing this clip takes two people" in after
    for told in (before, after):
        assert "You are the" not in told
        assert "One person approves it." in told


def test_the_artist_and_who_is_recused_are_no_part_of_it(login, marked):
    recused = factories.stepped_aside(marked)
    roles.change_role(marked.artist.membership, "reviewer", by=factories.member("admin"))
    for person in (recused, type(marked.artist).objects.get(pk=marked.artist_id)):
        told = room(login(person), marked)
        assert "This clip takes two people" in told
        assert "You are the" not in told
        assert f'action="/desk/submissions/{marked.pk}/sensitivity/"' not in told


# --- A mark --------------------------------------------------------------------------------------------


def test_a_reviewer_marks_it_without_a_claim(login, submission, first):
    response = mark(login(first), submission)
    assert (response.status_code, response.url) == (302, f"/desk/submissions/{submission.pk}/")
    made = Sensitivity.objects.get()
    assert (made.submission, made.kind, made.source, made.by) == (submission, "sensitive", "reviewer", first)
    assert made.why == "A real person, perhaps."
    entry = AuditEntry.objects.get(act="submission.marked")
    assert (entry.by, entry.words) == (first, "sensitive: A real person, perhaps.")


def test_a_second_mark_is_none_and_its_words_are_said_to_be_lost(login, submission, first, second):
    client = login(first)
    mark(client, submission)
    mark(client, submission)
    assert "Your words were not recorded" not in room(client, submission)
    client = login(second)
    mark(client, submission, why="Other words.")
    assert "Your words were not recorded" in room(client, submission)
    assert Sensitivity.objects.get().by == first
    assert AuditEntry.objects.filter(act="submission.marked").count() == 1


@pytest.mark.parametrize("data", [{}, {"kind": "odd", "why": "Why."}, {"kind": "sensitive", "why": " "}])
def test_a_bad_mark_is_shown_again(login, submission, first, data):
    data = {"why": "kept-words", **data}
    response = login(first).post(f"/desk/submissions/{submission.pk}/sensitivity/", data)
    assert response.status_code == 422
    assert data["why"] in response.text
    assert not Sensitivity.objects.exists()


def test_a_mark_is_cut_by_no_form(login, submission, first):
    assert mark(login(first), submission, why="x" * 301).status_code == 422
    assert mark(login(first), submission, why="x" * 300).status_code == 302


def test_neither_its_artist_nor_who_is_recused_nor_an_artist_marks_it(login, submission, artist, admin):
    recused = factories.stepped_aside(submission)
    assert mark(login(recused), submission).status_code == 409
    for person in (artist, admin):
        assert mark(login(person), submission).status_code == 403
    roles.change_role(artist.membership, "reviewer", by=admin)
    response = mark(login(type(artist).objects.get(pk=artist.pk)), submission, why="My own words.")
    assert response.status_code == 409
    assert "My own words." in response.text
    assert not Sensitivity.objects.exists()


def test_what_is_over_is_marked_by_nobody(login, submission, first):
    factories.decision(submission)
    assert mark(login(first), submission).status_code == 409
    withdrawn = factories.submission()
    sealing.withdraw(withdrawn, by=withdrawn.artist)
    assert mark(login(first), withdrawn).status_code == 409
    assert not Sensitivity.objects.exists()


def test_a_machine_marks_within_a_transaction_that_holds_the_row(submission):
    flag = {"kind": "sensitive", "source": "machine", "why": "0.93 at frame 7. " * 40}
    with transaction.atomic():
        held = Submission.objects.select_for_update().get(pk=submission.pk)
        made = sensitivity.mark(held, **flag)
        assert sensitivity.mark(held, **flag) == made
    assert (made.by, len(made.why)) == (None, 300)
    assert AuditEntry.objects.get(act="submission.marked").by is None


def test_a_machine_that_comes_too_late_leaves_its_transaction_whole(submission):
    factories.decision(submission)
    with transaction.atomic():
        held = Submission.objects.select_for_update().get(pk=submission.pk)
        with pytest.raises(Conflict):
            sensitivity.mark(held, kind="sensitive", source="machine", why="Late.")
        Claim.objects.create(
            submission=held, reviewer=factories.member("reviewer"), expires_at=timezone.now()
        )
    assert Claim.objects.exists()


def test_a_mark_without_words_is_refused(submission, first):
    with pytest.raises(NotAllowed, match="Say why"):
        sensitivity.mark(submission, kind="sensitive", source="reviewer", by=first, why="  ")


def test_each_source_and_each_kind_marks_for_itself(submission, first):
    for kind in ("sensitive", "criticism"):
        for source, by in (("reviewer", first), ("rule", None), ("machine", None)):
            sensitivity.mark(submission, kind=kind, source=source, by=by, why="Why.")
    assert Sensitivity.objects.count() == 6


def test_what_is_marked_as_sensitive_needs_no_further_mark(login, submission, first):
    client, form = login(first), f'action="/desk/submissions/{submission.pk}/sensitivity/"'
    assert form in room(client, submission)
    mark(client, submission, kind="criticism")
    assert form in room(client, submission)
    assert 'value="criticism"' not in room(client, submission)
    mark(client, submission)
    assert form not in room(client, submission)


# --- The desk ------------------------------------------------------------------------------------------


def test_the_desk_shows_and_filters_what_takes_two(login, artist, first):
    plain, sensitive, criticism = (factories.submission(artist=artist) for _work in range(3))
    factories.marked(sensitive)
    factories.marked(criticism, kind="criticism")
    all_of_it = login(first).get("/desk/").text
    assert (all_of_it.count("Takes two</span>"), all_of_it.count("Refusing it takes two")) == (1, 1)
    narrowed = login(first).get("/desk/?show=two").text
    assert [work.title in narrowed for work in (plain, sensitive, criticism)] == [False, True, True]


def test_the_desk_costs_the_same_with_one_marked_clip_and_with_many(
    login, artist, first, django_assert_num_queries
):
    lead = login(factories.member("lead"))
    factories.marked(artist=artist)
    with CaptureQueriesContext(connection) as one:
        lead.get("/desk/")
    for _work in range(8):
        factories.decision(factories.marked(artist=artist), by=first)
    with django_assert_num_queries(len(one)):
        lead.get("/desk/")


def test_the_room_costs_the_same_however_many_have_said_something(
    login, marked, first, second, third, django_assert_num_queries
):
    reader = login(factories.member("reviewer"))
    factories.decision(marked, "refuse", by=first)
    room(reader, marked)  # which asks for a copy
    with CaptureQueriesContext(connection) as one:
        room(reader, marked)
    factories.decision(marked, by=second)
    sensitivity.mark(marked, kind="criticism", source="machine", why="Why.")
    with django_assert_num_queries(len(one)):
        room(reader, marked)


SHORT = "there are too few who may assess"


def is_short(login, lead, admin) -> bool:
    """The lead's desk and the admin's page say the same."""
    told = SHORT in login(lead).get("/desk/").text
    assert ("more reviewers than there are" in login(admin).get("/program/").text) == told
    return told


def test_a_program_without_a_second_person_is_told_so_and_nothing_is_decided(login, artist, admin):
    lead = factories.member("lead")
    work = factories.submission(artist=artist)
    assert not is_short(login, lead, admin)
    sensitivity.mark(work, kind="sensitive", source="machine", why="Why.")
    assert is_short(login, lead, admin)
    factories.decision(work, by=lead)
    assert is_short(login, lead, admin)
    helper = factories.member("reviewer")
    assert not is_short(login, lead, admin)
    assert isinstance(factories.decision(work, "refuse", by=helper), Assessment)
    assert is_short(login, lead, admin)
    last = factories.member("reviewer")
    assert not is_short(login, lead, admin)
    queue.recuse(work, by=last, reason="A friend.")
    assert is_short(login, lead, admin)
    assert not Decision.objects.filter(submission=work).exists()
    sealing.withdraw(work, by=artist)
    assert not is_short(login, lead, admin)


def test_of_two_reviewers_one_of_whom_made_it_there_are_too_few(login, admin):
    lead = factories.member("lead")
    maker = factories.member("reviewer")
    factories.marked(artist=maker, by=lead)
    assert is_short(login, lead, admin)
    helper = factories.member("reviewer")
    assert not is_short(login, lead, admin)
    exclusion.suspend(helper.membership, by=admin, reason="Why.")
    assert is_short(login, lead, admin)


def test_reviewers_are_not_told_what_only_leads_and_admins_can_mend(login, marked, first):
    for other in assessing.reviewers().exclude(user=first):
        exclusion.suspend(other, by=factories.member("admin"), reason="Why.")
    assert assessing.short_of_people().exists()
    assert SHORT not in login(first).get("/desk/").text


def test_the_policy_says_how_it_goes(client):
    told = client.get("/policy/").text
    assert "is assessed by two people" in told
    assert "takes two people, too" in told
