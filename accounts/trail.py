"""Which request, job and attempt the work at hand belongs to: ids that log lines carry, and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_trail: ContextVar[MappingProxyType] = ContextVar("trail", default=MappingProxyType({}))


@contextmanager
def following(**known: str | int | Callable | None) -> Iterator[None]:
    """Within it, `ids` tells these too. A function is asked when a line is written: who logs in is known late."""
    token = _trail.set(MappingProxyType({**_trail.get(), **known}))
    try:
        yield
    finally:
        _trail.reset(token)


def ids() -> dict[str, str]:
    told = {name: value() if callable(value) else value for name, value in _trail.get().items()}
    return {name: str(value) for name, value in told.items() if value is not None}


def request_id() -> str | None:
    """The id of the request that this work was asked for by; None where nobody clicked."""
    return ids().get("request")
