"""A first deploy.toml, by looking at the model. In: a source. Out: the text, and how sure it is.

A .pt2 or .onnx says its inputs itself. For a torch module the first layer is looked at, and each
guess is tried by running the model; a guess that did not run is marked as one to correct.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_targets import frontends
from deploy_targets.errors import DeployError
from deploy_targets.frontends.source import Kind, SourceSpec, kind_of, name_of
from deploy_targets.records import DynamicAxis, Signature, TensorSpec

if TYPE_CHECKING:
    from torch import nn

BATCH = DynamicAxis("batch", 1, 8)


@dataclass(frozen=True)
class Draft:
    """The text of deploy.toml, and whether the model ran with what it says."""

    text: str
    checked: bool


def draft(spec: SourceSpec) -> Draft:
    """Looks at the model. Raises what loading it raises, but for inputs that are not declared."""
    if spec.inputs or kind_of(spec) is not Kind.CALLABLE:
        return Draft(_text(spec, frontends.load(spec).signature, checked=True), True)
    guesses = list(_guesses(spec))
    for guess in guesses:
        try:
            return Draft(_text(spec, frontends.load(guess).signature, checked=True), True)
        except DeployError:
            continue
    guess = guesses[0]
    unchecked = Signature(guess.inputs, (), guess.axes, BATCH.name)
    return Draft(_text(spec, unchecked, checked=False), False)


def _guesses(spec: SourceSpec) -> Iterator[SourceSpec]:
    from deploy_targets.frontends.look import look

    names, first = look(spec)
    for inputs in _inputs(names, first):
        yield dataclasses.replace(spec, inputs=inputs, axes=(BATCH,))


def _inputs(names: Sequence[str], first: nn.Module | None) -> Iterator[tuple[TensorSpec, ...]]:
    if len(names) == 1:
        for dtype, shape, most in _of_layer(first):
            bounds = None if most is None else (0.0, float(most))
            yield (TensorSpec(names[0], dtype, (BATCH.name, *shape), range=bounds),)
    yield tuple(TensorSpec(name, "float32", (BATCH.name, 3, 224, 224)) for name in names)


def _of_layer(layer: nn.Module | None) -> Iterator[tuple[str, tuple[int, ...], int | None]]:
    """Dtype, shape after the batch, and largest value, that a first layer is likely to take."""
    from torch import nn

    match layer:
        case nn.Conv2d():
            for size in (224, 28, 32, 48, 64, 8):
                yield "float32", (layer.in_channels, size, size), None
        case nn.Conv1d():
            for length in (1024, 16000):
                yield "float32", (layer.in_channels, length), None
                yield "float32", (length,), None
        case nn.Conv3d():
            yield "float32", (layer.in_channels, 16, 32, 32), None
        case nn.Linear():
            yield "float32", (layer.in_features,), None
            yield "float32", (16, layer.in_features), None
        case nn.Embedding():
            yield "int64", (16,), layer.num_embeddings - 1
        case nn.RNNBase():
            yield "float32", (16, layer.input_size), None


def _text(spec: SourceSpec, signature: Signature, *, checked: bool) -> str:
    warning = (
        "# The model ran with these inputs. Shapes may still be others than you mean: look at them."
        if checked
        else "# GUESSED, and the model did not run with it: correct dtype, shape and ranges."
    )
    lines = [
        f"name = {_quoted(name_of(spec))}",
        f"source = {_quoted(spec.source)}",
        '# samples = "samples"   # a folder of .npz, .npy or .safetensors, one real case each',
    ]
    if signature.batch:
        lines.append(f"batch = {_quoted(signature.batch)}")
    if signature.axes:
        lines += ["", "[axes]   # dynamic axes: the least and the largest size"]
        lines += [f"{_key(a.name)} = [{a.minimum}, {a.maximum}]" for a in signature.axes]
    lines += ["", warning]
    for tensor in signature.inputs:
        lines += [f"[inputs.{_key(tensor.name)}]", f"dtype = {_quoted(tensor.dtype)}"]
        lines += [f"shape = {json.dumps(list(tensor.shape))}"]
        if tensor.range:
            low, high = tensor.range
            lines += [f"range = [{low!r}, {high!r}]"]
        lines += [""]
    for tensor in signature.outputs:
        lines += [f"[outputs.{_key(tensor.name)}]   # {tensor.dtype} {list(tensor.shape)}"]
        lines += ['# kind = "classifier"', ""]
    return "\n".join([*lines, "[targets.lambda]", ""])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isalnum() and bare.isascii() else _quoted(name)
