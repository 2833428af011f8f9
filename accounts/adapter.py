"""What sorahub asks of allauth: no signup without an invitation, and addresses in one spelling."""

from allauth.account.adapter import DefaultAccountAdapter

from .models.user import normal_email


class InvitationOnlyAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        return False  # accounts.views.invitation is the only way in

    def clean_email(self, email):
        return normal_email(email)
