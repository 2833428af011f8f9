"""HTTP for people: coming in, and where to go first."""

from .home import home
from .invitation import invitation
from .program import program
from .sessions import sessions
from .standing import standing

__all__ = ["home", "invitation", "program", "sessions", "standing"]
