"""Scores of classes: [rows, classes] in, probabilities, the best few or those above a limit out.

A score that is no number is worth less than any other, and of equal ones the lower index is first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Tensors = dict[str, Any]


def softmax(tensors: Tensors, of: str, frame: Any, axis: int) -> None:
    """Probabilities that sum to 1 along `axis`, float32."""
    given = tensors[of].astype(np.float32)
    with np.errstate(all="ignore"):
        powers = np.exp(given - given.max(axis, keepdims=True, initial=-np.inf))
        tensors[of] = powers / powers.sum(axis, keepdims=True)


def sigmoid(tensors: Tensors, of: str, frame: Any) -> None:
    """A probability for each element by itself, float32."""
    with np.errstate(all="ignore"):
        tensors[of] = 1 / (1 + np.exp(-tensors[of].astype(np.float32)))


def top_k(tensors: Tensors, of: str, frame: Any, k: int) -> None:
    """The `k` largest of each row: `<of>.scores` float32 and `<of>.indices` int64, [rows, k]."""
    scores = tensors.pop(of).astype(np.float32)
    best = descending(scores)[..., :k]
    tensors[f"{of}.scores"] = np.take_along_axis(scores, best, -1)
    tensors[f"{of}.indices"] = best


def threshold(tensors: Tensors, of: str, frame: Any, at: float) -> None:
    """Scores that are not above `at` become 0, those that are no number too; float32."""
    scores = tensors[of].astype(np.float32)
    tensors[of] = np.where(scores > np.float32(at), scores, np.float32(0))


def descending(scores: Any) -> Any:
    """The order along the last axis: largest first, of equal ones the lower index, int64."""
    worth = np.where(np.isnan(scores), np.float32(-np.inf), scores)
    return np.argsort(-worth, axis=-1, kind="stable").astype(np.int64)
