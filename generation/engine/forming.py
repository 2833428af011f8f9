"""Makes small pictures of a clip that is still latents: one product with a matrix that was fitted to its model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import MOMENTS


class Lens:
    """What a token of a model looks like: for each of a few moments, a square of pixels.

    The file holds `matrix`, of shape (channels, moments, cell, cell, 3), and `bias`, of shape (moments, cell,
    cell, 3). Together they take normalized latents to RGB in 0..1.
    """

    def __init__(self, file: Path):
        with np.load(file) as kept:
            self.matrix, self.bias = (kept[name].astype(np.float32) for name in ("matrix", "bias"))

    def draw(self, tokens: np.ndarray) -> np.ndarray:
        """Pictures from `tokens`, floats of shape (time, height, width, channels), as `Engine.generate` tells."""
        channels, each, cell, _, _ = self.matrix.shape
        picked = np.linspace(0, len(tokens) * each - 1, MOMENTS).round().astype(int)
        _, height, width, _ = tokens.shape
        squares = tokens[picked // each] @ self.matrix.reshape(channels, -1) + self.bias.reshape(-1)
        squares = squares.reshape(MOMENTS, height, width, each, cell, cell, 3)
        squares = squares[np.arange(MOMENTS), :, :, picked % each]
        pictures = squares.swapaxes(2, 3).reshape(MOMENTS, height * cell, width * cell, 3)
        return (np.nan_to_num(pictures).clip(0, 1) * 255).round().astype(np.uint8)
