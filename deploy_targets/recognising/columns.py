"""What is done to each column of a table, gathered step by step -> [inputs.NAME.preprocess].

A column is filled, then scaled or encoded; steps in another order are turned into that one where
the numbers allow it, and else left out, by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from deploy_targets.stages.rows import MISSING


@dataclass(frozen=True)
class Column:
    """(x - mean) / scale of a number; the place of a name among its categories."""

    name: str
    fill: float | str | None = None
    mean: float = 0.0
    scale: float = 1.0
    categories: tuple[str | int, ...] = ()


class Columns:
    """How several columns are told of in one table."""

    def __init__(self) -> None:
        self.left_out: list[str] = []
        self._encodings: set[str] = set()
        self._zeros: set[bool] = set()

    def cannot(self, name: str, why: str) -> None:
        """A step that is left out, or a part of one."""
        self.left_out.append(f"{name}: {why}")

    def scaled(self, name: str, given: Sequence[Column], mean: Any, scale: Any) -> list[Column]:
        """(x - mean) / scale; None for either is none."""
        means = [0.0] * len(given) if mean is None else [float(one) for one in mean]
        scales = [1.0] * len(given) if scale is None else [float(one) for one in scale]
        if any(column.categories for column in given):
            self.cannot(name, "scaling what was encoded cannot be said")
            return list(given)
        return [
            replace(column, mean=column.mean + m * column.scale, scale=column.scale * s)
            for column, m, s in zip(given, means, scales, strict=True)
        ]

    def filled(self, name: str, given: Sequence[Column], values: Sequence[Any]) -> list[Column]:
        """A value for each that is missing."""
        return [
            self._filled(name, column, value) for column, value in zip(given, values, strict=True)
        ]

    def named(
        self, name: str, given: Sequence[Column], categories: Any, encoding: str, zeros: bool
    ) -> list[Column]:
        """Categories, in their order; one that is unknown gives zeros, or is refused."""
        self._encodings.add(encoding)
        self._zeros.add(zeros)
        pairs = zip(given, categories, strict=True)
        return [self._named(name, column, list(known)) for column, known in pairs]

    def table(self, columns: Sequence[Column]) -> dict[str, Any]:
        """As plain values."""
        table: dict[str, Any] = {"type": "table", "columns": [column.name for column in columns]}
        if missing := {one.name: one.fill for one in columns if one.fill is not None}:
            table["missing"] = missing
        if named := {one.name: list(one.categories) for one in columns if one.categories}:
            table["categories"] = named
            # A category that is called "?" or "None" is no missing value there.
            taken = {str(name).strip() for names in named.values() for name in names}
            if taken & set(MISSING):
                table["missing_words"] = [word for word in MISSING if word not in taken]
            table |= self._encoded()
        numbers = [one for one in columns if not one.categories]
        if any((one.mean, one.scale) != (0.0, 1.0) for one in numbers):
            mean, scale = [one.mean for one in numbers], [one.scale for one in numbers]
            table["standardise"] = {"mean": mean, "scale": scale}
        return table

    def _encoded(self) -> dict[str, str]:
        if len(self._encodings) > 1:
            self.cannot("OrdinalEncoder", "beside one-hot columns it cannot be said")
        if len(self._zeros) > 1:
            self.cannot("OneHotEncoder", "unknown names in some columns alone cannot be said")
        hot = "one_hot" in self._encodings
        unknown = "zeros" if hot and self._zeros == {True} else "refuse"
        return {"encoding": "one_hot" if hot else "index", "unknown": unknown}

    def _filled(self, name: str, column: Column, value: Any) -> Column:
        plain = value.item() if hasattr(value, "item") else value
        if isinstance(plain, float) and math.isnan(plain):
            self.cannot(name, f"column {column.name!r} has nothing to be filled with")
        elif column.categories:
            self.cannot(name, f"filling column {column.name!r} after it is encoded cannot be said")
        elif column.fill is None and isinstance(plain, str):
            return replace(column, fill=plain)
        elif column.fill is None:
            return replace(column, fill=float(plain) * column.scale + column.mean)
        return column

    def _named(self, name: str, column: Column, known: Sequence[Any]) -> Column:
        plain = [_plain(one) for one in known]
        if any(one is None for one in plain) or len({type(one) for one in plain}) != 1:
            self.cannot(
                name, f"column {column.name!r}: categories are names or whole numbers, not both"
            )
            return column
        if isinstance(column.fill, str) and column.fill not in plain:
            self.cannot(name, f"column {column.name!r}: {column.fill!r} is none of its categories")
            column = replace(column, fill=None)
        # A table's categories stay as they are: only numbers are scaled.
        return replace(column, categories=tuple(one for one in plain if one is not None))


def _plain(category: Any) -> str | int | None:
    """A name or a whole number; None for what a table cannot hold: NaN, None, 1.5, True."""
    plain = category.item() if hasattr(category, "item") else category
    if isinstance(plain, float) and plain.is_integer():
        return int(plain)
    return plain if isinstance(plain, str | int) and not isinstance(plain, bool) else None
