"""Who goes where before any view runs: strangers to the login, the suspended to the one page that is theirs."""

from django.conf import settings
from django.contrib.auth import middleware
from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url

from .models.exclusion import is_kept_out


class LoginRequiredMiddleware(middleware.LoginRequiredMiddleware):
    def handle_no_permission(self, request, view_func):
        """htmx follows a redirect and would put the login page into the middle of the one that asked."""
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(status=401, headers={"HX-Redirect": resolve_url(settings.LOGIN_URL)})
        return super().handle_no_permission(request, view_func)


class KeptOutMiddleware:
    """A suspended or ended member sees what the public sees, and one page that says why."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view_func, view_args, view_kwargs):
        if not getattr(view_func, "login_required", True) or getattr(view_func, "for_kept_out", False):
            return None
        if not request.user.is_authenticated or not is_kept_out(request.user):
            return None
        if request.resolver_match.url_name == "account_logout":
            return None
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(status=403, headers={"HX-Redirect": resolve_url("standing")})
        return redirect("standing")


def for_kept_out(view):
    """Marks a view that the suspended may use."""
    view.for_kept_out = True
    return view
