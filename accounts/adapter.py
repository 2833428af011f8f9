"""What sorahub asks of allauth: no signup without an invitation, and addresses in one spelling."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from django.core.exceptions import ValidationError

from .models.user import normal_email


class InvitationOnlyAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        return False  # accounts.views.invitation is the only way in

    def clean_email(self, email):
        return normal_email(email)

    def pre_authenticate(self, request, **credentials):
        """Too many failed logins are told by the status, too: a script reads no sentence in a form."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            raise ImmediateHttpResponse(ratelimit.respond_429(request)) from None
