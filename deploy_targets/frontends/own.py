"""A user's own step before the model, loaded: what golden answers from raw bytes are made with.

In: a step as declared. Out: from array to array, in Python, or in eager mode for a torch module.
What the user's code raises, or gives that is no such array, is a ConfigError that names it.
"""

from __future__ import annotations

import ast
import difflib
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from deploy_targets import frontends
from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.frontends import reference
from deploy_targets.frontends.call_user import attribute, guarded
from deploy_targets.frontends.observe import observing
from deploy_targets.frontends.source import SourceSpec, file_of
from deploy_targets.frontends.witness import WEIGHTS
from deploy_targets.records import Array, Signature, TensorSpec
from deploy_targets.runtime import Model, Rounding
from deploy_targets.stages.host.own import complaint
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

Function = Callable[[Array, "Rounding | None", int], Array]
"""Value, rounding and seed -> value. A Python function is computed in one way alone; the operands
inside a module are moved where values between steps are."""


def function(options: Mapping[str, Any], base: Path) -> Function:
    """The Python function of a step of "own". Raises ConfigError."""
    source, spec = options["python"], SourceSpec(options["python"], base)
    file = file_of(spec)
    home = file.parent.absolute() if file else base
    with observing(home) as observed:
        called = attribute(spec, observed)
    if not callable(called):
        raise ConfigError(
            f"python = {source!r} is a {type(called).__name__}",
            hint="name a function from an array to an array",
        )
    kind = {key: options[key] for key in ("dtype", "shape", "keeps")}

    def call(value: Array, rounding: Rounding | None = None, seed: int = 0) -> Array:
        # What user code prints must not mix with our results on stdout.
        with observing(home), redirect_stdout(sys.stderr):
            said = np.asarray(guarded(source, lambda: called(np.array(value))))
        if wrong := complaint(value, said, **kind):
            raise ConfigError(f"{source} {wrong}", hint="change what it returns")
        return said

    return call


def module(
    source: str, base: Path, tensor: TensorSpec, model: Signature, workspace: Workspace
) -> Model:
    """A torch module from the model's tensor to itself. Raises ConfigError, UnsupportedModel."""
    axes = tuple(axis for axis in model.axes if axis.name in tensor.shape)
    batch = model.batch if model.batch in tensor.shape else None
    spec = SourceSpec(source, base, inputs=(tensor,), axes=axes, batch=batch)
    loaded = frontends.load(spec, workspace)
    # Whoever asks later whether it has changed knows nothing of the model's tensors.
    frontends.remember(SourceSpec(source, base), workspace, loaded.witness)
    given = [(each.dtype, each.shape) for each in loaded.signature.outputs]
    if given != [(tensor.dtype, tensor.shape)]:
        said = ", ".join(f"{dtype}{list(shape)}" for dtype, shape in given)
        raise UnsupportedModel(
            f"module = {source!r} gives {said}; {tensor.name} is "
            f"{tensor.dtype}{list(tensor.shape)}",
            hint="make it return one tensor, of the dtype and the shape that it is given",
        )
    return loaded


def eager(model: Model, tensor: TensorSpec) -> Function:
    """A module as a function."""
    (output,) = (spec.name for spec in model.signature.outputs)

    def call(value: Array, rounding: Rounding | None = None, seed: int = 0) -> Array:
        moved = rounding is Rounding.STEPS and Rounding.OPERANDS in model.roundings
        how = Rounding.OPERANDS if moved else None
        said = model.run({tensor.name: value}, rounding=how, seed=seed)[output]
        return said

    return call


def counterpart(source: str, base: Path) -> Path:
    """The file of a counterpart, "file:function". Raises ConfigError where it is not there."""
    place, _, name = source.rpartition(":")
    path = base / place
    if not path.is_file():
        raise ConfigError(
            f"{path} does not exist", hint="check the path; it is relative to deploy.toml's folder"
        )
    names = _bound(path) if path.suffix == ".py" else [name]
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        raise ConfigError(
            f"{source}: there is no {name!r} in it",
            hint=f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}",
        )
    return path.absolute()


def digest(source: str, base: Path) -> str:
    """SHA-256 over the file, the Python files beside it, and the weights beside it."""
    place, _, _ = source.rpartition(":")
    path = base / place
    if path.suffix == ".py" or not path.is_file():
        beside = sorted(p for glob in WEIGHTS for p in path.parent.glob(glob) if p.is_file())
        data = [[p.name, digest_of_file(p)] for p in beside]
        return digest_of(reference.digest(source, base), data)
    return digest_of_file(path)


def _bound(path: Path) -> list[str]:
    """The names that a file defines, found without running it."""
    found: list[str] = []
    for node in _parsed(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found += [alias.asname or alias.name for alias in node.names]
    return found


def _parsed(path: Path) -> ast.Module:
    return guarded(str(path), lambda: ast.parse(path.read_bytes(), path.name))
