"""Pictures that takes begin with: what comes in and how, whose they are, and that they go when nothing needs them."""

import io
import json
import os
import struct
import threading
import uuid
import zlib
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connections, transaction
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import AuditEntry, User, exclusion
from generation import decoding, encoding, pictures, queue, storage, takes
from generation.engine import catalog
from generation.models import Clip, Job, Picture
from review import deleting, sweep
from tests import factories

pytestmark = pytest.mark.django_db

GOOD = {"prompt": "a red ball", "model": "testcard", "aspect": "1:1", "duration": "1"}
VOUCHED = GOOD | {"rights": "on"}
SECRET = "where it was taken"


@pytest.fixture
def studio(login, artist):
    return login(artist)


def image(size=(300, 200), color=(200, 40, 40), form="PNG", name="mine.png", exif=None) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, form, **({"exif": exif} if exif else {}))
    return SimpleUploadedFile(name, out.getvalue(), "image/png")


def bomb() -> SimpleUploadedFile:
    """A small PNG whose header promises ten billion pixels."""
    content = bytearray(image((1, 1)).read())
    content[16:24] = struct.pack(">II", 100_000, 100_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return SimpleUploadedFile("bomb.png", bytes(content))


def files() -> set[str]:
    return {path.name for path in storage.private().root.rglob("*") if path.is_file()}


def bytes_of(picture: Picture) -> bytes:
    return b"".join(storage.private().blocks(storage.private_name(picture.sha256)))


def said(answer) -> str:
    return " ".join(str(error) for errors in answer.context["form"].errors.values() for error in errors)


def aged() -> None:
    """As if what lies in the store had been there for a while: a fresh file is left to the sweep."""
    for path in storage.private().root.rglob("*"):
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 60))


# --- Coming in --------------------------------------------------------------------------------------


def test_a_take_begins_with_a_picture_that_its_artist_brought_and_vouched_for(studio, artist):
    answer = studio.post("/studio/jobs/", VOUCHED | {"image": image()})
    job, picture = Job.objects.get(), Picture.objects.get()
    assert answer.url == f"/studio/jobs/{job.pk}/"
    assert (job.picture, job.image, picture.owner) == (picture, picture.sha256, artist)
    assert (picture.kind, picture.width, picture.height, picture.size) == (
        "upload",
        300,
        200,
        len(bytes_of(picture)),
    )
    assert picture.rights == str(pictures.RIGHTS)
    entry = AuditEntry.objects.get(act="picture.vouched")
    assert (entry.by, entry.subject, entry.words) == (artist, f"picture:{picture.pk}", str(pictures.RIGHTS))
    page = studio.get(answer.url).text
    assert "Begins with your picture" in page
    assert "cut at the left and the right and made 128 × 128 from 300 × 200" in page


def test_what_is_kept_is_made_anew_upright_and_without_a_word(studio):
    """Turned by its EXIF, with a comment in it; nothing of either is in the file that is kept."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, SECRET
    sent = image((300, 200), form="JPEG", exif=exif)
    assert SECRET.encode() in sent.read()
    sent.seek(0)
    studio.post("/studio/jobs/", VOUCHED | {"image": sent})
    picture = Picture.objects.get()
    kept = bytes_of(picture)
    with Image.open(io.BytesIO(kept)) as opened:
        assert (opened.format, opened.mode, opened.size) == ("JPEG", "RGB", (200, 300))
        assert not opened.getexif()
        assert not set(opened.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert np.abs(np.array(opened).astype(int) - (200, 40, 40)).max() < 6
    assert SECRET.encode() not in kept
    assert files() == {picture.sha256}


def test_a_large_picture_is_made_smaller_before_it_is_kept(studio):
    studio.post("/studio/jobs/", VOUCHED | {"image": image((4000, 1000))})
    picture = Picture.objects.get()
    assert (picture.width, picture.height) == (pictures.LONGEST, pictures.LONGEST // 4)


@pytest.mark.parametrize(
    "sent, words",
    [
        (
            lambda: SimpleUploadedFile("a.png", b"no picture at all"),
            "This isn’t a JPEG, PNG or WebP picture.",
        ),
        (
            lambda: SimpleUploadedFile("a.jpg", b"#EXTM3U\nfile:///etc/passwd"),
            "This isn’t a JPEG, PNG or WebP picture.",
        ),
        (lambda: SimpleUploadedFile("a.png", image().read()[:60]), "damaged"),
        (lambda: bomb(), "more pixels than what is read here"),
        (lambda: image((16, 300)), "16 × 300 pixels; it needs at least 32"),
        (lambda: image(form="GIF", name="a.png"), "This isn’t a JPEG, PNG or WebP picture."),
        (lambda: SimpleUploadedFile("a.png", b"\0" * (2**20 + 1)), "1.0 MB, and a picture may have 1."),
        (lambda: SimpleUploadedFile("a.png", b""), "This file shows nothing."),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence_and_the_words_are_kept(studio, settings, sent, words):
    settings.PICTURE_MB = 1
    answer = studio.post("/studio/jobs/", VOUCHED | {"image": sent(), "prompt": "words not to lose"})
    assert answer.status_code == 422
    assert words in said(answer)
    assert answer.context["form"]["prompt"].value() == "words not to lose"
    assert not Job.objects.exists()
    assert not Picture.objects.exists()
    assert files() == set()


@pytest.mark.parametrize("path", ["jobs", "pictures"])
def test_a_form_far_too_large_is_not_even_read(studio, login, settings, path):
    settings.PICTURE_MB = 1
    huge = {"image": SimpleUploadedFile("a.png", b"\0" * (6 * 2**20))}
    answer = studio.post(f"/studio/{path}/", VOUCHED | huge)
    assert (answer.status_code, "more than a form can take" in answer.text) == (413, True)
    assert login().post(f"/studio/{path}/", VOUCHED | huge).url == f"/accounts/login/?next=/studio/{path}/"
    assert not Picture.objects.exists()


@pytest.mark.parametrize("path", ["jobs", "pictures"])
def test_a_form_with_a_picture_needs_its_token(artist, path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(artist, backend="accounts.backends.MemberBackend")
    client.get("/studio/")
    refused = client.post(f"/studio/{path}/", VOUCHED | {"image": image()})
    assert (refused.status_code, Picture.objects.exists()) == (403, False)
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert client.post(f"/studio/{path}/", VOUCHED | token | {"image": image()}).status_code in (201, 302)


def test_the_limit_on_pictures_lies_within_what_is_decoded_at_all(settings):
    assert settings.PICTURE_MB == 12
    assert 30 * 2**20 <= decoding.bounds.PICTURE_BYTES


def test_without_the_artist_s_word_nothing_begins_and_the_picture_waits_in_the_form(studio):
    answer = studio.post("/studio/jobs/", GOOD | {"image": image()})
    picture = Picture.objects.get()
    assert (answer.status_code, said(answer)) == (422, "Say first that you may use this picture.")
    assert not Job.objects.exists()
    assert not AuditEntry.objects.filter(act="picture.vouched").exists()
    assert f'name="picture" value="{picture.pk}"' in answer.text
    assert f"/studio/pictures/{picture.pk}/picture.jpg" in answer.text
    again = studio.get("/studio/")  # the draft has it, too
    assert f'name="picture" value="{picture.pk}"' in again.text
    studio.post("/studio/jobs/", GOOD | {"picture": str(picture.pk), "rights": "on"})
    assert Job.objects.get().picture == picture


@pytest.mark.parametrize("wrong", [{"prompt": ""}, {"steps": "99"}, {"aspect": "9:1"}])
def test_a_form_refused_for_another_reason_keeps_the_picture(studio, wrong):
    answer = studio.post("/studio/jobs/", VOUCHED | wrong | {"image": image()})
    picture = Picture.objects.get()
    assert answer.status_code == 422
    assert f'name="picture" value="{picture.pk}"' in answer.text
    assert answer.context["form"]["rights"].value() is True
    mended = VOUCHED | {"picture": str(picture.pk)}
    assert studio.post("/studio/jobs/", mended).status_code == 302
    assert Job.objects.get().picture == picture


def test_the_same_picture_sent_twice_is_one_and_a_double_click_makes_one_take(studio):
    form = VOUCHED | {"form_key": str(uuid.uuid4())}
    answers = [studio.post("/studio/jobs/", form | {"image": image()}) for _ in range(2)]
    assert answers[0].url == answers[1].url
    assert (Job.objects.count(), Picture.objects.count()) == (1, 1)
    studio.post(
        "/studio/jobs/", form | {"image": image(color=(1, 2, 3))}
    )  # found by "back", with another picture
    assert (Job.objects.count(), Picture.objects.count()) == (2, 2)


def test_several_takes_begin_with_the_same_picture(studio):
    studio.post("/studio/jobs/", VOUCHED | {"image": image(), "takes": "3"})
    assert set(Job.objects.values_list("picture", flat=True)) == {Picture.objects.get().pk}


def test_a_picture_can_be_taken_in_before_the_form_is_sent(studio):
    answer = studio.post("/studio/pictures/", GOOD | {"prompt": "", "image": image()})
    picture = Picture.objects.get()
    assert answer.status_code == 201
    assert "<html" not in answer.text
    assert f'name="picture" value="{picture.pk}"' in answer.text
    assert "Say what should be seen" not in answer.text  # nobody has sent the words yet
    refused = studio.post("/studio/pictures/", GOOD | {"image": SimpleUploadedFile("a.png", b"nothing")})
    assert (refused.status_code, "This isn’t a JPEG, PNG or WebP picture." in refused.text) == (422, True)
    empty = studio.post("/studio/pictures/", GOOD)
    assert (empty.status_code, "Choose a picture first." in empty.text) == (422, True)


def test_many_pictures_within_a_minute_are_too_many(studio, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"picture": "2/m/user"}
    for shade in (1, 2):
        assert (
            studio.post("/studio/pictures/", GOOD | {"image": image(color=(shade, 0, 0))}).status_code == 201
        )
    answer = studio.post(
        "/studio/jobs/", VOUCHED | {"image": image(color=(3, 0, 0)), "prompt": "not to lose"}
    )
    assert answer.status_code == 422
    assert "You sent many pictures within a minute." in answer.text
    assert answer.context["form"]["prompt"].value() == "not to lose"
    assert Picture.objects.count() == 2


def test_of_many_pictures_that_nobody_sends_the_oldest_go(studio, artist, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_UNUSED", 2)
    used = factories.picture(artist)
    factories.job(artist, picture=used)
    for shade in range(4):
        studio.post("/studio/pictures/", GOOD | {"image": image(color=(shade * 60, 0, 0))})
    assert Picture.objects.count() == 3
    assert used in Picture.objects.all()


# --- Models -----------------------------------------------------------------------------------------


def test_a_model_of_words_alone_refuses_a_picture_in_a_sentence_and_explains_itself(studio, monkeypatch):
    words = replace(catalog.TESTCARD, id="words", name="Words", abilities=frozenset({catalog.TEXT}))
    monkeypatch.setattr(catalog, "CATALOG", {"words": words, "testcard": catalog.TESTCARD})
    page = studio.get("/studio/").text
    assert "Words begins with words alone. With a picture: Test card." in page
    assert 'name="image"' not in page
    told = VOUCHED | {"model": "words", "prompt": "not to lose"}
    answer = studio.post("/studio/jobs/", told | {"image": image()})
    assert (answer.status_code, said(answer)) == (
        422,
        "Words begins with words alone. Leave the picture out.",
    )
    assert not Job.objects.exists()
    picture = Picture.objects.get()
    assert f'name="picture" value="{picture.pk}"' in answer.text  # another model may take it
    assert "Choose another model, or leave the picture out." in studio.get("/studio/").text
    without = told | {"picture": str(picture.pk), "without_picture": "on"}
    assert studio.post("/studio/jobs/", without).status_code == 302
    assert (Job.objects.get().picture, Picture.objects.exists()) == (None, False)


def test_a_model_of_pictures_alone_needs_one(studio, monkeypatch):
    able = replace(catalog.TESTCARD, abilities=frozenset({catalog.IMAGE}))
    monkeypatch.setattr(catalog, "CATALOG", {"testcard": able})
    answer = studio.post("/studio/jobs/", GOOD)
    assert (answer.status_code, said(answer)) == (422, "Test card needs a picture to begin with. Choose one.")
    assert studio.post("/studio/jobs/", VOUCHED | {"image": image()}).status_code == 302


@pytest.mark.parametrize("size", [(128, 128), (500, 100), (100, 500), (64, 64)])
def test_the_middle_of_the_picture_covers_the_take(tmp_path, size):
    """A white field with a red middle: what the engine gets is red in its middle, whatever was cut."""
    pixels = np.full((size[1], size[0], 3), 255, np.uint8)
    y, x = size[1] // 2, size[0] // 2
    pixels[y - 20 : y + 20, x - 20 : x + 20] = (200, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "picture", "PNG")
    with Image.open(pictures.fitted(tmp_path / "picture", width=192, height=128)) as made:
        assert (made.mode, made.size) == ("RGB", (192, 128))
        assert tuple(made.getpixel((96, 64))) == (200, 0, 0)


# --- The last frame ---------------------------------------------------------------------------------


def clip_that_plays(owner, tmp_path) -> Clip:
    """Its frames turn from black to blue."""
    frames = [np.full((128, 128, 3), (0, 0, 255 * n // 11), np.uint8) for n in range(12)]
    encoding.encode(frames, tmp_path / "clip.mp4", 12)
    return factories.clip(owner, video=(tmp_path / "clip.mp4").read_bytes())


def test_a_clip_is_extended_from_its_last_frame(studio, artist, tmp_path):
    clip = clip_that_plays(artist, tmp_path)
    assert "Extend from its last frame" in studio.get(f"/studio/clips/{clip.pk}/").text
    answers = [studio.post(f"/studio/clips/{clip.pk}/extension/") for _ in range(2)]
    frame = Picture.objects.get()
    assert answers[0].url == answers[1].url
    assert (frame.kind, frame.clip, frame.width, frame.height, frame.rights) == ("frame", clip, 128, 128, "")
    with Image.open(io.BytesIO(bytes_of(frame))) as opened:
        assert np.abs(np.array(opened)[::7, ::7].astype(int) - (0, 0, 255)).max() < 12
    form = studio.get(answers[0].url).context["form"]
    assert (form.beginning, form.origin, form["prompt"].value()) == (frame, clip.job, clip.job.prompt)
    told = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    answer = studio.post("/studio/jobs/", told)
    made = Job.objects.get(parent=clip.job)
    assert answer.url == f"/studio/jobs/{made.pk}/"
    assert (made.kind, made.picture, made.image) == ("extend", frame, frame.sha256)


def test_a_clip_that_can_t_be_read_is_not_extended(studio, artist):
    clip = factories.clip(artist)
    kept = storage.private().path(storage.private_name(clip.rendition("video").sha256))
    kept.write_bytes(b"no video at all")
    answer = studio.post(f"/studio/clips/{clip.pk}/extension/")
    assert (answer.status_code, "The last frame of this clip could not be read." in answer.text) == (
        409,
        True,
    )
    assert not Picture.objects.exists()
    storage.private().delete(storage.private_name(clip.rendition("video").sha256))
    assert "can&#x27;t be read just now" in studio.post(f"/studio/clips/{clip.pk}/extension/").text


def test_where_no_model_begins_with_a_picture_nothing_is_extended(studio, artist):
    clip = factories.clip(artist)
    cohort = artist.membership.cohort
    cohort.model_ids = ["nothing-that-is-here"]
    cohort.save()
    assert "Extend from its last frame" not in studio.get(f"/studio/clips/{clip.pk}/").text
    answer = studio.post(f"/studio/clips/{clip.pk}/extension/")
    assert (answer.status_code, "No model that you may use here" in answer.text) == (409, True)


# --- Whose they are ---------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["artist", "reviewer", "admin"])
def test_another_s_picture_is_no_picture(login, artist, role):
    mine, client = factories.picture(artist, content=b"<<mine>>"), login(factories.member(role))
    assert b"".join(login(artist).get(f"/studio/pictures/{mine.pk}/picture.jpg")) == b"<<mine>>"
    assert client.get(f"/studio/pictures/{mine.pk}/picture.jpg").status_code == 404
    answers = [client.post("/studio/jobs/", VOUCHED | {"picture": str(pk)}) for pk in (mine.pk, uuid.uuid4())]
    assert {(answer.status_code, said(answer)) for answer in answers} == {
        (422, "The picture is gone. Choose it again, or go on without it.")
    }
    assert str(mine.pk) not in answers[0].text
    assert mine.sha256 not in answers[0].text
    client.post("/studio/draft/", GOOD | {"picture": str(mine.pk)})
    assert f"/studio/pictures/{mine.pk}" not in client.get("/studio/").text
    assert not Job.objects.exists()


def test_the_queue_itself_takes_no_picture_but_one_s_own_vouched_for_and_named_by_the_recipe(artist):
    mine, theirs = factories.picture(artist), factories.picture(factories.member())
    for picture, image in ((theirs, theirs.sha256), (None, mine.sha256), (mine, theirs.sha256), (mine, "")):
        with pytest.raises(queue.PictureMissing):
            queue.enqueue(artist, factories.recipe(image=image), picture=picture)
    Picture.objects.filter(pk=mine.pk).update(rights="")
    with pytest.raises(queue.PictureMissing, match="Say first that you may use this picture"):
        factories.job(artist, picture=mine)
    assert not Job.objects.exists()


def test_another_s_clip_is_not_extended(login, artist):
    clip = factories.clip(artist)
    answer = login(factories.member()).post(f"/studio/clips/{clip.pk}/extension/")
    assert answer.status_code == 404
    assert not Picture.objects.exists()


def test_who_is_suspended_sees_no_picture_any_more(login, artist, admin):
    picture = factories.picture(artist, content=b"<<mine>>")
    exclusion.suspend(artist.membership, by=admin, reason="For a reason.")
    client = login(User.objects.get(pk=artist.pk))
    for method, path in (
        ("get", f"pictures/{picture.pk}/picture.jpg"),
        ("post", "pictures/"),
        ("post", "jobs/"),
    ):
        assert getattr(client, method)(f"/studio/{path}").url == "/standing/"
    with pytest.raises(Exception, match="suspended"):
        factories.job(artist, picture=picture)


def test_bytes_are_kept_by_no_cache(studio, artist):
    picture = factories.picture(artist)
    answer = studio.get(f"/studio/pictures/{picture.pk}/picture.jpg")
    assert {part.strip() for part in answer["Cache-Control"].split(",")} == {"private", "no-store"}
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")


def test_nothing_frozen_or_public_names_the_picture(login, artist):
    picture = factories.picture(artist)
    clip = factories.clip(artist, picture=picture)
    sent = factories.submission(clip, discloses_recipe=True)
    page = login().get(f"/watch/{factories.publication(sent).slug}/").text
    for secret in (picture.sha256, str(picture.pk), "pictures/"):
        assert secret not in page
        assert secret not in sent.content
    assert json.loads(sent.content)["recipe"]["image"] is True
    assert "A picture" in page
    assert picture.sha256 not in set(sent.files.values_list("sha256", flat=True))


# --- Going ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_deleted_take_takes_its_picture_along_unless_another_needs_it():
    artist = factories.member()
    picture = factories.picture(artist)
    first, second = (factories.clip(artist, picture=picture) for _ in range(2))
    aged()
    deleting.delete(first, by=artist)
    assert picture.sha256 in files()
    deleting.delete(second, by=artist)
    assert not Picture.objects.exists()
    assert files() == set()


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_take_that_is_removed_takes_its_picture_along():
    artist = factories.member()
    job = factories.job(artist, picture=factories.picture(artist))
    queue.cancel(job, by=artist)
    aged()
    takes.remove(job, by=artist)
    assert (Picture.objects.exists(), files()) == (False, set())


@pytest.mark.django_db(transaction=True)
def test_the_last_frame_goes_with_its_clip_unless_a_take_goes_on_from_it():
    artist = factories.member()
    clip, kept = factories.clip(artist), factories.clip(artist)
    factories.picture(artist, of=clip)
    frame = factories.picture(artist, of=kept)
    child = factories.job(artist, picture=frame, parent=kept.job)
    aged()
    for each in (clip, kept):
        deleting.delete(each, by=artist)
    child.refresh_from_db()
    frame.refresh_from_db()
    assert (child.picture, frame.clip, child.parent) == (frame, None, None)
    assert list(Picture.objects.all()) == [frame]
    assert files() == {frame.sha256}


@pytest.mark.django_db(transaction=True)
def test_a_file_that_another_artist_s_picture_has_too_stays():
    one, other = factories.member(), factories.member()
    mine, theirs = (factories.picture(owner, color=(9, 9, 9)) for owner in (one, other))
    assert mine.sha256 == theirs.sha256
    aged()
    assert pictures.let_go(mine.pk)
    assert files() == {theirs.sha256}


def test_the_sweep_keeps_pictures_and_deletes_what_no_row_names(artist):
    picture = factories.picture(artist)
    loose = factories.picture(artist)
    Picture.objects.filter(pk=loose.pk).delete()
    swept = sweep.sweep(grace=0)
    assert (swept.orphans, files()) == (1, {picture.sha256})
    storage.private().delete(storage.private_name(picture.sha256))
    assert sweep.sweep(grace=0).missing == 1


def test_a_picture_of_a_clip_is_a_frame_and_of_an_upload_there_is_one_an_artist(artist):
    clip, picture = factories.clip(artist), factories.picture(artist)
    for wrong in ({"clip": clip}, {"kind": "other"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Picture.objects.filter(pk=picture.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.picture(artist, content=bytes_of(picture))


def test_a_picture_that_is_older_than_its_draft_goes(artist):
    old = factories.picture(artist)
    Picture.objects.filter(pk=old.pk).update(at=timezone.now() - pictures.KEEP_UNUSED - timedelta(seconds=1))
    assert pictures.tidy() == 1
    assert pictures.let_go(old.pk)  # gone is gone


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(4))
def test_of_a_deletion_and_a_new_take_at_the_same_moment_one_happens_whole(round_):
    """The take that goes is the last with this picture, while another is just being sent with it."""
    artist = factories.member()
    picture = factories.picture(artist)
    clip, barrier = factories.clip(artist, picture=picture), threading.Barrier(2)
    told = {}

    def act(name, what):
        try:
            barrier.wait()
            what()
            told[name] = True
        except queue.PictureMissing:
            told[name] = False
        finally:
            connections.close_all()

    acts = {
        "deleted": lambda: deleting.delete(clip, by=artist),
        "sent": lambda: factories.job(artist, picture=picture),
    }
    threads = [threading.Thread(target=act, args=item) for item in acts.items()]
    for thread in threads[:: 1 if round_ % 2 else -1]:
        thread.start()
    for thread in threads:
        thread.join()
    assert told["deleted"]
    assert Picture.objects.exists() == told["sent"] == Job.objects.exists()
