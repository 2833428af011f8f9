"""What leaves the house tells where it comes from and nothing else: each public byte is searched for private words."""

import base64
import io

import pytest
from PIL import Image

from generation import feedback, keys, provenance
from review import gate, making, sealing
from tests import factories

pytestmark = pytest.mark.django_db

NAME, ADDRESS = "Mira Okonkwo-Lindqvist", "mira.okonkwo@example.com"
PROMPT, LEFT_OUT = "a fox asleep in the fresh snow", "no people anywhere near"
TITLE, STATEMENT = "Vulpine slumber", "For my grandmother in Tromso."
NOTE, INSIDE = "The fox blinks twice.", b"<<bytes of the private clip>>"


@pytest.fixture
def published():
    artist = factories.member(name=NAME, email=ADDRESS)
    clip = factories.clip(artist, PROMPT, video=factories.film(INSIDE * 9), poster=INSIDE, sprite=INSIDE)
    clip.recipe = {**clip.recipe, "negative_prompt": LEFT_OUT, "image": "5c" * 32}
    clip.save()
    feedback.give(clip, rating=2, artifacts=["flicker"], note=NOTE)
    sent = sealing.submit(clip, by=artist, title=TITLE, statement=STATEMENT, discloses_recipe=False)
    making.work()
    sent.refresh_from_db()
    factories.decision(sent, "approve")
    return gate.publish(sent, by=artist)


def public_bytes(client, publication) -> dict[str, bytes]:
    return {
        kind: client.get(f"/watch/{publication.slug}/{kind}").getvalue()
        for kind in ("video.mp4", "poster.jpg", "sprite.jpg")
    }


def spelled(secret: str) -> set[bytes]:
    ways = {secret, secret.lower(), secret.upper(), secret.replace("-", ""), secret.replace(" ", "%20")}
    told = {way.encode(code) for way in ways for code in ("utf-8", "utf-16-le", "utf-16-be")}
    return told | {base64.b64encode(secret.encode()).rstrip(b"=")[:-1]}


def test_nothing_private_is_in_what_a_stranger_can_download(client, published, tmp_path):
    clip = published.submission.clip
    assert INSIDE in factories.bytes_of(clip)
    private = [NAME, *NAME.split(), ADDRESS, PROMPT, LEFT_OUT, TITLE, STATEMENT, NOTE, INSIDE.decode()]
    private += [str(clip.pk), str(clip.job_id), str(clip.owner_id), clip.recipe["image"], str(tmp_path)]
    private += [file.sha256 for file in clip.renditions.all()]
    hashes = [bytes.fromhex(secret) for secret in private if len(secret) == 64]
    for content in public_bytes(client, published).values():
        found = [secret for secret in private if any(way in content for way in spelled(secret))]
        assert found == []
        assert not [digest for digest in hashes if digest in content]


def test_what_is_published_is_trusted_and_names_its_submission_and_that_an_image_was_given(
    client, published, tmp_path
):
    video = tmp_path / "downloaded.mp4"
    video.write_bytes(public_bytes(client, published)["video.mp4"])
    read = provenance.read(video, keys.anchors())
    assert (read.state, read.submission) == (provenance.State.TRUSTED, str(published.submission.pk))
    assert (read.has_image, read.allows_training) == (True, False)


@pytest.mark.parametrize("still", ["poster.jpg", "sprite.jpg"])
def test_a_published_still_is_a_picture_and_no_more(client, published, still):
    picture = Image.open(io.BytesIO(public_bytes(client, published)[still]))
    assert picture.getexif() == {}
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
