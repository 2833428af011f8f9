"""The pictures that takes begin with, for their artist only: taken in, shown, and made from a clip to go on with."""

from functools import wraps

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import check_can_create, requires

from .. import lineage, media, offers, pace, pictures, queue, storage
from ..forms import PromptForm
from ..models import Clip, Picture
from ..models.picture import CONTENT_TYPE

ENVELOPE = (
    4 * 2**20
)  # bytes of a form beside the largest picture: beyond, not even a sentence beside the field


def bounded(view):
    """Judges a form by its size and its sender before it is read: whole files would lie on the disk by then.

    So the token, which lies behind the file, is checked here and not by the middleware.
    """
    checked = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def judged(request, *args, **kwargs):
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.PICTURE_MB * 2**20 + ENVELOPE:
            raise RequestDataTooBig("The form is larger than the largest picture.")
        return checked(request, *args, **kwargs)

    return judged


@bounded
@require_POST
@requires(check_can_create)
def bring(request):
    """Takes a picture in while the form is still being written, and answers with the form's part that shows it."""
    form = sent(request)
    status = 422 if form.errors.get("image") else 201
    if not request.FILES:
        form.add_error("image", _("Choose a picture first."))
        status = 422
    for name in set(form.errors) - {"image"}:  # of the rest nobody has asked yet
        del form.errors[name]
    return render(request, "generation/_beginning.html", {"form": form}, status=status)


@require_safe
def picture(request, pk):
    found = get_object_or_404(Picture.objects.visible_to(request.user), pk=pk)
    return media.send_private(request, storage.private(), storage.private_name(found.sha256), CONTENT_TYPE)


@never_cache
@require_POST
@requires(check_can_create)
def extension(request, pk):
    """Opens the prompt form on the last frame of a clip. Twice is as good as once: a clip has one last frame."""
    clip = get_object_or_404(Clip.objects.visible_to(request.user).select_related("job"), pk=pk)
    model = lineage.model_to_extend(clip, request.user)
    try:
        if model is None:
            raise pictures.Refused(_("No model that you may use here can begin with a picture."))
        pace.check_picture_pace(request)
        frame = pictures.last_frame(clip)
    except (pictures.Refused, pace.TooFast) as refusal:
        told = {"message": str(refusal), "back": reverse("clip", args=[clip.pk])}
        return render(request, "409.html", told, status=409)
    return redirect(f"{reverse('studio')}?from={clip.job_id}&picture={frame.pk}&model={model.id}&seed=new")


def sent(request) -> PromptForm:
    """The form as it was sent. A picture that came with it is taken in first, so that no refusal loses it."""
    data, complaint = request.POST, None
    if file := request.FILES.get("image"):
        try:
            pace.check_picture_pace(request)
            brought = pictures.bring(request.user, file)
            data = data.copy()
            data["picture"] = str(brought.pk)
            data.pop("without_picture", None)  # which was said of the one before
        except (pictures.Refused, queue.Refused) as refusal:
            complaint = str(refusal)
    form = PromptForm(data, owner=request.user, models=offers.offered_to(request.user.membership.cohort))
    if complaint:
        form.add_error("image", complaint)
    return form
