"""Inviting in the browser: one person or a list, tried dry first, sent once, whoever presses whatever twice."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.utils import timezone

from accounts.inviting import plans, roster
from accounts.models import AuditEntry, Cohort, Invitation, audit
from accounts.models.invitation import invite, revoke
from tests import factories

from .factors import age_proof, code, log_in, recovery_codes, with_app

pytestmark = pytest.mark.django_db

NEW, MANY = "/program/invitations/new/", "/program/invitations/many/"
BATCHES, LIST = "/program/invitations/batches/", "/program/invitations/"
TERMS = {"role": "artist", "cohort": "Spring", "days": "14", "note": ""}
KEY = "11111111-1111-4111-8111-111111111111"
ONE = TERMS | {"email": "Ada@Example.com", "delivery": "mail", "form_key": KEY}


@pytest.fixture
def desk(login, admin):
    """The admin's browser."""
    return login(admin)


def dry(client, text, **changes):
    """Looks at a list, and gives the form that the page came back with, as the browser would post it next."""
    answer = client.post(MANY, TERMS | {"text": text, "form_key": KEY, **changes})
    form = answer.context["form"]
    told = {name: form[name].value() for name in form.fields if name != "file"}
    return answer, {name: "" if value is None else str(value) for name, value in told.items()}


def told(answer) -> dict[int, str]:
    return {problem.line: problem.sentence for problem in answer.context["plan"].problems}


# --- One ---


def test_one_person_is_invited_and_the_mail_waits(desk, admin):
    answer = desk.post(NEW, ONE | {"days": "3", "note": "Come\r\nsoon"})
    made = Invitation.objects.get(email="ada@example.com")
    assert answer.status_code == 302
    assert answer.url == f"{LIST}{made.pk}/"
    assert (made.role, made.cohort.name, made.note, made.invited_by) == (
        "artist",
        "Spring",
        "Come\nsoon",
        admin,
    )
    assert made.expires_at - made.created_at == timedelta(days=3)
    assert (made.state, made.mail_state) == ("open", "waiting")
    assert AuditEntry.objects.filter(act="invitation.created", by=admin, words="ada@example.com").count() == 1


def test_the_link_of_one_person_is_shown_once_and_kept_nowhere(desk, client):
    answer = desk.post(NEW, ONE | {"delivery": "link"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    link = re.search(r"http://testserver(/invitations/[\w-]+/)", answer.text)[1]
    assert client.get(link).status_code == 200
    again = desk.post(NEW, ONE | {"delivery": "link"}, follow=True)
    assert "was invited already, by this very form" in again.text
    made = Invitation.objects.get(email="ada@example.com")
    assert made.mail_state == "by-hand"
    for page in (again, desk.get(LIST), desk.get(f"{LIST}{made.pk}/")):
        assert link.split("/")[2] not in page.text


def test_the_same_form_sent_twice_invites_once_and_with_another_address_again(desk):
    assert desk.post(NEW, ONE).url == desk.post(NEW, ONE).url
    assert desk.post(NEW, ONE | {"email": "bob@example.com"}).status_code == 302
    assert Invitation.objects.filter(batch__isnull=False).count() == 2


@pytest.mark.parametrize(
    "changes, field, said",
    [
        ({"email": ""}, "email", "This field is required."),
        ({"email": "nonsense"}, "email", "Enter a valid email address."),
        ({"email": "a\0@example.com"}, "email", "Null characters are not allowed."),
        ({"role": "king"}, "role", "king is not one of the available choices."),
        ({"role": ""}, "role", "This field is required."),
        ({"cohort": " "}, "cohort", "This field is required."),
        ({"cohort": "x" * 81}, "cohort", "at most 80 characters"),
        ({"cohort": "a\x07b"}, "cohort", "A cohort's name has 1 to 80 characters"),
        ({"days": "0"}, "days", "greater than or equal to 1"),
        ({"days": "91"}, "days", "less than or equal to 90"),
        ({"days": "9" * 5000}, "days", "Enter a whole number."),
        ({"days": "soon"}, "days", "Enter a whole number."),
        ({"note": "x" * 1001}, "note", "at most 1000 characters"),
        ({"delivery": "pigeon"}, "delivery", "pigeon is not one of the available choices."),
    ],
)
def test_a_mistake_keeps_the_form_and_invites_nobody(desk, changes, field, said):
    before = Invitation.objects.count()
    answer = desk.post(NEW, ONE | changes)
    assert answer.status_code == 422
    assert said in " ".join(answer.context["form"].errors[field])
    for name, value in (ONE | changes).items():
        assert answer.context["form"][name].value() == value
    assert Invitation.objects.count() == before


def test_a_member_and_somebody_invited_are_not_invited_again(desk, artist, admin):
    invite("open@example.com", role="artist", cohort="Spring", by=admin)
    for email, said in (
        (artist.email.upper(), "Already a member."),
        ("open@example.com", "Already invited on"),
    ):
        answer = desk.post(NEW, ONE | {"email": email})
        assert answer.status_code == 409
        assert said in answer.text
        assert answer.context["form"]["email"].value() == email
    assert "Open the invitation that there is" in answer.text
    assert Invitation.objects.filter(email=artist.email).count() == 1


def test_who_is_no_admin_invites_nobody(login, artist, reviewer):
    for member in (artist, reviewer):
        assert login(member).post(NEW, ONE).status_code == 403
        assert login(member).post(BATCHES, TERMS | {"text": "a@example.com"}).status_code == 403
    assert not Invitation.objects.filter(email__in=["ada@example.com", "a@example.com"]).exists()


# --- Many ---


def test_a_dry_run_tells_every_problem_by_its_line_and_changes_nothing(desk, artist, admin):
    invite("open@example.com", role="artist", cohort="Spring", by=admin)
    before = (Invitation.objects.count(), Cohort.objects.count(), AuditEntry.objects.count())
    text = "\n".join(
        (
            "email,role,cohort,note",
            "ada@example.com,artist,Summer,Come",
            "nonsense",
            artist.email,
            "open@example.com",
            "Ada@Example.com",
            "bob@example.com,king",
            "grace@example.com,reviewer,spring",
        )
    )
    answer, form = dry(desk, text)
    assert answer.status_code == 422
    assert list(told(answer)) == [3, 4, 5, 6, 7]
    assert told(answer)[4] == "Already a member."
    today = timezone.localtime().strftime("%-d %B %Y")
    assert told(answer)[5] == f"Already invited on {today}, by {admin.name}."
    assert told(answer)[6] == "Twice in the list: it is also on line 2."
    assert [(one.email, one.role, one.cohort) for one in answer.context["plan"].people] == [
        ("ada@example.com", "artist", "Summer"),
        ("grace@example.com", "reviewer", "Spring"),  # the Spring that there is
    ]
    assert "Cohorts that don't exist yet" in answer.text
    assert "“<bdi>Summer</bdi>”" in answer.text
    assert "2 people would be invited" in answer.text
    assert "Invite the 2 good ones, leave out the rest" in answer.text
    assert form["text"] == text
    assert (Invitation.objects.count(), Cohort.objects.count(), AuditEntry.objects.count()) == before


def test_what_was_shown_is_invited_in_one_step_with_a_trace_each(desk, admin):
    _, form = dry(desk, "ada@example.com\nnonsense\nbob@example.com,reviewer,,Hello Bob")
    answer = desk.post(BATCHES, form, follow=True)
    assert "2 people are invited; the mails are on their way." in answer.text
    made = Invitation.objects.filter(batch__isnull=False).order_by("email")
    assert [(one.email, one.role, one.note, one.mail_state) for one in made] == [
        ("ada@example.com", "artist", "", "waiting"),
        ("bob@example.com", "reviewer", "Hello Bob", "waiting"),
    ]
    assert [one.email for one in answer.context["invitations"]] == ["ada@example.com", "bob@example.com"]
    traces = AuditEntry.objects.filter(act="invitation.created", by=admin)
    assert [entry.subject for entry in traces] == [f"invitation:{one.pk}" for one in made]
    assert list(audit.broken_entries()) == []


def test_a_second_confirmation_invites_nobody_twice(desk):
    _, form = dry(desk, "ada@example.com\nbob@example.com")
    first, second = desk.post(BATCHES, form), desk.post(BATCHES, form, follow=True)
    assert first.status_code == 302
    assert "This list was sent already: nobody is invited twice." in second.text
    assert Invitation.objects.filter(batch__isnull=False).count() == 2


def test_back_and_a_changed_list_is_shown_again_before_anything_is_sent(desk):
    _, form = dry(desk, "ada@example.com")
    desk.post(BATCHES, form)
    answer = desk.post(BATCHES, form | {"text": "ada@example.com\nbob@example.com"})
    assert answer.status_code == 409
    assert "changed after you looked" in answer.text
    assert told(answer) == {1: told(answer)[1]}
    assert [one.email for one in answer.context["plan"].people] == ["bob@example.com"]
    assert answer.context["form"]["text"].value() == "ada@example.com\nbob@example.com"
    assert not Invitation.objects.filter(email="bob@example.com").exists()


@pytest.mark.parametrize(
    "change", [{"role": "admin"}, {"cohort": "Other"}, {"note": "Other words"}, {"seen": ""}]
)
def test_nobody_confirms_what_they_have_not_seen(desk, change):
    _, form = dry(desk, "ada@example.com")
    assert desk.post(BATCHES, form | change).status_code == 409
    assert not Invitation.objects.filter(email="ada@example.com").exists()


def test_who_came_in_between_makes_the_list_come_back(desk, admin):
    _, form = dry(desk, "ada@example.com\nbob@example.com")
    invite("ada@example.com", role="artist", cohort="Spring", by=admin)
    answer = desk.post(BATCHES, form)
    assert answer.status_code == 409
    assert list(told(answer)) == [1]
    assert not Invitation.objects.filter(email="bob@example.com").exists()
    second = {name: answer.context["form"][name].value() for name in form}
    assert desk.post(BATCHES, second).status_code == 302
    assert Invitation.objects.filter(email="bob@example.com").count() == 1
    assert Invitation.objects.filter(email="ada@example.com").count() == 1


def test_a_list_may_be_sent_again_after_its_invitations_were_taken_back(desk, admin):
    _, form = dry(desk, "ada@example.com")
    desk.post(BATCHES, form)
    revoke(Invitation.objects.get(email="ada@example.com"), by=admin)
    _, form = dry(desk, "ada@example.com", form_key="22222222-2222-4222-8222-222222222222")
    assert desk.post(BATCHES, form).status_code == 302
    assert Invitation.objects.open().filter(email="ada@example.com").count() == 1


def test_an_expired_invitation_makes_room(desk, admin):
    old, _link = invite("ada@example.com", role="artist", cohort="Spring", by=admin)
    Invitation.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    _, form = dry(desk, "ada@example.com")
    assert desk.post(BATCHES, form).status_code == 302
    old.refresh_from_db()
    assert (old.state, old.revoked_by) == ("revoked", admin)
    assert list(audit.broken_entries()) == []


def test_a_list_of_nobody_good_can_not_be_sent(desk, artist):
    answer, form = dry(desk, artist.email)
    assert "Nobody would be invited" in answer.text
    assert BATCHES not in answer.text
    assert desk.post(BATCHES, form).status_code == 409


def test_the_mail_is_shown_before_it_is_sent(desk, admin):
    answer, _form = dry(desk, "ada@example.com,,,Come & play")
    assert f"{admin.name} invites you to sorahub" in answer.text
    assert "&gt; Come &amp; play" in answer.text


# --- Files ---


def posted_file(client, content: bytes, **changes):
    file = SimpleUploadedFile("list.csv", content, "text/csv")
    return client.post(MANY, TERMS | {"text": "", "form_key": KEY, "file": file, **changes})


def test_a_file_s_text_stands_in_the_list_so_that_it_can_be_mended(desk):
    answer = posted_file(
        desk, "\ufeffemail;note\r\nada@example.com;Grüße\r\nnonsense;\r\n".encode(), text="old"
    )
    assert answer.status_code == 422
    assert list(told(answer)) == [3]
    assert "ada@example.com;Grüße" in answer.context["form"]["text"].value()
    assert "old" not in answer.context["form"]["text"].value().split()


@pytest.mark.parametrize(
    "content, said",
    [
        (b"PK\x03\x04", "This is a spreadsheet file."),
        (b"\x89PNG\0", "This is no text file."),
        (b"a@example.com\n" * 60_000, "KB is the most. Split it."),
        (b"", "Paste a list, or choose a file."),
        (b" \r\n", "Paste a list, or choose a file."),
    ],
)
def test_a_file_that_is_no_list_is_said_and_the_rest_of_the_form_stays(desk, content, said):
    answer = posted_file(desk, content, note="Come")
    assert answer.status_code == 422
    assert said in answer.text
    assert answer.context["form"]["note"].value() == "Come"


def test_latin_1_is_read_and_said(desk):
    answer = posted_file(desk, "ada@example.com,,,Grüße".encode("latin-1"))
    assert answer.status_code == 200
    assert "The file isn&#x27;t in UTF-8." in answer.text
    assert answer.context["plan"].people[0].note == "Grüße"


def test_a_file_chosen_after_the_dry_run_is_looked_at_first(desk):
    _, form = dry(desk, "ada@example.com")
    file = SimpleUploadedFile("list.csv", b"bob@example.com")
    answer = desk.post(BATCHES, form | {"file": file})
    assert answer.status_code == 409
    assert not Invitation.objects.filter(batch__isnull=False).exists()


def test_a_list_that_no_form_can_take_is_refused_with_413(desk):
    assert desk.post(MANY, TERMS | {"text": "a@example.com\n" * 100_000}).status_code == 413


# --- At once ---


def test_five_thousand_people_cost_hundreds_of_queries_and_not_thousands(
    admin, django_assert_max_num_queries
):
    text = "\n".join(f"person{number}@example.com,,Wave {number % 3}" for number in range(5000))
    with django_assert_max_num_queries(250):
        plan = plans.plan(roster.read(text, role="artist", cohort="Spring"))
        plans.invite_all(plan, by=admin, lifetime=timedelta(days=1), batch=KEY)
    assert Invitation.objects.filter(batch=KEY).count() == 5000
    assert AuditEntry.objects.filter(act="invitation.created", by=admin).count() == 5000
    assert list(audit.broken_entries()) == []


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form_keys", [(KEY, KEY), (KEY, "33333333-3333-4333-8333-333333333333")])
def test_of_two_who_confirm_the_same_list_at_once_one_invites(login, form_keys):
    """A double click with one form's key, and two admins with a key each."""
    text = "\n".join(f"person{number}@example.com" for number in range(200))
    admins = [factories.member("admin"), factories.member("admin")]
    clients = [login(admins[0]), login(admins[0] if form_keys[0] == form_keys[1] else admins[1])]
    forms = [dry(client, text, form_key=key)[1] for client, key in zip(clients, form_keys, strict=True)]

    def confirm(number):
        try:
            return clients[number].post(BATCHES, forms[number]).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(confirm, (0, 1)))
    assert statuses == ([302, 302] if form_keys[0] == form_keys[1] else [302, 409])
    assert Invitation.objects.filter(email__startswith="person").count() == 200
    assert AuditEntry.objects.filter(act="invitation.created", words__startswith="person").count() == 200
    assert list(audit.broken_entries()) == []


# --- Step-up ---


@pytest.fixture
def asked(admin, settings, client):
    """The browser of an admin who has to prove again who they are."""
    settings.REQUIRE_MFA = True
    log_in(client, with_app(admin))
    client.post("/accounts/2fa/authenticate/", {"code": recovery_codes(admin)[0]})
    age_proof(client)
    return client


def test_inviting_asks_again_who_is_there_and_goes_on_with_the_whole_list(asked):
    text = "\r\n".join(f"person{number}@example.com,,,Grüße {number}" for number in range(3000))
    looked, form = dry(asked, text)
    assert looked.status_code == 200
    question = asked.post(BATCHES, form)
    assert question.status_code == 403
    assert not Invitation.objects.filter(batch__isnull=False).exists()
    sealed = re.search(r'name="confirm-sealed" value="([^"]+)"', question.text)[1]
    answer = asked.post(BATCHES, {"confirm-sealed": sealed, "confirm-code": code()}, follow=True)
    assert "3000 people are invited" in answer.text
    assert Invitation.objects.filter(batch__isnull=False, note="Grüße 2999").count() == 1


def test_every_act_on_an_invitation_asks_again(asked, admin):
    made, _link = invite("ada@example.com", role="artist", cohort="Spring", by=admin)
    before = (made.key_hash, made.revoked_at)
    for path in (NEW, f"{LIST}{made.pk}/mail/", f"{LIST}{made.pk}/link/", f"{LIST}{made.pk}/revocation/"):
        answer = asked.post(path, ONE | {"seen": made.expires_at.isoformat(), "email": "new@example.com"})
        assert answer.status_code == 403
        assert "Is it you?" in answer.text
    made.refresh_from_db()
    assert (made.key_hash, made.revoked_at) == before
    assert not Invitation.objects.filter(email="new@example.com").exists()
