"""TF.js: runs a graph model on its WebAssembly backend. An environment of its own makes it of ONNX.

What the conversion left is held against what that backend was seen to compute rightly
(tfjs_kernels.py), so that anything else is refused here, by name, and not in a visitor's browser.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from deploy_targets.converters import tfjs_from_onnx
from deploy_targets.converters.tfjs_from_onnx import Converted
from deploy_targets.errors import UnsupportedModel
from deploy_targets.integrations import npm
from deploy_targets.records import Dialect, Entry, Port, Prepared, TensorSpec
from deploy_targets.resources import resource
from deploy_targets.stages import own
from deploy_targets.targets.web import places
from deploy_targets.targets.web.runtimes import Order, Written
from deploy_targets.targets.web.tfjs_kernels import KERNELS
from deploy_targets.workspace import Workspace

CODE = "tfjs"
DIALECTS = (Dialect.ONNX,)
LADDER = ("wasm-1t",)
"""Its WebAssembly for threads computes in one: tensorflow/tfjs, issue 8513."""

CORE, CONVERTER, BACKEND = (f"@tensorflow/tfjs-{p}" for p in ("core", "converter", "backend-wasm"))
FILES = {
    "core": (CORE, "dist/tf-core.es2017.min.js"),
    "converter": (CONVERTER, "dist/tf-converter.es2017.min.js"),
    "backend": (BACKEND, "dist/tf-backend-wasm.es2017.min.js"),
    "wasm": (BACKEND, "wasm-out/tfjs-backend-wasm-simd.wasm"),
}
"""Role -> package and file."""
DTYPES = {
    **dict.fromkeys(("float32", "float16"), "float32"),
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"), "int32"),
    "bool": "bool",
}
"""The model's datatype -> TF.js's. A number that does not fit is never asked."""
LARGEST = 2**31 - 1


def problems(prepared: Prepared) -> tuple[str, ...]:
    """Datatypes that TF.js does not hold, and steps that are graphs of ONNX."""
    signature = prepared.signature
    dtypes = tuple(
        f"{spec.name} is {spec.dtype}, which TF.js cannot hold"
        for spec in (*signature.inputs, *signature.outputs)
        if spec.dtype not in DTYPES
    )
    stages = prepared.staging.stages if prepared.staging else ()
    graphs = tuple(
        f"the step {stage.op} of {stage.of} is an ONNX graph, which TF.js cannot run"
        for stage in stages
        if stage.op == own.MODULE
    )
    return (*dtypes, *graphs)


def write(order: Order) -> Written:
    """runtime.HEX/ and assets/. Raises UnsupportedModel, ConversionFailed, ToolMissing."""
    if order.graphs:
        raise UnsupportedModel(
            f"TF.js cannot run {', '.join(sorted(order.graphs))}.onnx, steps that are a graph",
            hint='give those steps a JavaScript file, or use runtime = "onnxruntime-web"',
        )
    with order.workspace.scratch() as scratch:
        made = tfjs_from_onnx.convert(order.prepared.graph, scratch, order.workspace)
        refuse(made)
        model = places.asset(order.folder, packed(scratch), "model")
    found = sources(order.workspace)
    home = places.together(order.folder, "runtime", {p.name: p for p in found.values()})
    version = npm.version_of(CORE, resource("web", "package-lock.json"))
    return Written(
        version=version,
        entries=(_entry(order.prepared),),
        files={**{role: f"{home}/{p.name}" for role, p in found.items()}, "model": model},
        tools={**made.tools, CORE: version},
        licences={f"TF.js {version}": resource("LICENSE")},
        notes=_notes(order.prepared),
    )


def refuse(made: Converted) -> None:
    """Raises UnsupportedModel that names each operator that was not seen right, and a node."""
    missing = {name: at for name, at in made.operators.items() if name not in KERNELS}
    if missing:
        listed = ", ".join(f"{name.lstrip('+')} (node {at})" for name, at in missing.items())
        raise UnsupportedModel(
            f"TF.js's WebAssembly is not known to compute {listed}",
            hint='use runtime = "onnxruntime-web", or express it by other operators',
        )


def sources(workspace: Workspace) -> dict[str, Path]:
    """Role -> the package's file."""
    lock = resource("web", "package-lock.json")
    found = {}
    for package in (CORE, CONVERTER, BACKEND):
        wanted = {role: file for role, (of, file) in FILES.items() if of == package}
        home = npm.package(package, lock, workspace, sorted(wanted.values()))
        found.update({role: home / file for role, file in wanted.items()})
    return found


def packed(folder: Path) -> Path:
    """model.json and weights.bin as the one file that web/src/runtimes/tfjs.mjs reads."""
    about = (folder / tfjs_from_onnx.MODEL).read_bytes()
    about += b" " * (-len(about) % 8)
    weights = (folder / tfjs_from_onnx.WEIGHTS).read_bytes()
    if len(weights) > LARGEST:
        raise UnsupportedModel(
            f"its weights have {len(weights):,} bytes; TF.js has {LARGEST:,} for all that it does",
            hint="build it for a target that is no browser",
        )
    whole = folder / "model.tfjs"
    whole.write_bytes(len(about).to_bytes(8, "little") + about + weights)
    return whole


def _entry(prepared: Prepared) -> Entry:
    signature = prepared.signature

    def port(spec: TensorSpec) -> Port:
        return Port(replace(spec, dtype=DTYPES[spec.dtype]), spec.name)

    return Entry("run", tuple(map(port, signature.inputs)), tuple(map(port, signature.outputs)))


def _notes(prepared: Prepared) -> tuple[str, ...]:
    specs = (*prepared.signature.inputs, *prepared.signature.outputs)
    return tuple(
        f"{spec.name} is {spec.dtype} in the model and {DTYPES[spec.dtype]} in TF.js"
        for spec in specs
        if DTYPES[spec.dtype] != spec.dtype
    )
