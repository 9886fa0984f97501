"""Text: from scores of each step in time to the tokens that were said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Tensors = dict[str, Any]


def ctc(tensors: Tensors, of: str, frame: Any, blank: int, time: int) -> None:
    """The best token of each step, repeats once, blanks never: int64 [tokens].

    `time` is the axis of time, 1 in [1, steps, tokens] and 0 in [steps, 1, tokens]. Of equal scores
    the lower token is taken; one that is no number is worth less than any other.
    """
    scores = tensors[of].astype(np.float32)
    if scores.shape[1 - time] != 1:
        raise ValueError(f"text is read from one item, not from {scores.shape[1 - time]}")
    worth = np.where(np.isnan(scores), np.float32(-np.inf), scores)
    steps = worth.squeeze(1 - time).argmax(-1)
    before = np.concatenate([[-1], steps])[:-1]
    tensors[of] = steps[(steps != before) & (steps != blank)].astype(np.int64)
