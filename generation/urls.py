"""URLs of the studio, and of the anchors that readers of public clips trust."""

from django.urls import path

from .views import anchors, clip, compare, feedback, forecast, job, models, objections, picture, rules, studio

urlpatterns = [
    path("program/models/", models.models, name="program_models"),
    path("program/models/<str:pk>/acknowledgement/", models.acknowledgement, name="model_acknowledgement"),
    path("program/rules/", rules.rules, name="program_rules"),
    path("program/rules/new/", rules.rule_new, name="rule_new"),
    path("program/rules/objections/", objections.answering, name="rule_answering"),
    path("program/rules/objections/<uuid:pk>/answer/", objections.answer, name="rule_answer"),
    path("program/rules/<uuid:pk>/", rules.rule, name="rule"),
    path("program/rules/<uuid:pk>/end/", rules.rule_end, name="rule_end"),
    path("studio/objections/", objections.objections, name="rule_objections"),
    path("verify/anchors.pem", anchors.anchors, name="anchors"),
    path("studio/", studio.studio, name="studio"),
    path("studio/forecast/", forecast.forecast, name="forecast"),
    path("studio/draft/", studio.draft, name="draft"),
    path("studio/jobs/", studio.jobs, name="jobs"),
    path("studio/jobs/<uuid:pk>/", job.job, name="job"),
    path("studio/jobs/<uuid:pk>/status.json", job.status, name="job_status"),
    path("studio/jobs/<uuid:pk>/preview.jpg", job.preview, name="job_preview"),
    path("studio/jobs/<uuid:pk>/cancellation/", job.cancellation, name="job_cancellation"),
    path("studio/jobs/<uuid:pk>/deletion/", job.deletion, name="job_deletion"),
    path("studio/pictures/", picture.bring, name="pictures"),
    path("studio/pictures/<uuid:pk>/picture.jpg", picture.picture, name="picture"),
    path("studio/compare/", compare.compare, name="compare"),
    path("studio/clips/<uuid:pk>/", clip.clip, name="clip"),
    path("studio/clips/<uuid:pk>/feedback/", feedback.feedback, name="feedback"),
    path("studio/clips/<uuid:pk>/feedback/deletion/", feedback.deletion, name="feedback_deletion"),
    path("program/feedback/", feedback.by_model, name="program_feedback"),
    path("program/feedback.csv", feedback.feedback_csv, name="feedback_csv"),
    path("studio/clips/<uuid:pk>/extension/", picture.extension, name="extension"),
    path("studio/clips/<uuid:pk>/video.mp4", clip.video, name="clip_video"),
    path("studio/clips/<uuid:pk>/video.av1.mp4", clip.av1, name="clip_av1"),
    path("studio/clips/<uuid:pk>/poster.jpg", clip.poster, name="clip_poster"),
    path("studio/clips/<uuid:pk>/sprite.jpg", clip.sprite, name="clip_sprite"),
]
