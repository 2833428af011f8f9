"""The pages for what went wrong: one sentence, the right status, and a way back."""

from django.core.exceptions import RequestDataTooBig
from django.shortcuts import render
from django.utils.translation import gettext as _


def bad_request(request, exception):
    if isinstance(exception, RequestDataTooBig):
        words = _("That was more than a form can take. Go back, shorten it, and send it again.")
        return render(request, "400.html", {"message": words}, status=413)
    return render(request, "400.html", status=400)


def forbidden(request, exception):
    return render(request, "403.html", {"message": str(exception)}, status=403)


def not_found(request, exception):
    return render(request, "404.html", status=404)
