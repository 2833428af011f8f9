"""How bytes leave: Range and HEAD, caches, nginx, and that a clip's stills are guarded like its video."""

import pytest

from generation import storage
from tests import factories

pytestmark = pytest.mark.django_db

KINDS = {
    "video": ("video.mp4", "video/mp4"),
    "poster": ("poster.jpg", "image/jpeg"),
    "sprite": ("sprite.jpg", "image/jpeg"),
}
PRIVATE_KINDS = {**KINDS, "av1": ("video.av1.mp4", "video/mp4")}


CONTENTS = {
    "video": bytes(range(256)) * 4,
    "poster": b"a poster " * 9,
    "sprite": b"a sprite " * 9,
    "av1": b"an AV1 " * 9,
}


@pytest.fixture
def clip(artist):
    return factories.clip(artist, **CONTENTS)


@pytest.fixture
def ask(login, artist, clip):
    """ask(range=…, kind=…, **headers) as the clip's owner."""
    client = login(artist)

    def _ask(range=None, *, kind="video", method="get", **headers):
        if range is not None:
            headers["Range"] = range
        url = f"/studio/clips/{clip.pk}/{PRIVATE_KINDS[kind][0]}"
        return getattr(client, method)(url, headers=headers)

    return _ask


@pytest.fixture
def public(artist, clip):
    return factories.publication(factories.submission(clip, artist=artist))


CONTENT = bytes(range(256)) * 4


def test_the_whole_file_comes_when_nothing_less_is_asked_for(ask):
    for kind, (_, content_type) in PRIVATE_KINDS.items():
        answer = ask(kind=kind)
        body = answer.getvalue()
        assert (answer.status_code, answer["Content-Type"]) == (200, content_type)
        assert body == CONTENTS[kind]
        assert answer["Content-Length"] == str(len(body))
        assert answer["Accept-Ranges"] == "bytes"
        assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "asked, start, stop",
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=1000-1023", 1000, 1024),
        ("bytes=1000-5000", 1000, 1024),
        ("bytes=1023-", 1023, 1024),
        ("bytes=0-", 0, 1024),
        ("bytes=-1", 1023, 1024),
        ("bytes=-24", 1000, 1024),
        ("bytes=-5000", 0, 1024),
        ("bytes=5-999999999999999999", 5, 1024),
        (" bytes=7-8 ", 7, 9),
    ],
)
def test_a_range_gives_exactly_its_bytes(ask, asked, start, stop):
    answer = ask(asked)
    assert answer.status_code == 206
    assert answer.getvalue() == CONTENT[start:stop]
    assert answer["Content-Range"] == f"bytes {start}-{stop - 1}/1024"
    assert answer["Content-Length"] == str(stop - start)


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=1024-2000", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_outside_the_file_is_refused_and_tells_the_size(ask, asked):
    answer = ask(asked)
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */1024")
    assert answer.content == b""


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=--5",
        "bytes=0x1-0x2",
        "bytes=1.5-2",
        "bytes=0-1,5-6",
        "bytes=0-1, -1",
        "bytes=0-1;",
        "items=0-5",
        "bytes=" + "9" * 5000 + "-",
        "bytes=0-" + "9" * 19,
        "bytes=" + "0-1," * 5000,
        "bytes=\x00-\x00",
        "bytes=²-³",
        "bytes=\u0663-\u0665",
    ],
)
def test_a_range_that_is_not_understood_gives_the_whole_file(ask, asked):
    answer = ask(asked)
    assert answer.getvalue() == CONTENT
    assert answer.status_code == 200
    assert "Content-Range" not in answer


def test_a_condition_on_private_bytes_never_holds_so_the_whole_file_comes(ask):
    for condition in ('"anything"', "Sun, 22 Nov 2026 10:00:00 GMT"):
        answer = ask("bytes=0-9", **{"If-Range": condition})
        assert (answer.status_code, answer.getvalue()) == (200, CONTENT)


def test_head_tells_the_size_and_sends_nothing(ask):
    for asked in (None, "bytes=0-9", "bytes=9999-"):
        answer = ask(asked, method="head")
        assert (answer.status_code, answer.getvalue()) == (200, b"")
        assert answer["Content-Length"] == "1024"


def test_no_cache_keeps_private_bytes(ask):
    for kind in PRIVATE_KINDS:
        for asked in (None, "bytes=0-9", "bytes=9999-"):
            answer = ask(asked, kind=kind)
            told = {part.strip() for part in answer["Cache-Control"].split(",")}
            assert told == {"private", "no-store"}
            assert not {"ETag", "Last-Modified", "Expires"} & set(answer.headers)
        answer = ask(kind=kind, **{"If-None-Match": "*"})
        assert answer.status_code == 200


def test_nothing_but_get_and_head_is_answered(ask):
    for method in ("post", "put", "patch", "delete", "options"):
        assert ask(method=method).status_code == 405


@pytest.mark.parametrize("kind", PRIVATE_KINDS)
def test_a_clip_s_bytes_are_its_owner_s_only(login, ask, clip, kind):
    assert ask(kind=kind).status_code == 200
    url = f"/studio/clips/{clip.pk}/{PRIVATE_KINDS[kind][0]}"
    for role in ("artist", "reviewer", "admin"):
        answer = login(factories.member(role)).get(url, headers={"Range": "bytes=0-9"})
        assert answer.status_code == 404
        assert clip.rendition(kind).sha256 not in answer.text
    answer = login().get(url)
    assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={url}")


@pytest.mark.parametrize("kind", PRIVATE_KINDS)
def test_a_file_that_is_gone_is_a_404_and_no_error(ask, clip, kind):
    storage.private().delete(storage.private_name(clip.rendition(kind).sha256))
    assert ask(kind=kind).status_code == 404


# --- Behind nginx -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PRIVATE_KINDS)
def test_behind_nginx_the_answer_names_the_file_and_holds_no_byte_of_it(settings, ask, clip, kind):
    settings.ACCEL_PREFIX = "/internal"
    answer = ask("bytes=0-9", kind=kind)
    sha256 = clip.rendition(kind).sha256
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["X-Accel-Redirect"] == f"/internal/private/{sha256[:2]}/{sha256}"
    assert answer["Content-Type"] == PRIVATE_KINDS[kind][1]
    assert "no-store" in answer["Cache-Control"]
    everything = str(answer.headers)
    assert str(settings.PRIVATE_STORE) not in everything
    assert "Content-Range" not in everything


def test_behind_nginx_the_row_is_still_asked_first(settings, login, clip):
    settings.ACCEL_PREFIX = "/internal"
    for visitor in (login(), login(factories.member()), login(factories.member("reviewer"))):
        answer = visitor.get(f"/studio/clips/{clip.pk}/video.mp4")
        assert answer.status_code in (302, 404)
        assert "X-Accel-Redirect" not in answer


def test_without_the_setting_no_answer_speaks_to_nginx(ask):
    assert "X-Accel-Redirect" not in ask()


# --- Public bytes -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_public_bytes_carry_a_tag_and_come_again_only_when_they_changed(login, public, kind):
    visitor, url = login(), f"/watch/{public.slug}/{KINDS[kind][0]}"
    first = visitor.get(url)
    tag = first["ETag"]
    assert first.getvalue() == factories.bytes_of(public.submission, kind)
    told = {part.strip() for part in first["Cache-Control"].split(",")}
    assert told == {"public", "no-cache", "must-revalidate"}
    for known in (tag, f"W/{tag}", "*", f'"other", {tag}', f"{tag},"):
        again = visitor.get(url, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
        assert "must-revalidate" in again["Cache-Control"]
    for unknown in ('"other"', tag.strip('"'), "", "W/"):
        assert visitor.get(url, headers={"If-None-Match": unknown}).status_code == 200


def test_a_tag_is_no_hash_of_anything(login, public):
    for kind in KINDS:
        answer = login().get(f"/watch/{public.slug}/{KINDS[kind][0]}")
        digests = set(public.submission.files.values_list("sha256", flat=True)) | {public.content_hash}
        assert not [digest for digest in digests if digest in str(answer.headers)]


def test_a_public_range_holds_only_for_the_version_that_was_asked_for(login, public):
    visitor, url = login(), f"/watch/{public.slug}/video.mp4"
    tag, frozen = visitor.get(url)["ETag"], factories.bytes_of(public.submission)
    right = visitor.get(url, headers={"Range": "bytes=10-19", "If-Range": tag})
    assert (right.status_code, right.getvalue()) == (206, frozen[10:20])
    for stale in ('"older"', f"W/{tag}", "Sun, 22 Nov 2026 10:00:00 GMT"):
        whole = visitor.get(url, headers={"Range": "bytes=10-19", "If-Range": stale})
        assert (whole.status_code, whole.getvalue()) == (200, frozen)


@pytest.mark.parametrize("kind", KINDS)
def test_a_takedown_ends_the_bytes_at_the_very_next_request(login, public, reviewer, kind):
    visitor, url = login(), f"/watch/{public.slug}/{KINDS[kind][0]}"
    tag = visitor.get(url)["ETag"]
    login(reviewer).post(f"/desk/publications/{public.pk}/takedown/", {"reason": "A test."})
    for headers in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": tag}, {"If-None-Match": "*"}):
        answer = visitor.get(url, headers=headers)
        assert answer.status_code == 410
        assert answer.content == b""


@pytest.mark.parametrize("kind", KINDS)
def test_behind_nginx_public_bytes_are_named_by_their_slug(settings, login, public, kind):
    settings.ACCEL_PREFIX = "/internal"
    answer = login().get(f"/watch/{public.slug}/{KINDS[kind][0]}")
    assert answer["X-Accel-Redirect"] == f"/internal/public/{public.slug}/{kind}"
    assert answer.content == b""
