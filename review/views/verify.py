"""Where anybody asks whether a file is a release of this program. Tells nothing about what isn't public."""

import logging
from pathlib import Path

from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.db import transaction
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from .. import recognizing, signs, tasks
from ..forms import VerifyForm

log = logging.getLogger(__name__)

ENVELOPE = 64 * 1024  # bytes of a request beside the file itself
RETRY_AFTER = 30  # seconds, when as many files are being opened as may be


@login_not_required
@csrf_exempt  # only until the request is judged by its size and its sender: the token lies behind the file
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request):
    if request.method == "POST":
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.VERIFY_BYTES + ENVELOPE:
            return _too_large(request)
        if not _in_time(request):
            words = _("Many files came from your address within the hour. Try again later.")
            return render(request, "429.html", {"message": words}, status=429)
        request.upload_handlers = [_ToDisk(request)]
    return _verify(request)


@csrf_protect
def _verify(request):
    if request.method != "POST":
        return _page(request, VerifyForm())
    form = VerifyForm(request.POST, request.FILES)
    if request.upload_handlers[0].is_over:
        return _too_large(request)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        found = signs.read(Path(form.cleaned_data["file"].temporary_file_path()))
    except signs.Busy:
        problem = _("Several files are being compared just now. Try again in half a minute.")
        response = _page(request, VerifyForm(), status=503, problem=problem)
        response["Retry-After"] = RETRY_AFTER
        return response
    with transaction.atomic():
        answer = recognizing.answer(found)
        recognizing.note(found)
        tasks.nudge_follow_up()
    return _page(request, VerifyForm(), answer=answer, refusal=_(found.refusal) if found.refusal else "")


class _ToDisk(TemporaryFileUploadHandler):
    """Every file goes to a temporary one, which is gone when the request ends; one too many bytes ends the reading."""

    is_over = False
    received = 0

    def receive_data_chunk(self, raw_data, start):
        self.received += len(raw_data)
        if self.received > settings.VERIFY_BYTES:
            self.is_over = True
            raise StopUpload(connection_reset=False)
        super().receive_data_chunk(raw_data, start)


def _in_time(request) -> bool:
    try:
        return bool(ratelimit.consume(request, action="verify"))
    except (
        Exception
    ) as error:  # each cache's driver has its own; how many are opened at once is bounded without it
        log.warning("files to verify could not be counted: %s", type(error).__name__)
        return True


def _too_large(request):
    problem = _("This file is larger than %(limit)s MB. Choose a smaller one.") % {"limit": _limit()}
    return _page(request, VerifyForm(), status=413, problem=problem)


def _limit() -> int:
    return settings.VERIFY_BYTES // 1024**2


def _page(request, form: VerifyForm, *, status: int = 200, **context):
    context |= {"form": form, "limit": _limit()}
    return render(request, "review/verify.html", context, status=status)
