"""A private clip: its page and its bytes, for its owner only."""

from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import media, storage
from ..models import Clip, Rendition


@never_cache
@require_safe
def clip(request, pk):
    return render(request, "generation/clip.html", {"clip": get_object_or_404(for_page(request.user), pk=pk)})


def for_page(user):
    """One's own clips, with all that a clip's page tells of one."""
    av1 = Rendition.objects.filter(clip=OuterRef("pk"), kind=Rendition.Kind.AV1)
    mine = Clip.objects.visible_to(user).select_related("job__picture", "feedback")
    return mine.annotate(has_av1=Exists(av1))


@require_safe
def video(request, pk):
    return _send(request, pk, Rendition.Kind.VIDEO)


@require_safe
def av1(request, pk):
    return _send(request, pk, Rendition.Kind.AV1)


@require_safe
def poster(request, pk):
    return _send(request, pk, Rendition.Kind.POSTER)


@require_safe
def sprite(request, pk):
    return _send(request, pk, Rendition.Kind.SPRITE)


def _send(request, pk, kind):
    """The row is looked up at each request: who may see it now is what counts."""
    mine = Clip.objects.visible_to(request.user)
    file = get_object_or_404(Rendition, clip__in=mine, clip_id=pk, kind=kind)
    return media.send_private(
        request, storage.private(), storage.private_name(file.sha256), file.content_type
    )
