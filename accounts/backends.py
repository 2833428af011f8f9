"""How a session becomes a person: with their membership, and what every page asks about them, in one query."""

from allauth.account import auth_backends

from .models import User


class MemberBackend(auth_backends.AuthenticationBackend):
    def get_user(self, user_id):
        return User.objects.at_the_door().filter(pk=user_id, is_active=True).first()
