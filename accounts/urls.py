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
    path("program/invitations/", views.invitations, name="program_invitations"),
    path("program/invitations/new/", views.invite_one, name="invite_one"),
    path("program/invitations/many/", views.invite_many, name="invite_many"),
    path("program/invitations/batches/", views.batches, name="invitation_batches"),
    path("program/invitations/test-mail/", views.test_mail, name="test_mail"),
    path("program/invitations/<uuid:pk>/", views.invitation_page, name="program_invitation"),
    path("program/invitations/<uuid:pk>/mail/", views.invitation_mail, name="invitation_mail"),
    path("program/invitations/<uuid:pk>/link/", views.invitation_new_link, name="invitation_new_link"),
    path(
        "program/invitations/<uuid:pk>/revocation/", views.invitation_revocation, name="invitation_revocation"
    ),
]
