"""HTTP for people: coming in, and where to go first."""

from .factors import factor_reset
from .home import home
from .invitation import invitation
from .program import program
from .sessions import sessions
from .standing import standing

__all__ = ["factor_reset", "home", "invitation", "program", "sessions", "standing"]
