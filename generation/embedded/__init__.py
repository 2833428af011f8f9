"""The small text-to-video model that ships with the project: its weights and good prompts (no torch here)."""

from pathlib import Path

from .captions import EXAMPLES

WEIGHTS = Path(__file__).parent / "weights"

__all__ = ["EXAMPLES", "WEIGHTS"]
