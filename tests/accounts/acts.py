"""Two guarded acts that keep what they were given, for the tests of step-up; the product's own are guarded alike."""

from django.http import HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_POST

from accounts.permissions import check_can_run_program, requires
from accounts.stepup import confirmed

done = []


@requires(check_can_run_program)
@confirmed
def act(request):
    if request.method == "POST":
        files = {
            name: [(f.name, f.content_type, f.read()) for f in files] for name, files in request.FILES.lists()
        }
        done.append((request.get_full_path(), dict(request.POST.lists()), files))
    return HttpResponse("done")


urlpatterns = [
    path("acts/", act),
    path("acts/other/", require_POST(act)),
    path("", include("sorahub.urls")),
]
handler403 = "sorahub.errors.forbidden"
