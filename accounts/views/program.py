"""The admins' first page: how the program stands."""

from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ..models import pause
from ..permissions import check_can_run_program, requires


@never_cache
@require_safe
@requires(check_can_run_program)
def program(request):
    return render(request, "accounts/program.html", {"pause": pause.current()})
