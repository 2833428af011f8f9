"""The sprite that a card is scrubbed through with: a public byte like any other, and nobody's before it is public."""

import hashlib
import re

import pytest

from generation import storage
from review import gate, leases, preparing, sealing
from review.models import Submission
from tests import factories

pytestmark = pytest.mark.django_db

NOT_PUBLIC = ("preparing", "waiting", "approved", "refused", "withdrawn")
# Tags of which each could be that of a sprite; a date as proxies send it; parts of a file.
ASKED = (
    {"If-None-Match": "*"},
    {"If-None-Match": '"{slug}-sprite"'},
    {"If-None-Match": 'W/"{slug}-sprite"'},
    {"If-None-Match": '"{sha256}"'},
    {"If-Modified-Since": "Sun, 22 Nov 2099 10:00:00 GMT"},
    {"Range": "bytes=0-9"},
    {"Range": "bytes=-1", "If-Range": '"{slug}-sprite"'},
    {},
)


def in_state(state: str) -> Submission:
    clip = factories.clip(factories.member(), sprite=b"the private sprite " * 9)
    if state == "preparing":
        return sealing.submit(clip, by=clip.owner, title="A title", statement="")
    sent = factories.submission(clip)
    if state == "withdrawn":
        sealing.withdraw(sent, by=sent.artist)
    if state in ("approved", "refused"):
        factories.decision(sent, "approve" if state == "approved" else "refuse")
    assert Submission.objects.get(pk=sent.pk).state == state
    return sent


def frozen_before_there_were_sprites() -> Submission:
    clip = factories.clip(factories.member())
    sent = sealing.submit(clip, by=clip.owner, title="An early title", statement="")
    preparing.finish(
        leases.claim_next(), [file for file in factories._public_files() if file.kind != "sprite"]
    )
    return Submission.objects.get(pk=sent.pk)


def answers(visitor, slug: str, sha256: str = "0" * 64):
    url = f"/watch/{slug}/sprite.jpg"
    for headers in ASKED:
        spelled = {name: value.format(slug=slug, sha256=sha256) for name, value in headers.items()}
        yield visitor.get(url, headers=spelled)
        yield visitor.head(url, headers=spelled)


def guessed(submission: Submission) -> set[str]:
    """What somebody could take for a slug, of twelve letters and digits each."""
    clip = submission.clip
    told = [clip.pk.hex, clip.job_id.hex, submission.pk.hex, submission.content_hash or ""]
    told += [file.sha256 for file in (*clip.renditions.all(), *submission.files.all())]
    return {word[start : start + 12] for word in told for start in (0, len(word) - 12) if word}


@pytest.mark.parametrize("state", NOT_PUBLIC)
def test_what_is_not_public_has_no_sprite_whatever_is_taken_for_its_slug(login, state):
    visitor, sent = login(), in_state(state)
    for slug in guessed(sent) | {"x" * 12}:
        assert {answer.status_code for answer in answers(visitor, slug)} == {404}, slug
    assert storage.public().sizes() == {}


def test_a_live_one_is_sent_as_it_was_frozen(login):
    public = factories.publication(in_state("approved"))
    whole = login().get(f"/watch/{public.slug}/sprite.jpg")
    content = whole.getvalue()
    file = public.submission.files.get(kind="sprite")
    assert hashlib.sha256(content).hexdigest() == file.sha256
    assert file.sha256 != public.submission.clip.rendition("sprite").sha256
    assert (whole["Content-Type"], whole["ETag"]) == ("image/jpeg", f'"{public.slug}-sprite"')
    assert {part.strip() for part in whole["Cache-Control"].split(",")} == {
        "public",
        "no-cache",
        "must-revalidate",
    }
    told = [answer.status_code for answer in answers(login(), public.slug, file.sha256)]
    assert told[::2] == [304, 304, 304, 200, 200, 206, 206, 200]
    assert told[1::2] == [304, 304, 304, 200, 200, 200, 200, 200]
    part = login().get(f"/watch/{public.slug}/sprite.jpg", headers={"Range": "bytes=10-19"})
    assert part.getvalue() == content[10:20]


@pytest.mark.parametrize("by", ["artist", "reviewer"])
def test_after_a_takedown_no_way_of_asking_gets_a_byte_of_it(login, by):
    public = factories.publication(in_state("approved"))
    file, visitor = public.submission.files.get(kind="sprite"), login()
    kept = storage.public().path(public.file_name("sprite"))
    assert kept.exists()
    gate.take_down(public, by=public.submission.artist if by == "artist" else factories.member(by))
    assert not kept.exists()
    kept.parent.mkdir(parents=True)
    kept.write_bytes(factories.bytes_of(public.submission, "sprite"))  # as if it could not be removed
    told = list(answers(visitor, public.slug, file.sha256))
    assert {answer.status_code for answer in told} == {410}
    assert {answer.content for answer in told} == {b""}
    assert not [answer for answer in told if "ETag" in answer.headers or file.sha256 in str(answer.headers)]


def test_each_work_has_its_own_sprite(login):
    one, other = factories.publication(), factories.publication()
    seen = {each.slug: login().get(f"/watch/{each.slug}/sprite.jpg").getvalue() for each in (one, other)}
    assert seen == {each.slug: factories.bytes_of(each.submission, "sprite") for each in (one, other)}
    assert len(set(seen.values())) == 2
    gate.take_down(one, by=one.submission.artist)
    for headers in ({"If-None-Match": f'"{one.slug}-sprite"'}, {}):
        answer = login().get(f"/watch/{other.slug}/sprite.jpg", headers=headers)
        assert answer.getvalue() == seen[other.slug]


@pytest.mark.parametrize(
    "path",
    [
        "/watch/{live}/../{other}/sprite.jpg",
        "/watch/{live}/..%2f{other}%2fsprite.jpg",
        "/watch/{live}/%2e%2e/{other}/sprite",
        "/watch/{live}//sprite.jpg",
        "/watch/{live}/sprite",
        "/watch/{live}/sprite.jpg/",
        "/watch/{live}/sprite.jpg%00",
        "/watch/{live}/sprite.jpg%0a",
        "/watch/{live}/SPRITE.JPG",
        "/watch/{live}/./sprite.jpg",
        "/watch/{live}%0a/sprite.jpg",
        "/watch/{live}%00/sprite.jpg",
        "/watch/{upper}/sprite.jpg",
        "/watch/{live}{live}/sprite.jpg",
        "/watch/{short}/sprite.jpg",
        "/watch/%2e%2e%2fprivate/sprite.jpg",
        "/watch/{sha256}/sprite.jpg",
        "/watch/sprite.jpg",
        "/studio/clips/{clip}/sprite.jpg?slug={live}",
    ],
)
def test_no_spelling_of_the_path_leads_to_a_sprite_but_the_one(login, path):
    live, other = factories.publication(in_state("approved")), in_state("waiting")
    words = {"live": live.slug, "upper": live.slug.upper(), "short": live.slug[:11], "other": "x" * 12}
    words |= {"sha256": other.files.get(kind="sprite").sha256, "clip": live.submission.clip_id}
    answer = login().get(path.format(**words))
    assert answer.status_code in (302, 404)
    assert "image" not in answer["Content-Type"]


def test_nothing_but_get_and_head_is_answered(login):
    url = f"/watch/{factories.publication().slug}/sprite.jpg"
    assert {getattr(login(), method)(url).status_code for method in ("post", "put", "patch", "delete")} == {
        405
    }


def test_a_work_that_was_frozen_without_one_has_none_and_a_file_in_its_place_is_not_sent(login):
    public = factories.publication(frozen_before_there_were_sprites())
    (storage.public().path(public.slug) / "sprite").write_bytes(b"bytes that nobody has approved")
    assert {answer.status_code for answer in answers(login(), public.slug)} == {404}
    page = login().get("/").text
    assert f"/watch/{public.slug}/poster.jpg" in page
    assert "data-sprite" not in page
    reviewer = login(factories.member("reviewer"))
    room = f"/desk/submissions/{public.submission.pk}/"
    assert "sprite.jpg" not in reviewer.get(room).text
    assert reviewer.get(f"{room}sprite.jpg").status_code == 404


def test_a_card_in_the_gallery_names_the_public_sprite_and_nothing_private(login):
    public = factories.publication(in_state("approved"))
    in_state("waiting")
    page = login().get("/").text
    assert re.findall('data-sprite="([^"]*)" data-moments="([^"]*)"', page) == [
        (f"/watch/{public.slug}/sprite.jpg", "12")
    ]
    assert page.count("js/scrub.js") == 1
    files = (*public.submission.files.all(), *public.submission.clip.renditions.all())
    assert not [file for file in files if file.sha256 in page]


def test_a_page_without_works_loads_no_script_for_scrubbing(login):
    assert "scrub.js" not in login().get("/?q=nothing").text


def test_the_reviewers_see_the_very_sprite_that_would_become_public(login, reviewer):
    sent, client = in_state("waiting"), login(reviewer)
    room = f"/desk/submissions/{sent.pk}/"
    assert f'href="{room}sprite.jpg"' in client.get(room).text
    answer = client.get(f"{room}sprite.jpg")
    assert hashlib.sha256(answer.getvalue()).hexdigest() == sent.work["files"]["sprite"]["sha256"]
    assert {part.strip() for part in answer["Cache-Control"].split(",")} == {"private", "no-store"}
    assert "ETag" not in answer.headers
