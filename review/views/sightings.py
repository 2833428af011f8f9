"""What admins see of files from outside that show what isn't public: evidence to look into, on which nothing acts."""

from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.paging import as_number, page
from accounts.permissions import check_can_run_program, requires

from ..models import Sighting


@never_cache
@require_safe
@requires(check_can_run_program)
def sightings(request):
    found = Sighting.objects.select_related("clip__owner", "viewer").order_by("-pk")
    if after := as_number(request.GET.get("after")):
        found = found.filter(pk__lt=after)
    shown, older = page(found, request)
    return render(request, "review/sightings.html", {"sightings": shown, "older": older})
