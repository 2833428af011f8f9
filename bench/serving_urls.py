"""The site of bench_serving: sorahub with two more views, which do as little as a view can."""

import json

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import include, path

from accounts.models import Cohort, User
from accounts.sessions import SessionStore
from generation import storage
from generation.models import Clip, Rendition
from review.models import Publication

SIZE = 4 * 1024 * 1024  # bytes; the demo's own clips are smaller than what a player asks for at once


@login_not_required
def minimal(request):
    return HttpResponse(Cohort.objects.get(pk=1).name)


@login_not_required
def unchecked(request, name):
    response = HttpResponse(content_type="video/mp4")
    response["X-Accel-Redirect"] = f"/internal/private/{name}"
    return response


urlpatterns = [
    path("bench/minimal/", minimal),
    path("bench/unchecked/<path:name>", unchecked),
    path("", include("sorahub.urls")),
]


def prepare() -> None:
    """Prints the sessions of people, and the paths, that are asked for; makes one clip long enough to be a video."""

    def session(email: str) -> str:
        user = User.objects.get(email=email)
        made = SessionStore()
        made[SESSION_KEY] = str(user.pk)
        made[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        made[HASH_SESSION_KEY] = user.get_session_auth_hash()
        made.save()
        return made.session_key

    source = settings.VAR / "long.mp4"
    source.write_bytes(bytes(SIZE))
    sha256, size = storage.keep(source)
    clip = Clip.objects.filter(owner__email="artist@example.com").latest("created_at")
    Rendition.objects.filter(clip=clip, kind="video").update(sha256=sha256, size=size)
    print(
        json.dumps(
            {
                "artist": session("artist@example.com"),
                "reviewer": session("reviewer@example.com"),
                "unchecked": f"/bench/unchecked/{storage.private_name(sha256)}",
                "video": f"/studio/clips/{clip.pk}/video.mp4",
                "watch": f"/watch/{Publication.objects.live().first().slug}/",
            }
        )
    )
