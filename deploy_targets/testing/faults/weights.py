"""Faults in what a model has learned: wrong, exchanged, stale, missing, or in a wrong order."""

from __future__ import annotations

import numpy as np

from deploy_targets.testing.faults.fault import graph
from deploy_targets.testing.faults.parameters import (
    Parameter,
    biases,
    change,
    layers,
    restored,
    rows,
    share_of,
    weights,
)
from deploy_targets.testing.faults.surgery import Numbers, Surgery


@graph("how far its largest weight moves towards zero, as a share of itself", 3, 0.3, 0.03, 1e-3)
def one_weight_changed(cut: Surgery, strength: float) -> None:
    """One weight of one tensor is not what was trained."""
    for weight in cut.one(weights(cut)):
        array = np.array(weight.array)
        array.flat[np.abs(array).argmax()] *= 1 - strength
        change(cut, weight, array)


@graph("how much one weight tensor grows, as a share of itself", 1, 0.1, 0.01, 1e-3, 1e-4)
def weight_scaled(cut: Surgery, strength: float) -> None:
    """One weight tensor is read with a wrong scale."""
    for weight in cut.one(weights(cut)):
        change(cut, weight, np.asarray(weight.array * (1 + strength)))


@graph("the share of their numbers that change places", 1, 0.3, 0.1, 0)
def weights_exchanged(cut: Surgery, strength: float) -> None:
    """Two weight tensors of equal shape are exchanged."""
    found = weights(cut)
    pairs = [
        (one, other)
        for i, one in enumerate(found)
        for other in found[i + 1 :]
        if one.array.shape == other.array.shape and not np.array_equal(one.array, other.array)
    ]
    for one, other in cut.one(pairs):
        here, there = np.array(one.array), np.array(other.array)
        moved = slice(0, share_of(here.size, strength))
        here.flat[moved], there.flat[moved] = other.array.flat[moved], one.array.flat[moved]
        change(cut, one, here)
        change(cut, other, there)


@graph("the share of the layer's units that change places, two at least", 1, 0.3, 0)
def rows_exchanged(cut: Surgery, strength: float) -> None:
    """The units of one layer stand in another order, their biases do not follow."""
    for weight in cut.one([w for w in layers(cut) if w.array.shape[w.units] > 1]):
        array = rows(weight.array, weight.units)
        moved = max(2, round(strength * len(array)))
        array[:moved] = np.roll(array[:moved], 1, axis=0)
        change(cut, weight, restored(array, weight.units))


@graph("the step, in standard deviations of each tensor", 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4)
def weights_stale(cut: Surgery, strength: float) -> None:
    """Every weight is that of a checkpoint some steps earlier."""
    for weight in weights(cut):
        step = cut.random.standard_normal(weight.array.shape) * weight.array.std()
        change(cut, weight, np.asarray(weight.array + strength * step))


@graph("the share of the layer's units that were not loaded", 1, 0.1, 0)
def weights_missing(cut: Surgery, strength: float) -> None:
    """Some units of one layer have no weights: they answer with their bias alone."""
    for weight in cut.one(layers(cut)):
        array = rows(weight.array, weight.units)
        array[: share_of(len(array), strength)] = 0
        change(cut, weight, restored(array, weight.units))


@graph("the share of the layer's units without a bias", 1, 0.3, 0.1, 0)
def bias_dropped(cut: Surgery, strength: float) -> None:
    """The bias of one layer is dropped."""
    for bias in cut.one([bias for bias in biases(cut) if bias.array.any()]):
        array = np.array(bias.array)
        # Those that matter least go first, so that a weak fault is a weak one.
        order = np.argsort(np.abs(array), axis=None)
        used = order[np.abs(array).flat[order] > 0]
        array.flat[used[: share_of(used.size, strength)]] = 0
        change(cut, bias, array)


@graph("the share of the rows and columns, from the first, that are transposed", 1, 0.5, 0.2)
def square_weight_transposed(cut: Surgery, strength: float) -> None:
    """A square matrix of weights is transposed."""
    square = [w for w in layers(cut) if w.array.ndim == 2 and len({*w.array.shape}) == 1]
    for weight in cut.one(square):
        array = np.array(weight.array)
        part = max(2, round(strength * len(array)))
        array[:part, :part] = weight.array[:part, :part].T
        change(cut, weight, array)


@graph("the share of the convolution's filters that are mirrored", 1, 0.3, 0)
def kernel_mirrored(cut: Surgery, strength: float) -> None:
    """A kernel is applied mirrored: a convolution in the sense of the textbook."""
    spatial = [w for w in layers(cut) if w.array.ndim > 2 and max(w.array.shape[2:]) > 1]
    for weight in cut.one(spatial):
        array = np.array(weight.array)
        part, axes = share_of(len(array), strength), tuple(range(2, array.ndim))
        array[:part] = np.flip(array[:part], axes)
        change(cut, weight, array)


@graph("the share of the table's rows, from the first, that are one off", 1, 0.3, 0)
def embedding_one_off(cut: Surgery, strength: float) -> None:
    """An embedding table is read one row off."""
    for weight in cut.one([w for w in weights(cut) if w.node.op_type == "Gather"]):
        array = np.array(weight.array)
        part = min(len(array), max(2, round(strength * len(array))))
        array[:part] = np.roll(array[:part], 1, axis=0)
        change(cut, weight, array)


@graph("the share of the last layer's units that repeat the one before", 1, 0.3, 0)
def class_repeated(cut: Surgery, strength: float) -> None:
    """A class of the last layer answers what the class before it answers."""
    for weight in layers(cut)[-1:]:
        array = rows(weight.array, weight.units)
        part = share_of(len(array) - 1, strength) if len(array) > 1 else 0
        array[1 : part + 1] = np.array(array[:part])
        change(cut, weight, restored(array, weight.units))


@graph("the bits kept of each weight of the model, its sign included", 3, 4, 6, 8, 10)
def weights_quantized(cut: Surgery, strength: float) -> None:
    """Weights were rounded to a grid, one per tensor, and are presented as floats."""
    for weight in weights(cut):
        step = np.abs(weight.array).max() / (2 ** (strength - 1) - 1)
        if step > 0:
            change(cut, weight, np.asarray(np.round(weight.array / step) * step))


@graph("the bits kept of each weight's fraction: 7 is bfloat16, 10 is float16", 3, 7, 10, 14)
def weights_narrowed(cut: Surgery, strength: float) -> None:
    """Weights were narrowed to a shorter float and widened again."""
    for weight in weights(cut):
        change(cut, weight, narrowed(weight.array, strength))


@graph("the share of the hidden units whose gates are exchanged", 1, 0.3, 0)
def gates_reordered(cut: Surgery, strength: float) -> None:
    """The gates of a recurrent layer stand in another framework's order."""
    gates = {"LSTM": 4, "GRU": 3}
    for node in cut.one(cut.nodes(*gates)):
        for weight in (w for w in [*weights(cut), *biases(cut)] if w.node is node):
            _exchange_gates(cut, weight, gates[node.op_type], strength)


def narrowed(array: Numbers, bits: float) -> Numbers:
    """Floats with a fraction of so many bits, to the nearest."""
    fraction, exponent = np.frexp(array.astype(np.float64))
    rounded = np.round(fraction * 2 ** (bits + 1)) / 2 ** (bits + 1)
    return np.ldexp(rounded, exponent).astype(array.dtype)


def _exchange_gates(cut: Surgery, weight: Parameter, gates: int, share: float) -> None:
    array = rows(weight.array, 1)
    hidden = cut.attribute(weight.node, "hidden_size")
    blocks = array.reshape(-1, gates, hidden, *array.shape[1:])
    part = share_of(hidden, share)
    # The second and third: output and forget of an LSTM, reset and candidate of a GRU.
    blocks[:, [1, 2], :part] = blocks[:, [2, 1], :part]
    change(cut, weight, restored(blocks.reshape(array.shape), 1))
