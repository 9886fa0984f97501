"""PyTorch (.pt2) -> TensorFlow Lite by litert-torch, in a child process.

In: a captured Graph of Dialect.EXPORTED, its Signature, and the sizes that each entry is for: a
.tflite has no dynamic axes, so each size of the batch is a signature of its own, and all share the
weights. Out: model.tflite; entries.json, how it is called, read back from the file (`read`); and
convert.log, which never ships. Names are the model's own wherever they are Python names. 64 bits
become 32, and the ports say so. The bytes do not depend on the folder.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.errors import ConversionFailed, UnsupportedModel
from deploy_targets.integrations import beside, worker
from deploy_targets.records import Dim, Entry, Graph, Port, Signature, TensorSpec
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    import torch

FILE, ENTRIES, LOG = "model.tflite", "entries.json", "convert.log"
LOCK = "litert_torch"
PACKAGES = ("litert-torch", "litert-converter", "ai-edge-litert")
BATCHES = (1, 8)
"""Sizes of the batch that are made where nobody says otherwise: one answer, and many."""
DTYPES = frozenset({"float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"})
"""What the boundary of the model may hold; of floats and integers 64 bits become 32."""

_NOT_LOWERED = re.compile(r"Lowering not found: (\S+)")
_WHILE = re.compile(r"While executing .*?target=torch\.ops\.([\w.]+)", re.DOTALL)
_NOT_RUN = re.compile(r"(?:builtin opcode '|custom op: |Select TensorFlow op\(s\), .*?: )(\w+)")


@dataclass(frozen=True)
class Fixed:
    """An entry to make: its name, and the size of every dynamic axis in it."""

    name: str
    sizes: Mapping[str, int]


@dataclass(frozen=True)
class Converted:
    """How model.tflite is called, and what made it."""

    entries: tuple[Entry, ...]
    tools: Mapping[str, str]


def fixed(
    signature: Signature, batches: Sequence[int] = BATCHES, sizes: Mapping[str, int] | None = None
) -> tuple[Fixed, ...]:
    """One entry for each size of the batch that the model takes. `sizes`: of all other axes.

    An axis of which nothing is said gets the first size that tells it from others; the caller
    should report it.
    """
    from deploy_targets.frontends.signature import sizes_to_run

    others = {**sizes_to_run(signature.axes)[0], **(sizes or {})} if signature.axes else {}
    axis = next((axis for axis in signature.axes if axis.name == signature.batch), None)
    if axis is None:
        return (Fixed("main", others),)
    fitting = sorted({min(max(size, axis.minimum), axis.maximum) for size in batches})
    return tuple(Fixed(f"b{size}", {**others, axis.name: size}) for size in fitting)


def problems(signature: Signature) -> tuple[str, ...]:
    """What is known to be impossible before anything is converted."""
    return tuple(
        f"{spec.name} is {spec.dtype}, which the boundary of a .tflite cannot hold"
        for spec in (*signature.inputs, *signature.outputs)
        if spec.dtype not in DTYPES
    )


def convert(
    graph: Graph,
    signature: Signature,
    entries: Sequence[Fixed],
    folder: Path,
    workspace: Workspace,
    *,
    timeout: float = worker.TIMEOUT,
) -> Converted:
    """Writes model.tflite and entries.json into `folder`.

    Raises UnsupportedModel naming the operator that cannot be carried, ConversionFailed for a crash
    or the time limit, ToolMissing where litert-torch cannot be had.
    """
    worker.call(
        f"{__name__}:export",
        {
            "program": str(graph.folder.absolute() / "model.pt2"),
            "signature": described(signature),
            "entries": [{"name": each.name, "sizes": dict(each.sizes)} for each in entries],
            "folder": str(folder.absolute()),
        },
        who="litert-torch",
        timeout=timeout,
        path=path(workspace),
        log=folder / LOG,
    )
    return read(folder)


def read(folder: Path) -> Converted:
    """What `convert` wrote there."""
    said = json.loads((folder / ENTRIES).read_text(encoding="utf-8"))
    return Converted(_adapter(tuple[Entry, ...]).validate_python(said["entries"]), said["tools"])


def path(workspace: Workspace) -> list[str]:
    """The sys.path of a child that has LiteRT. Raises ToolMissing."""
    return [*sys.path, str(beside.folder(LOCK, workspace))]


def described(signature: Signature) -> dict[str, Any]:
    """The signature as JSON can hold it."""
    plain: dict[str, Any] = _adapter(Signature).dump_python(signature, mode="json")
    return plain


def export(
    program: str, signature: dict[str, Any], entries: list[dict[str, Any]], folder: str
) -> None:
    """The child's half: converts, then reads back what the file says of itself."""
    wanted = _adapter(Signature).validate_python(signature)
    asked = [Fixed(**entry) for entry in entries]
    import litert_torch  # type: ignore[import-not-found,unused-ignore]

    names = _safe_names(wanted.inputs, "input"), _safe_names(wanted.outputs, "output")
    module = _named(Path(program), *names)
    file = Path(folder, FILE)
    try:
        converter: Any = litert_torch
        for entry in asked:
            examples = _examples(wanted, names[0], entry.sizes)
            converter = converter.signature(entry.name, module, sample_kwargs=examples)
        converter.convert().export(str(file))
    except Exception as error:
        raise _refused(error) from error
    made = [_read_back(file, wanted, entry, *names) for entry in asked]
    tools = {name: version(name) for name in PACKAGES}
    said = {"entries": _adapter(list[Entry]).dump_python(made, mode="json"), "tools": tools}
    Path(folder, ENTRIES).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _safe_names(specs: Sequence[TensorSpec], kind: str) -> list[str]:
    """A tensor's own name where the exporter can have an argument of that name; else a number."""
    own = [spec.name for spec in specs]
    return [
        name if name.isidentifier() and not keyword.iskeyword(name) else _free(f"{kind}_{i}", own)
        for i, name in enumerate(own)
    ]


def _free(name: str, taken: Sequence[str]) -> str:
    return name if name not in taken else _free(f"{name}_", taken)


def _named(program: Path, inputs: Sequence[str], outputs: Sequence[str]) -> torch.nn.Module:
    """The program as a module that is called by name and answers by name."""
    import torch

    from deploy_targets.frontends.exported import read

    run: Callable[..., Sequence[torch.Tensor]] = read(program).module()

    class Named(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.program = run
            # An exported module refuses .eval(): its mode is burnt in.
            self.training = False

        def forward(self, /, **tensors: torch.Tensor) -> dict[str, torch.Tensor]:
            answers = self.program(*(tensors[name] for name in inputs))
            return dict(zip(outputs, answers, strict=True))

    return Named()


def _examples(
    signature: Signature, names: Sequence[str], sizes: Mapping[str, int]
) -> dict[str, torch.Tensor]:
    from deploy_targets.frontends.arrays import to_tensor
    from deploy_targets.frontends.signature import probe

    arrays = probe(signature.inputs, sizes).values()
    return {name: to_tensor(array) for name, array in zip(names, arrays, strict=True)}


def _read_back(
    file: Path,
    signature: Signature,
    entry: Fixed,
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> Entry:
    """The entry as the file has it. Raises where its tensors are not those that were asked for."""
    from ai_edge_litert.interpreter import (  # type: ignore[import-not-found,unused-ignore]
        Interpreter,
    )

    try:
        runner = Interpreter(str(file)).get_signature_runner(entry.name)
    except (ValueError, RuntimeError) as error:
        raise _refused(error) from error
    return Entry(
        entry.name,
        _ports(signature.inputs, inputs, runner.get_input_details(), entry.sizes),
        _ports(signature.outputs, outputs, runner.get_output_details(), entry.sizes),
    )


def _ports(
    specs: Sequence[TensorSpec],
    names: Sequence[str],
    found: Mapping[str, Mapping[str, Any]],
    sizes: Mapping[str, int],
) -> tuple[Port, ...]:
    import numpy as np

    if set(found) != set(names):
        raise ConversionFailed(
            f"litert-torch wrote the tensors {sorted(found)}, expected {sorted(names)}",
            hint="let forward return every output, each once, and use every input",
        )
    ports = []
    for spec, name in zip(specs, names, strict=True):
        shape = tuple(int(size) for size in found[name]["shape"])
        dtype = np.dtype(found[name]["dtype"]).name
        if not _fits(spec.shape, shape, sizes):
            raise ConversionFailed(
                f"litert-torch gave {spec.name} the shape {list(shape)}, expected "
                f"[{', '.join(map(str, spec.shape))}] at {dict(sizes)}",
                hint="name the axes of its shape, or convert to ONNX",
            )
        ports.append(Port(replace(spec, name=name, dtype=dtype, shape=shape), spec.name))
    return tuple(ports)


def _fits(declared: Sequence[Dim], shape: Sequence[int], sizes: Mapping[str, int]) -> bool:
    """A dim of unknown name ("scores_dim_1") may have any size."""
    from math import prod

    def fits(dim: Dim, size: int) -> bool:
        factors = [int(f) if f.isdigit() else sizes.get(f) for f in str(dim).split("*")]
        known = [factor for factor in factors if factor is not None]
        return len(known) < len(factors) or prod(known) == size

    return len(declared) == len(shape) and all(map(fits, declared, shape))


def _refused(error: Exception) -> Exception:
    """UnsupportedModel where the tool names an operator; else the error as it is."""
    said = str(error)
    if found := _NOT_LOWERED.search(said) or _WHILE.search(said):
        why = f"litert-torch has no TensorFlow Lite form of {found[1]}"
    elif found := _NOT_RUN.search(said):
        why = f"LiteRT cannot run {found[1]}, to which litert-torch turned a part of the model"
    else:
        return error
    return UnsupportedModel(
        why, hint="write it with other operators, or use a runtime that takes ONNX"
    )


def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter[Any](kind)
