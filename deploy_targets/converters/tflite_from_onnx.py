"""ONNX -> TensorFlow Lite by onnx2tf, which writes the flatbuffer itself, without TensorFlow.

In: an Order whose graph is of Dialect.ONNX. Out: what `tflite.py` says. onnx2tf runs in an
environment of its own (by_onnx2tf/), once for each size; then one file is made of its files
(`tflite_joined.py`) in a child that has LiteRT. Names are the model's own, datatypes what onnx2tf
makes of them, and the ports say so.

It is fast, and it can be wrong without a word: what it makes is to be judged.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import Any

from deploy_targets.converters import tflite, tflite_halved, tflite_joined
from deploy_targets.converters.tflite import Converted, Fixed, Named, Order
from deploy_targets.integrations import toolchain, worker
from deploy_targets.records import Dim, Signature
from deploy_targets.workspace import Workspace

LOCK = "onnx2tf"
PYTHONS = ("3.12", "3.13")
UNUSED = ("_pytest", "pytest")
WHO = "onnx2tf"
LITERT, QUANTIZER = "litert", "litert_torch"
"""Locks of what the second child uses: LiteRT alone, or beside what halves weights."""
MADE, KEY = "model_float32.tflite", "serving_default"


def convert(
    order: Order, folder: Path, workspace: Workspace, *, timeout: float = worker.TIMEOUT
) -> Converted:
    """Writes model.tflite and entries.json into `folder`.

    Raises UnsupportedModel naming the operator that LiteRT cannot run, ConversionFailed for a crash
    or the time limit, ToolMissing where onnx2tf or a Python for it cannot be had.
    """
    end = time.monotonic() + timeout
    program = python(workspace)
    with workspace.scratch() as scratch:
        tools = worker.call(
            "one_file:write",
            {**_asked(order), "folder": str(scratch)},
            who=WHO,
            timeout=timeout,
            python=str(program),
            path=[str(Path(__file__).parent / "by_onnx2tf")],
            log=folder / tflite.LOG,
        )
        worker.call(
            f"{__name__}:join",
            {
                "order": tflite.packed(order),
                "parts": str(scratch),
                "folder": str(folder.absolute()),
                "tools": tools,
            },
            who=WHO,
            timeout=max(end - time.monotonic(), 1.0),
            path=tflite.path(QUANTIZER if order.half else LITERT, workspace),
        )
    return tflite.read(folder)


def python(workspace: Workspace) -> Path:
    """The interpreter of the environment that has onnx2tf. Raises ToolMissing."""
    return toolchain.python(LOCK, workspace, minors=PYTHONS, without=UNUSED)


def join(order: dict[str, Any], parts: str, folder: str, tools: Mapping[str, str]) -> None:
    """The second child's half: one file of several, read back as LiteRT sees it."""
    asked, file = tflite.unpacked(order), Path(folder, tflite.FILE)
    numbered, names = _named(asked.signature)
    files = {Path(parts, entry.name, MADE): {KEY: entry.name} for entry in asked.entries}
    tflite_joined.join(files, numbered, names, file, WHO)
    notes = tflite_halved.halve(file) if asked.half else ()
    used = ("ai-edge-litert", *([tflite_halved.PACKAGE] if asked.half else []))
    every = {**tools, **{name: version(name) for name in used}}
    tflite.write(asked, Path(folder), names, who=WHO, tools=every, notes=notes)


def _named(signature: Signature) -> tuple[Named, Named]:
    """By number, as the first child calls them, and by name."""
    inputs, outputs = ([s.name for s in side] for side in (signature.inputs, signature.outputs))
    numbered = Named(
        [f"boundary_in_{number:03d}" for number in range(len(inputs))],
        [f"boundary_out_{number:03d}" for number in range(len(outputs))],
    )
    return numbered, Named(inputs, outputs)


def _asked(order: Order) -> dict[str, Any]:
    """What the first child needs of the order."""
    inputs = order.signature.inputs
    numbered, names = _named(order.signature)
    return {
        "graph": str(order.graph.folder.absolute() / "model.onnx"),
        "inputs": dict(zip(names.inputs, numbered.inputs, strict=True)),
        "outputs": dict(zip(names.outputs, numbered.outputs, strict=True)),
        "axes": {name: list(axes) for name, axes in order.layouts.items()},
        "entries": {
            entry.name: {spec.name: [_size(dim, entry) for dim in spec.shape] for spec in inputs}
            for entry in order.entries
        },
    }


def _size(dim: Dim, entry: Fixed) -> int:
    factors = str(dim).split("*")
    return prod(int(factor) if factor.isdigit() else entry.sizes[factor] for factor in factors)
