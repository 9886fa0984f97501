"""Samples, frames and log-mel spectrograms as a graph. In: float32 samples [n] or [channels, n].

Computed in float64 between a cast at either end: float32 strays by thousandths of a decibel where
a bin is far below the loudest of its frame. A spectrum is a product with the cosines and sines of
the DFT: exact, and quick in onnxruntime, whose own DFT is quick only for powers of two. Those that
are so large that the constants would weigh go through that operation. Refusing what is too short
is the host's part, in `length`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deploy_targets.stages.graphs.sketch import Sketch
from deploy_targets.stages.host import melbank

LARGE = 1024
"""From this size on, a power of two goes through ONNX's DFT: its constants would be 8 MB."""


def frames(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """Float32 [..., n] to [..., time, size]."""
    size, hop = options["size"], options["hop"]
    if options["pad"] == "centre":
        value = _pad(sketch, value, [size // 2, size // 2], options["pad_mode"])
    elif options["pad"] == "end":
        over = sketch.add("Sub", _samples(sketch, value), size)
        short = sketch.add("Max", sketch.add("Neg", over), 0)
        rest = sketch.add("Mod", sketch.add("Neg", sketch.add("Max", over, 0)), hop)
        after = sketch.add("Reshape", sketch.add("Add", short, rest), np.array([1]))
        pads = sketch.add("Concat", np.array([0]), after, axis=0)
        value = _pad(sketch, value, pads, options["pad_mode"])
    return _framed(sketch, value, size, hop)


def log_mel(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """Float32 [..., n] to [..., time, mels]."""
    size = options["n_fft"] if options["fft_pad"] == "both" else options["win"]
    value = sketch.cast(value, "float64")
    if options["center"]:
        value = _pad(sketch, value, [size // 2, size // 2], options["pad_mode"])
    framed = _framed(sketch, value, size, options["hop"])
    if options["drop_last"]:
        framed = sketch.add("Slice", framed, *(np.array([i]) for i in (0, -1, -2)))
    energies = _energies(sketch, framed, size, options)
    bank = melbank.mel_filters(**melbank.bank_options(dict(options)))
    mels = sketch.add("MatMul", energies, np.ascontiguousarray(bank.T))
    return sketch.cast(_logarithm(sketch, mels, dict(options)), "float32")


def normalise(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """Each frame, each bin over time, or all of it: (x - mean) / max(sqrt(var + eps), floor)."""
    x = sketch.cast(value, "float64")
    axes = {"frame": [np.array([-1])], "time": [np.array([-2])], "recording": []}[options["over"]]
    centred = sketch.add("Sub", x, sketch.add("ReduceMean", x, *axes, keepdims=1))
    # The number of elements is in the count of ones, whatever the axes.
    ones = sketch.add("Add", sketch.add("Mul", centred, np.float64(0)), np.float64(1))
    count = sketch.add("ReduceSum", ones, *axes, keepdims=1)
    ddof = np.float64(options["ddof"])
    free = sketch.add("Max", sketch.add("Sub", count, ddof), np.float64(1))
    total = sketch.add("ReduceSum", sketch.add("Mul", centred, centred), *axes, keepdims=1)
    variance = sketch.add("Add", sketch.add("Div", total, free), np.float64(options["epsilon"]))
    spread = sketch.add("Max", sketch.add("Sqrt", variance), np.float64(options["floor"]))
    return sketch.cast(sketch.add("Div", centred, spread), "float32")


def arrange(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """Axes by name in another order; one that was not given becomes an axis of one."""
    given, to = list(options["given"]), list(options["to"])
    order = [given.index(name) for name in to if name in given]
    value = sketch.add("Transpose", value, perm=order)
    new = [i for i, name in enumerate(to) if name not in given]
    return sketch.add("Unsqueeze", value, np.array(new)) if new else value


def _energies(sketch: Sketch, framed: str, size: int, options: Mapping[str, Any]) -> str:
    """|DFT| to the power, [..., time, 1 + n_fft // 2]."""
    window = melbank.window_of(size, options["win"], options["window"])
    whole, bins = options["n_fft"], options["n_fft"] // 2 + 1
    if whole >= LARGE and whole & (whole - 1) == 0:
        parts = sketch.add("Unsqueeze", sketch.add("Mul", framed, window), np.array([-1]))
        both = sketch.add("DFT", parts, whole, -2, onesided=1)
        squares = sketch.add("Mul", both, both)
        square = sketch.add("ReduceSum", squares, np.array([-1]), keepdims=0)
    else:
        turns = np.outer(np.arange(size), np.arange(bins)) % whole * (2 * np.pi / whole)
        basis = np.concatenate([np.cos(turns), np.sin(turns)], axis=1) * window[:, None]
        squares = sketch.add("MatMul", framed, basis)
        squares = sketch.add("Mul", squares, squares)
        parts_of = sketch.several("Split", 2, squares, np.array([bins, bins]), axis=-1)
        square = sketch.add("Add", *parts_of)
    if options["power"] == 2.0:
        return square
    return sketch.add("Pow", square, np.float64(options["power"] / 2))


def _logarithm(sketch: Sketch, mels: str, options: dict[str, Any]) -> str:
    if options["log"] == "none":
        return mels
    added = sketch.add("Add", mels, np.float64(options["add"]))
    logged = sketch.add("Log", sketch.add("Max", added, np.float64(options["floor"])))
    logged = sketch.add("Mul", logged, np.float64(melbank.factor(options)))
    if (top := melbank.top_of(options)) is None:
        return logged
    loudest = sketch.add("ReduceMax", logged, keepdims=0)
    return sketch.add("Max", logged, sketch.add("Sub", loudest, np.float64(top)))


def _pad(sketch: Sketch, value: str, pads: list[int] | str, mode: str) -> str:
    """The last axis, made longer at both ends."""
    given = pads if isinstance(pads, str) else np.array(pads)
    return sketch.add("Pad", value, given, "", np.array([-1]), mode=mode)


def _framed(sketch: Sketch, value: str, size: int, hop: int) -> str:
    """Overlapping pieces of the last axis; what is left over at the end is dropped."""
    steps = sketch.add("Div", sketch.add("Sub", _samples(sketch, value), size), hop)
    starts = sketch.add("Mul", sketch.add("Range", 0, sketch.add("Add", steps, 1), 1), hop)
    at = sketch.add("Add", sketch.add("Unsqueeze", starts, np.array([1])), np.arange(size))
    return sketch.add("Gather", value, at, axis=-1)


def _samples(sketch: Sketch, value: str) -> str:
    """The size of the last axis, a scalar."""
    return sketch.add("Squeeze", sketch.add("Shape", value, start=-1), np.array([0]))
