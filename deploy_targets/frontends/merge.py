"""Brings together what a file says of its inputs and what deploy.toml declares of them.

The file rules over names, dtypes and fixed sizes. deploy.toml names dynamic axes, gives their
ranges, and may pin one to a number; a contradiction is an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from deploy_targets.errors import ConfigError
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import Dim, DynamicAxis, TensorSpec

ASSUMED = 8
"""The largest size tried of a dynamic axis for which neither the file nor deploy.toml has one."""


def complete(
    spec: SourceSpec, inputs: Sequence[TensorSpec], axes: Iterable[DynamicAxis]
) -> SourceSpec:
    """The spec with the file's inputs and axes, under their declared names and ranges."""
    declared = {each.name: each for each in spec.inputs}
    for name in declared.keys() - {each.name for each in inputs}:
        raise _unknown(name, [each.name for each in inputs])
    renamed: dict[Dim, Dim] = {}
    for own in inputs:
        if (said := declared.get(own.name)) is not None:
            renamed |= _dims(own, said)
    merged = tuple(
        replace(
            own,
            shape=tuple(
                renamed.get(dim, dim) if isinstance(dim, str) else dim for dim in own.shape
            ),
            range=declared[own.name].range if own.name in declared else None,
        )
        for own in inputs
    )
    used = {dim for own in merged for dim in own.shape if isinstance(dim, str)}
    ranges = {str(renamed.get(axis.name, axis.name)): axis for axis in axes}
    found = {name: replace(axis, name=name) for name, axis in ranges.items()}
    found |= {axis.name: axis for axis in spec.axes}
    chosen = tuple(
        found.get(name, DynamicAxis(name, 1, ASSUMED)) for name in _in_order(merged) if name in used
    )
    return replace(spec, inputs=merged, axes=chosen)


def axis_names(inputs: Iterable[TensorSpec]) -> dict[Dim, str]:
    """Symbols of a program -> "<input>_dim_<axis>", after the place where each comes first."""
    found: dict[Dim, str] = {}
    for spec in inputs:
        for axis, dim in enumerate(spec.shape):
            if isinstance(dim, str):
                found.setdefault(dim, f"{spec.name}_dim_{axis}")
    return found


def _dims(own: TensorSpec, said: TensorSpec) -> Mapping[Dim, Dim]:
    """The file's dynamic dims -> what deploy.toml calls them, or pins them to."""
    shapes = f"{_shown(said)} in deploy.toml, {_shown(own)} in the file"
    hint = "the file knows: correct deploy.toml, or drop this input from it"
    if said.dtype != own.dtype or len(said.shape) != len(own.shape):
        raise ConfigError(f"input {own.name} is {shapes}", hint=hint)
    pairs: dict[Dim, Dim] = {}
    for mine, theirs in zip(own.shape, said.shape, strict=True):
        if isinstance(mine, str):
            if pairs.setdefault(mine, theirs) != theirs:
                raise ConfigError(f"input {own.name} is {shapes}: {mine} twice", hint=hint)
        elif mine != theirs:
            raise ConfigError(f"input {own.name} is {shapes}", hint=hint)
    return pairs


def _in_order(inputs: Iterable[TensorSpec]) -> list[str]:
    dims = (dim for spec in inputs for dim in spec.shape)
    return list(dict.fromkeys(dim for dim in dims if isinstance(dim, str)))


def _shown(spec: TensorSpec) -> str:
    return f"{spec.dtype}[{', '.join(map(str, spec.shape))}]"


def _unknown(name: str, known: list[str]) -> ConfigError:
    near = difflib.get_close_matches(name, known, 1)
    return ConfigError(
        f"deploy.toml declares input {name!r}, and the model has none of that name",
        hint=f"did you mean {near[0]!r}?" if near else f"its inputs are {', '.join(known)}",
    )
