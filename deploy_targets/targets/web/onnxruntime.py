"""onnxruntime-web: runs the ONNX graph as it is. Three files of its package; three more for WebGPU.

Each graph is loaded in Node.js by the very wasm that is shipped, so that an operator which it does
not have is refused here and not in a visitor's browser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from deploy_targets.binding import identity
from deploy_targets.errors import UnsupportedModel
from deploy_targets.integrations import node, npm
from deploy_targets.records import Dialect, Prepared
from deploy_targets.resources import resource
from deploy_targets.targets.web import about, places
from deploy_targets.targets.web.runtimes import Order, Written

CODE = "onnx"
DIALECTS = (Dialect.ONNX,)
LADDER = ("webgpu", "wasm")

PACKAGE = "onnxruntime-web"
CPU = {
    "runtime": "ort.wasm.min.mjs",
    "module": "ort-wasm-simd-threaded.mjs",
    "wasm": "ort-wasm-simd-threaded.wasm",
}
GPU = {
    "gpu-runtime": "ort.webgpu.min.mjs",
    "gpu-module": "ort-wasm-simd-threaded.asyncify.mjs",
    "gpu-wasm": "ort-wasm-simd-threaded.asyncify.wasm",
}
LARGEST = 2**31 - 1
"""Bytes that one protobuf can have; and half of what wasm can address."""
SECONDS = 300.0
"""That loading a graph in Node.js may take."""

_NO_KERNEL = re.compile(r"implementation for (\S+?)\((\d+)\) node with name '(.*?)'")
_NO_SCHEMA = re.compile(r"Fatal error: (\S+?)\(-?\d+\) is not a registered")


def problems(prepared: Prepared) -> tuple[str, ...]:
    """Datatypes that no typed array holds, and a model that no browser's memory does."""
    signature = prepared.signature
    dtypes = tuple(
        f"{spec.name} is {spec.dtype}, which no typed array of JavaScript holds"
        for spec in (*signature.inputs, *signature.outputs)
        if spec.dtype not in about.ARRAYS
    )
    size = sum(file.stat().st_size for file in prepared.graph.folder.glob("model.onnx*"))
    if size <= LARGEST:
        return dtypes
    return (
        *dtypes,
        f"it has {size:,} bytes; a browser's runtime loads at most {LARGEST:,} in one file, and "
        "has 4 GB of memory for all that it does",
    )


def write(order: Order) -> Written:
    """runtime.HEX/ and assets/. Raises UnsupportedModel, ConversionFailed, ToolMissing."""
    wanted = {**CPU, **(GPU if order.webgpu else {})}
    lock = resource("web", "package-lock.json")
    only = [f"dist/{name}" for name in (*CPU.values(), *GPU.values())]
    dist = npm.package(PACKAGE, lock, order.workspace, only) / "dist"
    graphs = {"model": order.prepared.graph.folder / "model.onnx", **order.graphs}
    probe(dist, graphs)
    home = places.together(order.folder, "runtime", {name: dist / name for name in wanted.values()})
    version = npm.version_of(PACKAGE, lock)
    return Written(
        version=version,
        entries=(identity(order.prepared.signature, "run"),),
        files={
            **{role: f"{home}/{name}" for role, name in wanted.items()},
            **{role: places.asset(order.folder, path, role) for role, path in graphs.items()},
        },
        tools={PACKAGE: version},
        licences={
            f"{PACKAGE} {version}": resource("templates", "web", "licences", f"{PACKAGE}.txt")
        },
        later=frozenset(GPU),
    )


def probe(dist: Path, graphs: Mapping[str, Path]) -> None:
    """Loads every graph with the wasm in `dist`. Raises UnsupportedModel, ConversionFailed."""
    said = node.ask(
        resource("web", "tools", "probe.mjs"),
        [str(dist), *map(str, graphs.values())],
        who="loading the model with onnxruntime-web",
        timeout=SECONDS,
    )
    for role, error in zip(graphs, said, strict=True):
        if error is not None:
            raise _refusal(role, error)


def _refusal(role: str, error: str) -> UnsupportedModel:
    where = "" if role == "model" else f" (of the steps in {role}.onnx)"
    if found := _NO_KERNEL.search(error):
        operator, version, name = found.groups()
        return UnsupportedModel(
            f"onnxruntime-web cannot run the operator {operator}, version {version}, of the node "
            f"{name!r}{where}",
            hint="express that node by other operators, or build for another target",
        )
    if found := _NO_SCHEMA.search(error):
        return UnsupportedModel(
            f"onnxruntime-web does not know the operator {found[1]}{where}",
            hint="express it by operators of ONNX, or build for another target",
        )
    return UnsupportedModel(
        f"onnxruntime-web does not load the model{where}: {error.strip()[:600]}",
        hint="the message is the runtime's own; change what it names, or build for another target",
    )
