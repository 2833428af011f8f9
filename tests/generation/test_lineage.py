"""Which take comes of which: what is recorded, what the clip's page shows of it, and at what cost."""

import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from generation import lineage, queue, takes
from generation.models import Job
from review import deleting
from tests import factories

pytestmark = pytest.mark.django_db

GOOD = {"prompt": "a red ball", "model": "testcard", "aspect": "1:1", "duration": "1", "seed": "7"}


@pytest.fixture
def studio(login, artist):
    return login(artist)


def form_of(page) -> dict:
    form = page.context["form"]
    return {name: form[name].value() for name in form.fields if form[name].value() is not None}


def child_of(parent: Job, **changes) -> Job:
    """Another take, from the studio's own form of this recipe."""
    told = parent.recipe.to_json() | changes
    recipe = type(parent.recipe)(**told)
    return queue.enqueue(parent.owner, recipe, parent=parent, picture=parent.picture)


def shown(nodes) -> list[tuple]:
    return [(node.job.pk, node.depth) for node in nodes]


# --- What is recorded -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address, changes, kind",
    [
        ("?from={}", {}, "again"),
        ("?from={}&seed=new", {}, "again"),
        ("?from={}", {"seed": "8"}, "again"),
        ("?from={}", {"prompt": "a blue ball"}, "remix"),
        ("?from={}", {"steps": "3"}, "remix"),
        ("?from={}", {"duration": "2"}, "remix"),
    ],
)
def test_a_recipe_opened_again_makes_a_take_that_knows_its_parent(studio, artist, address, changes, kind):
    first = factories.clip(artist, "a red ball").job
    form = form_of(studio.get(f"/studio/{address.format(first.pk)}"))
    studio.post("/studio/jobs/", form | changes)
    made = Job.objects.exclude(pk=first.pk).get()
    assert (made.parent, made.kind, made.family) == (first, kind, first.pk)
    studio.post("/studio/jobs/", form_of(studio.get(f"/studio/?from={made.pk}")) | {"prompt": "a third"})
    third = Job.objects.get(prompt="a third")
    assert (third.parent, third.family) == (made, first.pk)


def test_all_takes_of_a_click_have_the_same_parent(studio, artist):
    first = factories.clip(artist).job
    studio.post("/studio/jobs/", form_of(studio.get(f"/studio/?from={first.pk}")) | {"takes": "3"})
    assert [job.parent for job in Job.objects.exclude(pk=first.pk)] == [first] * 3


def test_a_take_of_its_own_has_no_parent(studio, artist):
    studio.post("/studio/jobs/", GOOD)
    assert Job.objects.values_list("parent", "kind", "family").get() == (None, "", None)
    first = Job.objects.get()
    page = studio.get(f"/studio/?from={first.pk}")
    assert "Comes of your take" in page.text
    studio.post("/studio/jobs/", form_of(page) | {"without_parent": "on"})
    assert not Job.objects.exclude(parent=None).exists()


def test_another_s_take_is_no_parent_and_tells_nothing(login, artist):
    theirs = factories.job(factories.member(), "their own words")
    answer = login(artist).post("/studio/jobs/", GOOD | {"parent": str(theirs.pk)})
    made = Job.objects.get(owner=artist)
    assert (made.parent, made.family) == (None, None)
    assert "their own words" not in login(artist).get(answer.url).text
    with_it = queue.enqueue(artist, factories.recipe(), parent=theirs)  # past the form, too
    assert with_it.parent is None
    refused = login(artist).post("/studio/jobs/", GOOD | {"parent": str(theirs.pk), "prompt": ""})
    assert "their own words" not in refused.text
    assert str(theirs.pk) not in refused.text


def test_a_parent_deleted_meanwhile_leaves_a_take_of_its_own(studio, artist):
    clip = factories.clip(artist)
    form = form_of(studio.get(f"/studio/?from={clip.job_id}"))
    deleting.delete(clip, by=artist)
    assert studio.post("/studio/jobs/", form).status_code == 302
    assert Job.objects.get().parent is None


def test_a_deleted_parent_leaves_its_children_in_the_family(studio, artist):
    first = factories.clip(artist)
    second = factories.clip(artist, parent=first.job)
    third = factories.clip(artist, parent=second.job)
    other = factories.clip(artist, parent=first.job)
    deleting.delete(second, by=artist)
    page = studio.get(f"/studio/clips/{third.pk}/").text
    assert "Again, of a take that is gone" in page
    assert f"/studio/clips/{other.pk}/" in page
    deleting.delete(first, by=artist)
    nodes, _ = lineage.tree(Job.objects.get(pk=third.job_id))
    assert shown(nodes) == [(third.job_id, 0), (other.job_id, 0)]


def test_a_failed_take_that_is_removed_leaves_its_children(artist):
    first = factories.job(artist)
    queue.cancel(first, by=artist)
    second = child_of(first)
    takes.remove(first, by=artist)
    second.refresh_from_db()
    assert (second.parent, second.kind, second.family) == (None, "again", first.pk)


def test_a_take_with_a_parent_says_how_it_came_of_it(artist):
    first = factories.job(artist)
    second = child_of(first)
    for wrong in ({"kind": ""}, {"family": None}, {"kind": "copy"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Job.objects.filter(pk=second.pk).update(**wrong)


# --- What is shown ----------------------------------------------------------------------------------


def test_the_family_is_a_tree_in_the_order_in_which_it_grew(artist):
    root = factories.job(artist)
    left, right = child_of(root), child_of(root, prompt="other")
    below = child_of(left, steps=3)
    factories.job(artist)  # no relative
    nodes, is_cut = lineage.tree(below)
    assert shown(nodes) == [(root.pk, 0), (left.pk, 1), (below.pk, 2), (right.pk, 1)]
    assert [(node.opens, len(node.closes)) for node in nodes] == [(True, 0), (True, 0), (True, 1), (False, 1)]
    assert [list(map(str, node.changes)) for node in nodes] == [[], [], ["other steps"], ["other words"]]
    assert not is_cut


def test_the_page_of_a_clip_shows_its_family_with_itself_marked(studio, artist):
    first = factories.clip(artist, "the first one")
    second = factories.clip(artist, "the second one", parent=first.job)
    alone = factories.clip(artist)
    running = factories.job(artist, "one that waits", parent=second.job)
    page = studio.get(f"/studio/clips/{second.pk}/").text
    assert f'href="/studio/clips/{first.pk}/"' in page
    assert f'href="/studio/jobs/{running.pk}/"' in page
    assert f"/studio/compare/?a={second.pk}&amp;b={first.pk}" in page
    tree = page[page.index('class="lineage"') :]
    tree = tree[: tree.index("</section>")]
    assert tree.count('aria-current="true"') == 1
    for tag in ("ul", "li"):
        assert len(re.findall(f"<{tag}>", tree)) == len(re.findall(f"</{tag}>", tree)) > 0
    assert "lineage-title" not in studio.get(f"/studio/clips/{alone.pk}/").text


def test_a_family_shows_nobody_else_s_takes(artist):
    root = factories.job(artist)
    child_of(root)
    theirs = factories.job(factories.member())
    Job.objects.filter(pk=theirs.pk).update(parent=root, kind="remix", family=root.pk)  # as no code does
    nodes, _ = lineage.tree(root)
    assert theirs.pk not in [node.job.pk for node in nodes]


def test_a_large_family_shows_its_newest_and_the_take_in_question(artist, monkeypatch):
    monkeypatch.setattr(lineage, "SHOWN", 3)
    root = factories.job(artist)
    children = [child_of(root) for _ in range(5)]
    nodes, is_cut = lineage.tree(root)
    assert is_cut
    assert {node.job.pk for node in nodes} == {root.pk, *(job.pk for job in children[-3:])}


def test_the_page_of_a_clip_costs_the_same_however_deep_its_family_is(studio, artist, settings):
    settings.MAX_QUEUED = 100
    clip = factories.clip(artist, picture=factories.picture(artist))
    studio.get(f"/studio/clips/{clip.pk}/")

    def cost() -> tuple[int, int]:
        """All queries, and those that read takes: the clip with its take and picture, and the family."""
        with CaptureQueriesContext(connection) as queries:
            page = studio.get(f"/studio/clips/{clip.pk}/")
        assert page.text.count('class="lineage-title"') == (depth + 1 if depth else 0)
        return len(queries), sum('FROM "generation_job"' in query["sql"] for query in queries)

    depth, last = 0, clip.job
    alone = cost()
    for depth in range(1, 41):  # noqa: B007
        last = child_of(last)
    assert cost() == alone
    assert alone[1] == 1


def test_the_form_s_beginnings_cost_a_query_each_and_nothing_without(studio, artist):
    clip = factories.clip(artist, picture=factories.picture(artist))
    studio.get("/studio/")

    def cost(address) -> int:
        with CaptureQueriesContext(connection) as queries:
            studio.get(address)
        return len(queries)

    plain = cost("/studio/")
    assert plain == 4
    assert (
        cost(f"/studio/?from={clip.job_id}") == plain + 3
    )  # the take asked for, its clip with it, and the picture
