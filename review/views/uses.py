"""What the program does with works beside showing them: admins record it here, against a consent that holds."""

from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.paging import as_uuid, page
from accounts.permissions import check_can_run_program, requires

from .. import consenting
from ..models import Consent, ConsentedUse, Publication, Use
from ..models.consent import ASKED
from ..own_forms import PlaceForm
from ..permissions import NotAllowed
from .refusals import conflict

LATEST = 10


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(check_can_run_program)
def uses(request):
    if request.method != "POST":
        return _page(request, _asked(request.GET.get("use")))
    form = PlaceForm(request.POST)
    consent = Consent.objects.filter(pk=as_uuid(request.POST.get("consent"))).first()
    if consent is None or not form.is_valid():
        return _page(request, _asked(consent and consent.use), form=form, status=422)
    try:
        consenting.use(consent, by=request.user, place=form.cleaned_data["place"])
    except NotAllowed as refusal:
        return conflict(request, refusal, back=reverse("uses"), kept=form.cleaned_data["place"])
    messages.success(request, _("Recorded. Its artist sees it, and hears of it."))
    return redirect(reverse("uses") + "?" + urlencode({"use": consent.use}))


def _asked(use: str | None) -> Use:
    return next((each for each in ASKED if each == use), ASKED[0])


def _page(request, use: Use, *, form: PlaceForm | None = None, status: int = 200):
    """Public works alone: their titles are everybody's to know."""
    public = Publication.objects.live().with_content().select_related("approval")
    rows = (
        Consent.objects.live()
        .filter(use=use, submission__decision__publication__in=Publication.objects.live())
        .order_by("-at", "-pk")
    )
    if before := Consent.objects.filter(pk=as_uuid(request.GET.get("after"))).first():
        rows = rows.filter(Q(at__lt=before.at) | Q(at=before.at, pk__lt=before.pk))
    shown, older = page(rows, request)
    works = public.filter(approval__submission__in=[consent.submission_id for consent in shown])
    by_submission = {work.approval.submission_id: work for work in works}
    latest = ConsentedUse.objects.filter(consent__use=use).select_related("by", "consent")
    context = {
        "use": use,
        "choices": ASKED,
        # Whoever was taken down between the two questions is left out.
        "rows": [
            (consent, by_submission[consent.submission_id])
            for consent in shown
            if consent.submission_id in by_submission
        ],
        "older": older,
        "form": form or PlaceForm(),
        "wrong": form and form.data.get("consent"),
        "latest": latest.order_by("-at", "-pk")[:LATEST],
    }
    return render(request, "review/uses.html", context, status=status)
