"""How a scikit-learn estimator is asked for rows that come as dictionaries."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deploy_targets.recognising.columns import Column

Rows = list[dict[str, Any]]


def asking(
    estimator: Any, names: Sequence[str], columns: Sequence[Column]
) -> Callable[[Rows], np.ndarray[Any, Any]]:
    """`names`: what it takes, in order. A column that `columns` do not hold is filled with 0."""
    words = any(isinstance(one, str) for column in columns for one in column.categories)

    def call(rows: Rows) -> np.ndarray[Any, Any]:
        cells = [[_cell(row.get(name, 0.0)) for name in names] for row in rows]
        with warnings.catch_warnings():
            # It may have been fitted with a frame: the names are in order, whatever holds them.
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            # A category that it has not seen: what it makes of it is compared.
            warnings.filterwarnings("ignore", message="Found unknown categories")
            made = estimator.transform(_framed(estimator, names, cells, words))
        return np.asarray(made.toarray() if hasattr(made, "toarray") else made)

    return call


def _cell(value: Any) -> Any:
    return np.nan if value is None else value


def _framed(estimator: Any, names: Sequence[str], cells: list[list[Any]], words: bool) -> Any:
    """A frame where it was fitted with one and pandas is here, else an array."""
    array = np.array(cells, object if words else np.float64)
    if not hasattr(estimator, "feature_names_in_"):
        return array
    try:
        import pandas  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ModuleNotFoundError:
        return array
    return pandas.DataFrame(array, columns=list(names)).infer_objects()
