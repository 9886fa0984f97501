"""Which converter makes the .tflite, of which sizes and in which layout; keeps what it made.

In: the target's options and a Prepared. Out: what is known to be impossible (`problems`), or the
file and how it is called (`converted`). The converters themselves are in converters/; a new one is
a line in CONVERTERS of target.py and one in MODULES here.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.binding import batch_axis
from deploy_targets.converters import tflite, tflite_kept
from deploy_targets.converters.tflite import Converted, Fixed, Order
from deploy_targets.errors import ConfigError
from deploy_targets.records import Dialect, DynamicAxis, Prepared, Signature, TensorSpec
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    from deploy_targets.targets.tflite.target import Tflite

MODULES = {
    "litert-torch": "tflite_from_torch",
    "tensorflow": "tflite_from_saved_model",
    "onnx2tf": "tflite_from_onnx",
    "onnx-in-tensorflow": "tflite_from_onnx_mapped",
}
"""Converter -> its module in converters/."""
LARGEST = 2**31 - 1
"""Bytes that a flatbuffer may have."""
CHANNELS = (1, 3, 4)
NHWC, NCHW = (0, 2, 3, 1), (0, 3, 1, 2)
"""What makes the one layout of the other."""


def problems(target: Tflite, prepared: Prepared) -> tuple[str, ...]:
    """Datatypes, axes and sizes that a .tflite cannot have. Raises ConfigError for the options."""
    _check_options(target, prepared)
    return (
        *tflite.problems(prepared.signature),
        *_open_axes(target, prepared.signature),
        *_batches(target, prepared.signature),
        *_unsplittable(prepared.signature),
        *_size(prepared),
    )


def converted(target: Tflite, prepared: Prepared, workspace: Workspace) -> tuple[Path, Converted]:
    """The model, and how it is called. Kept, for making it takes half a minute and more.

    Raises UnsupportedModel, ConversionFailed, ToolMissing.
    """
    name = chosen(target, prepared.graph.dialect)
    module = importlib.import_module(f"deploy_targets.converters.{MODULES[name]}")
    order = ordered(target, prepared)

    def make(folder: Path) -> None:
        module.convert(order, folder, workspace, timeout=prepared.timeout)

    key = tflite_kept.key(name, module.LOCK, order)
    folder = workspace.cached(tflite_kept.KIND, key, make)
    made = tflite.read(folder)
    notes = (*_notes(order, made), *made.notes)
    return folder / tflite.FILE, replace(made, notes=notes)


def chosen(target: Tflite, dialect: Dialect) -> str:
    """The converter that was asked for, or the best for the dialect."""
    from deploy_targets.targets.tflite.target import CONVERTERS

    return CONVERTERS[dialect][0] if target.converter == "auto" else target.converter


def ordered(target: Tflite, prepared: Prepared) -> Order:
    """What the converter is asked for."""
    signature = prepared.signature
    still = {axis.name: axis.minimum for axis in _other_axes(signature)}
    return Order(
        prepared.graph,
        signature,
        tflite.fixed(signature, target.batch_sizes, {**still, **target.sizes}),
        layouts(target, prepared),
        half=prepared.recipe.weights == "float16",
    )


def layouts(target: Tflite, prepared: Prepared) -> dict[str, tuple[int, ...]]:
    """Per image input that shall lie otherwise than in the model: artifact = model.transpose."""
    wanted = "nhwc" if target.layout == "auto" else target.layout
    found = {spec.name: _lies(spec, prepared) for spec in prepared.signature.inputs}
    turn = {"nhwc": NHWC, "nchw": NCHW}[wanted]
    return {name: turn for name, lies in found.items() if lies and lies != wanted}


def _lies(spec: TensorSpec, prepared: Prepared) -> str:
    """Where the channels of an image are in the model; "" for what is no image."""
    if len(spec.shape) != 4 or "float" not in spec.dtype:
        return ""
    first, last = spec.shape[1] in CHANNELS, spec.shape[3] in CHANNELS
    if prepared.graph.dialect == Dialect.SAVED_MODEL:
        return "nhwc" if last else ""
    if first:
        return "nchw"
    if not _declared_image(spec, prepared):
        return ""
    return "nhwc" if last else "nchw"


def _declared_image(spec: TensorSpec, prepared: Prepared) -> bool:
    media = prepared.staging.media.get(spec.name, ()) if prepared.staging else ()
    return any(kind.startswith("image/") for kind in media)


def _other_axes(signature: Signature) -> Iterator[DynamicAxis]:
    return (axis for axis in signature.axes if axis.name != signature.batch)


def _check_options(target: Tflite, prepared: Prepared) -> None:
    axes = {axis.name: axis for axis in _other_axes(prepared.signature)}
    for name, size in target.sizes.items():
        if name not in axes:
            raise ConfigError(
                f"sizes: the model has no axis {name!r} but the batch and {sorted(axes)}",
                hint="name one of [axes] in deploy.toml; sizes of the batch are batch_sizes",
            )
        if not axes[name].minimum <= size <= axes[name].maximum:
            raise ConfigError(
                f"sizes: {name} = {size} is not within {axes[name].minimum}..{axes[name].maximum}",
                hint="choose a size that [axes] allows",
            )
    lying = (_lies(spec, prepared) for spec in prepared.signature.inputs)
    if target.layout != "auto" and not any(lying):
        raise ConfigError(
            f"layout = {target.layout!r}, and the model has no image among its inputs",
            hint="leave layout out; an image is a float32 tensor of rank 4 with 1, 3 or 4 channels",
        )


def _open_axes(target: Tflite, signature: Signature) -> Iterator[str]:
    for axis in _other_axes(signature):
        if axis.name not in target.sizes and axis.minimum < axis.maximum:
            yield (
                f"a .tflite has fixed sizes, and none is said for {axis.name}; set the option "
                f"sizes = {{ {axis.name} = {axis.minimum} }}, or another up to {axis.maximum}"
            )


def _batches(target: Tflite, signature: Signature) -> Iterator[str]:
    axis = next((axis for axis in signature.axes if axis.name == signature.batch), None)
    if axis is None:
        if target.batch_sizes != (1,):
            yield "batch_sizes are set, and the model has no batch; name it in deploy.toml: batch"
        return
    for size in target.batch_sizes:
        if not axis.minimum <= size <= axis.maximum:
            yield (
                f"{axis.name} = {size} is not within {axis.minimum}..{axis.maximum}; set the "
                f"option batch_sizes = [{axis.minimum}]"
            )


def _unsplittable(signature: Signature) -> Iterator[str]:
    """A question of several rows becomes several calls, whose answers must be joined."""
    if signature.batch is None:
        return
    for spec in signature.outputs:
        if batch_axis(spec, signature.batch) is None:
            yield (
                f"{spec.name} has no axis {signature.batch}; a .tflite has fixed sizes, and the "
                "answers of several calls could not be joined"
            )


def _size(prepared: Prepared) -> Iterator[str]:
    half = 2 if prepared.recipe.weights == "float16" else 1
    size = sum(file.stat().st_size for file in tflite_kept.files(prepared.graph)) // half
    if size > LARGEST:
        yield f"it has {size:,} bytes; a .tflite may have {LARGEST:,}"


def _notes(order: Order, made: Converted) -> Iterator[str]:
    signature, batch = order.signature, order.signature.batch
    sizes = [f"{n} = {size}" for n, size in order.entries[0].sizes.items() if n != batch]
    if sizes:
        yield f"a .tflite has fixed sizes: {', '.join(sizes)}"
    if batch is not None:
        yield f"batches are made of calls with {batch} = {_listed(order.entries, batch)}"
    for name in order.layouts:
        lies = "N, height, width, channels" if order.layouts[name] == NHWC else "N, channels, ..."
        yield f"{name} lies as {lies} in the .tflite, and not in the model"
    yield from _narrowed(signature, made)
    if order.half:
        yield "weights are float16; it computes in float32"


def _listed(entries: tuple[Fixed, ...], batch: str) -> str:
    return " or ".join(str(entry.sizes[batch]) for entry in entries)


def _narrowed(signature: Signature, made: Converted) -> Iterator[str]:
    dtypes = {spec.name: spec.dtype for spec in (*signature.inputs, *signature.outputs)}
    for port in (*made.entries[0].inputs, *made.entries[0].outputs):
        if dtypes[port.of] != port.spec.dtype:
            was, here = dtypes[port.of], port.spec.dtype
            yield f"{port.of} is {was} in the model and {here} in the .tflite"
