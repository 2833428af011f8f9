"""What a take would mean if its artist pressed the button now: a line beside it, asked for by the page."""

from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.permissions import check_can_create, requires

from .. import offers, outlook, queue
from ..forms import PromptForm

# Words don't belong in an address, and change nothing about the time.
ASKED = ("model", "aspect", "duration", "steps", "takes")
IN_THEIR_PLACE = {"prompt": "-"}


@never_cache
@require_safe
@requires(check_can_create)
def forecast(request):
    """Nothing for settings that the form would refuse: it says so itself, when it is sent."""
    told = {name: request.GET[name] for name in ASKED if name in request.GET}
    form = PromptForm(told | IN_THEIR_PLACE, models=offers.offered_to(request.user.membership.cohort))
    # A model that begins with a picture misses it here, which is no fault of what was asked.
    context = {} if set(form.errors) - {"image"} or not form.rules else _forecast(request.user, form)
    return render(request, "generation/_forecast.html", context)


def _forecast(user, form: PromptForm) -> dict:
    recipe = form.cleaned_data["recipe"]
    return {
        "forecast": outlook.forecast(user, recipe),
        "takes": form.cleaned_data["takes"],
        "unserved": queue.unserved_sentence(recipe.model),
    }
