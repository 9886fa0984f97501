"""A user's own step: their file lies in own_steps/ beside this one, where a target has put it.

What it is given and must give is the same array in Python and here: a copy that it may write to,
and an array of the same dtype and rank, whose sizes are those that later steps count on.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

FOLDER = "own_steps"


def own(
    value: Any,
    frame: dict[str, Any],
    *,
    name: str,
    python: str,
    counterpart: str,
    dtype: str,
    shape: list[int | str],
    keeps: bool,
) -> Any:
    """The value as the counterpart makes it. Raises ValueError where it is none of that kind."""
    file, _, function = counterpart.rpartition(":")
    stem = file.rpartition("/")[2][: -len(".py")]
    call = getattr(import_module(f".{FOLDER}.{stem}", __package__), function)
    said = np.asarray(call(np.array(value)))
    wrong = complaint(value, said, dtype, shape, keeps)
    if wrong:
        raise ValueError(f"own step {name}: {wrong}")
    return said


def complaint(value: Any, said: Any, dtype: str, shape: list[int | str], keeps: bool) -> str:
    """Why an array is not what this step may give; empty where it is."""
    got = f"gave {said.dtype.name}{list(said.shape)}"
    if said.dtype.name != dtype or said.ndim != len(shape):
        return (
            f"{got}, was given {value.dtype.name}{list(value.shape)}; expected its dtype and rank"
        )
    if any(d != n for d, n in zip(shape, said.shape) if not isinstance(d, str)):  # noqa: B905
        return f"{got}; expected {dtype}[{', '.join(map(str, shape))}]"
    if keeps and said.shape != value.shape:
        return (
            f"{got}, was given {list(value.shape)}; expected the same, for later steps count on it"
        )
    return ""
