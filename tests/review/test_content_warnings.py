"""What visitors are warned of: said with the approval, veiled until they choose to see, and never taken away again."""

import pytest

from review import gate, queue
from review.models import Decision, Publication
from review.permissions import NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db


def decide(client, submission, **data):
    told = {"outcome": "approve", "content_hash": submission.content_hash, **data}
    return client.post(f"/desk/submissions/{submission.pk}/decision/", told)


@pytest.fixture
def held(reviewer):
    submission = factories.submission(publish_on_approval=True)
    assert queue.claim(submission, by=reviewer)
    return submission


@pytest.fixture
def warned(login, held, reviewer):
    data = {"warning_kinds": ["flashing", "violence"], "warning_line": "A door slams, loudly."}
    assert decide(login(reviewer), held, **data).status_code == 302
    return Publication.objects.with_content().get()


def test_a_reviewer_warns_and_the_artist_reads_it(login, warned):
    decision = Decision.objects.get()
    assert (decision.warning_kinds, decision.warning_line) == ("flashing violence", "A door slams, loudly.")
    assert warned.warning.parts == ["Flashing lights", "Violence", "A door slams, loudly."]
    submission = warned.submission
    page = login(submission.artist).get(f"/studio/submissions/{submission.pk}/").text
    assert "Flashing lights, Violence, A door slams, loudly." in page


def test_the_page_has_no_player_until_a_visitor_chooses_to_see(login, warned):
    veiled = login().get(f"/watch/{warned.slug}/")
    assert veiled.status_code == 200
    for said in ("Flashing lights", "A door slams, loudly.", 'href="?show=1"', "veil-picture"):
        assert said in veiled.text
    assert "video.mp4" not in veiled.text
    shown = login().get(f"/watch/{warned.slug}/?show=1")
    assert f"/watch/{warned.slug}/video.mp4" in shown.text
    assert "veil-picture" not in shown.text
    assert "Content warning: Flashing lights, Violence" in " ".join(shown.text.split())
    for odd in ("?show=0", "?show=", "?show=2", "?show=%00"):
        assert "video.mp4" not in login().get(f"/watch/{warned.slug}/{odd}").text


def test_its_card_is_veiled_and_moving_over_it_shows_nothing(login, warned):
    plain = factories.publication()
    page = login().get("/").text
    cards = {
        slug: part for part in page.split("<article") for slug in (warned.slug, plain.slug) if slug in part
    }
    assert "frame-veiled" in cards[warned.slug]
    assert "A door slams, loudly." in cards[warned.slug]
    assert "sprite" not in cards[warned.slug]
    assert "frame-veiled" not in cards[plain.slug]
    assert "data-sprite" in cards[plain.slug]


def test_without_a_warning_nothing_is_veiled(login):
    public = factories.publication()
    page = login().get(f"/watch/{public.slug}/").text
    assert "video.mp4" in page
    assert "Before you see it" not in page


@pytest.mark.parametrize(
    "data", [{"warning_kinds": ["unheard"]}, {"warning_line": "x" * 121}, {"warning_line": "a\0b"}]
)
def test_a_warning_that_can_not_be_is_refused_and_the_form_stays_filled(login, held, reviewer, data):
    answer = decide(login(reviewer), held, note="A kept note.", **data)
    assert (answer.status_code, "A kept note." in answer.text) == (422, True)
    assert not Decision.objects.exists()


def test_a_refusal_drops_what_was_ticked_for_an_approval(login, held, reviewer):
    data = {"reasons": ["rights"], "note": "Why.", "warning_kinds": ["violence"], "warning_line": "Loud."}
    assert decide(login(reviewer), held, outcome="refuse", **data).status_code == 302
    decision = Decision.objects.get()
    assert (decision.outcome, decision.warning_kinds, decision.warning_line) == ("refuse", "", "")


def test_the_gate_itself_refuses_a_refusal_that_warns(held, reviewer):
    words = {"reasons": ["rights"], "note": "Why.", "content_hash": held.content_hash, "outcome": "refuse"}
    for warned in ({"warning_kinds": ["violence"]}, {"warning_line": "Loud."}):
        with pytest.raises(NotAllowed, match="warns of nothing"):
            gate.decide(held, by=reviewer, **words, **warned)


def test_what_was_typed_is_kept_when_the_decision_comes_too_late(login, held, reviewer):
    other = factories.member("reviewer")
    queue.release(held, by=reviewer)
    factories.decision(held, by=other)
    answer = decide(login(reviewer), held, warning_kinds=["blood"], warning_line="A cut finger.")
    assert answer.status_code == 409
    assert "Content warning: Blood or injuries, A cut finger." in answer.text


def test_markup_in_a_warning_stays_text(login, held, reviewer):
    decide(login(reviewer), held, warning_line="<script>alert(1)</script>")
    slug = Publication.objects.get().slug
    for path in ("/", f"/watch/{slug}/", f"/watch/{slug}/?show=1"):
        assert "<script>alert" not in login().get(path).text
