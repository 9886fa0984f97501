"""The original's own preprocessing, where the user names it: "file.py:callable".

It is called with what a Python program has in its hands (an opened PIL image, samples and their
rate, rows) and returns the model's tensor, its batch axis included or not. Golden answers from raw
bytes are made with it, so that the declared steps are judged against what the model was made for.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.frontends.call_user import attribute, guarded
from deploy_targets.frontends.observe import observing
from deploy_targets.frontends.source import SourceSpec, file_of, split
from deploy_targets.records import Array, TensorSpec
from deploy_targets.workspace import digest_of


def load(
    source: str, base: Path, given: Callable[[bytes], Any], tensor: TensorSpec
) -> Callable[[bytes], Array]:
    """From raw bytes to the model's tensor, by the user's own code. Raises ConfigError.

    `given`: from raw bytes to what that code is called with.
    """
    spec = SourceSpec(source, base)
    file = file_of(spec)
    with observing(file.parent if file else base) as observed:
        function = attribute(spec, observed)
    if not callable(function):
        raise ConfigError(
            f"reference = {source!r} is a {type(function).__name__}",
            hint="name a function from the raw input to the model's tensor",
        )

    def call(data: bytes) -> Array:
        with observing(file.parent if file else base):
            said = guarded(source, lambda: np.asarray(function(given(data))))
        return _fitted(source, said, tensor)

    return call


def digest(source: str, base: Path) -> str:
    """SHA-256 over the Python files beside the one that holds the function."""
    spec = SourceSpec(source, base)
    file = file_of(spec)
    if file is None:
        found = importlib.util.find_spec(split(spec)[0])
        file = Path(found.origin) if found and found.origin else None
    beside = sorted(file.parent.glob("*.py")) if file else []
    return digest_of([[path.name, path.read_text("utf-8", "replace")] for path in beside])


def _fitted(source: str, array: Array, tensor: TensorSpec) -> Array:
    """The array with its batch axis; dtype and shape must be the model's."""
    if array.ndim == len(tensor.shape) - 1:
        array = array[None]
    fits = array.ndim == len(tensor.shape) and all(
        isinstance(dim, str) or dim == size
        for dim, size in zip(tensor.shape, array.shape, strict=True)
    )
    if not fits or array.dtype.name != tensor.dtype:
        raise UnsupportedModel(
            f"reference = {source!r} gives {array.dtype.name}{list(array.shape)}; {tensor.name} "
            f"is {tensor.dtype}{list(tensor.shape)}",
            hint="make it return the very array that the model is called with",
        )
    return array
