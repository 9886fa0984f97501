"""LiteRT.js: runs a .tflite, which litert-torch makes of a PyTorch graph.

Each size of the batch is an entry, and the JavaScript splits and pads between them. The
package's own wrapper is left out: web/src/runtimes/litert.mjs asks the wasm itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy_targets.binding import batch_axis
from deploy_targets.converters import tflite, tflite_from_torch, tflite_kept
from deploy_targets.converters.tflite import Converted, Fixed
from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.integrations import npm
from deploy_targets.records import Dialect, Prepared, Signature
from deploy_targets.resources import resource
from deploy_targets.stages import own
from deploy_targets.targets.web import places
from deploy_targets.targets.web.runtimes import Order, Written

CODE = "litert"
DIALECTS = (Dialect.EXPORTED,)
LADDER = ("wasm",)

PACKAGE = "@litertjs/core"
KINDS = {"": "", "many-": "threaded_", "basic-": "compat_"}
"""Prefix of a role -> of a file: for one thread, for several, for browsers with plain SIMD."""
WASM = {
    f"{kind}{role}": f"litert_wasm_{build}internal.{suffix}"
    for kind, build in KINDS.items()
    for role, suffix in {"module": "js", "wasm": "wasm"}.items()
}
"""Role -> file in the package's folder wasm/. A visit downloads one pair."""
LARGEST = 2**31 - 1
"""Bytes that the wasm's memory can grow to; a flatbuffer's limit is the same."""


def problems(prepared: Prepared) -> tuple[str, ...]:
    """Datatypes, steps and outputs that a .tflite or LiteRT.js cannot have."""
    return (
        *tflite.problems(prepared.signature),
        *_unsplittable(prepared.signature),
        *_graphs(prepared),
        *_size(prepared),
    )


def write(order: Order) -> Written:
    """runtime.HEX/ and assets/. Raises UnsupportedModel, ConversionFailed, ToolMissing."""
    if order.graphs:
        raise UnsupportedModel(
            f"LiteRT.js cannot run {', '.join(sorted(order.graphs))}.onnx, steps that are a graph",
            hint='give those steps a JavaScript file, or use runtime = "onnxruntime-web"',
        )
    asked = tflite.fixed(order.prepared.signature, sizes=order.sizes)
    model, made = _converted(order, asked)
    lock = resource("web", "package-lock.json")
    only = [f"wasm/{name}" for name in WASM.values()]
    wasm = npm.package(PACKAGE, lock, order.workspace, only) / "wasm"
    home = places.together(order.folder, "runtime", {name: wasm / name for name in WASM.values()})
    version = npm.version_of(PACKAGE, lock)
    return Written(
        version=version,
        entries=made.entries,
        files={
            **{role: f"{home}/{name}" for role, name in WASM.items()},
            "model": places.asset(order.folder, model, "model"),
        },
        tools={**made.tools, PACKAGE: version},
        licences={f"LiteRT.js {version}": resource("LICENSE")},
        later=frozenset(role for role in WASM if not role.startswith("many-")),
        notes=_notes(order.prepared.signature, asked, made),
    )


def check_sizes(signature: Signature, sizes: Mapping[str, int]) -> None:
    """Raises ConfigError where the option names no axis, or a size that the axis does not have."""
    axes = {axis.name: axis for axis in signature.axes if axis.name != signature.batch}
    for name, size in sizes.items():
        if name not in axes:
            raise ConfigError(
                f"sizes: the model has no axis {name!r} but the batch and {sorted(axes)}",
                hint="name one of [axes] in deploy.toml; batches are made of several calls",
            )
        if not axes[name].minimum <= size <= axes[name].maximum:
            raise ConfigError(
                f"sizes: {name} = {size} is not within {axes[name].minimum}..{axes[name].maximum}",
                hint="choose a size that [axes] allows",
            )


def _unsplittable(signature: Signature) -> tuple[str, ...]:
    """A question of several rows becomes several calls, whose answers must be joined."""
    if signature.batch is None:
        return ()
    return tuple(
        f"{spec.name} has no axis {signature.batch}; a .tflite has fixed sizes, and the answers of "
        "several calls could not be joined"
        for spec in signature.outputs
        if batch_axis(spec, signature.batch) is None
    )


def _graphs(prepared: Prepared) -> tuple[str, ...]:
    stages = prepared.staging.stages if prepared.staging else ()
    return tuple(
        f"the step {stage.op} of {stage.of} is an ONNX graph, which LiteRT.js cannot run"
        for stage in stages
        if stage.op == own.MODULE
    )


def _size(prepared: Prepared) -> tuple[str, ...]:
    size = sum(file.stat().st_size for file in tflite_kept.files(prepared.graph))
    if size <= LARGEST:
        return ()
    return (f"it has {size:,} bytes; LiteRT.js has {LARGEST:,} for all that it does",)


def _converted(order: Order, asked: tuple[Fixed, ...]) -> tuple[Path, Converted]:
    """The model and how it is called. Kept, for making it takes half a minute and more."""
    prepared, workspace = order.prepared, order.workspace
    ordered = tflite.Order(prepared.graph, prepared.signature, asked)

    def make(folder: Path) -> None:
        tflite_from_torch.convert(ordered, folder, workspace, timeout=prepared.timeout)

    key = tflite_kept.key(tflite_from_torch.WHO, tflite_from_torch.LOCK, ordered)
    folder = workspace.cached(tflite_kept.KIND, key, make)
    return folder / tflite.FILE, tflite.read(folder)


def _notes(signature: Signature, asked: tuple[Fixed, ...], made: Converted) -> tuple[str, ...]:
    batch = signature.batch
    fixed = [f"{name} = {size}" for name, size in asked[0].sizes.items() if name != batch]
    said = f"a .tflite has fixed sizes, set by the option sizes: {', '.join(fixed)}"
    notes = [said] if fixed else []
    if batch is not None:
        sizes = " or ".join(str(entry.sizes[batch]) for entry in asked)
        notes.append(f"batches are made of calls with {batch} = {sizes}")
    return (*notes, *_narrowed(signature, made))


def _narrowed(signature: Signature, made: Converted) -> list[str]:
    dtypes = {spec.name: spec.dtype for spec in (*signature.inputs, *signature.outputs)}
    ports = (*made.entries[0].inputs, *made.entries[0].outputs)
    return [
        f"{port.of} is {dtypes[port.of]} in the model and {port.spec.dtype} in the .tflite"
        for port in ports
        if dtypes[port.of] != port.spec.dtype
    ]
