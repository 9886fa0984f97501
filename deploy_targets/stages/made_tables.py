"""Tables that are made up: awkward, and yet right. Seeded, so the same bytes each time."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deploy_targets.records import TensorSpec
from deploy_targets.stages.base import Raw

if TYPE_CHECKING:
    from deploy_targets.stages.rows import TableBefore

Row = list[Any]


def tables(table: TableBefore, tensor: TensorSpec) -> Iterator[Raw]:
    """What a table takes, and no more."""
    rows = _rows(table, tensor)
    columns = list(table.columns)
    yield Raw("csv", "rows as they are declared", _csv(table, columns, rows))
    yield Raw(
        "quoted",
        "quoted numbers, CRLF and a byte order mark",
        b"\xef\xbb\xbf" + _csv(table, columns, rows, quoted=True),
    )
    if table.header:
        turned = [row[::-1] for row in rows]
        yield Raw("reordered", "columns in another order", _csv(table, columns[::-1], turned))
    if table.header and table.extra == "ignore":
        name = "other" + "_" * max(map(len, columns))
        wide = [["text, with a comma", *row] for row in rows]
        yield Raw("extra", "a column that is not asked for", _csv(table, [name, *columns], wide))
    if table.missing:
        holes = [
            [None if n in table.missing else c for n, c in zip(columns, row, strict=True)]
            for row in rows
        ]
        yield Raw("missing", "nothing where a value may be missing", _csv(table, columns, holes))
        objects = [
            {n: c for n, c in zip(columns, row, strict=True) if c is not None} for row in holes
        ]
        yield Raw("missing_json", "keys that are left out", json.dumps(objects).encode())
    if table.unknown == "zeros":
        odd = [
            [
                "never seen" if n in table.categories and isinstance(c, str) else c
                for n, c in zip(columns, row, strict=True)
            ]
            for row in rows
        ]
        yield Raw("unknown", "names that were never seen", _csv(table, columns, odd))
    objects = [dict(zip(columns, row, strict=True)) for row in rows]
    whole: Any = objects[0] if len(objects) == 1 else objects
    yield Raw("objects", "JSON: objects", json.dumps(whole).encode())
    yield Raw("lists", "JSON: lists in the order of the columns", json.dumps(rows).encode())


def _rows(table: TableBefore, tensor: TensorSpec) -> list[Row]:
    """Numbers where the model expects them to lie, each category's names in turn."""
    draw = np.random.default_rng(0)
    count = tensor.shape[0] if isinstance(tensor.shape[0], int) else 3
    columns = [_column(table, tensor, name, count, draw) for name in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _column(
    table: TableBefore, tensor: TensorSpec, name: str, count: int, draw: np.random.Generator
) -> Row:
    if name in table.categories:
        known = table.categories[name]
        return [known[i % len(known)] for i in range(count)]
    low, high = tensor.range or (0.0, 2.0)
    mean, spread = (low + high) / 2, (high - low) / 4
    usual = table.missing.get(name)
    if isinstance(usual, float | int) and usual and math.isfinite(usual):
        # What stands for a missing value is a usual one: it tells how large a column's values are.
        mean, spread = usual, abs(usual) / 2
    scaling, numbers = table.standardise, [n for n in table.columns if n not in table.categories]
    if scaling:
        at = numbers.index(name) if len(scaling.mean) == len(numbers) else table.first(name)
        mean, spread = scaling.mean[at], scaling.scale[at]
    values = mean + spread * draw.uniform(-2, 2, count)
    whole = "int" in tensor.dtype
    return [round(value) if whole else float(f"{value:.6g}") for value in values.tolist()]


def _csv(table: TableBefore, columns: list[str], rows: list[Row], *, quoted: bool = False) -> bytes:
    text = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    end = "\r\n" if quoted else "\n"
    written = csv.writer(text, delimiter=table.delimiter, quoting=quoting, lineterminator=end)
    written.writerows([columns, *rows] if table.header else rows)
    return text.getvalue().encode()
