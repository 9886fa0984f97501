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
from deploy_targets.workspace import digest_of, digest_of_file

READ = frozenset((".py", ".json", ".toml", ".yaml", ".yml", ".txt", ".csv", ".npy", ".npz"))
"""What a function's code may read beside itself; other files belong under `depends`."""
LEFT_OUT = frozenset(("__pycache__", "build", "node_modules", "samples", "site-packages"))
LARGEST, MANIFEST = 16 << 20, "deploy-target.json"


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
    """SHA-256 over the code and the small data in the folder of the function, and below it.

    Empty where there is no such file: loading it says why.
    """
    folder = _folder(SourceSpec(source, base))
    if folder is None:
        return ""
    # What was built there is no part of what it was built from.
    built = {manifest.parent for manifest in folder.rglob(MANIFEST)}
    files = sorted(
        path
        for path in folder.rglob("*")
        if _counts(path.relative_to(folder), path) and built.isdisjoint(path.parents)
    )
    return digest_of(
        [[path.relative_to(folder).as_posix(), digest_of_file(path)] for path in files]
    )


def _folder(spec: SourceSpec) -> Path | None:
    try:
        if (file := file_of(spec)) is not None:
            return file.parent
        found = importlib.util.find_spec(split(spec)[0])
    except (ConfigError, UnsupportedModel, ImportError, ValueError):
        return None
    return Path(found.origin).parent if found and found.origin else None


def _counts(inside: Path, path: Path) -> bool:
    made = any(part.startswith(".") or part in LEFT_OUT for part in inside.parts[:-1])
    return not made and path.suffix in READ and path.is_file() and path.stat().st_size <= LARGEST


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
