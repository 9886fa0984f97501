"""deploy.toml (or [tool.deploy-target] in pyproject.toml) -> typed settings.

A key that does not exist is refused with the nearest one that does. Flags of the command line
give the same settings; where both speak, the flag wins.
"""

from __future__ import annotations

import difflib
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from deploy_targets import registry
from deploy_targets.errors import ConfigError, UnknownTarget
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.refusals import refusal
from deploy_targets.stages.tables import AnyAfter, AnyBefore

FILE, TABLE = "deploy.toml", "deploy-target"
DTYPES = (
    *("float16", "float32", "float64", "bfloat16", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)
KINDS = ("plain", "classifier", "embedding", "regression", "sequence", "detection", "segmentation")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputTable(_Table):
    """[inputs.NAME]"""

    dtype: str = "float32"
    shape: tuple[int | str, ...] | None = None
    """May be left out where the source says it itself; then the rest of the table says the same."""
    range: tuple[float, float] | None = None
    preprocess: AnyBefore | None = None

    @field_validator("preprocess")
    @classmethod
    def _named(cls, table: AnyBefore | None) -> AnyBefore | None:
        if table is not None:
            _callable("reference", table.reference)
            for at, step in enumerate(table.own):
                _callable(f"own[{at}].python", step.python)
                _callable(f"own[{at}].module", step.module, "callable")
        return table

    @field_validator("dtype")
    @classmethod
    def _known(cls, dtype: str) -> str:
        return _one_of("dtype", dtype, DTYPES)

    @field_validator("shape")
    @classmethod
    def _sizes(cls, shape: tuple[int | str, ...] | None) -> tuple[int | str, ...] | None:
        if bad := next((dim for dim in shape or () if isinstance(dim, int) and dim < 0), None):
            raise ValueError(f"{bad} is no size; name a dynamic axis, and give its range in [axes]")
        return shape

    @model_validator(mode="after")
    def _fits(self) -> InputTable:
        if self.shape is None and {"dtype", "range"} & self.model_fields_set:
            raise ValueError("dtype and range are of no use without shape; add shape = [...]")
        if self.range is None:
            return self
        low, high = self.range
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise ValueError(f"range = [{low:g}, {high:g}]: expected [smallest, largest]")
        if "int" in self.dtype:
            signed, bits = not self.dtype.startswith("u"), int(self.dtype.rpartition("int")[2])
            least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
            if not least <= low <= high <= most:
                raise ValueError(f"range = [{low:g}, {high:g}] does not fit {self.dtype}")
        return self


class OutputTable(_Table):
    """[outputs.NAME]"""

    kind: str = "plain"
    rtol: Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)] | None = None
    atol: Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)] | None = None
    postprocess: AnyAfter | None = None

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        return _one_of("kind", kind, KINDS)


class Settings(_Table):
    """Everything deploy.toml can say. Relative paths are relative to `base`, its folder."""

    source: str
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    samples: str | None = None
    budget: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)] = 0.0
    precision: str = "fp32"
    depends: tuple[str, ...] = ()
    batch: str | None = None
    axes: dict[str, tuple[int, int]] = Field(default_factory=dict)
    inputs: dict[str, InputTable] = Field(default_factory=dict)
    outputs: dict[str, OutputTable] = Field(default_factory=dict)
    targets: dict[str, dict[str, Any]] = Field(default_factory=dict)
    base: Path = Field(default=Path(), exclude=True)

    @field_validator("precision")
    @classmethod
    def _known(cls, precision: str) -> str:
        return _one_of("precision", precision, tuple(RECIPES))

    @field_validator("axes")
    @classmethod
    def _ordered(cls, axes: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        for name, (low, high) in axes.items():
            if not 0 <= low <= high or not 1 <= high < 2**31:
                raise ValueError(f"{name} = [{low}, {high}]: expected [least, largest], from 0 up")
        return axes


def find(folder: Path) -> Path | None:
    """deploy.toml in the folder, or a pyproject.toml there that has our table."""
    if (path := folder / FILE).is_file():
        return path
    path = folder / "pyproject.toml"
    if path.is_file() and _own_table(path):
        return path
    return None


def read(path: Path, overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings in a file, with the flags laid over it. Raises ConfigError."""
    if not path.is_file():
        raise ConfigError(
            f"{path} does not exist", hint="write one with `deploy-target init MODEL`"
        )
    plain = _parse(path)
    if path.name == "pyproject.toml":
        plain = _own_table(path)
    where = f"{path} with the flags given" if overrides else str(path)
    return validate(_merge(plain, overrides or {}), path.parent, where)


def validate(plain: Mapping[str, Any], base: Path, where: str = "the command line") -> Settings:
    """Typed settings, or a ConfigError that names the key and what was expected."""
    if "source" not in plain:
        raise ConfigError(
            f"{where} names no model", hint='set source = "model.py:callable", or give SOURCE'
        )
    _check_text(plain, "", where)
    try:
        settings = Settings.model_validate({**plain, "base": base})
    except ValidationError as error:
        raise refusal(error, where, Settings, plain) from error
    _check_axes(settings, where)
    _check_targets(settings, where)
    return settings


def _check_targets(settings: Settings, where: str) -> None:
    known = registry.installed()
    for name in settings.targets:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise UnknownTarget(
                f"{where}: [targets.{name}] is of no installed target",
                hint=f"did you mean {near[0]!r}?" if near else f"installed: {', '.join(known)}",
            )


def _check_axes(settings: Settings, where: str) -> None:
    shaped = [t.shape for t in settings.inputs.values() if t.shape is not None]
    used = {dim for shape in shaped for dim in shape if isinstance(dim, str)}
    hint = 'write for example [axes] batch = [1, 8], and shape = ["batch", 3, 224, 224]'
    if shaped and (unused := sorted(set(settings.axes) - used)):
        raise ConfigError(f"{where}: [axes] {unused[0]} is in no input's shape", hint=hint)
    if missing := sorted(used - set(settings.axes)):
        raise ConfigError(f"{where}: axis {missing[0]!r} has no range under [axes]", hint=hint)
    if settings.batch is not None and shaped and settings.batch not in used:
        raise ConfigError(f"{where}: batch = {settings.batch!r} is in no input's shape", hint=hint)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", hint="correct that line") from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", hint="see its mode"
        ) from error


def _own_table(path: Path) -> dict[str, Any]:
    """[tool.deploy-target]; empty where there is none."""
    tool = _parse(path).get("tool", {})
    table = tool.get(TABLE, {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.{TABLE} is no table", hint=f"write [tool.{TABLE}]")
    return table


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _check_text(value: object, key: str, where: str) -> None:
    """No file and no function has a NUL in its name; labels and alphabets of a model may."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in ("alphabet", "space"):
                _check_text(inner, f"{key}.{name}" if key else str(name), where)
    elif isinstance(value, list) and key.endswith(("depends", ".own")):
        for at, inner in enumerate(value):
            _check_text(inner, f"{key}[{at}]", where)
    elif isinstance(value, str) and "\0" in value:
        raise ConfigError(
            f"{where}: {key} holds the character \\u0000, which no name has",
            hint=f"write {key} again without it",
        )


def _callable(key: str, source: str | None, what: str = "function") -> None:
    """Raises ValueError where something is named, and no function in a file or module."""
    if source is not None and not all(source.rpartition(":")):
        raise ValueError(f'{key} = {json.dumps(source)}: expected "file.py:{what}"')


def _one_of(what: str, value: str, known: Sequence[str]) -> str:
    if value in known:
        return value
    near = difflib.get_close_matches(value, known, 1)
    guess = f" (did you mean {near[0]!r}?)" if near else ""
    raise ValueError(f"{value!r} is no {what}{guess}; known are {', '.join(known)}")
