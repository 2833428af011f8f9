"""The program's own numbers for everybody: as charts, as tables and as CSV."""

from datetime import date

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.spreadsheet import csv_answer

from .. import charts, numbers
from .gallery import revalidated

CHARTED = 12  # months


@login_not_required
@require_safe
def transparency(request):
    told = numbers.all_told()
    shown = [_month(each, told["clauses"]) for each in told["months"][: numbers.SHOWN]]
    charted = shown[:CHARTED][::-1]
    context = {
        "months": shown,
        "has_more": len(told["months"]) > len(shown),
        "fewer": numbers.FEWER,
        "withheld": _("fewer than %(fewer)s") % {"fewer": numbers.FEWER},
        "head": told["head"],
        "at": told["at"],
        "decisions": charts.stacked(
            [
                (each["label"], {"approvals": each["approvals"], "refusals": each["refusals"]})
                for each in charted
            ]
        ),
        "times": charts.dotted(
            [
                (each["label"], {"median": _hours(each["median"]), "p95": _hours(each["p95"])})
                for each in charted
            ]
        ),
        "has_times": any(each["median"] is not None for each in charted),
        "has_decisions": any(each["approvals"] or each["refusals"] for each in charted),
    }
    return revalidated(render(request, "review/transparency.html", context))


@login_not_required
@require_safe
def transparency_csv(request):
    told = numbers.all_told()
    rows = (numbers.row(each, told["clauses"]) for each in told["months"])
    return revalidated(csv_answer("transparency.csv", numbers.head(told["clauses"]), rows))


def _month(figures: dict, clauses) -> dict:
    first = date.fromisoformat(f"{figures['month']}-01")
    cited = [(clause.title, figures["clauses"].get(clause.code)) for clause in clauses]
    words = {"label": date_format(first, "M"), "name": date_format(first, "F Y"), "cited": cited}
    return figures | words


def _hours(seconds: int | None) -> float | None:
    return None if seconds is None else seconds / 3600
