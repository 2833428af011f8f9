"""Who goes where before any view runs: strangers to the login, the suspended to the one page that is theirs,
and those with power over others to their second factor, until they have one."""

from django.conf import settings
from django.contrib.auth import middleware
from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.cache import add_never_cache_headers

from . import whereabouts
from .models.exclusion import is_kept_out
from .permissions import must_set_up_factor

# All that somebody needs for setting up a second factor, and the way out.
SETTING_UP = {
    "account_logout",
    "account_reauthenticate",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_download_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_index",
    "mfa_list_webauthn",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_view_recovery_codes",
}


class LoginRequiredMiddleware(middleware.LoginRequiredMiddleware):
    def handle_no_permission(self, request, view_func):
        """htmx follows a redirect and would put the login page into the middle of the one that asked."""
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(status=401, headers={"HX-Redirect": resolve_url(settings.LOGIN_URL)})
        return super().handle_no_permission(request, view_func)


class BehindTheDoor:
    """Looks at members on their way into a view that isn't open to everybody; strangers were sent away before."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view_func, view_args, view_kwargs):
        if getattr(view_func, "login_required", True) and request.user.is_authenticated:
            return self.meet(request, view_func)
        return None

    def send(self, request, to: str):
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(status=403, headers={"HX-Redirect": resolve_url(to)})
        return redirect(to)


class KeptOutMiddleware(BehindTheDoor):
    """A suspended or ended member sees what the public sees, and one page that says why."""

    def meet(self, request, view_func):
        if getattr(view_func, "for_kept_out", False) or request.resolver_match.url_name == "account_logout":
            return None
        return self.send(request, "standing") if is_kept_out(request.user) else None


class SecondFactorMiddleware(BehindTheDoor):
    """Reviewers and admins set up a second factor before anything else, where the settings ask for one."""

    def __call__(self, request):
        """No cache and no back button keeps the pages of secrets and codes, which are allauth's and don't say so."""
        response = self.get_response(request)
        if request.resolver_match and (request.resolver_match.url_name or "").startswith("mfa_"):
            add_never_cache_headers(response)
        return response

    def meet(self, request, view_func):
        if request.resolver_match.url_name in SETTING_UP:
            return None
        return self.send(request, "mfa_index") if must_set_up_factor(request.user) else None


class LastSeenMiddleware(BehindTheDoor):
    """Keeps the list of one's sessions true, at the cost of a few queries every few minutes."""

    def meet(self, request, view_func):
        whereabouts.seen(request)


def for_kept_out(view):
    """Marks a view that the suspended may use."""
    view.for_kept_out = True
    return view
