"""The model's terms <-> the artifact's terms. Applied here and nowhere else.

In: a case in the model's names and layout, and the entries of an artifact. Out: the calls that
ask that case of the artifact, with the answers expected, in the artifact's names and layout; and,
for the judge, an artifact's answers back in the model's. Runners, harnesses and the judge never
permute, rename, cast, split or pad anything themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deploy_targets.records import (
    TENSORS,
    Array,
    Call,
    Case,
    Check,
    Entry,
    Port,
    Signature,
    Tensors,
    TensorSpec,
)


class NotCovered(Exception):
    """The case lies outside what the artifact takes. Collected and reported, never hidden."""


@dataclass(frozen=True)
class _Part:
    """The rows of a case that one call asks for. `rows` is None for the case as a whole."""

    entry: Entry
    rows: Sequence[int] | None


def identity(signature: Signature, name: str = "main") -> Entry:
    """An entry with the model's own names, layout and dtypes."""
    return Entry(
        name,
        tuple(Port(spec, spec.name) for spec in signature.inputs),
        tuple(Port(spec, spec.name) for spec in signature.outputs),
    )


def encode(
    signature: Signature, entries: Sequence[Entry], case: Case, golden: str = TENSORS
) -> list[Check]:
    """The calls that ask one case of an artifact. Raises NotCovered, with the reason."""
    sizes = sizes_of(signature.inputs, case.inputs)
    parts = _plan(signature, entries, case, sizes, golden)
    return [_check(signature, case, golden, i, part, sizes) for i, part in enumerate(parts)]


def in_model_terms(outputs: Tensors, entry: Entry) -> dict[str, Array]:
    """An artifact's answers under the model's names, in the model's layout.

    Unknown names stay, so that an extra output is seen; so does a wrong rank.
    """
    ports = {port.spec.name: port for port in entry.outputs}
    found: dict[str, Array] = {}
    for name, array in outputs.items():
        port = ports.get(name)
        if port is None:
            found[f"(extra) {name}"] = array
        elif port.axes is None or array.ndim != len(port.axes):
            found[port.of] = array
        else:
            found[port.of] = array.transpose(np.argsort(port.axes))
    return found


def sizes_of(specs: Sequence[TensorSpec], tensors: Tensors) -> dict[str, int]:
    """The size of each dynamic axis in these tensors: {"batch": 3}."""
    found: dict[str, int] = {}
    for spec in specs:
        for dim, size in zip(spec.shape, tensors[spec.name].shape, strict=True):
            if isinstance(dim, str):
                found.setdefault(dim, size)
    return found


def batch_axis(spec: TensorSpec, batch: str | None) -> int | None:
    """Where the batch lies in a tensor, also within a product such as "batch*time"."""
    for axis, dim in enumerate(spec.shape):
        if isinstance(dim, str) and batch is not None and dim.split("*")[0] == batch:
            return axis
    return None


def split(count: int, sizes: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Rows of each call; the last one is padded by repetition.

    split(5, [4, 1]) is [(4, [0, 1, 2, 3]), (1, [4])]; split(3, [2]) is [(2, [0, 1]), (2, [2, 2])].
    """
    calls: list[tuple[int, list[int]]] = []
    at = 0
    while at < count:
        size = max((s for s in sizes if s <= count - at), default=min(sizes))
        calls.append((size, [min(at + i, count - 1) for i in range(size)]))
        at += size
    return calls


def _plan(
    signature: Signature,
    entries: Sequence[Entry],
    case: Case,
    sizes: Mapping[str, int],
    golden: str,
) -> list[_Part]:
    batch = signature.batch
    entries = [entry for entry in entries if entry.golden == golden]
    fits: dict[int | None, Entry] = {}
    for entry in entries:
        fixed = _fixed_sizes(signature, entry)
        if {port.of for port in entry.inputs} == set(case.inputs) and all(
            sizes[axis] == size for axis, size in fixed.items() if axis != batch
        ):
            fits.setdefault(fixed.get(batch) if batch else None, entry)
    if not fits:
        raise NotCovered(f"{case.name}: nothing in the artifact takes {_say(case.inputs)}")
    if None in fits:
        return [_Part(fits[None], None)]
    assert batch is not None
    if any(batch_axis(spec, batch) is None for spec in signature.outputs):
        raise NotCovered(f"{case.name}: an output without the axis {batch} cannot be split")
    chosen = split(sizes[batch], [size for size in fits if size is not None])
    return [_Part(fits[size], rows) for size, rows in chosen]


def _fixed_sizes(signature: Signature, entry: Entry) -> dict[str, int]:
    """Dynamic axes of the model that this entry has nailed down: {"batch": 1}."""
    model = {spec.name: spec for spec in signature.inputs}
    found: dict[str, int] = {}
    for port in entry.inputs:
        shape = model[port.of].shape if port.of in model else ()
        axes = port.axes or tuple(range(len(shape)))
        for mine, axis in zip(port.spec.shape, axes, strict=False):
            dim = shape[axis]
            if isinstance(dim, str) and isinstance(mine, int):
                found[dim] = mine
    return found


def _check(
    signature: Signature,
    case: Case,
    golden: str,
    index: int,
    part: _Part,
    sizes: Mapping[str, int],
) -> Check:
    whole = sizes.get(signature.batch or "", 1)
    specs = {spec.name: spec for spec in (*signature.inputs, *signature.outputs)}

    def of(port: Port, tensors: Tensors) -> Array:
        array = tensors[port.of]
        if part.rows is None:
            return array
        return _rows(array, batch_axis(specs[port.of], signature.batch), whole, part.rows)

    inputs = {p.spec.name: _as_stored(of(p, case.inputs), p, case) for p in part.entry.inputs}
    expected = {
        # The reference is permuted, never narrowed: it is what the artifact is judged against.
        p.spec.name: _permuted(of(p, case.outputs), p)
        for p in part.entry.outputs
        if case.outputs
    }
    noise = {
        p.spec.name: _permuted(of(p, case.noise), p)
        for p in part.entry.outputs
        if p.of in case.noise
    }
    _within_limits(part.entry, case, inputs, expected)
    return Check(golden, Call(f"{case.name}/{index}", part.entry.name, inputs), expected, noise)


def _rows(array: Array, axis: int | None, whole: int, rows: Sequence[int]) -> Array:
    if axis is None:
        return array
    width = array.shape[axis] // whole  # "batch*time": one row is `time` wide
    picked = [array.take(range(row * width, (row + 1) * width), axis) for row in rows]
    return np.concatenate(picked, axis)


def _as_stored(array: Array, port: Port, case: Case) -> Array:
    wanted = _dtype(port.spec.dtype)
    if array.dtype != wanted:
        if wanted.kind in "iu" and array.size:
            limits = np.iinfo(wanted.name)
            low, high = int(array.min()), int(array.max())
            if low < limits.min or high > limits.max:
                raise NotCovered(f"{case.name}: {port.of} holds {low}..{high}, beyond {wanted}")
        array = array.astype(wanted)
    return _permuted(array, port)


def _permuted(array: Array, port: Port) -> Array:
    # order="C" and not ascontiguousarray, which would turn a scalar into a vector.
    return np.asarray(array if port.axes is None else array.transpose(port.axes), order="C")


def _within_limits(entry: Entry, case: Case, inputs: Tensors, expected: Tensors) -> None:
    for side, tensors, limit in (
        ("inputs", inputs, entry.max_input_bytes),
        ("outputs", expected, entry.max_output_bytes),
    ):
        size = sum(array.nbytes for array in tensors.values())
        if limit is not None and size > limit:
            raise NotCovered(
                f"{case.name}: {size:,} bytes of {side}; one call of {entry.name} carries {limit:,}"
            )


def _dtype(name: str) -> np.dtype[np.generic]:
    try:
        found: np.dtype[np.generic] = np.dtype(name)
    except TypeError:
        import ml_dtypes

        found = np.dtype(getattr(ml_dtypes, name))
    return found


def _say(tensors: Tensors) -> str:
    return ", ".join(f"{name} {list(array.shape)}" for name, array in tensors.items())
