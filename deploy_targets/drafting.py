"""A first deploy.toml, by looking at the model. In: a source. Out: the text, and how sure it is.

A .pt2 or .onnx says its inputs itself, a traced .pt those that it was traced with. For another
torch module the first layer is looked at. Each guess is tried by running the model; one that did
not run is marked as one to correct. Where the user names transforms, they become
[inputs.NAME.preprocess]: `recognising/`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy_targets import frontends
from deploy_targets.errors import ConfigError, DeployError
from deploy_targets.frontends.source import Kind, SourceSpec, kind_of, name_of
from deploy_targets.recognising import within
from deploy_targets.recognising.held import Held, held
from deploy_targets.recognising.named import Named, load
from deploy_targets.records import DynamicAxis, Signature, TensorSpec
from deploy_targets.runtime import Model

if TYPE_CHECKING:
    from torch import nn

Sizes = Mapping[str, tuple[int, int] | None]

BATCH = DynamicAxis("batch", 1, 8)


@dataclass(frozen=True)
class Draft:
    """The text of deploy.toml, and whether the model ran with what it says."""

    text: str
    checked: bool
    steps: Mapping[str, Held] = field(default_factory=dict)
    """What was recognised before each input."""


def draft(spec: SourceSpec, transforms: Mapping[str, str] | None = None) -> Draft:
    """Looks at the model. Raises what loading it raises, but for inputs that are not declared.

    `transforms`: input -> "file.py:thing"; "" is the model's only input.
    """
    named = {name: load(source, spec.base) for name, source in (transforms or {}).items()}
    if spec.inputs or kind_of(spec) not in (Kind.CALLABLE, Kind.TORCHSCRIPT):
        return _drafted(spec, frontends.load(spec), named)
    try:
        guesses = list(_guesses(spec, {name: one.found.size for name, one in named.items()}))
    except DeployError as error:
        return _drafted(spec, _saying_itself(spec, error), named)
    for guess in guesses:
        try:
            model = frontends.load(guess)
        except DeployError:
            continue
        return _drafted(spec, model, named)
    guess = guesses[0]
    unchecked = Signature(guess.inputs, (), guess.axes, BATCH.name)
    steps = _steps(spec, unchecked, None, named)
    return Draft(_text(spec, unchecked, steps, checked=False), False, steps)


def _saying_itself(spec: SourceSpec, error: DeployError) -> Model:
    """What code gives and is no torch module: an estimator. Raises `error` where it is neither."""
    try:
        return frontends.load(spec)
    except DeployError:
        raise error from None


def _drafted(spec: SourceSpec, model: Model, named: Mapping[str, Named]) -> Draft:
    within.refuse(model, named)
    steps = _steps(spec, model.signature, model, named)
    return Draft(_text(spec, model.signature, steps, checked=True), True, steps)


def _steps(
    spec: SourceSpec, signature: Signature, model: Model | None, named: Mapping[str, Named]
) -> dict[str, Held]:
    """What is declared before each input. Raises ConfigError where there is no such input."""
    inputs = {tensor.name: tensor for tensor in signature.inputs}
    steps = {}
    for name, one in named.items():
        if not name and len(inputs) > 1:
            raise ConfigError(
                f"--transform {one.source} does not say of which input: {', '.join(inputs)}",
                hint=f"write --transform {next(iter(inputs))}={one.source}",
            )
        of = name or next(iter(inputs))
        if of not in inputs:
            raise ConfigError(
                f"--transform {of}={one.source}: the model has no input {of!r}",
                hint=f"it has {', '.join(inputs)}",
            )
        steps[of] = held(one, inputs[of], model, spec.base)
    return steps


def _guesses(spec: SourceSpec, sizes: Sizes) -> Iterator[SourceSpec]:
    from deploy_targets.frontends.look import examples, look

    if known := examples(spec):
        yield from _as_traced(spec, known)
    names, first = look(spec)
    for inputs in _inputs(names, first, sizes):
        yield dataclasses.replace(spec, inputs=inputs, axes=(BATCH,))


def _as_traced(spec: SourceSpec, known: tuple[TensorSpec, ...]) -> Iterator[SourceSpec]:
    """With the leading axis as the batch, where all have the same; then at the very sizes."""
    leading = {tensor.shape[:1] for tensor in known if tensor.shape}
    if len(leading) == 1:
        free = (dataclasses.replace(t, shape=(BATCH.name, *t.shape[1:])) for t in known)
        whole = (new if old.shape else old for old, new in zip(known, free, strict=True))
        yield dataclasses.replace(spec, inputs=tuple(whole), axes=(BATCH,))
    yield dataclasses.replace(spec, inputs=known, axes=())


def _inputs(
    names: Sequence[str], first: nn.Module | None, sizes: Sizes
) -> Iterator[tuple[TensorSpec, ...]]:
    if len(names) == 1:
        size = sizes.get(names[0], sizes.get(""))
        for dtype, shape, most in _of_layer(first, size):
            bounds = None if most is None else (0.0, float(most))
            yield (TensorSpec(names[0], dtype, (BATCH.name, *shape), range=bounds),)
    photos = {name: sizes.get(name) or sizes.get("") or (224, 224) for name in names}
    yield tuple(TensorSpec(name, "float32", (BATCH.name, 3, *photos[name])) for name in names)


def _of_layer(
    layer: nn.Module | None, size: tuple[int, int] | None
) -> Iterator[tuple[str, tuple[int, ...], int | None]]:
    """Dtype, shape after the batch, and largest value, that a first layer is likely to take.

    `size`: that of the photos, where it is known.
    """
    from torch import nn

    match layer:
        case nn.Conv2d():
            squares = [(side, side) for side in (224, 28, 32, 48, 64, 8)]
            for sides in [size] if size else squares:
                yield "float32", (layer.in_channels, *sides), None
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


def _text(
    spec: SourceSpec, signature: Signature, steps: Mapping[str, Held], *, checked: bool
) -> str:
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
        if tensor.name in steps:
            lines += ["", f"[inputs.{_key(tensor.name)}.preprocess]", *steps[tensor.name].lines]
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
