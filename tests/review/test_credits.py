"""Names as people wish them: frozen with the work, shown wherever it is, and each with a page of its own works."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import exclusion
from review import gate
from review.models import ArtistPage, Submission
from tests import factories

pytestmark = pytest.mark.django_db


def submit(client, clip, **data):
    return client.post(f"/studio/clips/{clip.pk}/submissions/", {"title": "T", **data})


def page_of(submission) -> ArtistPage:
    return ArtistPage.objects.get(artist=submission.artist, credit=submission.work["credit"])


# --- Credits -----------------------------------------------------------------------------------------------


def test_credits_are_frozen_and_shown_in_the_room_on_the_page_and_on_the_card(login, artist, reviewer):
    data = {"credit": "Nightjar", "credits": "Ada Example, music\n\n  Ben  ,\nZoë"}
    for _click in range(2):
        assert submit(login(artist), clip := factories.clip(artist), **data).status_code == 302
        assert submit(login(artist), clip, **data).status_code == 302
    made = factories.prepared(Submission.objects.filter(artist=artist).first())
    assert made.work["version"] == 2
    assert (made.work["credit"], made.work["credits"]) == (
        "Nightjar",
        [["Ada Example", "music"], ["Ben", ""], ["Zoë", ""]],
    )
    room = login(reviewer).get(f"/desk/submissions/{made.pk}/").text
    public = factories.publication(made)
    watch = login().get(f"/watch/{public.slug}/").text
    for page in (room, watch, login(artist).get(f"/studio/submissions/{made.pk}/").text):
        for name in ("Nightjar", "Ada Example", "music", "Ben", "Zoë"):
            assert name in page
    assert "Nightjar" in login().get("/").text
    assert artist.name not in login().get("/").text
    for words in ("nightjar", "ada example", "zoë", "MUSIC"):
        assert public.slug in login().get("/", {"q": words}).text
    assert public.slug not in login().get("/", {"q": "name"}).text


def test_the_form_offers_the_artist_s_own_name_and_a_script_needs_none(login, artist):
    clip = factories.clip(artist)
    assert login(artist).get(f"/studio/clips/{clip.pk}/").context["form"]["credit"].value() == artist.name
    submit(login(artist), clip)
    made = factories.prepared(Submission.objects.get())
    assert (made.work["credit"], made.work["credits"]) == (artist.name, [])


@pytest.mark.parametrize(
    "data, said",
    [
        ({"credit": "x" * 81}, "80 characters"),
        ({"credit": "\u200b\u2060"}, "can be seen"),
        ({"credits": "\n".join(f"Name {number}" for number in range(7))}, "at most 6 people"),
        ({"credits": "x" * 81}, "too long"),
        ({"credits": "Ada, " + "x" * 61}, "too long"),
        ({"credits": ", music"}, "begins with a name"),
    ],
)
def test_credits_that_make_no_sense_come_back_with_a_sentence(login, artist, data, said):
    answer = submit(login(artist), factories.clip(artist), title="Kept", **data)
    assert (answer.status_code, said in answer.text, "Kept" in answer.text) == (422, True, True)
    assert not Submission.objects.exists()


def test_what_an_earlier_version_froze_is_read_as_before(login):
    """Content version 1 had no further credits; its text and hash stay what they were."""
    from review.sealing import canonical
    from tests.gate_sql import lowered

    public = factories.publication()
    old = {name: told for name, told in public.submission.work.items() if name != "credits"} | {"version": 1}
    with lowered():
        Submission.objects.filter(pk=public.submission.pk).update(content=canonical(old))
    watch = login().get(f"/watch/{public.slug}/")
    assert (watch.status_code, old["credit"] in watch.text) == (200, True)
    assert public.slug in login().get("/", {"q": old["title"]}).text
    assert login().get(f"/artists/{page_of(public.submission).slug}/").status_code == 200
    assert json.loads(Submission.objects.get(pk=public.submission.pk).content) == old


# --- Artist pages -----------------------------------------------------------------------------------------------


def test_a_page_lists_what_one_artist_shows_under_one_name(login, artist):
    one, two = (factories.publication(artist=artist, title=f"Own {number}") for number in (1, 2))
    secret = factories.publication(artist=artist, title="Under another name", credit="Nightjar")
    other = factories.publication(title="By somebody else", credit=artist.name)
    factories.submission(artist=artist, title="Still waiting")
    watch = login().get(f"/watch/{one.slug}/").text
    slug = page_of(one.submission).slug
    assert f'href="/artists/{slug}/"' in watch
    page = login().get(f"/artists/{slug}/")
    assert [each.slug for each in page.context["publications"]] == [two.slug, one.slug]
    assert "Still waiting" not in page.text
    assert len({page_of(each.submission).slug for each in (one, secret, other)}) == 3
    assert slug not in login().get(f"/watch/{secret.slug}/").text, "a list gives nobody's other name away"


def test_an_artist_with_nothing_public_has_no_page(login, artist):
    factories.submission(artist=artist)
    slug = ArtistPage.objects.get().slug
    assert login().get(f"/artists/{slug}/").status_code == 404
    public = factories.publication(artist=artist)
    assert login().get(f"/artists/{slug}/").status_code == 200
    gate.take_down(public, by=artist)
    assert login().get(f"/artists/{slug}/").status_code == 404
    assert login().get("/artists/abcdefghijkm/").status_code == 404


def test_a_suspension_takes_no_page_down(login, artist, admin):
    """As in the gallery: what was published stays until it is taken down."""
    public = factories.publication(artist=artist)
    exclusion.suspend(artist.membership, by=admin, reason="Why.")
    assert public.slug in login().get("/").text
    assert public.slug in login().get(f"/artists/{page_of(public.submission).slug}/").text


def test_a_page_is_paged_by_key_at_a_price_that_does_not_grow(login, artist, reviewer):
    def more(count):
        for _ in range(count):
            submission = factories.submission(artist=artist)
            factories.decision(submission, by=reviewer)
            gate.publish(submission, by=artist)
        return page_of(submission).slug

    visitor, slug = login(), more(1)
    with CaptureQueriesContext(connection) as one:
        visitor.get(f"/artists/{slug}/")
    more(29)
    with CaptureQueriesContext(connection) as thirty:
        first = visitor.get(f"/artists/{slug}/")
    assert len(one) == len(thirty) == 2
    second = visitor.get(f"/artists/{slug}/" + first.context["older"])
    slugs = [each.slug for page in (first, second) for each in page.context["publications"]]
    assert (len(slugs), len(set(slugs))) == (30, 30)
    assert visitor.get(f"/artists/{slug}/?after=%00").status_code == 200
    last = first.context["publications"][-1]
    for each in second.context["publications"]:
        gate.take_down(each, by=artist)
    assert "Nothing older" in visitor.get(f"/artists/{slug}/?after={last.slug}").text
    assert {"no-cache", "must-revalidate"} <= set(first["Cache-Control"].split(", "))
