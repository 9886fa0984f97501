"""A .pt2 file, as torch.export.save writes it, as a source.

The file says which inputs it takes. Its axes lost their names when it was written: deploy.toml
may give them names and ranges; else they are called "<input>_dim_0".
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.errors import UnsupportedModel
from deploy_targets.frontends import merge
from deploy_targets.frontends.arrays import check_dtype
from deploy_targets.frontends.call_user import described
from deploy_targets.frontends.source import Kind, SourceSpec, file_of, refuse_contents
from deploy_targets.frontends.torch import Callee
from deploy_targets.records import Capture, Dialect, Dim, DynamicAxis, TensorSpec

if TYPE_CHECKING:
    from torch.export import ExportedProgram

CAPTURES = (
    Capture(Dialect.EXPORTED, "as given"),
    Capture(Dialect.ONNX, "dynamo"),
    Capture(Dialect.ONNX, "legacy"),
    Capture(Dialect.TORCHSCRIPT, "trace"),
)
FILE = "model.pt2"


def callee(spec: SourceSpec) -> tuple[Callee, SourceSpec]:
    """The program, and the spec completed by what the file says."""
    from torch.utils import _pytree as pytree

    path = file_of(spec)
    assert path is not None, "a .pt2 source is a file"
    program = read(path)
    # Never .eval(): an exported module refuses it, and has its mode burnt in.
    module = program.module()
    structure = program.call_spec.in_spec

    def arrange(tensors: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = pytree.tree_unflatten(list(tensors), structure)
        return tuple(args), dict(kwargs)

    inputs, axes = _inputs(program)
    return Callee(module, arrange, CAPTURES), merge.complete(spec, inputs, axes)


def read(path: Path) -> ExportedProgram:
    """The program in the file. Raises UnsupportedModel where it holds none."""
    import torch

    refuse_contents(path, Kind.EXPORTED)
    try:
        # PyTorch warns of its own deprecated parts here; the user can do nothing about them.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return torch.export.load(path)
    except Exception as error:
        raise UnsupportedModel(
            f"{path} cannot be loaded by torch.export.load: {described(error)}",
            hint="export it again with this version of PyTorch",
        ) from error


def _inputs(program: ExportedProgram) -> tuple[tuple[TensorSpec, ...], tuple[DynamicAxis, ...]]:
    from torch.export.graph_signature import TensorArgument

    placeholders = {n.name: n.meta.get("val") for n in program.graph.nodes if n.op == "placeholder"}
    specs = []
    for argument in program.graph_signature.input_specs:
        if argument.kind.name != "USER_INPUT":
            continue
        if not isinstance(argument.arg, TensorArgument):
            raise UnsupportedModel(
                f"{argument.arg.name} is no tensor", hint="export it with tensors as inputs alone"
            )
        specs.append(_spec(argument.arg.name, placeholders[argument.arg.name]))
    names = merge.axis_names(specs)
    named = tuple(replace(s, shape=tuple(names.get(d, d) for d in s.shape)) for s in specs)
    return named, tuple(_axes(names, program.range_constraints))


def _spec(name: str, value: Any) -> TensorSpec:
    """Symbols stay as they are in the program here: s77."""
    shape: tuple[Dim, ...] = tuple(d if isinstance(d, int) else str(d) for d in value.shape)
    dtype = check_dtype(f"input {name}", str(value.dtype).removeprefix("torch."))
    return TensorSpec(name, dtype, shape)


def _axes(names: Mapping[Dim, str], ranges: Mapping[Any, Any]) -> Iterator[DynamicAxis]:
    """The ranges that the program was exported for, within what is tried by default."""
    known = {str(symbol): limits for symbol, limits in ranges.items()}
    for symbol, name in names.items():
        low, high = 1, merge.ASSUMED
        if (limits := known.get(str(symbol))) is not None:
            low = max(int(limits.lower), 1)
            high = int(limits.upper) if limits.upper < 2**31 else low + merge.ASSUMED
        yield DynamicAxis(name, low, max(low, high))
