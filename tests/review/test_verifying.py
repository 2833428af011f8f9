"""Anybody may ask whether a file is a release; nobody learns from the answer what isn't public."""

import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

import imageio_ffmpeg
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation import encoding, keys, marks, provenance, storage
from generation.models import Fingerprint, Mark
from generation.provenance import Origin
from review import deleting, gate, sealing, signs, tasks
from review import queue as desk
from review.models import Lookup, Proof, Sighting
from review.recognizing import answer, everything
from tests import factories
from tests.generation.test_likeness import scene

pytestmark = pytest.mark.django_db

HIDDEN = ("unsubmitted", "waiting", "claimed", "approved", "refused", "withdrawn")
UNKNOWN_QUERIES = 5  # fingerprints, bytes, manifests, marks; and the note for later


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Files of different scenes, by number: made once, for encoding takes its time."""
    folder = tmp_path_factory.mktemp("films")
    made = {}

    def film(number: int) -> Path:
        if number not in made:
            made[number] = folder / f"{number}.mp4"
            encoding.encode(scene(number), made[number], 12)
        return made[number]

    return film


@pytest.fixture
def in_state(films):
    """A clip of scene 1 in a state of its life, with its fingerprints made."""

    def make(state: str, *, number=1, artist=None):
        artist = artist or factories.member()
        clip = factories.clip(artist, video=films(number).read_bytes())
        if state != "unsubmitted":
            sent = factories.submission(clip)
            if state == "withdrawn":
                sealing.withdraw(sent, by=artist)
            elif state == "claimed":
                assert desk.claim(sent, by=factories.member("reviewer"))
            elif state in ("refused", "approved"):
                factories.decision(sent, "refuse" if state == "refused" else "approve")
            elif state in ("published", "taken-down"):
                public = factories.publication(sent)
                if state == "taken-down":
                    gate.take_down(public, by=artist, reason="")
        tasks.fingerprint()
        return clip

    return make


def copied(video: Path, out: Path, *options: str) -> Path:
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-y", "-loglevel", "error", "-i", video, *options, out], check=True)
    return out


def marked(video: Path, out: Path, number: int, settings) -> Path:
    encoding.encode(marks.embed(encoding.decode(video), number, settings.MARK_KEY), out, 12)
    return out


def released(clip, out: Path) -> Path:
    """What visitors get of it."""
    out.write_bytes(factories.bytes_of(clip.submissions.latest("version")))
    return out


def signed(video: Path, out: Path, submission, by: provenance.Keys | None = None) -> Path:
    provenance.sign(video, out, Origin("a model", "1", str(submission)), by or keys.signing())
    return out


def ask(path: Path, client=None):
    with open(path, "rb") as file:
        return (client or Client()).post("/verify/", {"file": file})


def told(response) -> str:
    """The page but for the form's token, which is another one each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


# --- What was public --------------------------------------------------------------------------------


def test_the_page_is_there_for_everybody_and_asks_for_a_file():
    response = Client().get("/verify/")
    assert response.status_code == 200
    assert 'enctype="multipart/form-data"' in told(response)
    assert 'name="file"' in told(response)


def test_a_release_is_recognized_by_its_bytes_and_leads_to_its_page(in_state, tmp_path):
    clip = in_state("published")
    public = clip.submissions.get().decision.publication
    file = released(clip, tmp_path / "released.mp4")
    page = told(ask(file))
    assert "A release of this program" in page
    assert f'href="/watch/{public.slug}/"' in page
    assert answer(signs.read(file)).proof == Proof.BYTES


def test_a_poster_is_recognized_by_its_bytes_too(artist, tmp_path):
    submission = factories.publication(artist=artist).submission
    (tmp_path / "poster.jpg").write_bytes(factories.bytes_of(submission, "poster"))
    page = told(ask(tmp_path / "poster.jpg"))
    assert "A release of this program" in page
    assert "only its bytes were compared" in page


def test_a_copy_is_recognized_by_the_mark_that_the_picture_carries(in_state, films, tmp_path, settings):
    clip = in_state("published")
    mark = Mark.objects.of(clip.submissions.get().pk, owner=clip.owner)
    path = marked(films(1), tmp_path / "marked.mp4", mark.number, settings)
    copy = copied(path, tmp_path / "copy.mp4", "-crf", "28")
    found = answer(signs.read(copy))
    assert (found.state, found.proof, found.looks_other) == ("released", Proof.MARK, False)
    assert found.confidence > 0.5
    assert "A copy of a release of this program" in told(ask(copy))


def test_a_copy_that_was_cut_is_recognized_by_its_mark(in_state, tmp_path, settings, films):
    clip = in_state("published")
    number = Mark.objects.of(clip.submissions.get().pk, owner=clip.owner).number
    small = copied(
        films(1), tmp_path / "small.mp4", "-vf", "scale=192:128", "-crf", "10"
    )  # a size that clips are made in
    path = marked(small, tmp_path / "marked.mp4", number, settings)
    cut = copied(path, tmp_path / "cut.mp4", "-vf", "crop=184:122", "-crf", "16")
    assert answer(signs.read(cut)).proof == Proof.MARK


def test_a_mark_in_another_picture_is_told_as_that(in_state, films, tmp_path, settings):
    clip = in_state("published")
    mark = Mark.objects.of(clip.submissions.get().pk, owner=clip.owner)
    page = told(ask(marked(films(2), tmp_path / "other.mp4", mark.number, settings)))
    assert "Made from a release of this program, and changed" in page


def test_a_file_that_the_program_signed_for_a_release_is_one(in_state, films, tmp_path):
    submission = in_state("published").submissions.get()
    found = answer(signs.read(signed(films(2), tmp_path / "signed.mp4", submission.pk)))
    assert (found.state, found.proof) == ("released", Proof.MANIFEST)


def test_without_mark_and_manifest_a_likeness_is_told_as_no_proof(in_state, films, tmp_path, settings):
    settings.VISIBLE_MARK = False  # in so small a picture, its words alone make it another one
    in_state("published")
    page = told(ask(copied(films(1), tmp_path / "copy.mp4", "-vf", "scale=iw/2:ih/2")))
    assert "It looks like a release of this program" in page
    assert "which is no proof" in page


def test_what_was_taken_down_is_told_without_its_words_or_its_page(in_state, tmp_path):
    clip = in_state("taken-down")
    submission = clip.submissions.get()
    page = told(ask(released(clip, tmp_path / "released.mp4")))
    assert "Released once, and taken down" in page
    assert submission.title not in page
    assert "/watch/" not in page


def test_a_work_that_was_published_again_is_released(in_state, films, settings):
    settings.VISIBLE_MARK = False
    artist = factories.member()
    in_state("taken-down", artist=artist)
    in_state("published", artist=artist)
    assert answer(signs.read(films(1))).state == "released"


# --- What never was ---------------------------------------------------------------------------------


def asked_for(path: Path, **values) -> tuple:
    """The answer, and what it asked of the database, without the values."""
    with CaptureQueriesContext(connection) as asked:
        response = ask(path, **values)
    value = re.compile(r"X?'[^']*'|\bNULL\b|\b[0-9a-f]{32}\b|\b\d[\d.]*\b|::\w+")
    queries = [value.sub("?", query["sql"]).replace("??", "?") for query in asked.captured_queries]
    return response, [query for query in queries if "SAVEPOINT" not in query]


def variants(clip, films, folder, settings) -> dict[str, Path]:
    """The ways in which a stranger could hold a clip that isn't public."""
    submission = clip.submissions.first()
    pk = submission.pk if submission else clip.pk
    number = Mark.objects.of(pk, owner=clip.owner).number
    staff = Mark.objects.of(pk, owner=clip.owner, viewer=factories.member("reviewer")).number
    public = marked(films(1), folder / "marked.mp4", number, settings)
    return {
        "its bytes": films(1),
        "a copy": copied(films(1), folder / "copy.mp4", "-crf", "30"),
        "marked": public,
        "signed": signed(public, folder / "signed.mp4", pk),
        "of a reviewer": marked(films(1), folder / "staff.mp4", staff, settings),
    } | ({"public files": released(clip, folder / "public.mp4")} if submission else {})


@pytest.mark.parametrize("state", HIDDEN)
def test_about_what_was_never_public_a_stranger_learns_nothing(in_state, films, tmp_path, settings, state):
    in_state("published", number=3)  # so that there is something to compare with
    expected, queries = asked_for(films(9))
    assert "Not recognized" in told(expected)
    held = variants(in_state(state), films, tmp_path, settings)
    for name, path in held.items():
        response, asked = asked_for(path)
        assert told(response) == told(expected), name
        assert response.headers.keys() == expected.headers.keys(), name
        assert asked == queries, name
    tasks.follow_up()
    files = {storage.digest_of(path) for path in held.values()}
    assert set(Sighting.objects.values_list("sha256", flat=True)) == files  # the program did notice


def test_every_file_is_followed_up_alike(in_state, films, django_capture_on_commit_callbacks):
    in_state("waiting")
    for path in (films(1), films(9)):
        with django_capture_on_commit_callbacks() as nudges:
            ask(path)
        assert [nudge.func for nudge in nudges] == [tasks.follow_up.apply_async]
    assert Lookup.objects.count() == 2
    assert (
        settings.CELERY_BEAT_SCHEDULE["follow_up"]["task"] == tasks.follow_up.name
    )  # should a nudge get lost


def test_a_members_own_session_changes_nothing(in_state, films, login):
    clip = in_state("waiting")
    for person in (clip.owner, factories.member("admin"), factories.member("reviewer")):
        assert "Not recognized" in told(ask(films(1), login(person)))


def test_a_manifest_that_somebody_else_signed_makes_no_release(in_state, films, tmp_path, others):
    submission = in_state("published", number=3).submissions.get()
    forged = signed(films(9), tmp_path / "forged.mp4", submission.pk, by=others)
    assert provenance.read(forged, keys.anchors()).state == provenance.State.VALID
    assert told(ask(forged)) == told(ask(films(9)))


def test_a_manifest_on_other_bytes_makes_no_release(in_state, films, tmp_path):
    submission = in_state("published", number=3).submissions.get()
    content = bytearray(signed(films(9), tmp_path / "signed.mp4", submission.pk).read_bytes())
    content[-1] ^= 1
    (tmp_path / "changed.mp4").write_bytes(content)
    assert provenance.read(tmp_path / "changed.mp4", keys.anchors()).is_ours
    assert told(ask(tmp_path / "changed.mp4")) == told(ask(films(9)))


@pytest.fixture
def others(settings, tmp_path):
    """The keys of another program."""
    mine = settings.C2PA_KEY, settings.C2PA_CERTIFICATES, settings.C2PA_ANCHORS
    names = ("key.pem", "certificates.pem", "anchors.pem")
    settings.C2PA_KEY, settings.C2PA_CERTIFICATES, settings.C2PA_ANCHORS = (
        tmp_path / "others" / name for name in names
    )
    keys.make("Another program")
    made = keys.signing()
    settings.C2PA_KEY, settings.C2PA_CERTIFICATES, settings.C2PA_ANCHORS = mine
    return made


# --- What asking costs, and what is kept ----------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 12])
def test_asking_costs_the_same_with_one_work_and_with_many(artist, films, count):
    for _ in range(count):
        factories.publication(artist=artist)
    assert len(asked_for(films(9))[1]) == UNKNOWN_QUERIES


def test_files_are_counted_by_the_visitors_own_address(settings, tmp_path):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "verify": "3/h/ip"}
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    path = tmp_path / "a.mp4"
    path.write_bytes(b"no video")

    def status(address: str) -> int:
        client = Client(REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": f"192.0.2.1, {address}"})
        return ask(path, client).status_code

    assert [status("203.0.113.5") for _ in range(4)] == [200, 200, 200, 429]
    assert status("198.51.100.7") == 200


def test_a_request_that_is_too_large_is_refused_before_it_is_read(settings):
    settings.VERIFY_BYTES = 1000
    client = Client()
    response = client.post(
        "/verify/", {"file": SimpleUploadedFile("a.mp4", bytes(200_000))}, format="multipart"
    )
    assert response.status_code == 413
    assert response.wsgi_request._read_started is False
    assert "larger than" in told(response)


def test_a_file_that_grows_past_the_limit_is_not_kept(settings, tmp_path):
    settings.VERIFY_BYTES = 1000
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    response = Client().post("/verify/", {"file": SimpleUploadedFile("a.mp4", bytes(30_000))})
    assert response.status_code == 413
    assert list(tmp_path.glob("*.upload*")) == []
    assert not Lookup.objects.exists()


def test_no_file_is_kept(settings, films, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    response = ask(films(9))
    response.close()
    assert list(tmp_path.glob("*.upload*")) == []


def test_a_form_without_a_file_or_with_an_empty_one_says_so():
    assert "Choose a file first." in told(Client().post("/verify/"))
    empty = Client().post("/verify/", {"file": SimpleUploadedFile("a.mp4", b"")})
    assert empty.status_code == 422
    assert "This file is empty." in told(empty)


def test_a_file_needs_the_pages_own_form(films):
    assert ask(films(9), Client(enforce_csrf_checks=True)).status_code == 403
    client = Client(enforce_csrf_checks=True)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get("/verify/").content.decode())[1]
    with open(films(9), "rb") as file:
        assert client.post("/verify/", {"file": file, "csrfmiddlewaretoken": token}).status_code == 200


def test_only_so_many_files_are_opened_at_once(settings, films):
    settings.VERIFY_AT_ONCE = 2
    with ExitStack() as taken:
        taken.enter_context(signs._a_place())
        assert ask(films(9)).status_code == 200
        taken.enter_context(signs._a_place())
        response = ask(films(9))
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert ask(films(9)).status_code == 200


def test_a_playlist_of_this_machines_files_is_only_compared_by_its_bytes(tmp_path):
    path = tmp_path / "list.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    page = told(ask(path))
    assert "only its bytes were compared" in page
    assert "root:" not in page


# --- What admins learn later ----------------------------------------------------------------------------


def test_a_leak_is_noticed_later_with_its_confidence_and_nothing_else_is_kept(in_state, films):
    clip = in_state("waiting")
    for _ in range(2):
        ask(films(1))
        assert not Sighting.objects.filter(times=2).exists()
        tasks.follow_up()
    seen = Sighting.objects.get()
    assert (seen.clip, seen.viewer, seen.proof, seen.confidence) == (clip, None, Proof.BYTES, 1.0)
    assert (seen.times, Lookup.objects.count()) == (2, 0)


def test_a_copy_tells_whose_it_was(in_state, films, tmp_path, settings, admin, login):
    clip = in_state("published")
    viewer = factories.member("reviewer", name="Rita Reviewer")
    number = Mark.objects.of(clip.submissions.get().pk, owner=clip.owner, viewer=viewer).number
    path = marked(films(1), tmp_path / "staff.mp4", number, settings)
    ask(copied(path, tmp_path / "leaked.mp4", "-crf", "26"))
    tasks.follow_up()
    seen = Sighting.objects.get()
    assert (seen.viewer, seen.proof) == (viewer, Proof.MARK)
    page = login(admin).get("/program/sightings/").content.decode()
    assert "Copy made for" in page
    assert "Rita Reviewer" in page
    assert "not a verdict" in page


def test_releases_and_unknown_files_are_no_sightings(in_state, films):
    in_state("published")
    ask(films(1))
    ask(films(9))
    tasks.follow_up()
    assert (Sighting.objects.count(), Lookup.objects.count()) == (0, 0)


def test_a_sighting_goes_with_a_take_that_its_artist_deletes(in_state, films):
    clip = in_state("unsubmitted")
    ask(films(1))
    tasks.follow_up()
    assert (Sighting.objects.count(), Fingerprint.objects.count()) == (1, 1)
    deleting.delete(clip, by=clip.owner)
    assert (Sighting.objects.count(), Fingerprint.objects.count()) == (0, 0)
    assert everything(signs.read(films(1))) == []


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_of_sightings_costs_the_same_with_many(in_state, login, admin, count):
    clip = in_state("unsubmitted")
    Sighting.objects.bulk_create(
        Sighting(clip=clip, viewer=admin, sha256=str(number), proof="mark", confidence=0.8)
        for number in range(count)
    )
    client = login(admin)
    client.get("/program/sightings/")
    with CaptureQueriesContext(connection) as asked:
        client.get("/program/sightings/")
    assert len(asked) == 3


# --- For the operator -----------------------------------------------------------------------------------


def verify(capsys, path) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        call_command("verify", path)
    return ended.value.code, capsys.readouterr().out


@pytest.mark.parametrize(
    "state, code, words",
    [
        ("published", 0, "released, "),
        ("taken-down", 3, "withdrawn: "),
        *((s, 4, "unreleased: ") for s in HIDDEN),
    ],
)
def test_the_operator_is_told_everything(in_state, films, capsys, state, code, words):
    clip = in_state(state)
    ended, line = verify(capsys, films(1))
    assert ended == code
    assert line.startswith(words)
    assert f"clip {clip.pk} by {clip.owner.email}, by its same bytes" in line


def test_the_operator_is_told_whose_copy_it_is(in_state, films, capsys, tmp_path, settings):
    clip, viewer = in_state("waiting"), factories.member("reviewer")
    number = Mark.objects.of(clip.submissions.get().pk, owner=clip.owner, viewer=viewer).number
    ended, line = verify(capsys, marked(films(1), tmp_path / "staff.mp4", number, settings))
    assert ended == 4
    assert f"the copy made for {viewer.email}, by its invisible mark, confidence" in line


def test_the_operator_is_told_what_is_unknown_and_what_cannot_be_read(films, capsys, tmp_path):
    assert verify(capsys, films(9)) == (1, "unknown: nothing of this program is recognized in it\n")
    with pytest.raises(CommandError) as refused:
        call_command("verify", tmp_path / "absent.mp4")
    assert refused.value.returncode == 2
