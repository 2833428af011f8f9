"""The bar on top is drawn once in each process, from all that it depends on: it never shows one person's to another."""

import pytest

from accounts.models import notice
from tests import factories

pytestmark = pytest.mark.django_db


def page(client, path="/policy/") -> str:
    return client.get(path).content.decode()


def test_everybody_sees_their_own_name_on_the_same_page(login):
    ada, ben = factories.member(), factories.member()
    first, second, stranger = login(ada), login(ben), login()
    for _time in range(2):
        assert ada.email in page(first)
        assert ben.email in page(second)
        assert ada.email not in page(second)
        for email in (ada.email, ben.email):
            assert email not in page(stranger)
        assert "/accounts/login/" in page(stranger)


def test_what_a_role_opens_is_shown_to_those_who_have_it(login, artist, reviewer, admin):
    links = {'href="/desk/"': (reviewer,), 'href="/program/"': (admin,)}
    for link, allowed in links.items():
        for who in (artist, reviewer, admin, artist):
            assert (link in page(login(who))) == (who in allowed)


def test_news_shows_at_once_and_goes_when_it_was_read(login, artist):
    client = login(artist)
    assert "news-dot" not in page(client)
    notice.notify(artist, notice.Notice.Kind.TAKE_READY, "/studio/")
    assert "news-dot" in page(client)
    client.post("/inbox/reading/")
    assert "news-dot" not in page(client)


def test_the_current_place_is_marked_on_each_page(login, artist):
    client = login(artist)
    for path in ("/studio/", "/policy/", "/studio/"):
        assert page(client, path).count(f'href="{path}" aria-current="page"') == 1


def test_logging_out_works_from_the_menu(login, artist):
    client = login(artist)
    html = page(client)
    assert '<form id="log-out" method="post" action="/accounts/logout/"' in html
    assert 'form="log-out"' in html
    client.post("/accounts/logout/")
    assert artist.email not in page(client)
