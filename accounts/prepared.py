"""Questions to the database that are put together once and asked many times: on the busiest pages, Django takes longer
to write its SQL than the database to answer it.

    mine = prepared(lambda: Job.objects.filter(owner=Slot("owner", UUIDField())))
    mine(owner=user.pk)
"""

import copy
import re
from collections.abc import Callable
from functools import cache

from django.db import connection, transaction
from django.db.models import Expression, Field, QuerySet

PLACE = re.compile("(?<!%)%s")  # of a parameter


class Slot(Expression):
    """Stands in a prepared question for a value that comes later."""

    def __init__(self, name: str, output_field: Field):
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler, connection):
        return "%s", [self]

    def filled(self, values: dict):
        return self.output_field.get_db_prep_value(values[self.name], connection)


def prepared(build: Callable[[], QuerySet]) -> Callable[..., QuerySet]:
    """Turns what builds a query with slots into what asks it, with a value for each slot by name.

    The answer is an unevaluated QuerySet to be read as it is: filtered further, it would forget its values.
    """

    @cache
    def compiled():
        queryset = build()
        compiler = queryset.query.get_compiler(connection=connection)
        with transaction.atomic():  # else Django writes no question that locks
            words = compiler.as_sql()
        return queryset, compiler, _written_out(*words)

    @cache
    def converters():
        """How the database's values become Python's, column by column."""
        _queryset, compiler, _words = compiled()
        return compiler.get_converters([column for column, *_ in compiler.select[: compiler.col_count]])

    def told(**values) -> tuple[str, tuple]:
        """The question as the database gets it."""
        _queryset, _compiler, (sql, parameters) = compiled()
        return sql, tuple(each.filled(values) if isinstance(each, Slot) else each for each in parameters)

    def ask(**values) -> QuerySet:
        queryset, compiler, _words = compiled()
        question = told(**values)
        # Copies, so that two threads asking at once share nothing but the words.
        answering = copy.copy(compiler)
        answering.connection = connection
        answering.as_sql = lambda *args, **kwargs: question
        answering.get_converters = lambda columns: converters()
        asked = queryset.all()
        asked.query.get_compiler = lambda *args, **kwargs: answering
        return asked

    ask.unprepared, ask.told = build, told
    return ask


def _written_out(sql: str, parameters) -> tuple[str, tuple]:
    """For PostgreSQL, all but the slots becomes part of the words. It soon plans a question once for all values, and an
    index on what is queued, say, helps only where "queued" is none of them; else it plans anew at each asking.
    """
    if connection.vendor != "postgresql":
        return sql, parameters
    connection.ensure_connection()
    written, *pieces = PLACE.split(sql)
    slots = []
    for piece, parameter in zip(pieces, parameters, strict=True):
        if isinstance(parameter, Slot):
            slots.append(parameter)
            word = "%s"
        else:
            word = connection.ops.compose_sql("%s", [parameter]).replace("%", "%%")
        written += word + piece
    return written, tuple(slots)
