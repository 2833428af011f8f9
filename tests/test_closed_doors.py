"""Public means the approved bytes and no more: no header, method, cache or search tells what closed doors keep in."""

import pytest

from generation import storage
from review.models import Publication

from . import factories
from .test_doors import DOORS, path_of
from .world import STATES, answered, leaks


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("kind", ["video.mp4", "poster.jpg"])
def test_what_is_public_is_byte_for_byte_what_was_approved(world, kind):
    publication = Publication.objects.get(slug=world.clips["published"].ids["slug"])
    approved = factories.bytes_of(publication.submission, kind.partition(".")[0])
    response = world.clients["anonymous"].get(f"/watch/{publication.slug}/{kind}")
    assert response.getvalue() == approved
    digest = publication.submission.files.get(kind=kind.partition(".")[0]).sha256
    assert digest not in response["ETag"]
    cached = {"If-None-Match": response["ETag"]}
    again = world.clients["anonymous"].get(f"/watch/{publication.slug}/{kind}", headers=cached)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.usefixtures("undone")
def test_a_visitor_who_has_the_bytes_cached_learns_of_a_takedown(world):
    slug = world.clips["taken-down"].ids["slug"]
    for kind in ("video", "poster"):
        for asked in ({"If-None-Match": f'"{slug}-{kind}"'}, {"Range": "bytes=0-9"}):
            name = {"video": "video.mp4", "poster": "poster.jpg"}[kind]
            assert world.clients["anonymous"].get(f"/watch/{slug}/{name}", headers=asked).status_code == 410
    assert not storage.public().path(slug).exists()


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("asked", [{"Range": "bytes=0-"}, {"Range": "bytes=5-2"}, {"If-None-Match": "*"}])
def test_no_header_opens_a_private_file(world, state, asked):
    for person in ("anonymous", "stranger", "admin"):
        for pattern in ("studio/clips/<uuid:pk>/video.mp4", "desk/submissions/<uuid:pk>/video.mp4"):
            for method in ("get", "head"):
                response = getattr(world.clients[person], method)(
                    path_of(pattern, world, state), headers=asked
                )
                assert response.status_code in (302, 403, 404)


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_no_other_method_opens_a_door(world, method):
    for pattern in DOORS:
        if not pattern.startswith("accounts/"):
            for person in ("anonymous", "stranger"):
                response = getattr(world.clients[person], method)(path_of(pattern, world, "waiting"))
                assert response.status_code in (302, 403, 404, 405), (pattern, person)
                assert (
                    leaks(world, person, answered(response).replace(path_of(pattern, world, "waiting"), ""))
                    == []
                )


@pytest.mark.usefixtures("undone")
def test_private_answers_are_kept_by_no_cache(world):
    for pattern in DOORS:
        if pattern.startswith(("studio/clips", "studio/submissions", "studio/jobs/<", "desk/sub")):
            person = "reviewer" if pattern.startswith("desk") else "owner"
            response = world.clients[person].get(path_of(pattern, world, "waiting"))
            if response.status_code == 200:
                assert {"no-store", "private"} <= set(response["Cache-Control"].split(", ")), pattern


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("words", ["title-of", "statement-of", "prompt-of", "note-of", "Olive"])
def test_a_search_finds_only_what_is_public(world, words):
    for person in ("anonymous", "stranger"):
        response = world.clients[person].get("/", {"q": words})
        assert leaks(world, person, answered(response)) == []
        found = {publication.slug for publication in response.context["publications"]}
        expected = (
            {world.clips["published"].ids["slug"]}
            if words in ("title-of", "statement-of", "Olive")
            else set()
        )
        assert found == expected
