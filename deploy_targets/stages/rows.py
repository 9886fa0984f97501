"""[inputs.NAME.preprocess] type = "table": from CSV or JSON to rows of numbers.

In: the bytes of a CSV file, or JSON. Out: the model's tensor [rows, columns]. The columns come in
the order that is declared, whatever their order in the table; a category becomes a column for each
of its names, in its place, as scikit-learn's OneHotEncoder makes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from deploy_targets.records import Stage, TensorSpec
from deploy_targets.stages.base import Before, Raw, Table
from deploy_targets.stages.made_tables import tables

Finite = Annotated[float, Field(allow_inf_nan=False)]
Name = str | Annotated[int, Field(strict=True)]

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")


class Standardise(Table):
    """(x - mean) / scale: a StandardScaler's mean_ and scale_."""

    mean: tuple[Finite, ...]
    scale: tuple[Finite, ...]

    @model_validator(mode="after")
    def _agrees(self) -> Standardise:
        if len(self.mean) != len(self.scale):
            raise ValueError(f"{len(self.mean)} means and {len(self.scale)} scales")
        if 0.0 in self.scale:
            raise ValueError("scale holds 0, by which nothing can be divided; expected 1 there")
        return self


class TableBefore(Before):
    """type = "table"."""

    media: ClassVar[tuple[str, ...]] = ("text/csv", "application/json")
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".json")
    single: ClassVar[bool] = False

    type: Literal["table"]
    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    missing: dict[str, float | str] = Field(default_factory=dict)
    missing_words: tuple[str, ...] = MISSING
    categories: dict[str, Annotated[tuple[Name, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    encoding: Literal["one_hot", "index"] = "one_hot"
    unknown: Literal["refuse", "zeros"] = "refuse"
    standardise: Standardise | None = None
    extra: Literal["ignore", "refuse"] = "ignore"
    header: bool = True
    delimiter: Literal[",", ";", "\t", "|"] = ","
    max_rows: Annotated[int, Field(ge=1)] = 10_000

    @model_validator(mode="after")
    def _agrees(self) -> TableBefore:
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("columns names one of them twice")
        for key in ("missing", "categories"):
            if other := sorted(set(getattr(self, key)) - set(self.columns)):
                raise ValueError(
                    f"{key} names {other[0]!r}; the columns are {', '.join(self.columns)}"
                )
        if self.unknown == "zeros" and (not self.categories or self.encoding == "index"):
            raise ValueError('unknown = "zeros" goes with categories that become one-hot')
        for name, known in self.categories.items():
            if len(set(known)) < len(known) or len({type(one) for one in known}) > 1:
                raise ValueError(f"categories.{name}: expected different names, or numbers, once")
        self._check_words()
        for name in self.missing:
            self._filling(name)
        self._check_standardise()
        return self

    def _check_words(self) -> None:
        """What is written so that it could never be read back."""
        for key in ("columns", "missing_words"):
            for word in getattr(self, key):
                if word != word.strip():
                    raise ValueError(
                        f"{key}: {word!r} has blanks around it, which do not count where a table "
                        f"is read; expected {word.strip()!r}"
                    )
        words = set(self.missing_words)
        for name, known in self.categories.items():
            if both := [one for one in map(str, known) if one.strip() in words]:
                left = [word for word in self.missing_words if word != both[0].strip()]
                raise ValueError(
                    f"categories.{name} holds {both[0]!r}, which missing_words takes for a missing "
                    f"value; rename it, or set missing_words = {json.dumps(left)}"
                )

    def _check_standardise(self) -> None:
        given = len(self.standardise.mean) if self.standardise else None
        numbers, width = len(self._numbers()), self.width()
        if given not in (None, numbers, width):
            raise ValueError(
                f"standardise holds {given} means; expected {numbers}, one for each column of "
                f"numbers" + (f", or {width}, categories too" if width != numbers else "")
            )

    def _numbers(self) -> list[str]:
        return [name for name in self.columns if name not in self.categories]

    def _sizes(self) -> list[int | None]:
        hot = self.categories if self.encoding == "one_hot" else {}
        return [len(hot[name]) if name in hot else None for name in self.columns]

    def width(self) -> int:
        """How many columns come out."""
        return sum(size or 1 for size in self._sizes())

    def first(self, name: str) -> int:
        """Where a column, or the first of a category's, lies among those that come out."""
        before = self._sizes()[: self.columns.index(name)]
        return sum(size or 1 for size in before)

    def _filling(self, name: str) -> float | None:
        """What stands for a missing value of a column; None where it stays missing."""
        value = self.missing.get(name, math.nan)
        if name in self.categories:
            known: list[Any] = list(self.categories[name])
            if name in self.missing and value not in known:
                raise ValueError(
                    f"missing.{name} = {value!r} is none of {', '.join(map(str, known))}"
                )
            return float(known.index(value)) if name in self.missing else None
        if isinstance(value, str) or math.isinf(value):
            raise ValueError(f"missing.{name} = {value!r}: expected a number, or nan to leave it")
        return None if math.isnan(value) else value

    def check(self, tensor: TensorSpec) -> None:
        """Two axes, the width, and a dtype that holds what is made."""
        if len(tensor.shape) != 2:
            raise ValueError(
                f"{tensor.name} has {len(tensor.shape)} axes; a table needs [rows, columns]"
            )
        if tensor.dtype == "bool" or ("float" not in tensor.dtype and "int" not in tensor.dtype):
            raise ValueError(f"{tensor.name} is {tensor.dtype}; a table ends in numbers")
        if isinstance(tensor.shape[1], int) and tensor.shape[1] != self.width():
            raise ValueError(
                f"{tensor.name} has {tensor.shape[1]} columns, and these steps make {self.width()}"
            )
        if isinstance(tensor.shape[0], int) and tensor.shape[0] > self.max_rows:
            raise ValueError(
                f"{tensor.name} has {tensor.shape[0]} rows, always, and max_rows = {self.max_rows}"
            )
        if "int" in tensor.dtype:
            self._check_whole(tensor)

    def _check_whole(self, tensor: TensorSpec) -> None:
        """What a tensor of whole numbers can hold."""
        if None in self._left():
            raise ValueError(f"{tensor.name} is {tensor.dtype}, which cannot hold what is missing")
        if self.standardise:
            raise ValueError(
                f"{tensor.name} is {tensor.dtype}, and standardise makes fractions; leave it out"
            )
        info = np.iinfo(tensor.dtype)
        for name in self.missing:
            value = self._filling(name) or 0.0
            if value != round(value) or not info.min <= value <= info.max:
                raise ValueError(
                    f"missing.{name} = {value:g}, which {tensor.name} cannot hold: "
                    f"it is {tensor.dtype}"
                )

    def _left(self) -> list[float | None]:
        return [self._filling(name) for name in self.missing]

    def stages(self, tensor: TensorSpec, base: Path) -> tuple[Stage, ...]:
        """decode_table, then as declared impute, standardise, one_hot, and the tensor's dtype."""
        steps: list[tuple[str, dict[str, object]]] = [("decode_table", self._decoding())]
        if any(value is not None for value in self._left()):
            values = [self._filling(name) for name in self.columns]
            steps.append(("impute", {"values": values}))
        scaling = self.standardise
        hot = bool(self.categories) and self.encoding == "one_hot"
        if scaling and len(scaling.mean) == len(self._numbers()):
            steps.append(("standardise", self._spread(scaling)))
        if hot:
            steps.append(("one_hot", {"sizes": self._sizes()}))
        if scaling and len(scaling.mean) != len(self._numbers()):
            whole: dict[str, object] = {"mean": list(scaling.mean), "scale": list(scaling.scale)}
            steps.append(("standardise", whole))
        if tensor.dtype != "float64":
            steps.append(("cast", {"dtype": tensor.dtype}))
        return tuple(Stage(tensor.name, op, options) for op, options in steps)

    def _decoding(self) -> dict[str, object]:
        return {
            "columns": list(self.columns),
            "categories": {name: list(known) for name, known in self.categories.items()},
            "optional": [name for name in self.columns if name in self.missing],
            "missing": list(self.missing_words),
            "unknown": self.unknown,
            "extra": self.extra,
            "header": self.header,
            "delimiter": self.delimiter,
            "max_rows": self.max_rows,
        }

    def _spread(self, scaling: Standardise) -> dict[str, object]:
        """By column; a category's index is left as it is."""
        given = dict(
            zip(self._numbers(), zip(scaling.mean, scaling.scale, strict=True), strict=True)
        )
        pairs = [given.get(name, (0.0, 1.0)) for name in self.columns]
        return {"mean": [mean for mean, _ in pairs], "scale": [scale for _, scale in pairs]}

    def port(self, stages: Sequence[Stage], at: int, tensor: TensorSpec) -> TensorSpec:
        """Float64 [rows, columns] until the cast."""
        done = {stage.op for stage in stages[:at]}
        if at >= len(stages):
            return tensor
        wide = "one_hot" in done or not any(stage.op == "one_hot" for stage in stages)
        columns = self.width() if wide else len(self.columns)
        return TensorSpec(tensor.name, "float64", (tensor.shape[0], columns))

    def made(self, tensor: TensorSpec) -> Iterable[Raw]:
        """Columns in another order, quoted numbers, missing values, JSON in its three forms."""
        return tables(self, tensor)

    def given(self, data: bytes) -> list[dict[str, Any]]:
        """A dictionary for each row: numbers, names of categories, None for what is missing."""
        from deploy_targets.stages.host.table import decode_table

        rows = decode_table(data, {}, **self._decoding())  # type: ignore[arg-type]
        return [
            {
                name: self._meant(name, float(cell))
                for name, cell in zip(self.columns, row, strict=True)
            }
            for row in rows
        ]

    def _meant(self, name: str, cell: float) -> Any:
        if math.isnan(cell):
            return None
        known = self.categories.get(name)
        if known is None:
            return cell
        return known[int(cell)] if cell >= 0 else None
