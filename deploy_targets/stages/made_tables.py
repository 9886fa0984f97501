"""Tables that are made up: awkward, and yet right. Seeded, so the same bytes each time.

Over all of them each name of each category occurs, and each word that means missing: each table
goes on where the one before it stopped.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_targets.records import TensorSpec
from deploy_targets.stages.base import Raw

if TYPE_CHECKING:
    from deploy_targets.stages.rows import TableBefore

Row = list[Any]

ROWS, TABLES = 6, 64
"""Of a table whose rows are free; the tables that show further names before they grow longer."""


def tables(table: TableBefore, tensor: TensorSpec) -> Iterator[Raw]:
    """What a table takes, and no more."""
    made = _Rows(table, tensor)
    columns = list(table.columns)
    if made.free:
        yield Raw("one_row", "JSON: one object", _objects(columns, made.next(1)))
    yield Raw("csv", "rows as they are declared", _csv(table, columns, made.next()))
    yield Raw(
        "quoted",
        "quoted numbers, CRLF and a byte order mark",
        b"\xef\xbb\xbf" + _csv(table, columns, made.next(), quoted=True),
    )
    if table.header:
        turned = [row[::-1] for row in made.next()]
        yield Raw("reordered", "columns in another order", _csv(table, columns[::-1], turned))
    if table.header and table.extra == "ignore":
        name = "other" + "_" * max(map(len, columns))
        wide = [["text, with a comma", *row] for row in made.next()]
        yield Raw("extra", "a column that is not asked for", _csv(table, [name, *columns], wide))
    yield Raw("objects", "JSON: objects", _objects(columns, made.next()))
    yield Raw("lists", "JSON: lists in the order of the columns", _json(made.next()))
    yield from _missing(table, made)
    if table.unknown == "zeros":
        unseen = made.changed(lambda name: _unseen(table, name), table.categories)
        yield Raw("unknown", "names that were never seen", _csv(table, columns, unseen))
    yield from _further(table, made)


def _missing(table: TableBefore, made: _Rows) -> Iterator[Raw]:
    """Each word once at least, nothing at all, and JSON's ways to leave a value out."""
    columns, words = list(table.columns), itertools.cycle(table.missing_words)
    if not table.missing:
        return
    at_once = made.rows * len(table.missing)
    for i in range(-(-len(table.missing_words) // at_once)):
        holes = made.changed(lambda _: next(words), table.missing)
        name = "missing" if i == 0 else f"missing_{i + 1}"
        yield Raw(name, "words that mean that a value is missing", _csv(table, columns, holes))
    rows = made.changed(lambda _: None, table.missing)
    objects = [
        {n: c for n, c in zip(columns, row, strict=True) if c is not None or i % 2}
        for i, row in enumerate(rows)
    ]
    yield Raw("missing_json", "keys that are left out, and null", _json(objects))


def _further(table: TableBefore, made: _Rows) -> Iterator[Raw]:
    """Tables until each name was there."""
    left = max(map(len, table.categories.values()), default=0) - made.shown
    count = made.rows
    if made.free:
        count = min(max(count, -(-left // TABLES)), table.max_rows)
    for i in range(-(-left // count)):
        rows = _csv(table, list(table.columns), made.next(count))
        yield Raw(f"names_{i + 1}", "further names of categories", rows)


class _Rows:
    """Rows of a table, each time others."""

    def __init__(self, table: TableBefore, tensor: TensorSpec) -> None:
        self._table, self._tensor = table, tensor
        self._draw = np.random.default_rng(0)
        self.shown = 0
        """How many names of each category were there."""
        self.free = not isinstance(tensor.shape[0], int)
        size = tensor.shape[0]
        self.rows = size if isinstance(size, int) else min(ROWS, table.max_rows)

    def next(self, count: int | None = None) -> list[Row]:
        """Numbers where the model expects them to lie, each category's names in turn."""
        rows = self._made(self.rows if count is None else count)
        self.shown += len(rows)
        return rows

    def changed(self, other: Any, names: Any) -> list[Row]:
        """Rows in which these columns hold something else: no name was shown in them."""
        columns = self._table.columns
        return [
            [other(n) if n in names else c for n, c in zip(columns, row, strict=True)]
            for row in self._made(self.rows)
        ]

    def _made(self, count: int) -> list[Row]:
        columns = [self._column(name, j, count) for j, name in enumerate(self._table.columns)]
        return [list(row) for row in zip(*columns, strict=True)]

    def _column(self, name: str, place: int, count: int) -> Row:
        known = self._table.categories.get(name)
        if known:
            # Two columns begin at two names: what mixes them up is seen.
            return [known[(self.shown + place + i) % len(known)] for i in range(count)]
        mean, spread = self._usual(name)
        values = (mean + spread * self._draw.uniform(-2, 2, count)).tolist()
        return [self._number(value) for value in values]

    def _usual(self, name: str) -> tuple[float, float]:
        """What a column's numbers are about, and how far they lie from it."""
        table, scaling = self._table, self._table.standardise
        low, high = self._tensor.range or (0.0, 2.0)
        numbers = [n for n in table.columns if n not in table.categories]
        if scaling:
            at = numbers.index(name) if len(scaling.mean) == len(numbers) else table.first(name)
            return scaling.mean[at], scaling.scale[at]
        usual = table.missing.get(name)
        if isinstance(usual, float | int) and usual and math.isfinite(usual):
            # What stands for a missing value is a usual one: it tells how large values are.
            return usual, abs(usual) / 2
        return (low + high) / 2, (high - low) / 4

    def _number(self, value: float) -> float:
        """As the tensor holds it, and no word that means missing."""
        made = float(f"{value:.6g}")
        if "int" in self._tensor.dtype:
            info = np.iinfo(self._tensor.dtype)
            made = min(max(round(value), int(info.min)), int(info.max))
        while str(made) in self._table.missing_words:
            made += 1
        return made


def _unseen(table: TableBefore, name: str) -> int | str:
    """What is none of a category's names, and no word that means missing."""
    known: Sequence[Any] = table.categories[name]
    taken = {*map(str, known), *table.missing_words}
    if isinstance(known[0], int):
        further = itertools.count(int(max(known)) + 1)
        return next(n for n in further if str(n) not in taken)
    return next(s for n in itertools.count() if (s := "never seen" + "_" * n) not in taken)


def _objects(columns: list[str], rows: list[Row]) -> bytes:
    objects = [dict(zip(columns, row, strict=True)) for row in rows]
    return _json(objects[0] if len(objects) == 1 else objects)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _csv(table: TableBefore, columns: list[str], rows: list[Row], *, quoted: bool = False) -> bytes:
    end = "\r\n" if quoted else "\n"
    lines = [columns, *rows] if table.header else rows
    written = (
        table.delimiter.join(_cell(str(cell), table.delimiter, quoted) for cell in line)
        for line in lines
    )
    return "".join(line + end for line in written).encode()


def _cell(text: str, delimiter: str, quoted: bool) -> str:
    """In quotes where it would be read otherwise: as a blank line, as JSON, or as two values."""
    plain = text == text.strip() and text[:1] not in ("", "[", "{", "\ufeff")
    if quoted or not plain or any(sign in text for sign in (delimiter, '"', "\r", "\n")):
        return '"' + text.replace('"', '""') + '"'
    return text
