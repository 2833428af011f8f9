"""Every door of the house; tests/test_doors.py names those that are open to anonymous visitors."""

from django.urls import include, path

from . import errors, health, metrics

urlpatterns = [
    path("", include("review.urls")),
    path("", include("generation.urls")),
    path("", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
