"""Two works side by side at the desk: one that waits or is decided, and an earlier one of the same origin."""

from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.permissions import check_can_review, requires

from .. import context, second_looks
from .room import copy_for, submission_at_desk


@never_cache
@require_safe
@requires(check_can_review)
def beside(request, pk, other):
    """Played in step, from the viewer's own copies, with what has changed in their words."""
    found = submission_at_desk(pk)
    hidden = second_looks.hidden_from(request.user, artist=found.artist_id)
    if found.pk in hidden:
        return redirect("second_look", pk)
    earlier = next((each for each in context.related(found, hidden=hidden) if each.pk == other), None)
    if earlier is None:
        raise Http404("There is no such work of the same origin.")
    copies = {"copy": copy_for(request.user, found), "other_copy": copy_for(request.user, earlier)}
    shown = {"submission": found, "other": earlier, "changes": context.changes(earlier, found)}
    is_waiting = not all(made.is_ready or made.error for made in copies.values())
    return render(request, "review/beside.html", {**shown, **copies, "is_waiting": is_waiting})
