"""Nobody comes in without an invitation, and each one lets one person in, once."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Cohort, Invitation, Membership, User, exclusion, roles
from accounts.models.invitation import NotAcceptable, NotInvitable, invite, revoke
from tests.factories import PASSWORD, member

pytestmark = pytest.mark.django_db

GOOD = {"name": "Ada Painter", "password": PASSWORD}


def sent(email="ada@example.com", role="artist", cohort="Spring", by=None) -> tuple[Invitation, str]:
    """An invitation, and the path of its link."""
    invitation, link = invite(email, role=role, cohort=cohort, by=by)
    assert link.startswith("http://testserver/invitations/")
    return invitation, link.removeprefix("http://testserver")


def every_value_in_the_database() -> str:
    from django.apps import apps

    found = []
    for model in apps.get_models():
        assert issubclass(model, Model)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(model._meta.db_table)}")
            found += [
                str(bytes(value) if isinstance(value, memoryview) else value)
                for row in cursor
                for value in row
            ]
    return "\n".join(found)


@pytest.mark.parametrize(
    "role, first_page", [("artist", "/studio/"), ("reviewer", "/desk/"), ("admin", "/studio/")]
)
def test_an_invited_person_sets_a_password_and_is_in(client, role, first_page):
    invitation, link = sent(role=role)
    page = client.get(link)
    assert page.status_code == 200
    assert "ada@example.com" in page.text
    assert "Spring" in page.text
    answer = client.post(link, GOOD, follow=True)
    assert answer.redirect_chain[-1] == (first_page, 302)
    assert answer.status_code == 200
    user = User.objects.get()
    assert (user.email, user.name) == ("ada@example.com", "Ada Painter")
    assert (user.membership.role, user.membership.cohort.name) == (role, "Spring")
    assert user.membership.invitation == invitation
    assert user.check_password(PASSWORD)
    assert list(user.emailaddress_set.values_list("email", "verified", "primary")) == [
        ("ada@example.com", True, True)
    ]


def test_address_role_and_cohort_are_the_invitation_s_whatever_the_form_says(client):
    _, link = sent()
    forged = {"email": "eve@example.com", "role": "admin", "cohort": "Other", "is_active": "0", "id": "1"}
    assert client.post(link, GOOD | forged).status_code == 302
    user = User.objects.get()
    assert (user.email, user.membership.role, user.membership.cohort.name) == (
        "ada@example.com",
        "artist",
        "Spring",
    )


def test_the_key_is_nowhere_in_the_database(client):
    invitation, link = sent(email="Ada@Example.com")
    key = link.split("/")[-2]
    assert len(key) >= 43
    assert key not in every_value_in_the_database()
    assert invitation.key_hash in every_value_in_the_database()
    client.post(link, GOOD)
    assert key not in every_value_in_the_database()
    assert client.get(f"/invitations/{invitation.key_hash}/").status_code == 404


def test_opening_the_link_consumes_nothing(client):
    _, link = sent()
    for _ in range(3):
        assert client.get(link).status_code == 200
        assert client.head(link).status_code == 200
    assert Invitation.objects.get().accepted_at is None
    assert not User.objects.exists()
    assert client.post(link, GOOD).status_code == 302


def test_the_page_is_kept_by_no_cache_and_its_address_by_no_other_site(client):
    _, link = sent()
    page = client.get(link)
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "same-origin"


def test_a_second_acceptance_finds_the_invitation_used(client):
    _, link = sent()
    assert client.post(link, GOOD).status_code == 302
    for answer in (Client().post(link, GOOD | {"name": "Eve"}), Client().get(link)):
        assert answer.status_code == 410
        assert "This invitation was already used. Log in with the address it was sent to." in answer.text
    assert list(User.objects.values_list("name", flat=True)) == ["Ada Painter"]
    assert Membership.objects.count() == 1


def test_an_expired_invitation_says_so(client):
    invitation, link = sent()
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    for answer in (client.get(link), client.post(link, GOOD)):
        assert answer.status_code == 410
        assert "This invitation has expired. Ask for a new one." in answer.text
    assert not User.objects.exists()


def test_an_invitation_expires_after_the_days_that_are_set(settings):
    invitation, _ = sent()
    assert abs(invitation.expires_at - timezone.now() - settings.INVITATION_LIFETIME) < timedelta(seconds=5)
    assert settings.INVITATION_LIFETIME == timedelta(days=14)


def test_an_invitation_taken_back_says_so(client, admin):
    invitation, link = sent()
    revoke(invitation, by=admin)
    for answer in (client.get(link), client.post(link, GOOD)):
        assert answer.status_code == 410
        assert "This invitation was taken back." in answer.text
    invitation.refresh_from_db()
    assert invitation.revoked_by == admin
    revoke(invitation, by=None)  # twice is as good as once
    invitation.refresh_from_db()
    assert invitation.revoked_by == admin
    assert AuditEntry.objects.filter(act="invitation.revoked").count() == 1


@pytest.mark.parametrize("fall", ["ended", "suspended", "demoted"])
@pytest.mark.parametrize("role", ["reviewer", "admin"])
def test_an_admin_who_is_none_any_more_has_left_no_door_to_power_open(client, login, admin, fall, role):
    other = member("admin")
    (made, link), (_artist_s, artist_s_link) = sent(role=role, by=admin), sent("bob@example.com", by=admin)
    if fall == "ended":
        exclusion.end(admin.membership, by=other, reason="A reason.")
    elif fall == "suspended":
        exclusion.suspend(admin.membership, by=other, reason="A reason.")
    else:
        roles.change_role(admin.membership, "artist", by=other)
    for answer in (client.get(link), client.post(link, GOOD)):
        assert (answer.status_code, "runs the program no longer" in answer.text) == (410, True)
    assert not User.objects.filter(email=made.email).exists()
    assert Client().post(artist_s_link, GOOD).status_code == 302, "who invites hundreds of artists may go"
    told = {"seen": made.expires_at.isoformat()}
    page = login(other).post(f"/program/invitations/{made.pk}/link/", told)
    link = page.context["link"].removeprefix("http://testserver")
    assert client.post(link, GOOD).status_code == 302
    assert Membership.objects.get(user__email=made.email).role == role
    made.refresh_from_db()
    assert made.invited_by == other


def test_an_accepted_invitation_can_not_be_taken_back(client, admin):
    invitation, link = sent()
    client.post(link, GOOD)
    with pytest.raises(NotAcceptable, match="already used"):
        revoke(invitation, by=admin)


@pytest.mark.parametrize("key", ["unknown", "0" * 43, "k" * 5000, "%00", "ключ"])
def test_an_unknown_key_is_a_404(client, key):
    sent()
    assert client.get(f"/invitations/{key}/").status_code == 404
    assert client.post(f"/invitations/{key}/", GOOD).status_code == 404


@pytest.mark.parametrize(
    "password, said",
    [
        ("short", "too short"),
        ("12345678901", "entirely numeric"),
        ("password123", "too common"),
        ("ada@example.com", "too similar to the email"),
        ("Ada Painter", "too similar to the name"),
        ("", "This field is required"),
        ("a-good-password\0", "Null characters are not allowed"),
        ("x" * 2000, "at most 1024 characters"),
    ],
)
def test_a_weak_password_keeps_the_form_and_the_invitation(client, password, said):
    _, link = sent()
    answer = client.post(link, GOOD | {"password": password})
    assert answer.status_code == 422
    assert said in answer.text
    assert answer.context["form"]["name"].value() == "Ada Painter"
    assert 'value="Ada Painter"' in answer.text
    assert re.findall(r'<input type="password"[^>]*>', answer.text)
    assert not re.findall(r'<input type="password"[^>]*value=', answer.text)
    assert not User.objects.exists()
    assert Invitation.objects.get().accepted_at is None


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\0b"])
def test_a_name_that_can_not_be_a_credit_keeps_the_form(client, name):
    _, link = sent()
    assert client.post(link, GOOD | {"name": name}).status_code == 422
    assert not User.objects.exists()


def test_a_password_with_spaces_at_its_ends_is_kept_as_it_is(client):
    _, link = sent()
    client.post(link, GOOD | {"password": "  spaces at both ends  "})
    assert User.objects.get().check_password("  spaces at both ends  ")


def test_addresses_have_one_spelling():
    invitation, _ = sent(email="  Ada@EXAMPLE.com ")
    assert invitation.email == "ada@example.com"


def test_a_member_can_not_be_invited_again(artist):
    with pytest.raises(NotInvitable, match="is already a member"):
        invite(artist.email.upper(), role="reviewer", cohort="Spring", by=None)
    assert Invitation.objects.count() == 1


def test_of_two_invitations_to_one_address_only_the_second_is_open(client):
    (_, first), (_, second) = sent(), sent(role="admin")
    answer = client.post(first, GOOD)
    assert answer.status_code == 410
    assert "This invitation was taken back." in answer.text
    assert Client().post(second, GOOD).status_code == 302
    assert User.objects.get().membership.role == "admin"


def test_a_cohort_is_made_once_and_shared():
    sent("a@example.com"), sent("b@example.com")
    assert Cohort.objects.count() == 1


def test_someone_logged_in_who_accepts_another_invitation_becomes_that_person(login, artist):
    _, link = sent()
    browser = login(artist)
    assert browser.post(link, GOOD).status_code == 302
    assert browser.get("/studio/").context["user"].email == "ada@example.com"


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_of_two_clicks_at_once_one_makes_the_member(_round):
    links = [sent()[1]] * 3
    assert sorted(posted_at_once(links)) == [302, 410, 410]
    assert (User.objects.count(), Membership.objects.count()) == (1, 1)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_of_two_invitations_to_one_address_accepted_at_once_one_makes_the_member(_round):
    links = [sent()[1] for _ in range(3)]
    assert sorted(posted_at_once(links)) == [302, 410, 410]
    assert (User.objects.count(), Membership.objects.count()) == (1, 1)


def posted_at_once(links) -> list[int]:
    def post(link):
        try:
            answer = Client(raise_request_exception=False).post(link, GOOD)
            assert answer.status_code != 410 or "constraint" not in answer.text
            return answer.status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(links)) as pool:
        return list(pool.map(post, links))


def test_members_of_the_tests_come_in_by_this_way():
    member("reviewer")
    assert Invitation.objects.get().accepted_at is not None
