"""Which take comes of which: how a new one is related to its parent, and the whole family as a tree."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from . import offers
from .engine import Recipe, catalog
from .models import Clip, Job, Picture

SHOWN = 200  # takes of a family: its newest

# What is worth saying of a remix, by the field in which it differs from its parent.
CHANGES = {
    "model": _("another model"),
    "prompt": _("other words"),
    "negative_prompt": _("other words left out"),
    "image": _("another picture"),
    "size": _("another size"),
    "frames": _("another length"),
    "steps": _("other steps"),
    "guidance": _("another guidance"),
    "seed": _("another seed"),
}


def kind_of(parent: Job, recipe: Recipe, picture: Picture | None) -> str:
    """How a take of this recipe came of its parent."""
    if (
        picture
        and picture.kind == Picture.Kind.FRAME
        and picture.clip_id
        and picture.clip.job_id == parent.pk
    ):
        return Job.Kind.EXTEND
    same = replace(recipe, seed=0) == replace(parent.recipe, seed=0)
    return Job.Kind.AGAIN if same else Job.Kind.REMIX


def model_to_extend(clip: Clip, user) -> catalog.Model | None:
    """The clip's own model if it can begin with a picture; else the first that can, of those that its owner may use."""
    cohort = user.membership.cohort
    able = [m for m in offers.offered() if catalog.IMAGE in m.abilities and cohort.offers(m.id)]
    return next((model for model in able if model.id == clip.job.model), able[0] if able else None)


def family_of(job: Job):
    """The name that all takes of one origin share: the id of the first of them, which may be gone."""
    return job.family or job.pk


def related_clips(job: Job) -> Q:
    """Clips of the same family, or of the same click."""
    name = family_of(job)
    kin = Q(job__family=name) | Q(job__pk=name)
    return kin | Q(job__batch=job.batch) if job.batch else kin


@dataclass
class Node:
    """One take in its tree, in the order in which a page writes them: a list opens before the first child."""

    job: Job
    depth: int
    changes: list = field(default_factory=list)
    opens: bool = False  # the first among its siblings
    has_children: bool = False
    closes: range = range(0)  # lists that end behind it


def tree(job: Job) -> tuple[list[Node], bool]:
    """A take's family from its first takes on, and whether older ones were left out. One query, however deep.

    Nested lists without recursion: a chain may be longer than a template may be deep.
    """
    name = family_of(job)
    relatives = (
        Job.objects.visible_to(job.owner_id)
        .filter(Q(family=name) | Q(pk=name))
        .select_related("clip")
        .only(*_NEEDED)
        .order_by("-created_at", "-pk")
    )
    found = list(relatives[: SHOWN + 1])
    shown = {each.pk: each for each in found[:SHOWN]} | {job.pk: job}
    children = defaultdict(list)
    for each in sorted(shown.values(), key=lambda each: (each.created_at, each.pk)):
        children[each.parent_id if each.parent_id in shown else None].append(each)
    return _with_ends(list(_walk(children, shown))), len(found) > SHOWN


_NEEDED = (
    *("owner", "parent", "family", "kind", "status", "created_at", "model", "prompt", "negative_prompt"),
    *("width", "height", "frames", "steps", "guidance", "seed", "image", "clip__width", "clip__height"),
)


def _walk(children: dict, shown: dict) -> Iterator[Node]:
    waiting = [(each, 0, number == 0) for number, each in enumerate(children[None])][::-1]
    while waiting:
        job, depth, is_first = waiting.pop()
        parent = shown.get(job.parent_id)
        below = [(each, depth + 1, number == 0) for number, each in enumerate(children[job.pk])]
        changes = differences(parent, job) if parent else []
        if job.kind == Job.Kind.EXTEND:  # which always begins with another picture
            changes = [words for words in changes if words != CHANGES["image"]]
        yield Node(job, depth, changes=changes, opens=is_first, has_children=bool(below))
        waiting += below[::-1]


def _with_ends(nodes: list[Node]) -> list[Node]:
    depths = [node.depth for node in nodes[1:]] + [0]
    for node, following in zip(nodes, depths, strict=True):
        node.closes = range(max(node.depth - following, 0))
    return nodes


def differences(one: Job, other: Job) -> list[str]:
    """What differs between the recipes of two takes, in words."""
    return [words for name, words in CHANGES.items() if _value(one, name) != _value(other, name)]


def _value(job: Job, name: str):
    return (job.width, job.height) if name == "size" else getattr(job, name)
