"""URLs of the gallery, the artist's submissions, and the desk."""

from django.urls import path, register_converter

from .models.publication import SLUG_LENGTH
from .views import (
    artist,
    beside,
    desk,
    desk_numbers,
    gallery,
    policy,
    room,
    second_looks,
    sightings,
    transparency,
    verify,
    waiting,
)


class SlugConverter:
    """Only what a slug can be reaches the database."""

    regex = rf"[a-z0-9]{{{SLUG_LENGTH}}}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class VersionConverter:
    """A version of the policy: the month in which it was made, and a number where that month has more."""

    regex = r"[0-9]{4}-[0-9]{2}(?:-[0-9]{1,8})?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(SlugConverter, "work")
register_converter(VersionConverter, "version")

urlpatterns = [
    path("", gallery.gallery, name="gallery"),
    path("watch/<work:slug>/", gallery.watch, name="watch"),
    path("watch/<work:slug>/video.mp4", gallery.video, name="watch_video"),
    path("watch/<work:slug>/poster.jpg", gallery.poster, name="watch_poster"),
    path("watch/<work:slug>/sprite.jpg", gallery.sprite, name="watch_sprite"),
    path("verify/", verify.verify, name="verify"),
    path("policy/", policy.policy, name="policy"),
    path("policy/<version:name>/", policy.version, name="policy_version"),
    path("transparency/", transparency.transparency, name="transparency"),
    path("transparency.csv", transparency.transparency_csv, name="transparency_csv"),
    path("studio/clips/<uuid:pk>/submissions/", artist.submit, name="submit"),
    path("studio/clips/<uuid:pk>/deletion/", artist.deletion, name="clip_deletion"),
    path("studio/submissions/<uuid:pk>/", artist.submission, name="submission"),
    path("studio/submissions/<uuid:pk>/withdrawal/", artist.withdrawal, name="withdrawal"),
    path("studio/submissions/<uuid:pk>/preparation/", artist.preparation, name="preparation"),
    path("studio/submissions/<uuid:pk>/publication/", artist.publication, name="publication"),
    path("studio/submissions/<uuid:pk>/reply/", artist.reply, name="reply"),
    path("studio/publications/<uuid:pk>/takedown/", artist.takedown, name="own_takedown"),
    path("program/policy/", policy.policy_edit, name="policy_edit"),
    path("program/sightings/", sightings.sightings, name="sightings"),
    path("desk/", waiting.desk, name="desk"),
    path("desk/next/", desk.next_submission, name="desk_next"),
    path("desk/submissions/<uuid:pk>/", room.room, name="room"),
    path("desk/submissions/<uuid:pk>/beside/<uuid:other>/", beside.beside, name="room_beside"),
    path("desk/submissions/<uuid:pk>/claim/", desk.claim, name="claim"),
    path("desk/submissions/<uuid:pk>/renewal/", desk.renewal, name="renewal"),
    path("desk/submissions/<uuid:pk>/leaving/", desk.leaving, name="leaving"),
    path("desk/submissions/<uuid:pk>/pass/", desk.pass_on, name="pass"),
    path("desk/submissions/<uuid:pk>/recusal/", desk.recusal, name="recusal"),
    path("desk/submissions/<uuid:pk>/question/", desk.question, name="question"),
    path("desk/submissions/<uuid:pk>/handover/", desk.handover, name="handover"),
    path("desk/submissions/<uuid:pk>/release/", desk.release, name="release"),
    path("desk/submissions/<uuid:pk>/decision/", desk.decision, name="decision"),
    path("desk/submissions/<uuid:pk>/copy/", room.copy, name="room_copy"),
    path("desk/submissions/<uuid:pk>/video.mp4", room.video, name="room_video"),
    path("desk/submissions/<uuid:pk>/poster.jpg", room.poster, name="room_poster"),
    path("desk/submissions/<uuid:pk>/sprite.jpg", room.sprite, name="room_sprite"),
    path("desk/second-looks/", second_looks.second_looks, name="second_looks"),
    path("desk/second-looks/disagreements/", second_looks.disagreements, name="disagreements"),
    path("desk/second-looks/<uuid:pk>/", second_looks.second_look, name="second_look"),
    path("desk/numbers/", desk_numbers.page, name="desk_numbers"),
    path("desk/numbers.csv", desk_numbers.as_csv, name="desk_numbers_csv"),
    path("desk/publications/<uuid:pk>/takedown/", desk.takedown, name="takedown"),
]
