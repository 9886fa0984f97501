"""Tables: from CSV or JSON to rows of numbers.

In: bytes in UTF-8. JSON is told by its first sign, "[" or "{": a list of objects, one object, or a
list of lists in the order of the columns. Anything else is CSV. Out: float64 [rows, columns], NaN
where a value is missing, a category as its place in the list of them. Rows are counted from 1,
the header is none.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from .refused import Refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    Cell = Any


NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""What is a number in text; not "1_000", "0x10", "1,5" or "inf", whatever Python makes of them."""
MOST_COLUMNS = 10_000
"""In a header, where the table itself does not ask for more."""
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def decode_table(
    value: bytes,
    frame: dict[str, Any],
    *,
    columns: list[str],
    categories: dict[str, list[Any]],
    optional: list[str],
    missing: list[str],
    unknown: str,
    extra: str,
    header: bool,
    delimiter: str,
    max_rows: int,
) -> Doubles:
    """Float64 [rows, columns]. Raises Refused, naming the row and the column."""
    text = _text(value)
    if text.lstrip()[:1] in ("[", "{"):
        rows = _json(text, columns, extra)
    else:
        rows = _csv(text, columns, extra, header, delimiter)
    if not rows:
        raise Refused("the table holds no rows")
    if len(rows) > max_rows:
        raise Refused(f"the table holds {len(rows)} rows, expected {max_rows} at most", 413)
    out = np.empty((len(rows), len(columns)), np.float64)
    for i, row in enumerate(rows):
        for j, name in enumerate(columns):
            where = f"row {i + 1}, column {name!r}"
            cell = row[j]
            if cell is None or (isinstance(cell, str) and cell.strip() in missing):
                out[i, j] = _absent(name, optional, where)
            elif name in categories:
                out[i, j] = _place(cell, categories[name], unknown, where)
            else:
                out[i, j] = _number(cell, where)
    return out


def impute(value: Doubles, frame: dict[str, Any], *, values: list[float | None]) -> Doubles:
    """A number for each missing value, by column; None leaves it missing."""
    filled = np.array([np.nan if v is None else v for v in values], np.float64)
    return np.where(np.isnan(value), filled, value)


def standardise(
    value: NDArray[Any], frame: dict[str, Any], *, mean: list[float], scale: list[float]
) -> NDArray[Any]:
    """(x - mean) / scale along the last axis, in the value's own precision."""
    shifted = value - np.array(mean, np.float64).astype(value.dtype)
    return np.asarray(shifted / np.array(scale, np.float64).astype(value.dtype))


def one_hot(value: Doubles, frame: dict[str, Any], *, sizes: list[int | None]) -> Doubles:
    """A column of a category's index becomes as many columns as it has; no index: all zeros.

    The nearest index counts: a step before may have rounded otherwise, and still means this one.
    """
    columns, codes, coded = expanded(sizes)
    spread = value[:, columns]
    return np.where(coded, np.rint(spread) == codes, spread)


def cast(value: NDArray[Any], frame: dict[str, Any], *, dtype: str) -> NDArray[Any]:
    """The tensor's own dtype. Raises Refused where a value does not fit a whole number."""
    if dtype.startswith(("int", "uint")):
        info = np.iinfo(dtype)
        right = (value == np.rint(value)) & (value >= info.min) & (value <= info.max)
        if not right.all():
            row = int(np.argwhere(~right)[0][0]) + 1
            raise Refused(f"row {row} holds {value[~right][0]:g}, expected {dtype}")
    return value.astype(dtype)


def expanded(sizes: list[int | None]) -> tuple[NDArray[np.int64], Doubles, NDArray[np.bool_]]:
    """For each column that comes out: the column it is from, its category's index, if any."""
    flat = [(i, code) for i, n in enumerate(sizes) for code in (range(n) if n else [None])]
    return (
        np.array([i for i, _ in flat], np.int64),
        np.array([-1.0 if code is None else float(code) for _, code in flat]),
        np.array([code is not None for _, code in flat]),
    )


def _text(value: bytes) -> str:
    try:
        text = bytes(value).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("this is no text in UTF-8; send CSV or JSON", 415) from None
    if not text.strip():
        raise Refused("the body is empty; send CSV or JSON")
    return text


def _csv(
    text: str, columns: list[str], extra: str, header: bool, delimiter: str
) -> list[list[Cell]]:
    """The rows in the order of the columns. Blank lines are none."""
    try:
        read = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        lines = [line for line in read if line]
    except csv.Error as error:
        raise Refused(f"the CSV cannot be read: {error}") from None
    names = [name.strip() for name in lines.pop(0)] if header else columns
    if header and len(names) == 1 and len(columns) > 1:
        raise Refused(
            f"the header names one column, {names[0]!r}; expected columns set apart by "
            + NAMES.get(delimiter, repr(delimiter))
        )
    at = _places(names, columns, extra, "the header")
    for i, line in enumerate(lines):
        if len(line) != len(names):
            raise Refused(f"row {i + 1} has {len(line)} values, expected {len(names)}")
    return [[line[j] for j in at] for line in lines]


def _places(names: list[str], columns: list[str], extra: str, where: str) -> list[int]:
    """Where each column lies."""
    most = max(MOST_COLUMNS, len(columns))
    if len(names) > most:
        raise Refused(f"{where} names {len(names)} columns, expected {most} at most", 413)
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise Refused(f"{where} names column {_short(twice[0])} twice")
    at = {name: i for i, name in enumerate(names)}
    absent = [name for name in columns if name not in at]
    if absent:
        raise Refused(f"{where} has no column {absent[0]!r}; it has {_listed(names)}")
    asked = set(columns)
    over = [name for name in names if name not in asked]
    if extra == "refuse" and over:
        raise Refused(f"{where} has a column {_short(over[0])}, which is not among those expected")
    return [at[name] for name in columns]


def _json(text: str, columns: list[str], extra: str) -> list[list[Cell]]:
    try:
        rows = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the JSON cannot be read: {error}") from None
    rows = [rows] if isinstance(rows, dict) else rows
    return [_json_row(row, f"row {i + 1}", columns, extra) for i, row in enumerate(rows)]


def _json_row(row: Cell, where: str, columns: list[str], extra: str) -> list[Cell]:
    if isinstance(row, dict):
        known = {name: row.get(name) for name in columns}
        over = [name for name in row if name not in known]
        if extra == "refuse" and over:
            raise Refused(
                f"{where} has a column {_short(over[0])}, which is not among those expected"
            )
        return list(known.values())
    if not isinstance(row, list):
        raise Refused(f"{where} is no object and no list, as in [{{...}}, ...] or [[...], ...]")
    if len(row) != len(columns):
        raise Refused(f"{where} has {len(row)} values, expected {len(columns)}")
    return row


def _object(pairs: list[tuple[str, Cell]]) -> dict[str, Cell]:
    twice = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
    if twice:
        raise ValueError(f"an object names {_short(twice[0])} twice")
    return dict(pairs)


def _no_constant(name: str) -> Cell:
    raise ValueError(f"{name} is no JSON; send null for what is missing")


def _absent(name: str, optional: list[str], where: str) -> float:
    if name not in optional:
        raise Refused(f"{where}: a value is missing, and this column needs one")
    return math.nan


def _number(cell: Cell, where: str) -> float:
    """A JSON number or boolean, or a number written out, with blanks around it or not."""
    try:
        plain = cell.strip() if isinstance(cell, str) else cell
        if isinstance(plain, str) and not NUMBER.fullmatch(plain):
            raise ValueError
        number = float(plain)
        if not math.isfinite(number):
            raise ValueError
    except (ValueError, TypeError, OverflowError):
        raise Refused(f"{where}: {_short(cell)} is no number") from None
    return number


def _place(cell: Cell, known: list[Any], unknown: str, where: str) -> float:
    """A category's place among those known; -1 for another one where that may be."""
    if all(isinstance(name, (int, float)) for name in known):
        cell = _number(cell, where)
    elif not isinstance(cell, str):
        cell = str(cell).lower() if isinstance(cell, bool) else f"{cell}"
    if cell in known:
        return float(known.index(cell))
    if unknown == "zeros":
        return -1.0
    raise Refused(f"{where}: {_short(cell)} is none of {_listed(known)}")


def _listed(names: list[Any]) -> str:
    said = ", ".join(map(str, names))
    return said if len(said) <= 120 else said[:117] + "..."


def _short(cell: Cell) -> str:
    said = repr(cell)
    return said if len(said) <= 40 else said[:37] + "..."
