"""Second factors as tests hold them: an app that shows codes, set up on the way a member sets one up."""

import base64
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value

from tests import factories

SECRET = base64.b32encode(b"a secret for tests..").decode()


def code(secret: str = SECRET, *, step: int = 0) -> str:
    """What the app shows now, or some steps of 30 seconds away."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step))


def with_app(user):
    """Gives a member an authenticator app and recovery codes, without the pages."""
    TOTP.activate(user, SECRET)
    RecoveryCodes.activate(user)
    return user


def recovery_codes(user) -> list[str]:
    return Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()


def log_in(client, user, password=factories.PASSWORD, **more):
    return client.post("/accounts/login/", {"login": user.email, "password": password, **more})


def age_proof(client, seconds: float = 301) -> None:
    """Makes what this session proved lie so far back."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= seconds
    session.save()
