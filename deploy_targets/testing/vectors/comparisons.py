"""Answers on which every judge must decide alike: the one in Python, and those that travel.

In: nothing. Out: pairs of the original's answer and another, each with noise and a bound, and what
the judge in Python says of them: it is the reference. `save` writes them as safetensors, whose
metadata `cases` holds the rest as JSON. To add one: a line in `_edges`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deploy_targets import bundle as bundles
from deploy_targets.parity import judge
from deploy_targets.parity.rows import measured
from deploy_targets.records import Answer, Array, Call, Check, Entry, Port, Signature, TensorSpec
from deploy_targets.verdicts import Bound

NEAR = Bound(1e-3, judge.WHOLE, judge.PART, judge.ELEMENT)
JUMPY = dataclasses.replace(NEAR, jumps=1.0, jump=10.0)
"""Every element may jump."""
SHAPES = ((), (7,), (3, 40), (2, 5, 6), (1, 4, 3, 9))
DTYPES = ("float32", "float64", "int64")
DRAWN = 300


@dataclass(frozen=True)
class Pair:
    """An answer to be judged."""

    want: Array
    got: Array
    noise: Array | None
    bound: Bound
    batch: int | None = None
    kind: str = "plain"


def pairs() -> dict[str, Pair]:
    """By name: what is at an edge, and what was drawn near to the bounds."""
    drawn = np.random.default_rng(11)
    return {
        **{name: _floats(got, bound) for name, got, bound in _edges()},
        **{f"drawn {i}": _drawn(drawn, i) for i in range(DRAWN)},
    }


def verdict(pair: Pair) -> tuple[str, float]:
    """What Python says: why it is refused, "" where it is not, and the relative L2."""
    names = tuple("abcd"[: pair.want.ndim])
    batch = None if pair.batch is None else names[pair.batch]
    spec = TensorSpec("y", pair.want.dtype.name, names, pair.kind)
    noise = {} if pair.noise is None else {"y": pair.noise}
    check = Check("tensors", Call("call", "main", {}), {"y": pair.want}, noise)
    entry = Entry("main", (), (Port(spec, "y"),))
    signature = Signature((), (spec,), (), batch)
    (found,) = measured(check, Answer({"y": pair.got}), entry, signature, {"y": pair.bound})
    return judge.reason(found, pair.bound), found.relative_l2


def save(asked: dict[str, Pair], file: Path) -> None:
    """Tensors `<name>/want`, `/got` and `/noise`, and the rest in the metadata."""
    tensors = {
        f"{name}/{side}": array
        for name, pair in asked.items()
        for side, array in (("want", pair.want), ("got", pair.got), ("noise", pair.noise))
        if array is not None
    }
    told = {
        name: {"bound": dataclasses.asdict(p.bound), "batch": p.batch, "kind": p.kind}
        for name, p in asked.items()
    }
    bundles.write_tensors(file, tensors, cases=json.dumps(told))


def _edges() -> Iterator[tuple[str, list[float], Bound]]:
    """Name, answer and bound; the original says 1, 2, 3, and strays by 1e-4."""
    few = dataclasses.replace(JUMPY, jumps=0.4)
    yield "the same", [1, 2, 3], NEAR
    yield "one jumps, and none may", [1, 2, 9], NEAR
    yield "every element may jump, and all do", [9, 9, 9], JUMPY
    yield "every element may jump, and the first does", [9, 2, 3], JUMPY
    yield "every element may jump, and the second does", [1, 9, 3], JUMPY
    yield "every element may jump, and the first does beside one that strays", [9, 2.0001, 3], JUMPY
    yield "one jumps too far", [1, 2, 30], JUMPY
    yield "two jump, and two may", [1, 9, 9], few
    yield "three jump, and two may", [9, 9, 9], few
    yield "no number, where every element may jump", [1, float("nan"), 3], JUMPY
    yield "infinite, where every element may jump", [1, float("inf"), 3], JUMPY


def _floats(got: list[float], bound: Bound) -> Pair:
    want = np.asarray([1, 2, 3], np.float32)
    return Pair(want, np.asarray(got, np.float32), np.full(3, 1e-4, np.float32), bound)


def _drawn(draw: np.random.Generator, number: int) -> Pair:
    shape, dtype = SHAPES[number % len(SHAPES)], DTYPES[number // len(SHAPES) % len(DTYPES)]
    bound = dataclasses.replace(
        NEAR,
        relative_l2=float(draw.choice([1e-6, 1e-4, 1e-2])),
        budget=float(draw.choice([0.0, 1e-3])),
        jumps=float(draw.choice([0.0, 0.05, 1.0])),
        jump=float(draw.choice([0.0, 1e-2, 2.0])),
    )
    if dtype == "int64":
        want = np.asarray(draw.integers(0, 5, shape))
        got = np.where(draw.random(shape) < draw.choice([0, 0.05]), want + 1, want)
        unsure = np.asarray(draw.random(shape) < 0.02).astype(np.float32)
        return Pair(want, np.asarray(got), None if number % 2 else unsure, bound)
    want = np.asarray(draw.normal(0, 1, shape)).astype(dtype)
    noise = np.asarray(np.abs(draw.normal(0, 1e-4, shape))).astype(np.float32)
    moved = noise * draw.normal(0, 10.0 ** draw.uniform(-1, 2), shape)
    got = np.asarray(want + moved * (draw.random(shape) < draw.choice([0.1, 1.0]))).astype(dtype)
    batch = None if number % 3 or not shape else int(draw.integers(len(shape)))
    return Pair(want, got, None if number % 7 == 0 else noise, bound, batch)
