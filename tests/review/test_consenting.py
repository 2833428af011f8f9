"""What an artist allows, use by use: asked when submitting, changed at any time, and what the program did is told."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, exclusion
from generation import keys, provenance, storage
from review import consenting, gate, journal, leases, preparing, replay, sealing
from review.models import Consent, ConsentedUse, Preparation, Publication, Revocation, Submission, Takedown
from review.permissions import Conflict, NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db


PUBLIC = ("video.mp4", "poster.jpg", "sprite.jpg")


def path(submission, act=""):
    return f"/studio/submissions/{submission.pk}/{act}"


def allowed(submission) -> set:
    return set(Consent.objects.live().filter(submission=submission).values_list("use", flat=True))


@pytest.fixture
def submitted():
    return factories.submission()


@pytest.fixture
def public():
    return factories.publication(consents=["press"])


# --- When submitting ---------------------------------------------------------------------------------


def test_a_script_that_sends_title_and_statement_alone_allows_the_gallery_and_nothing_else(login, artist):
    clip = factories.clip(artist)
    answer = login(artist).post(f"/studio/clips/{clip.pk}/submissions/", {"title": "One", "statement": ""})
    assert answer.status_code == 302
    assert allowed(Submission.objects.get()) == {"gallery"}


def test_each_use_is_asked_for_in_the_form_and_none_is_ticked(login, artist):
    clip = factories.clip(artist)
    page = login(artist).get(f"/studio/clips/{clip.pk}/")
    boxes = [line for line in page.text.split("<input") if 'name="consents"' in line]
    assert [box.partition('value="')[2].partition('"')[0] for box in boxes] == [
        *("press", "social", "contest", "training", "tools")
    ]
    assert not [box for box in boxes if "checked" in box.partition(">")[0]]
    data = {"title": "One", "consents": ["tools", "press"]}
    for _click in range(2):
        assert login(artist).post(f"/studio/clips/{clip.pk}/submissions/", data).status_code == 302
    made = Submission.objects.get()
    assert allowed(made) == {"gallery", "press", "tools"}
    factories.decision(factories.prepared(made), "refuse")
    form = login(artist).get(f"/studio/clips/{clip.pk}/").context["form"]
    assert form["consents"].value() == ["press", "tools"], "a new version begins with the last one's answers"


def test_an_unknown_use_is_refused_and_the_form_stays_filled(login, artist):
    clip = factories.clip(artist)
    data = {"title": "Kept", "consents": ["everything"]}
    answer = login(artist).post(f"/studio/clips/{clip.pk}/submissions/", data)
    assert (answer.status_code, "Kept" in answer.text) == (422, True)
    for use in ("", "everything"):
        made = factories.submission(artist=artist)
        for act in ("consents", "revocation"):
            answer = login(artist).post(path(made, f"{act}/"), {"use": use})
            assert answer.status_code == 422
    assert not Revocation.objects.exists()


# --- Changed later -----------------------------------------------------------------------------------------


def test_it_is_allowed_revoked_and_allowed_again_and_two_clicks_are_one(login, submitted):
    client = login(submitted.artist)
    for _click in range(2):
        assert client.post(path(submitted, "consents/"), {"use": "press"}).status_code == 302
    assert allowed(submitted) == {"gallery", "press"}
    for _click in range(2):
        assert client.post(path(submitted, "revocation/"), {"use": "press"}).status_code == 302
    assert allowed(submitted) == {"gallery"}
    client.post(path(submitted, "consents/"), {"use": "press"})
    assert [each.number for each in submitted.consents.filter(use="press").order_by("number")] == [1, 2]
    acts = AuditEntry.objects.filter(act__startswith="consent.").order_by("sequence")
    assert [entry.act for entry in acts] == ["consent.given", "consent.revoked", "consent.given"]


@pytest.mark.parametrize("who", ["artist", "reviewer", "admin"])
def test_nobody_else_says_what_a_work_may_be_used_for(login, submitted, who):
    other = factories.member(who)
    for act in ("consents", "revocation"):
        assert login(other).post(path(submitted, f"{act}/"), {"use": "gallery"}).status_code == 404
    with pytest.raises(NotAllowed, match="Only the artist"):
        consenting.allow(submitted, by=other, use="press")
    with pytest.raises(NotAllowed, match="Only the artist"):
        consenting.revoke(submitted, by=other, use="gallery")


def test_somebody_kept_out_meanwhile_changes_nothing(submitted):
    exclusion.suspend(submitted.artist.membership, by=factories.member("admin"), reason="Why.")
    for act in (consenting.allow, consenting.revoke):
        with pytest.raises(NotAllowed, match="suspended"):
            act(submitted, by=submitted.artist, use="gallery")


def test_nothing_is_allowed_for_a_version_that_is_over_and_what_was_can_be_taken_back(login, artist):
    refused, withdrawn, ended = (factories.submission(artist=artist, consents=["press"]) for _ in range(3))
    factories.decision(refused, "refuse")
    sealing.withdraw(withdrawn, by=artist)
    gate.take_down(factories.publication(ended), by=artist)
    for over in (refused, withdrawn, ended):
        over = Submission.objects.get(pk=over.pk)
        answer = login(artist).post(path(over, "consents/"), {"use": "social"})
        assert answer.status_code == 409
        assert login(artist).post(path(over, "revocation/"), {"use": "press"}).status_code == 302
        assert "press" not in allowed(over)
    with pytest.raises(Conflict, match="for good"):
        consenting.allow(ended, by=artist, use="gallery")


# --- The gallery -------------------------------------------------------------------------------------------


def test_revoking_the_gallery_ends_every_public_trace_at_the_next_request(login, public):
    artist, visitor = public.submission.artist, login()
    page = visitor.get(f"/watch/{public.slug}/")
    by_artist = page.context["artist_page"]
    released = visitor.get(f"/watch/{public.slug}/video.mp4").getvalue()
    etag = visitor.get(f"/watch/{public.slug}/video.mp4")["ETag"]
    title = public.submission.title
    before = ("/", f"/?q={title}", f"/artists/{by_artist.slug}/", f"/watch/{public.slug}/")
    assert all(title in visitor.get(where).text for where in before), "else nothing could be missing"

    assert login(artist).post(path(public.submission, "revocation/"), {"use": "gallery"}).status_code == 302
    assert title not in visitor.get("/").text
    assert public.slug not in visitor.get(f"/?q={title}").text
    assert visitor.get(f"/artists/{by_artist.slug}/").status_code == 404
    for name in ("", "?show=1", *PUBLIC):
        for asked in ({}, {"If-None-Match": etag}, {"Range": "bytes=0-1"}):
            assert visitor.get(f"/watch/{public.slug}/{name}", headers=asked).status_code == 410, name
    assert not storage.public().path(public.slug).exists()
    takedown = Takedown.objects.get()
    assert (takedown.by, takedown.reason) == (artist, "")
    verified = _held_against(visitor, released)
    assert verified.state == "withdrawn"
    assert sealing.told(public.submission)["consents"] == ["press"], "each stands alone"
    acts = [entry.act for entry in AuditEntry.objects.order_by("-sequence")[:2]]
    assert acts == ["consent.revoked", "publication.taken_down"]


def _held_against(visitor, content: bytes):
    file = SimpleUploadedFile("a.mp4", content, content_type="video/mp4")
    return visitor.post("/verify/", {"file": file}).context["answer"]


def test_the_artist_is_told_beforehand_that_it_is_for_good(login, public):
    page = login(public.submission.artist).get(path(public.submission)).text
    assert "takes the clip down at once and for good" in page
    assert "Revoke, and take it down" in page
    consenting.revoke(public.submission, by=public.submission.artist, use="gallery")
    answer = login(public.submission.artist).post(path(public.submission, "publication/"))
    assert (answer.status_code, "was taken down" in answer.text) == (409, True)


def test_revoking_anything_else_leaves_the_publication_alone(login, public):
    consenting.revoke(public.submission, by=public.submission.artist, use="press")
    assert login().get(f"/watch/{public.slug}/").status_code == 200
    assert not Takedown.objects.exists()


def test_what_is_approved_goes_public_only_while_the_gallery_is_allowed(login, submitted):
    client = login(submitted.artist)
    factories.decision(submitted)
    client.post(path(submitted, "revocation/"), {"use": "gallery"})
    answer = client.post(path(submitted, "publication/"))
    assert (answer.status_code, "revoked your consent to the gallery" in answer.text) == (409, True)
    client.post(path(submitted, "consents/"), {"use": "gallery"})
    assert client.post(path(submitted, "publication/")).status_code == 302
    assert Publication.objects.live().count() == 1


def test_an_approval_of_what_is_no_longer_allowed_is_an_approval_and_publishes_nothing(submitted):
    submitted = factories.submission(publish_on_approval=True)
    consenting.revoke(submitted, by=submitted.artist, use="gallery")
    assert factories.decision(submitted).is_approval
    assert not Publication.objects.exists()
    consenting.allow(submitted, by=submitted.artist, use="gallery")
    assert gate.publish(submitted, by=submitted.artist)


def test_what_was_taken_down_first_can_still_be_revoked(public):
    gate.take_down(public, by=factories.member("reviewer"), reason="Why.")
    assert consenting.revoke(public.submission, by=public.submission.artist, use="gallery")
    assert Takedown.objects.get().reason == "Why."


# --- Training is signed into the file -----------------------------------------------------------------------


@pytest.mark.parametrize("consents, allows", [([], False), (["training"], True), (["press"], False)])
def test_the_public_file_says_what_was_allowed_when_it_was_made(artist, consents, allows, tmp_path):
    clip = factories.clip(artist)
    made = sealing.submit(clip, by=artist, title="T", statement="", consents=consents)
    work = leases.claim_next()
    preparing.prepare(work, tmp_path, beat=lambda: None)
    out = tmp_path / "public.mp4"
    out.write_bytes(factories.bytes_of(Submission.objects.get(pk=made.pk)))
    assert provenance.read(out, keys.anchors()).allows_training is allows


@pytest.mark.parametrize("before", [[], ["training"]])
def test_a_change_while_the_files_are_made_has_them_made_anew(artist, before, tmp_path):
    made = sealing.submit(factories.clip(artist), by=artist, title="T", statement="", consents=before)
    work = leases.claim_next()
    origin = preparing._origin(made)
    act = consenting.revoke if before else consenting.allow
    act(made, by=artist, use="training")
    with pytest.raises(preparing.Changed):
        preparing.finish(work, factories._public_files(), origin=origin)
    assert Preparation.objects.get(submission=made).ended_at is None
    assert Submission.objects.get(pk=made.pk).content_hash is None
    preparing.finish(work, factories._public_files(), origin=preparing._origin(made))
    assert Submission.objects.get(pk=made.pk).state == "waiting"


def test_the_page_says_that_a_later_change_alters_no_file(login, submitted):
    assert "It doesn’t change, and neither do copies that are already out" in (
        login(submitted.artist).get(path(submitted)).text
    )


# --- What the program does under it ------------------------------------------------------------------------


def record(client, consent, place="https://example.com/story"):
    return client.post("/program/uses/", {"consent": str(consent.pk), "place": place})


def test_a_use_is_recorded_told_and_shown_to_its_artist(login, public, admin):
    artist, consent = public.submission.artist, Consent.objects.get(use="press")
    page = login(admin).get("/program/uses/?use=press").text
    assert public.submission.title in page
    for _click in range(2):
        assert record(login(admin), consent).status_code == 302
    made = ConsentedUse.objects.get()
    assert (made.by, made.place) == (admin, "https://example.com/story")
    assert [notice.kind for notice in artist.notices.all()] == ["used"]
    page = login(artist).get(path(public.submission)).text
    assert 'href="https://example.com/story"' in page
    consenting.revoke(public.submission, by=artist, use="press")
    assert "https://example.com/story" in login(artist).get(path(public.submission)).text, (
        "what was done stays told"
    )


def test_the_list_holds_what_is_public_and_allowed_and_nothing_else(login, admin, public):
    waiting = factories.submission(consents=["press"])
    approved = factories.submission(consents=["press"])
    factories.decision(approved)
    for_others = factories.publication(consents=["social"])
    page = login(admin).get("/program/uses/?use=press").text
    assert public.submission.title in page
    for other in (waiting, approved, for_others.submission):
        assert other.title not in page
    consenting.revoke(public.submission, by=public.submission.artist, use="press")
    assert public.submission.title not in login(admin).get("/program/uses/?use=press").text


@pytest.mark.parametrize("end", ["revoked", "taken down", "the gallery"])
def test_a_use_that_comes_too_late_is_refused_with_a_sentence(login, public, admin, end):
    consent, artist = Consent.objects.get(use="press"), public.submission.artist
    if end == "revoked":
        consenting.revoke(public.submission, by=artist, use="press")
    elif end == "taken down":
        gate.take_down(public, by=artist)
    else:
        consent = Consent.objects.get(use="gallery")
    answer = record(login(admin), consent)
    words = {
        "revoked": "has revoked this consent",
        "taken down": "public any more",
        "the gallery": "publication itself",
    }
    assert (answer.status_code, words[end] in answer.text) == (409, True)
    assert not ConsentedUse.objects.exists()


def test_nobody_but_an_admin_records_a_use(login, public, artist, reviewer):
    consent = Consent.objects.get(use="press")
    for other in (artist, reviewer, public.submission.artist):
        assert record(login(other), consent).status_code == 403
        with pytest.raises(NotAllowed, match="Only admins"):
            consenting.use(consent, by=other, place="Here.")


@pytest.mark.parametrize("place", ["", "  ", "x" * 301, "a\0b"])
def test_a_use_without_a_place_comes_back_with_a_sentence(login, public, admin, place):
    answer = record(login(admin), Consent.objects.get(use="press"), place)
    assert answer.status_code == 422
    assert public.submission.title in answer.text
    assert not ConsentedUse.objects.exists()
    for wrong in ("", "no id", "0" * 32):
        assert login(admin).post("/program/uses/", {"consent": wrong, "place": "Here."}).status_code == 422


def test_a_place_that_is_no_address_is_shown_as_words(login, public, admin):
    record(login(admin), Consent.objects.get(use="press"), "javascript:alert(1)")
    page = login(public.submission.artist).get(path(public.submission)).text
    assert "javascript:alert(1)" in page
    assert 'href="javascript' not in page


# --- Cost ------------------------------------------------------------------------------------------------------


def test_the_pages_cost_the_same_with_1_and_with_50_works(login, admin):
    artist, reviewer = factories.member(), factories.member("reviewer")

    def more(count):
        for _ in range(count):
            submission = factories.submission(artist=artist, consents=["press"])
            factories.decision(submission, by=reviewer)
            public = gate.publish(submission, by=artist)
            consenting.use(public.submission.consents.get(use="press"), by=admin, place="Here.")
        return submission

    def price(client, where):
        with CaptureQueriesContext(connection) as asked:
            assert client.get(where).status_code == 200
        return len(asked)

    one = more(1)
    client, own = login(admin), login(artist)
    few = price(client, "/program/uses/"), price(own, path(one))
    for number in range(12):
        consenting.use(one.consents.get(use="press"), by=admin, place=f"There {number}.")
    more(49)
    assert (price(client, "/program/uses/"), price(own, path(one))) == few


# --- After a restore ---------------------------------------------------------------------------------------------


def test_what_was_revoked_after_the_backup_is_revoked_again(public):
    """The rows as an older backup has them, and the journal as it is."""
    artist, submission = public.submission.artist, public.submission
    with transaction.atomic():
        for use in ("press", "gallery"):
            consenting.revoke(submission, by=artist, use=use)
        entries = AuditEntry.objects.filter(act__in=journal.ACTS)
        assert [journal.write(entry) for entry in entries] == [True, True, True]  # with the takedown
        transaction.set_rollback(True)
    assert allowed(submission) == {"gallery", "press"}
    exclusion.suspend(artist.membership, by=factories.member("admin"), reason="Why.")
    told = replay.replay()
    assert len([sentence for sentence in told if "is revoked again" in sentence]) == 2
    assert allowed(submission) == set()
    assert Takedown.objects.filter(publication=public).exists()
    assert replay.replay() == []
