"""The audit log to read, and its chain to check."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ..acts import in_words, told
from ..member_forms import AuditSearch
from ..models import AuditEntry
from ..models.audit import broken_entries
from ..paging import as_number, page
from ..permissions import check_can_run_program, requires


@never_cache
@require_safe
@requires(check_can_run_program)
def audit(request):
    acts = AuditEntry.objects.order_by("act").values_list("act", flat=True).distinct()
    search = AuditSearch(request.GET, acts=sorted((in_words(act), act) for act in acts))
    search.is_valid()
    found = AuditEntry.objects.select_related("by").order_by("-sequence")
    if act := search.cleaned_data.get("act"):
        found = found.filter(act=act)
    if email := search.cleaned_data.get("by"):
        found = found.filter(by__email__iexact=email)
    if after := as_number(request.GET.get("after")):
        found = found.filter(sequence__lt=after)
    shown, older = page(found, request)
    return render(request, "accounts/audit.html", {"entries": told(shown), "older": older, "search": search})


@require_POST
@requires(check_can_run_program)
def audit_verification(request):
    """Walks the chain, which takes about a second for 30,000 entries: on demand only."""
    for sequence, what in broken_entries():
        messages.error(
            request, _("Entry %(n)s %(what)s. Tell the operator at once.") % {"n": sequence, "what": what}
        )
        break
    else:
        messages.success(request, _("The chain is whole: no entry was changed, removed or slipped in."))
    return redirect("audit")
