"""Step-up: acts on roles, invitations, suspension and pause ask again who is at the keyboard.

The page that asks carries what was posted, sealed, and posts it to the same address together with the proof. So what
goes on after the proof is an ordinary request: login, CSRF, suspension and role are looked at again, and nothing waits
on the server for whoever comes next.
"""

import secrets
import time
from functools import wraps
from urllib.parse import urlsplit

from allauth.account.authentication import get_authentication_records
from allauth.account.forms import ReauthenticateForm
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from .factor_forms import ConfirmCodeForm, ConfirmPasskeyForm
from .models.factors import has_second_factor, second_factors

OURS = "confirm"  # begins the names of the fields that belong to the page that asks, not to the act
SEALED = "confirm-sealed"
WAITS = 12 * 3600  # seconds that the page may stand open before the answer
MOST = 700_000  # characters that a page carries; Django takes a megabyte of fields


def confirmed(view):
    """Guards a view by a recent proof of identity; what was posted goes on by itself after the proof.

    Stand it below `requires(...)`: who may not do it is told so, and not asked first. Nothing above it may look at
    what was posted: with the proof, that is put back here.
    """

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if not settings.REQUIRE_MFA or request.method != "POST":
            return view(request, *args, **kwargs)
        if SEALED in request.POST:
            return _answered(request, view, *args, **kwargs)
        if is_proven(request):
            return view(request, *args, **kwargs)
        carried = _what_was_posted(request)
        return _ask(request, carried, _sealed(request, carried))

    return guarded


def is_proven(request) -> bool:
    """Whether this person showed, here and within the last minutes, who they are: by logging in, or asked again."""
    records = get_authentication_records(request, request.user)
    return bool(records) and time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def _answered(request, view, *args, **kwargs):
    try:
        carried = signing.loads(request.POST[SEALED], salt=_salt(request), max_age=WAITS)
    except signing.BadSignature:
        words = _(
            "That page had waited too long, or was somebody else's. Nothing was done; please start again."
        )
        return render(request, "400.html", {"message": words}, status=400)
    once = f"accounts.stepup:{carried['once']}"
    if not cache.add(once, True, WAITS):
        messages.info(request, _("That was sent already; here is how things stand."))
        return redirect(carried["back"])
    form = _form(request.user, request.POST)
    try:
        in_time = ratelimit.consume(request, action="reauthenticate", user=request.user)
        proven = in_time and form.is_valid()
    except ImmediateHttpResponse:  # allauth's own limit for wrong answers
        in_time = proven = False
    if not proven:
        cache.delete(once)
        sealed = request.POST[SEALED]
        return (
            _ask(request, carried, sealed, form, 422)
            if in_time
            else _ask(request, carried, sealed, status=429)
        )
    form.save() if has_second_factor(request.user) else reauthenticate_by_password(request)
    _put_back(request, carried)
    return view(request, *args, **kwargs)


def _ask(request, carried: dict, sealed: str, form=None, status: int = 403):
    """The page that asks. htmx swaps only what succeeded, and takes it whole into the place of the page's content."""
    strong = has_second_factor(request.user)
    passkeys = strong and second_factors().filter(user=request.user.pk, type="webauthn").exists()
    by_passkey = isinstance(form, ConfirmPasskeyForm)
    context = {
        "form": _form(request.user) if form is None or by_passkey else form,
        "passkey_failed": by_passkey,
        "passkey_options": {"request_options": begin_authentication(request.user)} if passkeys else None,
        "sealed": sealed,
        "lost": carried["lost"],
        "back": carried["back"],
        "is_paused": status == 429,
    }
    headers = {"Cache-Control": "private, no-store"}
    if request.headers.get("HX-Request") == "true":
        headers |= {"HX-Retarget": "#main", "HX-Reselect": "#main", "HX-Reswap": "outerHTML"}
        status = 200
    answer = render(request, "accounts/confirm.html", context, status=status)
    for name, value in headers.items():
        answer[name] = value
    return answer


def _form(user, data=None):
    if not has_second_factor(user):
        return ReauthenticateForm(data, user=user, prefix=OURS)
    by_passkey = data is not None and data.get(f"{OURS}-credential")
    return (ConfirmPasskeyForm if by_passkey else ConfirmCodeForm)(data, user=user, prefix=OURS)


def _what_was_posted(request) -> dict:
    """All of it that a page can carry; a file that is too large stays behind, by its name."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    is_here = came_from.netloc == request.get_host() and url_has_allowed_host_and_scheme(came_from.path, None)
    carried = {
        "once": secrets.token_hex(16),
        "back": came_from.path if is_here else "/",  # a path like //evil.example would lead elsewhere
        "fields": [(name, value) for name, values in request.POST.lists() for value in values],
        "files": [],
        "lost": [],
    }
    for name, files in request.FILES.lists():
        for file in files:
            kept = [name, file.name, file.content_type, file.read(MOST + 1).decode("latin-1")]
            if len(_sealed(request, {**carried, "files": [*carried["files"], kept]})) <= MOST:
                carried["files"].append(kept)
            else:
                carried["lost"].append(file.name)
    return carried


def _sealed(request, carried: dict) -> str:
    """As text that only this person can send, and only to this address."""
    return signing.dumps(carried, salt=_salt(request), compress=True)


def _salt(request) -> str:
    return f"accounts.stepup:{request.user.pk}:{request.get_full_path()}"


def _put_back(request, carried: dict) -> None:
    posted = QueryDict(mutable=True)
    for name, value in carried["fields"]:
        posted.appendlist(name, value)
    posted._mutable = False
    request.POST = posted
    for name, filename, content_type, content in carried["files"]:
        request.FILES.appendlist(name, SimpleUploadedFile(filename, content.encode("latin-1"), content_type))
