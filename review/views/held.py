"""The desk's lists beside submissions: paged by key, as the desk itself is."""

from datetime import UTC

from django.db.models import Q

from accounts.paging import as_key

PAGE = 40
HELD_WITH = ("holder",)


def page_of(rows, request, *, moment: str, pk: str) -> dict:
    """Context of one page of rows that are ordered by these two columns."""
    after = as_key(request.GET.get("after"))
    if after:
        when, key = after
        later = Q(**{f"{moment}__gt": when}) | Q(**{f"{pk}__gt": key})
        rows = rows.filter(later, **{f"{moment}__gte": when})
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    more = None
    if len(found) > PAGE:
        last = getattr(shown[-1], moment).astimezone(UTC)
        more = f"?show={request.GET['show']}&after={last:%Y-%m-%dT%H:%M:%S.%fZ},{shown[-1].pk}"
    return {"rows": shown, "more": more, "is_first": after is None}
