"""What stands around a graph, in Python: from raw bytes to a tensor, and from tensors to words.

This folder is the reference that every other language is held to, and it travels: a target whose
code is Python takes it along as it is. So nothing here imports the rest of the package, and each
file imports no more than numpy and the one library that it is about. To add an operation: a
function in the file of its medium, a line in `BEFORE` or `AFTER`, and its form as a graph in
`graphs/`, where it has one.

A step is `{"op": name, "options": {...}}`, and for an output also `"of"`. A `frame` is what a later
step must know of an earlier one: the size of a photo, the rate of a recording.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .refused import Refused

if TYPE_CHECKING:
    Steps = list[dict[str, Any]]
    Frame = dict[str, Any]


BEFORE = {
    "decode_image": "image",
    "resize": "resize",
    "crop": "image",
    "pad": "image",
    "channels": "image",
    "scale": "image",
    "layout": "image",
    "decode_audio": "audio",
    "resample": "audio",
    "length": "audio",
    "frames": "audio",
    "normalise": "audio",
    "arrange": "audio",
    "log_mel": "audio",
    "decode_table": "table",
    "impute": "table",
    "standardise": "table",
    "one_hot": "table",
    "cast": "table",
    "own": "own",
}
"""Operation -> the file that has it, imported when it is first needed: a cold start has no time."""

AFTER = {
    "softmax": "scores",
    "sigmoid": "scores",
    "top_k": "scores",
    "threshold": "scores",
    "detections": "boxes",
    "unframe": "boxes",
    "argmax": "masks",
    "above": "masks",
    "resize_mask": "masks",
    "ctc": "text",
}

WORDS = frozenset({"label", "palette"})
"""What says how an answer is put in words (words.py), and changes no tensor."""


def before(steps: Steps, value: Any, frame: Frame) -> Any:
    """Runs the steps of one input, from bytes or from where another left off. Raises Refused."""
    for step in steps:
        value = _function(BEFORE, step["op"])(value, frame, **step["options"])
    return value


def after(steps: Steps, tensors: dict[str, Any], frame: Frame) -> dict[str, Any]:
    """Runs the steps of all outputs; each takes tensors by name and puts others in their place."""
    tensors = dict(tensors)
    for step in steps:
        if step["op"] not in WORDS:
            _function(AFTER, step["op"])(tensors, step["of"], frame, **step["options"])
    return tensors


def _function(known: dict[str, str], op: str) -> Any:
    return getattr(import_module("." + known[op], __name__), op)


__all__ = ["AFTER", "BEFORE", "WORDS", "Refused", "after", "before"]
