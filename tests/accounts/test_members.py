"""The admins' rooms: each act by its page, what is refused and kept, who is told, and that nobody else is touched."""

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import (
    AllowanceEntry,
    Answer,
    AuditEntry,
    Cohort,
    Ending,
    Membership,
    Notice,
    Objection,
    RoleChange,
    Suspension,
    User,
    cohorts,
)
from accounts.models.exclusion import end, lift, object_to, suspend
from accounts.tasks import send_standing
from tests import factories

pytestmark = pytest.mark.django_db

REASON = "Why-it-was-done, in words."


def page_of(member) -> str:
    return f"/program/members/{member.pk}/"


@pytest.fixture
def office(login, admin):
    return login(admin)


def state_of(person) -> list:
    """All that an act on somebody else could touch."""
    membership = Membership.objects.get(user=person)
    return [
        User.objects.filter(pk=person.pk).values().get(),
        Membership.objects.filter(pk=membership.pk).values().get(),
        *(
            list(model.objects.filter(membership=membership).values())
            for model in (Suspension, Ending, RoleChange, AllowanceEntry)
        ),
        list(Notice.objects.filter(user=person).values()),
    ]


# --- Finding them ----------------------------------------------------------------------------------


def test_the_list_is_narrowed_by_words_role_cohort_and_standing(office, admin):
    ada = factories.member(name="Ada Lovelace", email="ada@analytical.example")
    rita = factories.member("reviewer", name="Rita")
    suspend(ada.membership, by=admin, reason=REASON)
    end(rita.membership, by=admin, reason=REASON)
    other = Cohort.objects.create(name="Other")
    Membership.objects.filter(user=rita).update(cohort=other)

    def found(**asked):
        return {membership.user for membership in office.get("/program/members/", asked).context["members"]}

    assert found() == {ada, rita, admin}
    assert found(q="lovelace") == found(q="analytical") == found(standing="suspended") == {ada}
    assert found(role="reviewer") == found(cohort=other.pk) == found(standing="ended") == {rita}
    assert found(standing="active") == {admin}
    assert found(q="lovelace", role="reviewer") == set()
    assert found(q="\0", role="nonsense", cohort="x", after="y") == {ada, rita, admin}


def test_pages_of_the_list_go_on_where_the_last_one_ended(office, admin):
    people = [factories.member() for _number in range(60)]
    first = office.get("/program/members/", {"role": "artist"})
    factories.member()  # who joins meanwhile shifts nothing
    second = office.get("/program/members/" + first.context["older"])
    shown = [membership.user for page in (first, second) for membership in page.context["members"]]
    assert shown == people[::-1]
    assert second.context["older"] is None


def cost(client, path) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_lists_and_pages_cost_the_same_with_1_and_with_50(office, admin):
    person = factories.member()
    cohort = Cohort.objects.create(name="Measured", allowance=10)
    factories.submission(artist=person)
    Membership.objects.filter(user=person).update(cohort=cohort)
    suspension = suspend(person.membership, by=admin, reason=REASON)
    object_to(suspension, text="No.")
    cohorts.change(
        cohort, by=admin, allowance=15
    )  # so that entries of each kind are among the latest, as below
    paths = ["", "members/", "cohorts/", "ledger/", "audit/", f"members/{person.pk}/"]
    before = {path: cost(office, f"/program/{path}") for path in paths}
    for number in range(49):
        lift(suspension, by=admin)
        suspension = suspend(person.membership, by=admin, reason=REASON)
        object_to(suspension, text="No.")
        member, _cohort = factories.member(), Cohort.objects.create(name=f"Cohort {number}")
        if number < 9:
            factories.submission(artist=member) if number < 5 else factories.clip(member)
            object_to(suspend(member.membership, by=admin, reason=REASON), text="No.")
        Membership.objects.filter(user=member).update(cohort=cohort)
    cohorts.change(cohort, by=admin, allowance=20)
    after = {path: cost(office, f"/program/{path}") for path in paths}
    assert after == before


def test_a_member_s_page_tells_ids_and_numbers_and_no_words_of_theirs(office, artist):
    made = factories.submission(factories.clip(artist, "prompt-of-mine"), title="title-of-mine")
    page = office.get(page_of(artist))
    assert str(made.pk) in page.text
    assert str(made.clip.job_id) in page.text
    assert "prompt-of-mine" not in page.text
    assert "title-of-mine" not in page.text
    assert str(made.clip_id) not in page.text


def test_the_timeline_tells_it_all_in_order(office, admin, artist):
    office.post(page_of(artist) + "role/", {"role": "reviewer"})
    office.post(page_of(artist) + "cohort/", {"cohort": Cohort.objects.create(name="Second").pk})
    suspension = suspend(artist.membership, by=admin, reason=REASON)
    object_to(suspension, text="My objection.")
    office.post(page_of(artist) + "answer/", {"text": "My answer."})
    office.post(page_of(artist) + "lift/", {"reason": "A note."})
    end(artist.membership, by=admin, reason="The end.")
    events = office.get(page_of(artist)).context["events"]
    assert [event.title for event in events] == [
        "Invited as Artist",
        "Joined",
        "Role changed from Artist to Reviewer",
        "Moved to another cohort",
        "Suspended",
        "Objected",
        "Objection answered",
        "Suspension lifted",
        "Membership ended",
    ]
    notes = [event.note for event in events]
    assert notes == [
        "",
        "",
        "",
        "First → Second",
        REASON,
        "My objection.",
        "My answer.",
        "A note.",
        "The end.",
    ]


# --- Acts ------------------------------------------------------------------------------------------


def test_a_suspension_ends_the_sessions_of_one_and_touches_nobody_else(
    office, login, artist, django_capture_on_commit_callbacks
):
    others = [factories.member(role) for role in ("artist", "reviewer", "admin")]
    there, elsewhere = login(artist), [login(other) for other in others]
    untouched = [state_of(other) for other in others]
    with django_capture_on_commit_callbacks() as callbacks:
        answer = office.post(page_of(artist) + "suspension/", {"reason": REASON})
    assert (answer.status_code, answer.url, len(callbacks)) == (302, page_of(artist), 1)
    assert there.get("/studio/").url.startswith("/accounts/login/")
    assert login(User.objects.get(pk=artist.pk)).get("/studio/").url == "/standing/"
    assert [client.get("/studio/").status_code for client in elsewhere] == [200] * 3
    assert [state_of(other) for other in others] == untouched


@pytest.mark.parametrize("what", ["suspended", "lifted", "answered", "role", "ended"])
def test_the_mail_says_that_something_happened_and_never_in_whose_words(admin, artist, what):
    suspend(artist.membership, by=admin, reason=REASON)
    send_standing(str(artist.pk), what)
    (sent,) = mail.outbox
    assert sent.to == [artist.email]
    ((html, _kind),) = sent.alternatives
    for part in (sent.subject, sent.body, html):
        assert REASON not in part
        assert admin.name not in part
    assert "/accounts/login/" in sent.body


def test_a_second_click_makes_no_second_record(office, artist):
    for _click in range(2):
        assert office.post(page_of(artist) + "suspension/", {"reason": REASON}).status_code == 302
    assert Suspension.objects.count() == 1
    for _click in range(2):
        assert office.post(page_of(artist) + "lift/").status_code == 302
    assert AuditEntry.objects.filter(act="member.suspension_lifted").count() == 1
    for _click in range(2):
        assert office.post(page_of(artist) + "role/", {"role": "reviewer"}).status_code == 302
    assert RoleChange.objects.count() == 1
    for _click in range(2):
        told = {"reason": REASON, "email": artist.email}
        assert office.post(page_of(artist) + "ending/", told).status_code == 302
    assert Ending.objects.count() == 1


def test_another_admin_s_words_are_not_taken_for_ones_own(office, login, artist):
    other = login(factories.member("admin"))
    office.post(page_of(artist) + "suspension/", {"reason": REASON})
    late = other.post(page_of(artist) + "suspension/", {"reason": "Other words."})
    assert late.status_code == 409
    assert "Another admin suspended them already" in late.text
    assert Suspension.objects.get().reason == REASON


@pytest.mark.parametrize(
    "act, data, sentence",
    [
        ("suspension/", {"reason": " "}, "Say why: the member will read it, and may object."),
        ("role/", {"role": "owner"}, "Select a valid choice."),
        ("cohort/", {"cohort": "0"}, "Select a valid choice."),
        ("ending/", {"reason": REASON, "email": "else@example.com"}, "This isn’t this member’s address."),
        ("ending/", {"reason": "", "email": ""}, "Say why"),
    ],
)
def test_what_is_wrong_is_said_and_kept(office, artist, act, data, sentence):
    before = state_of(artist)
    answer = office.post(page_of(artist) + act, data)
    assert answer.status_code == 422
    assert sentence in answer.text
    for value in data.values():
        assert value.strip() in answer.text
    assert state_of(artist) == before


def test_nobody_acts_on_themselves_and_the_page_offers_nothing(office, admin):
    factories.member("admin")
    before = state_of(admin)
    page = office.get(page_of(admin)).text
    assert "This is you" in page
    assert "role/" not in page
    assert "suspension/" not in page
    for act, data in (
        ("role/", {"role": "artist"}),
        ("suspension/", {"reason": REASON}),
        ("ending/", {"reason": REASON, "email": admin.email}),
    ):
        answer = office.post(page_of(admin) + act, data)
        assert answer.status_code == 409
        assert "Nobody" in answer.text
    assert state_of(admin) == before


def test_seconds_are_granted_once_a_click_and_again_from_a_new_page(office, admin, artist):
    cohorts.change(artist.membership.cohort, by=admin, allowance=100)
    path = page_of(artist) + "allowance/"
    seen = office.get(page_of(artist)).context["grant_form"]["seen"].value()
    for _click in range(2):
        assert office.post(path, {"seconds": "30", "seen": seen}).status_code == 302
    assert AllowanceEntry.objects.filter(membership=artist.membership, seconds=30).count() == 1
    stale = office.post(path, {"seconds": "40", "seen": seen})
    assert stale.status_code == 409
    assert "Seconds were granted here since" in stale.text
    seen = office.get(page_of(artist)).context["grant_form"]["seen"].value()
    assert office.post(path, {"seconds": "30", "seen": seen}).status_code == 302
    assert office.get(page_of(artist)).context["left"] == 160


def test_a_cohort_is_made_changed_and_granted_by_its_page(office, artist):
    name = {"name": "Spring", "max_queued": "", "max_running": "", "allowance": "500"}
    made = office.post("/program/cohorts/new/", name)
    cohort = Cohort.objects.get(name="Spring")
    assert made.url == f"/program/cohorts/{cohort.pk}/"
    twin = office.post("/program/cohorts/new/", name | {"name": "spring "})
    assert (twin.status_code, "There is a cohort of this name already." in twin.text) == (422, True)
    told = name | {"model_ids": ["testcard"], "max_queued": "2", "max_running": "1"}
    assert office.post(made.url, told).status_code == 302
    cohort.refresh_from_db()
    assert (cohort.model_ids, cohort.max_queued, cohort.max_running) == (["testcard"], 2, 1)
    assert office.get(made.url).text.count("checked") == 1
    wrong = office.post(made.url, told | {"max_queued": "0", "allowance": "-1", "model_ids": ["../x"]})
    assert (wrong.status_code, set(wrong.context["form"].errors)) == (
        422,
        {"max_queued", "allowance", "model_ids"},
    )
    office.post(page_of(artist) + "cohort/", {"cohort": cohort.pk})
    seen = office.get(made.url).context["grant_form"]["seen"].value()
    for _click in range(2):
        assert office.post(made.url + "allowance/", {"seconds": "5", "seen": seen}).status_code == 302
    assert office.get(page_of(artist)).context["left"] == 505


# --- The suspended member's side -------------------------------------------------------------------


def test_the_suspended_read_why_and_object_once(office, login, admin, artist):
    suspend(artist.membership, by=admin, reason=REASON)
    client = login(User.objects.get(pk=artist.pk))
    page = client.get("/standing/")
    assert REASON in page.text
    assert "By an admin" in page.text
    assert admin.name not in page.text
    assert client.post("/standing/", {"text": " "}).status_code == 422
    too_long = "words " * 1000
    kept = client.post("/standing/", {"text": too_long})
    assert (kept.status_code, too_long.strip() in kept.text) == (422, True)
    for _click in range(2):
        assert client.post("/standing/", {"text": "It wasn’t me."}).url == "/standing/"
    second = client.post("/standing/", {"text": "And another thing."})
    assert second.status_code == 409
    assert "And another thing." in second.text
    assert Objection.objects.get().text == "It wasn’t me."
    assert artist.name in office.get("/program/").text
    assert "It wasn’t me." in office.get(page_of(artist)).text

    office.post(page_of(artist) + "answer/", {"text": "We looked at it again."})
    assert Answer.objects.get().text == "We looked at it again."
    assert "We looked at it again." in client.get("/standing/").text
    assert artist.name not in office.get("/program/").context["objections"]
    office.post(page_of(artist) + "lift/")
    assert client.get("/standing/").url == "/home/"
    assert client.get("/studio/").status_code == 200


def test_an_ended_member_reads_why_and_can_object_to_nothing(login, admin, artist):
    suspend(artist.membership, by=admin, reason="First.")
    end(artist.membership, by=admin, reason=REASON)
    client = login(User.objects.get(pk=artist.pk))
    assert REASON in client.get("/standing/").text
    assert client.post("/standing/", {"text": "No."}).status_code == 422
    assert not Objection.objects.exists()
    assert client.get("/allowance/").url == "/standing/"


def test_a_member_sees_their_own_ledger_and_nobody_else_s(login, admin, artist):
    other = factories.member()
    cohorts.change(artist.membership.cohort, by=admin, allowance=100)
    page = login(artist).get("/allowance/")
    assert [entry.membership for entry in page.context["entries"]] == [artist.membership]
    assert "100 GPU seconds are left" in page.text
    assert other.name not in page.text


# --- Reading what happened -------------------------------------------------------------------------


def test_the_ledger_is_narrowed_and_leaves_as_csv_that_no_spreadsheet_runs(office, admin):
    cohort = Cohort.objects.create(name="=HYPERLINK(1)")
    member, other = factories.member(email="ada@example.com"), factories.member()
    Membership.objects.filter(user=member).update(cohort=cohort)
    cohorts.change(cohort, by=admin, allowance=100)
    cohorts.change(other.membership.cohort, by=admin, allowance=7)
    shown = office.get("/program/ledger/", {"member": "ada@example.com"}).context["entries"]
    assert [(entry.membership.user, entry.seconds) for entry in shown] == [(member, 100)]
    assert [
        entry.seconds for entry in office.get("/program/ledger/", {"cohort": cohort.pk}).context["entries"]
    ] == [100]
    answer = office.get("/program/ledger.csv", {"cohort": cohort.pk})
    head, line = answer.getvalue().decode().splitlines()
    assert head == "at,member,cohort,kind,seconds,balance,job,by"
    assert line.endswith(f"ada@example.com,'=HYPERLINK(1),granted,100,100,,{admin.email}")


def test_the_audit_log_is_narrowed_and_its_chain_checked_on_demand(office, admin, artist):
    suspend(artist.membership, by=admin, reason=REASON)
    shown = office.get("/program/audit/", {"act": "member.suspended", "by": admin.email}).context["entries"]
    assert [entry.words for entry in shown] == [REASON]
    assert (
        office.get("/program/audit/", {"by": artist.email, "act": "member.suspended"}).context["entries"]
        == []
    )
    assert "The chain is whole" in office.post("/program/audit/verification/", follow=True).text
