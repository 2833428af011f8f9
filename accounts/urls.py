"""URLs for people. allauth's own hang below /accounts/ in the project's list."""

from django.urls import path

from . import views

urlpatterns = [
    path("home/", views.home, name="home"),
    path("invitations/<str:key>/", views.invitation, name="invitation"),
    path("accounts/sessions/", views.sessions, name="usersessions_list"),  # before allauth's own
    path("standing/", views.standing, name="standing"),
    path("program/", views.program, name="program"),
    path("program/members/<uuid:pk>/factors/", views.factor_reset, name="factor_reset"),
]
