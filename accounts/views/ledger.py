"""The ledger of GPU seconds: all of it for admins, one's own for each member."""

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ..member_forms import LedgerSearch
from ..models import AllowanceEntry
from ..models import allowance as ledgers
from ..paging import as_number, page
from ..permissions import check_can_create, check_can_run_program, requires
from ..spreadsheet import csv_answer


@never_cache
@require_safe
@requires(check_can_run_program)
def ledger(request):
    search = LedgerSearch(request.GET)
    shown, older = page(_after(request, _found(search)), request)
    asked = request.GET.copy()
    asked.pop("after", None)
    context = {"entries": shown, "older": older, "search": search, "asked": asked.urlencode()}
    return render(request, "accounts/ledger.html", context)


@never_cache
@require_safe
@requires(check_can_run_program)
def ledger_csv(request):
    """All that the page's filters leave, row by row, so that a long ledger needs no memory."""
    rows = _found(LedgerSearch(request.GET)).iterator(chunk_size=2000)
    head = ("at", "member", "cohort", "kind", "seconds", "balance", "job", "by")
    return csv_answer("ledger.csv", head, map(_cells, rows))


@never_cache
@require_safe
@requires(check_can_create)
def allowance(request):
    """What a member may still spend, and how it came to be."""
    mine = AllowanceEntry.objects.filter(membership=request.user.membership).order_by("-pk")
    shown, older = page(_after(request, mine), request)
    context = {"entries": shown, "older": older, "left": ledgers.left(request.user.membership)}
    return render(request, "accounts/allowance.html", context)


def _found(search: LedgerSearch):
    search.is_valid()
    found = AllowanceEntry.objects.select_related("membership__user", "membership__cohort", "by").order_by(
        "-pk"
    )
    if email := search.cleaned_data.get("member"):
        found = found.filter(membership__user__email__iexact=email)
    if cohort := search.cleaned_data.get("cohort"):
        found = found.filter(membership__cohort=cohort)
    return found


def _after(request, entries):
    after = as_number(request.GET.get("after"))
    return entries.filter(pk__lt=after) if after else entries


def _cells(entry: AllowanceEntry) -> list:
    by = entry.by.email if entry.by else (_("the operator") if entry.job is None else "")
    told = (entry.membership.user.email, entry.membership.cohort.name, entry.kind)
    numbers = (entry.seconds, entry.balance, entry.job or "")
    return [entry.at.isoformat(), *told, *numbers, by]
