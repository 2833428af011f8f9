"""Who lost their passkey or app is helped by an admin, with a record; nobody helps themselves."""

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.management import CommandError, call_command
from django.template import Context, Template
from django.test import RequestFactory

from accounts.models import AuditEntry, FactorReset, Membership, Notice, User
from accounts.models.exclusion import Impossible
from accounts.models.factors import reset
from accounts.models.membership import Role
from accounts.tasks import send_factor_reset
from tests import factories

from .factors import log_in, with_app

pytestmark = pytest.mark.django_db

REASON = "Called me on the number that I know."


def path(member) -> str:
    return f"/program/members/{member.pk}/factors/"


def test_an_admin_s_reset_removes_them_all_ends_the_sessions_and_is_kept(login, admin, artist):
    there, here = login(with_app(artist)), login(admin)
    assert there.get("/studio/").status_code == 200
    answer = here.post(path(artist), {"reason": REASON})
    assert (answer.status_code, answer.url) == (302, f"/program/members/{artist.pk}/")
    assert "can set up new second factors now." in here.get(answer.url).text
    assert not Authenticator.objects.exists()
    assert there.get("/studio/").status_code == 302
    made = FactorReset.objects.get()
    assert (made.user, made.by, made.reason) == (artist, admin, REASON)
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.act, entry.by, entry.words) == ("member.factors_reset", admin, REASON)
    assert Notice.objects.get(user=artist).kind == Notice.Kind.FACTORS_RESET
    assert log_in(there, artist).url == "/home/"  # by the password alone


def test_its_owner_hears_of_it_by_mail_without_the_admin_s_words(admin, artist):
    made = reset(with_app(artist), by=admin, reason=REASON)
    send_factor_reset(made.pk)
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == ([artist.email], "Your second factors were removed")
    assert "http://testserver/accounts/2fa/" in letter.body
    assert REASON not in letter.body


def test_nobody_resets_their_own(login, admin):
    answer = login(with_app(admin)).post(path(admin), {"reason": REASON})
    assert answer.status_code == 409
    assert "yours to change" in answer.text
    assert Authenticator.objects.filter(user=admin).count() == 2
    with pytest.raises(Impossible):
        reset(admin, by=admin, reason=REASON)


def test_a_second_click_finds_nothing_left(login, admin, artist):
    here = login(admin)
    with_app(artist)
    here.post(path(artist), {"reason": REASON})
    answer = here.post(path(artist), {"reason": REASON})
    assert answer.status_code == 409
    assert REASON in answer.text
    assert FactorReset.objects.count() == 1


@pytest.mark.parametrize("reason", ["", "   ", "\0", "x" * 2001])
def test_without_a_good_reason_nothing_happens(login, admin, artist, reason):
    answer = login(admin).post(path(with_app(artist)), {"reason": reason})
    assert answer.status_code == 422
    assert "field-errors" in answer.text or "form-errors" in answer.text
    assert Authenticator.objects.count() == 2


def test_whoever_is_no_admin_any_more_resets_nothing(admin, artist):
    """Their request began before their role was taken."""
    Membership.objects.filter(user=admin).update(role=Role.REVIEWER)
    with pytest.raises(Impossible, match="no longer an admin"):
        reset(with_app(artist), by=admin, reason=REASON)
    assert Authenticator.objects.filter(user=artist).exists()
    assert not FactorReset.objects.exists()


def test_only_admins_reset(login, artist, reviewer):
    victim = with_app(factories.member())
    for user in (artist, reviewer):
        assert login(user).post(path(victim), {"reason": REASON}).status_code == 403
    assert login().post(path(victim), {"reason": REASON}).status_code == 302
    assert Authenticator.objects.filter(user=victim).count() == 2


def test_an_admin_proves_themselves_first(login, admin, artist, settings):
    settings.REQUIRE_MFA = True
    answer = login(with_app(admin)).post(path(with_app(artist)), {"reason": REASON})
    assert answer.status_code == 403
    assert "Is it you?" in answer.text
    assert Authenticator.objects.filter(user=artist).count() == 2


def shown(member, viewer) -> str:
    request = RequestFactory().get("/")
    request.user = viewer
    page = Template("{% load factor_tags %}{% second_factors_of member %}")
    return page.render(Context({"request": request, "member": member}))


def test_a_member_s_page_tells_what_there_is_and_leads_to_the_reset(login, admin, artist):
    assert "None." in shown(artist, admin)
    assert path(artist) not in shown(artist, admin)
    with_app(artist)
    assert "An authenticator app." in shown(artist, admin)
    assert f'href="{path(artist)}"' in shown(artist, admin)
    assert path(admin) not in shown(with_app(admin), admin)
    assert "An authenticator app." in login(admin).get(path(artist)).text
    reset(artist, by=admin, reason="<b>Called</b>")
    assert "&lt;b&gt;Called" in login(admin).get(path(artist)).text


def test_there_is_no_page_for_who_is_no_member(login, admin):
    stranger = User.objects.create_user("x@example.com", name="X")
    assert login(admin).get(path(stranger)).status_code == 404


def test_the_last_admin_is_helped_on_the_command_line(login, admin, capsys):
    there = login(with_app(admin))
    call_command("reset_factors", admin.email.upper(), reason=REASON)
    assert "can log in with the password alone" in capsys.readouterr().out
    assert not Authenticator.objects.exists()
    assert there.get("/studio/").status_code == 302
    assert FactorReset.objects.get().by is None
    for email in (admin.email, "nobody@example.com"):
        with pytest.raises(CommandError):
            call_command("reset_factors", email, reason=REASON)
