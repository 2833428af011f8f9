"""URLs of the gallery, the artist's submissions, and the desk."""

from django.urls import path, register_converter

from .models.publication import SLUG_LENGTH
from .views import (
    appeals,
    artist,
    beside,
    comfort,
    desk,
    gallery,
    own_work,
    pairs,
    policy,
    reports,
    room,
    sightings,
    transparency,
    uses,
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
    path("watch/<work:slug>/reports/", reports.report, name="report"),
    path("watch/<work:slug>/reports/thanks/", reports.thanks, name="report_thanks"),
    path("artists/<work:slug>/", gallery.artist, name="artist"),
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
    path("studio/submissions/<uuid:pk>/appeal/", artist.appeal, name="appealing"),
    path("studio/submissions/<uuid:pk>/appeal/messages/", artist.appeal_message, name="appealing_message"),
    path("studio/submissions/<uuid:pk>/consents/", own_work.consents, name="consents"),
    path("studio/submissions/<uuid:pk>/revocation/", own_work.revocation, name="revocation"),
    path("studio/submissions/<uuid:pk>/schedule/", own_work.schedule, name="schedule"),
    path("studio/submissions/<uuid:pk>/calling-off/", own_work.calling_off, name="calling_off"),
    path("studio/publications/<uuid:pk>/takedown/", artist.takedown, name="own_takedown"),
    path("program/policy/", policy.policy_edit, name="policy_edit"),
    path("program/uses/", uses.uses, name="uses"),
    path("program/sightings/", sightings.sightings, name="sightings"),
    path("desk/", waiting.desk, name="desk"),
    path("desk/comfort/", comfort.comfort, name="comfort"),
    path("desk/next/", desk.next_submission, name="desk_next"),
    path("desk/submissions/<uuid:pk>/", room.room, name="room"),
    path("desk/submissions/<uuid:pk>/beside/<uuid:other>/", beside.beside, name="room_beside"),
    path("desk/submissions/<uuid:pk>/claim/", desk.claim, name="claim"),
    path("desk/submissions/<uuid:pk>/renewal/", desk.renewal, name="renewal"),
    path("desk/submissions/<uuid:pk>/leaving/", desk.leaving, name="leaving"),
    path("desk/submissions/<uuid:pk>/pass/", desk.pass_on, name="pass"),
    path("desk/submissions/<uuid:pk>/recusal/", desk.recusal, name="recusal"),
    path("desk/submissions/<uuid:pk>/question/", desk.question, name="question"),
    path("desk/submissions/<uuid:pk>/sensitivity/", pairs.sensitivity, name="sensitivity"),
    path("desk/submissions/<uuid:pk>/handover/", desk.handover, name="handover"),
    path("desk/submissions/<uuid:pk>/release/", desk.release, name="release"),
    path("desk/submissions/<uuid:pk>/decision/", desk.decision, name="decision"),
    path("desk/submissions/<uuid:pk>/copy/", room.copy, name="room_copy"),
    path("desk/submissions/<uuid:pk>/video.mp4", room.video, name="room_video"),
    path("desk/submissions/<uuid:pk>/poster.jpg", room.poster, name="room_poster"),
    path("desk/submissions/<uuid:pk>/sprite.jpg", room.sprite, name="room_sprite"),
    path("desk/appeals/<uuid:pk>/", appeals.appeal, name="appeal"),
    path("desk/appeals/<uuid:pk>/claim/", appeals.claim, name="appeal_claim"),
    path("desk/appeals/<uuid:pk>/release/", appeals.release, name="appeal_release"),
    path("desk/appeals/<uuid:pk>/messages/", appeals.message, name="appeal_message"),
    path("desk/appeals/<uuid:pk>/dismissal/", appeals.dismissal, name="appeal_dismissal"),
    path("desk/appeals/<uuid:pk>/upholding/", appeals.upholding, name="appeal_upholding"),
    path("desk/reports/<uuid:pk>/", reports.inquiry, name="inquiry"),
    path("desk/reports/<uuid:pk>/claim/", reports.claim, name="inquiry_claim"),
    path("desk/reports/<uuid:pk>/release/", reports.release, name="inquiry_release"),
    path("desk/reports/<uuid:pk>/answer/", reports.answer, name="inquiry_answer"),
    path("desk/publications/<uuid:pk>/takedown/", desk.takedown, name="takedown"),
]
