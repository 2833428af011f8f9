"""URLs for people. allauth's own hang below /accounts/ in the project's list."""

from django.urls import path

from .views import (
    auditing,
    cohorts,
    factors,
    home,
    inbox,
    invitation,
    invitations,
    inviting,
    ledger,
    members,
    program,
    sessions,
    standing,
)

MEMBER = "program/members/<uuid:pk>/"
COHORT = "program/cohorts/<int:pk>/"

urlpatterns = [
    path("home/", home.home, name="home"),
    path("invitations/<str:key>/", invitation.invitation, name="invitation"),
    path("accounts/sessions/", sessions.sessions, name="usersessions_list"),  # before allauth's own
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/reading/", inbox.reading, name="inbox_reading"),
    path("inbox/mail/", inbox.mail, name="inbox_mail"),
    path("standing/", standing.standing, name="standing"),
    path("allowance/", ledger.allowance, name="allowance"),
    path("program/", program.program, name="program"),
    path("program/members/<uuid:pk>/factors/", factors.factor_reset, name="factor_reset"),
    path("program/invitations/", invitations.invitations, name="program_invitations"),
    path("program/invitations/new/", inviting.invite_one, name="invite_one"),
    path("program/invitations/many/", inviting.invite_many, name="invite_many"),
    path("program/invitations/batches/", inviting.batches, name="invitation_batches"),
    path("program/invitations/refused-mails/", invitations.refused_mails, name="refused_mails"),
    path("program/invitations/test-mail/", invitations.test_mail, name="test_mail"),
    path("program/invitations/<uuid:pk>/", invitations.invitation_page, name="program_invitation"),
    path("program/invitations/<uuid:pk>/mail/", invitations.invitation_mail, name="invitation_mail"),
    path("program/invitations/<uuid:pk>/link/", invitations.invitation_new_link, name="invitation_new_link"),
    path(
        "program/invitations/<uuid:pk>/revocation/",
        invitations.invitation_revocation,
        name="invitation_revocation",
    ),
    path("program/pause/", program.program_pause, name="program_pause"),
    path("program/resumption/", program.program_resumption, name="program_resumption"),
    path("program/members/", members.members, name="members"),
    path(MEMBER, members.member, name="member"),
    path(f"{MEMBER}role/", members.member_role, name="member_role"),
    path(f"{MEMBER}cohort/", members.member_cohort, name="member_cohort"),
    path(f"{MEMBER}allowance/", members.member_allowance, name="member_allowance"),
    path(f"{MEMBER}suspension/", members.member_suspension, name="member_suspension"),
    path(f"{MEMBER}lift/", members.member_lift, name="member_lift"),
    path(f"{MEMBER}answer/", members.member_answer, name="member_answer"),
    path(f"{MEMBER}ending/", members.member_ending, name="member_ending"),
    path("program/cohorts/", cohorts.cohorts, name="cohorts"),
    path("program/cohorts/new/", cohorts.cohort_new, name="cohort_new"),
    path(COHORT, cohorts.cohort, name="cohort"),
    path(f"{COHORT}allowance/", cohorts.cohort_allowance, name="cohort_allowance"),
    path("program/ledger/", ledger.ledger, name="ledger"),
    path("program/ledger.csv", ledger.ledger_csv, name="ledger_csv"),
    path("program/audit/", auditing.audit, name="audit"),
    path("program/audit/verification/", auditing.audit_verification, name="audit_verification"),
]
