"""The desk's own numbers for leads and admins: as charts, as tables and as CSV."""

from datetime import date

from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.permissions import check_can_read_numbers, requires
from accounts.spreadsheet import csv_answer

from .. import agreement, charts, desk_numbers, numbers

HOUR = 3600
MONTHS = 24  # that the page offers; the address takes any


@never_cache
@require_safe
@requires(check_can_read_numbers)
def page(request):
    told = desk_numbers.count(desk_numbers.period(request.GET.get("period")))
    clauses = numbers.every_clause()
    context = {
        "told": told,
        "days": desk_numbers.DAYS,
        "months": [(name, _month(name)) for name in reversed(numbers.months())][:MONTHS],
        "title": _title(told.period.name),
        "clauses": sorted(
            ((clause.title, told.clauses[clause.code]) for clause in clauses if clause.code in told.clauses),
            key=lambda row: -row[1],
        ),
        "waiting": list(zip(_ages(), told.waiting, strict=True)),
        "few": desk_numbers.FEW,
        "enough": agreement.ENOUGH,
        **_charts(told),
    }
    return render(request, "review/desk_numbers.html", context)


@never_cache
@require_safe
@requires(check_can_read_numbers)
def as_csv(request):
    told = desk_numbers.count(desk_numbers.period(request.GET.get("period")))
    return csv_answer(f"desk-{told.period.name}.csv", desk_numbers.HEAD, desk_numbers.rows(told))


def _charts(told) -> dict:
    labels = [date_format(part.begin, "j M") if n % 2 == 0 else "" for n, part in enumerate(told.parts)]
    decided = [{"approvals": part.approvals, "refusals": part.refusals} for part in told.parts]
    times = [{"median": _hours(part.median), "p95": _hours(part.p95)} for part in told.parts]
    # A place is left free beside each, so that all charts are drawn to one scale.
    ages = [
        [(label, {"waiting": many}), ("", {})]
        for label, many in zip(_ages(is_short=True), told.waiting, strict=True)
    ]
    return {
        "decisions": charts.stacked(list(zip(labels, decided, strict=True))),
        "times": charts.dotted(list(zip(labels, times, strict=True))),
        "ages": charts.stacked([column for pair in ages for column in pair]),
    }


def _ages(*, is_short: bool = False) -> list[str]:
    """Of what waits: how much of the promised time is over, as hours of the time that is promised now."""
    ends = [f"{hours:g}" for hours in desk_numbers.ages()]
    if is_short:
        return [*(f"< {end} h" for end in ends), _("late")]
    begins = ["0", *ends]
    return [
        *(_("%(from)s to %(to)s hours") % {"from": a, "to": b} for a, b in zip(begins, ends, strict=False)),
        _("past the deadline"),
    ]


def _title(name: str) -> str:
    return _("Last %(days)s days") % {"days": name} if name.isdigit() else _month(name)


def _month(name: str) -> str:
    return date_format(date.fromisoformat(f"{name}-01"), "F Y")


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / HOUR
