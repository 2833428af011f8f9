"""The program's anchors, for whoever wants to judge by themselves what a clip says of its origin."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import keys


@login_not_required
@never_cache  # an anchor that was taken out after a theft must not live on in a cache
@require_safe
def anchors(request):
    try:
        return HttpResponse(keys.anchors(), content_type="application/x-pem-file")
    except keys.KeysUnfit:
        raise Http404 from None
