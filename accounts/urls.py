"""URLs for people. allauth's own hang below /accounts/ in the project's list."""

from django.urls import path

from . import views
from .views import inbox

MEMBER = "program/members/<uuid:pk>/"
COHORT = "program/cohorts/<int:pk>/"

urlpatterns = [
    path("home/", views.home, name="home"),
    path("invitations/<str:key>/", views.invitation, name="invitation"),
    path("accounts/sessions/", views.sessions, name="usersessions_list"),  # before allauth's own
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/reading/", inbox.reading, name="inbox_reading"),
    path("inbox/mail/", inbox.mail, name="inbox_mail"),
    path("standing/", views.standing, name="standing"),
    path("allowance/", views.allowance, name="allowance"),
    path("program/", views.program, name="program"),
    path("program/members/<uuid:pk>/factors/", views.factor_reset, name="factor_reset"),
    path("program/invitations/", views.invitations, name="program_invitations"),
    path("program/invitations/new/", views.invite_one, name="invite_one"),
    path("program/invitations/many/", views.invite_many, name="invite_many"),
    path("program/invitations/batches/", views.batches, name="invitation_batches"),
    path("program/invitations/refused-mails/", views.refused_mails, name="refused_mails"),
    path("program/invitations/test-mail/", views.test_mail, name="test_mail"),
    path("program/invitations/<uuid:pk>/", views.invitation_page, name="program_invitation"),
    path("program/invitations/<uuid:pk>/mail/", views.invitation_mail, name="invitation_mail"),
    path("program/invitations/<uuid:pk>/link/", views.invitation_new_link, name="invitation_new_link"),
    path(
        "program/invitations/<uuid:pk>/revocation/", views.invitation_revocation, name="invitation_revocation"
    ),
    path("program/pause/", views.program_pause, name="program_pause"),
    path("program/resumption/", views.program_resumption, name="program_resumption"),
    path("program/members/", views.members, name="members"),
    path(MEMBER, views.member, name="member"),
    path(f"{MEMBER}role/", views.member_role, name="member_role"),
    path(f"{MEMBER}cohort/", views.member_cohort, name="member_cohort"),
    path(f"{MEMBER}allowance/", views.member_allowance, name="member_allowance"),
    path(f"{MEMBER}suspension/", views.member_suspension, name="member_suspension"),
    path(f"{MEMBER}lift/", views.member_lift, name="member_lift"),
    path(f"{MEMBER}answer/", views.member_answer, name="member_answer"),
    path(f"{MEMBER}ending/", views.member_ending, name="member_ending"),
    path("program/cohorts/", views.cohorts, name="cohorts"),
    path("program/cohorts/new/", views.cohort_new, name="cohort_new"),
    path(COHORT, views.cohort, name="cohort"),
    path(f"{COHORT}allowance/", views.cohort_allowance, name="cohort_allowance"),
    path("program/ledger/", views.ledger, name="ledger"),
    path("program/ledger.csv", views.ledger_csv, name="ledger_csv"),
    path("program/audit/", views.audit, name="audit"),
    path("program/audit/verification/", views.audit_verification, name="audit_verification"),
]
