"""The small text-to-video model that ships with the project: where its weights lie and what to ask of it (no torch here)."""

from pathlib import Path

from .captions import EXAMPLES

WEIGHTS = Path(__file__).parent / "weights"

__all__ = ["EXAMPLES", "WEIGHTS"]
