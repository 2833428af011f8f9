"""Where one is logged in, and an end to it elsewhere."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from .. import whereabouts


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request):
    if request.method != "POST":
        return render(request, "accounts/sessions.html", {"sessions": whereabouts.sessions(request)})
    handle = request.POST.get("session", "")
    if handle == "others":
        whereabouts.end_others(request)
        messages.success(request, _("You are logged in nowhere else now."))
    elif whereabouts.end(request, handle):
        messages.success(request, _("That session has ended."))
    else:
        messages.info(request, _("That session had ended already."))
    return redirect("usersessions_list")
