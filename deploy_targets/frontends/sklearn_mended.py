"""Estimators, and what is written of them, in the forms that skl2onnx and onnx take.

Nothing here changes an answer. In: an estimator. Out: a copy for skl2onnx alone.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


def mended(estimator: Any) -> Any:
    """A copy that answers the same, in the forms that skl2onnx reads."""
    own = copy.deepcopy(estimator)
    for part in _parts(own, set()):
        if hasattr(part, "flatten_transform"):
            # Of a vote's transform, which nobody asks here.
            part.flatten_transform = False
    return own


@contextlib.contextmanager
def plain_numbers() -> Iterator[None]:
    """Lets False stand among the integers of an attribute, as skl2onnx writes it for the leaves of
    histogram trees and protobuf no longer takes it. For this process, which does nothing else."""
    from onnx import helper

    make = helper.make_attribute

    def plain(key: str, value: Any, *more: Any, **named: Any) -> Any:
        listed = isinstance(value, list) and any(isinstance(each, bool) for each in value)
        return make(key, [int(each) for each in value] if listed else value, *more, **named)

    helper.make_attribute = plain
    try:
        yield
    finally:
        helper.make_attribute = make


def _parts(thing: Any, seen: set[int]) -> Iterator[Any]:
    """Every estimator inside of one, itself among them."""
    from sklearn.base import BaseEstimator  # type: ignore[import-untyped,unused-ignore]

    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, BaseEstimator):
        yield thing
        for value in list(vars(thing).values()):
            yield from _parts(value, seen)
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from _parts(value, seen)
    elif isinstance(thing, list | tuple) or (isinstance(thing, np.ndarray) and thing.dtype == "O"):
        for value in thing:
            yield from _parts(value, seen)
