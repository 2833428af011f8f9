"""HTTP for people: coming in, and where to go first."""

from .home import home
from .invitation import invitation

__all__ = ["home", "invitation"]
