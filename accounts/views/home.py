"""Where a person lands after logging in."""

from django.shortcuts import redirect

from ..permissions import can_create, can_review


def home(request):
    if can_review(request.user):
        return redirect("desk")
    return redirect("studio" if can_create(request.user) else "gallery")
