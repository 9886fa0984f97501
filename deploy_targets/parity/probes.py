"""Made-up inputs that samples seldom are, each there to catch something that samples let pass.

In: a signature and the user's samples, whose range the probes keep to. Out: questions; those that
the original itself cannot answer with numbers are left out later. To add one: a function from
`Room` and shape to an array, and its line in `PROBES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from deploy_targets.parity.made import Question, shape_of, sizes_to_try, synthetic
from deploy_targets.records import Array, Signature, Tensors, TensorSpec


@dataclass(frozen=True)
class Room:
    """What an input may hold: as declared, else as the samples do, else about one."""

    low: float
    high: float


def probes(signature: Signature, samples: Mapping[str, Tensors]) -> list[Question]:
    """One question for each probe that fits the model's inputs."""
    if not any(spec.dtype.startswith("float") for spec in signature.inputs):
        return []
    sizes = {axis.name: sizes_to_try(axis)[:2][-1] for axis in signature.axes}
    # What is no float keeps to its seeded values: only a float has an order to probe.
    rest = synthetic(signature, sizes, seed=77)
    found = []
    for name, (why, make) in PROBES.items():
        made = {
            spec.name: _made(make, _room(spec, samples), spec, sizes, rest[spec.name])
            for spec in signature.inputs
        }
        if all(array is not None for array in made.values()):
            inputs = {key: array for key, array in made.items() if array is not None}
            found.append(Question(f"probe-{name}", why, inputs, True, optional=True))
    return found


def _made(
    make: Callable[[Room, tuple[int, ...]], Array | None],
    room: Room,
    spec: TensorSpec,
    sizes: Mapping[str, int],
    rest: Array,
) -> Array | None:
    if not spec.dtype.startswith("float"):
        return rest
    made = make(room, shape_of(spec, sizes))
    return None if made is None else np.asarray(made.astype(spec.dtype), order="C")


def _room(spec: TensorSpec, samples: Mapping[str, Tensors]) -> Room:
    if spec.range:
        return Room(*spec.range)
    given = [tensors[spec.name] for tensors in samples.values() if tensors[spec.name].size]
    finite = [array[np.isfinite(array)] for array in given if array.dtype.kind == "f"]
    if not any(array.size for array in finite):
        return Room(-2.0, 2.0)
    low = min(float(array.min()) for array in finite if array.size)
    high = max(float(array.max()) for array in finite if array.size)
    return Room(low, high)


def _slopes(room: Room, shape: tuple[int, ...]) -> Array | None:
    """Rises along every axis, along each by another amount: no two axes, rows or channels, and no
    two directions, look alike."""
    if not math.prod(shape):
        return None
    total = np.zeros(shape)
    for axis, size in enumerate(shape):
        along = np.arange(size) / max(size - 1, 1)
        # Steeper at its end, so that an axis read backwards differs from one with a sign.
        rise = (along + along**2) * math.sqrt(axis + 2) / 2
        total += rise.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return room.low + (room.high - room.low) * total / max(float(total.max()), 1e-9)


def _zeros(room: Room, shape: tuple[int, ...]) -> Array | None:
    return np.zeros(shape) if room.low <= 0 <= room.high else None


def _small(room: Room, shape: tuple[int, ...]) -> Array | None:
    size = min(-room.low, room.high)
    drawn = np.random.default_rng(11).uniform(-1, 1, shape)
    return drawn * 1e-3 * size if size > 0 else None


def _ends(room: Room, shape: tuple[int, ...]) -> Array:
    high = np.random.default_rng(13).random(shape) < 0.5
    return np.where(high, room.high, room.low)


PROBES: dict[str, tuple[str, Callable[[Room, tuple[int, ...]], Array | None]]] = {
    "slopes": ("rises along each axis by another amount: layout, channel order, flips", _slopes),
    "zeros": ("nothing but zeros: constants, biases, the epsilon of a norm", _zeros),
    "small": ("a thousandth of the usual size: the epsilon of a norm, coarse steps", _small),
    "ends": ("only the ends of the range: saturation, overflow, clipping", _ends),
}
"""Name -> what it is there to catch, and how it is made."""
