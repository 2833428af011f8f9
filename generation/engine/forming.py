"""Makes small pictures of a clip that is still latents: one product with a matrix that was fitted to its model; what
the latents are is latents.py's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import MOMENTS

RIDGE = 1e-3  # of the mean variance


class Lens:
    """What a token of a model looks like: for each of a few moments, a square of pixels.

    `matrix` is of shape (channels, moments, cell, cell, 3) and `bias` of shape (moments, cell, cell, 3). Together
    they take normalized latents to RGB in 0..1.
    """

    def __init__(self, matrix: np.ndarray, bias: np.ndarray):
        self.matrix, self.bias = matrix.astype(np.float32), bias.astype(np.float32)

    @classmethod
    def read(cls, file: Path) -> Lens:
        with np.load(file) as kept:
            return cls(kept["matrix"], kept["bias"])

    @classmethod
    def fit(cls, tokens: np.ndarray, squares: np.ndarray) -> Lens:
        """Least squares from `tokens`, (n, channels), to what they show: `squares`, (n, moments, cell, cell, 3)."""
        rows = np.hstack([tokens, np.ones((len(tokens), 1))])
        gram = rows.T @ rows
        gram += RIDGE * gram.trace() / len(gram) * np.eye(len(gram))
        solution = np.linalg.solve(gram, rows.T @ squares.reshape(len(squares), -1))
        solution = solution.reshape(-1, *squares.shape[1:])
        return cls(solution[:-1], solution[-1])

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
