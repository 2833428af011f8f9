"""The way of a clip, from prompt to public and back, through the pages."""

import pytest

from generation import attempts
from review import making

pytestmark = pytest.mark.django_db


def test_a_clip_goes_all_the_way(login, artist, reviewer):
    at_studio, at_desk, outside = login(artist), login(reviewer), login()
    page = at_studio.get("/studio/")
    assert page.status_code == 200
    sent = at_studio.post(
        "/studio/jobs/", {"prompt": "a test card", "model": "testcard", "aspect": "1:1", "duration": "1"}
    )
    assert sent.status_code == 302, sent.context["form"].errors
    assert at_studio.get(sent.url).status_code == 200
    attempts.work("test")
    attempts.close_engine()
    status = at_studio.get(sent.url + "status.json").json()
    assert status["status"] == "succeeded", status
    assert at_studio.get(sent.url).status_code == 200
    clip = status["clip"]
    assert at_studio.get(clip).status_code == 200
    video = at_studio.get(clip + "video.mp4")
    private = video.getvalue()
    assert video.status_code == 200
    assert "no-store" in video["Cache-Control"]
    sent = at_studio.post(clip + "submissions/", {"title": "A very plain title", "statement": ""})
    assert sent.status_code == 302
    submission = sent.url
    assert "Being prepared for review" in at_studio.get(submission).text
    assert at_desk.post("/desk/next/").url == "/desk/"
    making.work()
    assert "Next to be reviewed" in at_studio.get(submission).text
    assert at_desk.get("/desk/").status_code == 200
    room = at_desk.post("/desk/next/").url
    assert "A very plain title" in at_desk.get(room).text
    assert at_desk.get(room + "video.mp4").status_code == 404
    assert "being made" in at_desk.get(room + "copy/").text
    making.work()
    assert at_desk.get(room + "copy/").status_code == 286
    copy = at_desk.get(room + "video.mp4").getvalue()
    assert copy.startswith(b"\0\0\0")
    assert copy != private
    shown = at_desk.get(room).context["submission"].content_hash
    assert (
        at_desk.post(room + "decision/", {"outcome": "approve", "content_hash": "0" * 64}).status_code == 409
    )
    assert "A very plain title" not in outside.get("/").text
    assert at_desk.post(room + "decision/", {"outcome": "approve", "content_hash": shown}).status_code == 302
    assert at_studio.get(submission).status_code == 200
    assert at_studio.post(submission + "publication/").status_code == 302
    gallery = outside.get("/")
    assert "A very plain title" in gallery.text
    slug = gallery.context["publications"][0].slug
    assert outside.get(f"/watch/{slug}/").status_code == 200
    part = outside.get(f"/watch/{slug}/video.mp4", headers={"Range": "bytes=0-99"})
    assert part.status_code == 206
    public = outside.get(f"/watch/{slug}/video.mp4").getvalue()
    assert part.getvalue() == public[:100]
    assert public not in (copy, private)
    publication = at_desk.get(room).context["publication"]
    assert (
        at_desk.post(f"/desk/publications/{publication.pk}/takedown/", {"reason": "a test"}).status_code
        == 302
    )
    assert outside.get(f"/watch/{slug}/").status_code == 410
    assert outside.get(f"/watch/{slug}/video.mp4").status_code == 410
    assert at_studio.get(submission).status_code == 200
