"""TFLite metadata: what a model.tflite says of itself to the tools that read it.

In: a finished file, and an About: names, descriptions, what an image must be made into, labels.
Out: the same file with the flatbuffer TFLITE_METADATA in it (schema 1.5, of which 1.0 is enough to
read it) and the labels as a zip behind it: `unzip -l model.tflite`. The weights and the signatures
stay as they are. `about` fills an About from what was declared.

Nothing is said that a common tool would take for something else: they know images as RGB or grey
with the channels last, so that other ones are features, whose descriptions say what they are.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy_targets.converters.tflite_metadata_schema import schema
from deploy_targets.converters.tflite_root import Root
from deploy_targets.records import Entry, Port, Prepared, Stage, TensorSpec

NAME = "TFLITE_METADATA"
PIXELS = frozenset(("decode_image", "resize", "crop", "pad", "scale", "layout"))
"""Steps of an image that the metadata or its readers have; one more, and it is a feature."""
COLUMNS = frozenset(("decode_table", "impute", "standardise", "cast"))
"""The same for a table."""
LAST = "nhwc"
"""How an image lies that the common tools can fill."""


@dataclass(frozen=True)
class Tensor:
    """One input or output. `name` is that in the file's signatures."""

    name: str
    description: str = ""
    colours: str = ""
    """ "rgb" or "grey" of an image; empty: it is a feature."""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    """(raw - mean) / std is what the tensor holds; of an image the raw values are 0 to 255."""
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    """What it holds at least and at most, once or for each channel."""
    labels: tuple[str, ...] = ()
    """Of one axis, in its order."""

    @property
    def file(self) -> str:
        """Of the labels, in the zip. No two names have the same."""
        plain = (c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in self.name)
        return f"labels_{''.join(plain)}.txt"


@dataclass(frozen=True)
class About:
    """What a model is. Each signature of the file has these tensors, or some of them."""

    name: str
    description: str
    version: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def write(file: Path, about: About) -> None:
    """Writes it into the file, in place of what an earlier call wrote there.

    Raises ConversionFailed where the file is no .tflite or has a tensor of which nothing is said,
    ToolMissing without flatbuffers.
    """
    root = Root(_without_files(file.read_bytes()))
    file.write_bytes(root.with_metadata(NAME, schema(about, root)))
    labelled = {t.file: t.labels for t in (*about.inputs, *about.outputs) if t.labels}
    if labelled:
        _add_files(file, {name: "\n".join(lines) for name, lines in labelled.items()})


def _without_files(raw: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as held:
            return raw[: min((each.header_offset for each in held.infolist()), default=len(raw))]
    except zipfile.BadZipFile:
        return raw


def _add_files(file: Path, files: Mapping[str, str]) -> None:
    # Uncompressed: on devices they are read where they lie. ZipInfo's own date is that of 1980.
    with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as into:
        for name, text in sorted(files.items()):
            info = zipfile.ZipInfo(name)
            info.create_system = 3  # on every system
            into.writestr(info, text)


def about(prepared: Prepared, entries: Sequence[Entry]) -> About:
    """What is known of the model and its declared steps, in the names and layouts of the entries.

    The description of each tensor says what the steps are that lie before or behind it.
    """
    signature, stages = prepared.signature, prepared.staging
    inputs = {port.spec.name: port for entry in entries for port in entry.inputs}
    outputs = {port.spec.name: port for entry in entries for port in entry.outputs}
    sizes = ", ".join(entry.name for entry in entries)
    return About(
        name=prepared.name,
        description=f"Precision {prepared.recipe.name}; signatures: {sizes}.",
        version=prepared.graph.digest[:12],
        inputs=tuple(
            _input(port, _of(signature.inputs, port), stages.of(port.of) if stages else ())
            for port in inputs.values()
        ),
        outputs=tuple(
            _output(port, _of(signature.outputs, port), stages.of(port.of, "after"))
            if stages
            else _output(port, _of(signature.outputs, port), ())
            for port in outputs.values()
        ),
    )


def _of(specs: Iterable[TensorSpec], port: Port) -> TensorSpec:
    return next(spec for spec in specs if spec.name == port.of)


def _input(port: Port, spec: TensorSpec, steps: Sequence[Stage]) -> Tensor:
    options = {step.op: step.options for step in steps}
    said = _described(port, spec, "made from raw data by", steps)
    if options.keys() == options.keys() & PIXELS and "decode_image" in options:
        return _image(port, said, options)
    if options.keys() == options.keys() & COLUMNS and "standardise" in options:
        given = options["standardise"]
        return Tensor(
            port.spec.name, said, mean=_floats(given["mean"]), std=_floats(given["scale"])
        )
    if spec.range is not None:
        return Tensor(port.spec.name, said, low=(spec.range[0],), high=(spec.range[1],))
    return Tensor(port.spec.name, said)


def _image(port: Port, said: str, options: Mapping[str, Mapping[str, Any]]) -> Tensor:
    order = str(options["layout"]["order"])
    if "".join(order[axis] for axis in port.axes or range(len(order))) != LAST:
        return Tensor(port.spec.name, said)
    colours = str(options["decode_image"]["mode"])
    if "scale" not in options:
        return Tensor(port.spec.name, said, colours, low=(0.0,), high=(255.0,))
    by = options["scale"]["by"]
    mean, std = (_floats(options["scale"][key]) for key in ("mean", "std"))
    return Tensor(
        port.spec.name,
        said,
        colours,
        # Ours is (level * by - mean) / std.
        mean=tuple(m / by for m in mean),
        std=tuple(s / by for s in std),
        low=tuple(-m / s for m, s in zip(mean, std, strict=True)),
        high=tuple((255 * by - m) / s for m, s in zip(mean, std, strict=True)),
    )


def _output(port: Port, spec: TensorSpec, steps: Sequence[Stage]) -> Tensor:
    labels = [step.options.get("labels") or () for step in steps if step.op == "label"]
    said = _described(port, spec, "to be followed by", steps)
    return Tensor(port.spec.name, said, labels=tuple(labels[0]) if labels else ())


def _described(port: Port, spec: TensorSpec, how: str, steps: Sequence[Stage]) -> str:
    """One sentence for whoever sees it in a tool."""
    axes = spec.shape if port.axes is None else [spec.shape[axis] for axis in port.axes]
    kind = "" if spec.kind == "plain" else f", {spec.kind}"
    named = "" if port.spec.name == port.of else f", {port.of!r} in the model"
    chain = f"; {how} {', '.join(step.op for step in steps)}" if steps else ""
    return f"{port.spec.dtype} [{', '.join(map(str, axes))}]{kind}{named}{chain}"


def _floats(given: Iterable[Any]) -> tuple[float, ...]:
    return tuple(float(number) for number in given)
