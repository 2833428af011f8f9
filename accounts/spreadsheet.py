"""Tables that leave the house as CSV: row by row, so that a long one needs no memory, and harmless in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse


def csv_answer(filename: str, head: tuple[str, ...], rows: Iterable[list]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(csv_lines(head, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def csv_lines(head: tuple[str, ...], rows: Iterable[list]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(head)
    for row in rows:
        yield writer.writerow([_plain(cell) if isinstance(cell, str) else cell for cell in row])


def _plain(cell: str) -> str:
    """A spreadsheet would run a cell that begins like a formula."""
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


class _Line:
    """Where csv writes: what it is given comes back from writerow."""

    def write(self, line: str) -> str:
        return line
