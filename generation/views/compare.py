"""Two clips of one's own, played in step; or the choice of the second one."""

from django.db.models import Q
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.paging import as_uuid
from accounts.permissions import check_can_create, requires

from .. import lineage
from ..models import Clip

PAGE = 24


@never_cache
@require_safe
@requires(check_can_create)
def compare(request):
    """`?a=<clip>&b=<clip>`; with one of them or none, what there is to choose from. Another's clip is no clip."""
    asked = [request.GET[name] for name in ("a", "b") if request.GET.get(name)]
    mine = Clip.objects.visible_to(request.user).select_related("job")
    found = {str(clip.pk): clip for clip in mine.filter(pk__in=[pk for pk in map(as_uuid, asked) if pk])}
    try:
        chosen = [found[str(as_uuid(pk))] for pk in asked]
    except KeyError:
        raise Http404("There is no such clip.") from None
    if len(chosen) == 2 and chosen[0] != chosen[1]:
        return render(request, "generation/compare.html", {"one": chosen[0], "other": chosen[1]})
    first = chosen[0] if chosen else None
    return render(request, "generation/compare_choice.html", _choice(request, mine, first))


def _choice(request, mine, first: Clip | None) -> dict:
    """What there is to compare with: newest first, by key, and the takes of the same click or family before all."""
    clips = mine.exclude(pk=first.pk) if first else mine
    after = mine.filter(pk=as_uuid(request.GET.get("after"))).first()
    related = []
    if first and not after:
        kin = clips.filter(lineage.related_clips(first.job))
        related = list(kin.order_by("-created_at", "-pk")[:PAGE])
    if after:
        same = Q(created_at=after.created_at, pk__lt=after.pk)
        clips = clips.filter(Q(created_at__lt=after.created_at) | same)
    rest = list(
        clips.exclude(pk__in=[clip.pk for clip in related]).order_by("-created_at", "-pk")[: PAGE + 1]
    )
    start = f"?a={first.pk}" if first else "?"
    older = f"{start}&after={rest[PAGE - 1].pk}" if len(rest) > PAGE else None
    return {"first": first, "related": related, "clips": rest[:PAGE], "older": older}
