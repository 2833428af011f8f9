"""The page for an act that came too late, or that the rules don't allow now."""

from django.http import HttpResponse
from django.shortcuts import render


def conflict(request, refusal, *, back: str, kept: str = "") -> HttpResponse:
    """409 with the sentence; `kept` gives back what somebody wrote, so that it isn't lost."""
    return render(request, "409.html", {"message": str(refusal), "back": back, "kept": kept}, status=409)
