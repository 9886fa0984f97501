"""The numbers that a PyTorch model computes with, and what a converter may make of them.

In: an ExportedProgram or a ScriptModule. Out: its used parameters, buffers and constants under
their own names, and the folds: what they come to where operators are merged, computed here and not
by the converter. To add a fold: a function of a step that yields a Fold, and its line in `_FOLDS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy_targets.records import Array

Doubles = NDArray[np.float64]

ROUNDING = 16 * float(np.finfo(np.float32).eps)
"""What a few operations in float32 may lose of the terms that they add up."""


@dataclass(frozen=True)
class Piece:
    """A tensor that stands for several: its values, how far each may be off, and of what it is."""

    values: Array
    slack: Doubles
    of: frozenset[str]
    certain: bool = False
    """Whether the converter is known to make this of them: then no other will do."""


@dataclass(frozen=True)
class Fold:
    """Pieces that together stand for the constants they are made of."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Constants:
    """What is used of a model, by name, and its folds."""

    own: Mapping[str, Array]
    folds: Sequence[Fold]


@dataclass(frozen=True)
class Step:
    """One operator: its name, its arguments (a `Ref` is a tensor), and the tensor it makes."""

    op: str
    arguments: Sequence[Any]
    makes: str
    target: Any
    named: Mapping[str, Any]


@dataclass(frozen=True)
class Ref:
    """A tensor of the graph."""

    key: str


@dataclass(frozen=True)
class _Known:
    """A tensor whose values are known before anything runs."""

    values: Any
    of: frozenset[str]


def of(given: Any) -> Constants:
    """All that is used. Of what is computed from constants alone, the results are folds."""
    from deploy_targets.converters.coreml import steps

    named, taken = steps.of(given)
    known = {key: _Known(value, frozenset({name})) for key, (name, value) in named.items()}
    used: set[str] = set()
    folds: list[Fold] = []
    made: dict[str, Step] = {}
    for step in taken:
        made[step.makes] = step
        refs = {ref.key for ref in _refs([*step.arguments, *step.named.values()])}
        used |= {key for key in refs if key in named}
        if refs and refs <= known.keys() and (result := _computed(step, known)) is not None:
            known[step.makes] = result
            folds.append(Fold((_exact(result),)))
        folds += (fold for make in _FOLDS for fold in make(step, made, known))
    used |= {ref.key for ref in steps.answers(given) if ref.key in named}
    return Constants({named[key][0]: _array(named[key][1]) for key in sorted(used)}, folds)


def _refs(arguments: Any) -> Iterator[Ref]:
    for each in arguments:
        if isinstance(each, Ref):
            yield each
        elif isinstance(each, (list, tuple)):
            yield from _refs(each)


def _computed(step: Step, known: Mapping[str, _Known]) -> _Known | None:
    """What PyTorch makes of constants; None where that is no tensor, or it cannot be asked so."""
    import torch

    sources = frozenset[str]()
    for ref in _refs([*step.arguments, *step.named.values()]):
        sources |= known[ref.key].of
    try:
        with torch.no_grad():
            value = step.target(
                *_filled(step.arguments, known),
                **{key: _filled([each], known)[0] for key, each in step.named.items()},
            )
    except (RuntimeError, TypeError, ValueError, IndexError):
        return None
    return _Known(value, sources) if isinstance(value, torch.Tensor) else None


def _filled(arguments: Sequence[Any], known: Mapping[str, _Known]) -> list[Any]:
    return [
        known[each.key].values
        if isinstance(each, Ref)
        else _filled(each, known)
        if isinstance(each, (list, tuple))
        else each
        for each in arguments
    ]


def _exact(known: _Known) -> Piece:
    values = _array(known.values)
    return Piece(values, ROUNDING * np.abs(values.astype(np.float64)), known.of)


def _array(tensor: Any) -> Array:
    from deploy_targets.frontends.arrays import to_array

    return to_array("a constant", tensor.detach().float() if _is_brief(tensor) else tensor)


def _is_brief(tensor: Any) -> bool:
    return str(tensor.dtype) == "torch.bfloat16"


_CONVOLUTIONS = {
    "convolution": 6,
    "_convolution": 6,
    "conv1d": None,
    "conv2d": None,
    "conv3d": None,
    "conv_transpose1d": True,
    "conv_transpose2d": True,
    "conv_transpose3d": True,
    "linear": None,
}
"""Operators (input, weight, bias, …) -> which argument says that it is transposed, or whether."""


def _normalized(
    step: Step, made: Mapping[str, Step], known: Mapping[str, _Known]
) -> Iterator[Fold]:
    """A convolution or a linear layer, and the batch norm that alone follows it."""
    if step.op not in ("batch_norm", "_native_batch_norm_legit_no_training"):
        return
    source = made.get(step.arguments[0].key) if isinstance(step.arguments[0], Ref) else None
    if source is None or source.op not in _CONVOLUTIONS:
        return
    weight, bias = (_at(source, i, known) for i in (1, 2))
    norm = [_at(step, i, known) for i in range(1, 5)]
    gamma, beta, mean, variance = norm
    if weight is None or mean is None or variance is None:
        return
    eps = step.arguments[7 if step.op == "batch_norm" else 6]
    channels = mean.values.shape[0]
    scale = _double(gamma, 1.0, channels) / np.sqrt(_double(variance, 1.0, channels) + eps)
    kernel = _double(weight, 0.0, channels)
    folded = kernel * _along(scale, kernel, _is_transposed(source))
    terms = [
        _double(bias, 0.0, channels) * scale,
        -_double(mean, 0.0, channels) * scale,
        _double(beta, 0.0, channels),
    ]
    size = np.sum([np.abs(term) for term in terms], axis=0)
    of_weight = _names(weight, gamma, variance)
    yield Fold(
        (
            Piece(folded, ROUNDING * np.abs(folded), of_weight, True),
            Piece(np.sum(terms, axis=0), ROUNDING * size, _names(bias, *norm), True),
        )
    )


def _at(step: Step, index: int, known: Mapping[str, _Known]) -> _Known | None:
    argument = step.arguments[index] if index < len(step.arguments) else None
    return known.get(argument.key) if isinstance(argument, Ref) else None


def _double(known: _Known | None, default: float, channels: int) -> Doubles:
    if known is None:
        return np.full(channels, default)
    return _array(known.values).astype(np.float64)


def _is_transposed(step: Step) -> bool:
    said = _CONVOLUTIONS[step.op]
    return bool(step.arguments[said]) if said is not None and said is not True else said is True


def _along(scale: Doubles, kernel: Doubles, transposed: bool) -> Doubles:
    """The scale of each output channel, as it meets the kernel: [out, in, …] or [in, out/g, …]."""
    rest = (1,) * (kernel.ndim - 2)
    if not transposed:
        return scale.reshape(-1, 1, *rest)
    groups = scale.shape[0] // kernel.shape[1]
    each = scale.reshape(groups, 1, kernel.shape[1])
    return np.repeat(each, kernel.shape[0] // groups, 1).reshape(*kernel.shape[:2], *rest)


def _names(*known: _Known | None) -> frozenset[str]:
    return frozenset[str]().union(*(each.of for each in known if each is not None))


def _recurrent(step: Step, made: Mapping[str, Step], known: Mapping[str, _Known]) -> Iterator[Fold]:
    """An LSTM: PyTorch's gates i, f, g, o become i, f, o, g, and its two biases one."""
    del made
    if step.op != "lstm" or not isinstance(step.arguments[2], (list, tuple)):
        return
    weights = [known.get(ref.key) for ref in step.arguments[2] if isinstance(ref, Ref)]
    width = 4 if step.arguments[3] else 2
    for at in range(0, len(weights), width):
        group = [each for each in weights[at : at + width] if each is not None]
        arrays = [_array(each.values).astype(np.float64) for each in group]
        pieces = [
            Piece(_gates(values), np.zeros_like(values), each.of, True)
            for values, each in zip(arrays[:2], group[:2], strict=True)
        ]
        if width == 4 and len(group) == 4:
            size = ROUNDING * _gates(np.abs(arrays[2]) + np.abs(arrays[3]))
            pieces.append(Piece(_gates(arrays[2] + arrays[3]), size, _names(*group[2:]), True))
        yield from (Fold((piece,)) for piece in pieces)


def _gates(values: Doubles) -> Doubles:
    first, second, third, fourth = np.split(values, 4)
    return np.concatenate([first, second, fourth, third])


_FOLDS = (_normalized, _recurrent)
