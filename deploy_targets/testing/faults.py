"""Faults to plant, so that a check can be seen to fail.

There are three places: the captured graph before a target builds from it, the files of a bundle
after it (resealed, so that only the runtime can tell), and the answers of a running session.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from deploy_targets.records import Answer, Array, Bundle, Call, Graph
from deploy_targets.runtime import Runner, Session

Tamper = Callable[[Answer], Answer]


@dataclasses.dataclass(frozen=True)
class Saboteur:
    """A runner whose sessions answer with a fault."""

    runner: Runner
    tamper: Tamper

    @contextmanager
    def open(self, bundle: Bundle, lane: str) -> Iterator[Session]:
        """Opens the bundle in the honest runner and stands in front of it."""
        with self.runner.open(bundle, lane) as session:
            yield _Tampered(session, self.tamper)


class _Tampered:
    def __init__(self, session: Session, tamper: Tamper) -> None:
        self._session, self._tamper = session, tamper

    @property
    def where(self) -> str:
        return self._session.where

    @property
    def notes(self) -> tuple[str, ...]:
        return self._session.notes

    def run(self, call: Call) -> Answer:
        return self._tamper(self._session.run(call))


def nan_in_one_element(answer: Answer) -> Answer:
    """The first element of every float output becomes NaN."""

    def spoilt(array: Array) -> Array:
        changed = np.array(array)
        if changed.dtype.kind == "f":
            changed.flat[0] = np.nan
        return changed

    return _each(answer, spoilt)


def batch_reversed(answer: Answer) -> Answer:
    """The rows of every output come in reverse order; batches of one stay as they are."""
    return _each(answer, lambda array: array[::-1].copy())


def output_missing(answer: Answer) -> Answer:
    """The last output is not given."""
    names = sorted(answer.outputs)[:-1]
    return dataclasses.replace(answer, outputs={name: answer.outputs[name] for name in names})


def dtype_narrowed(answer: Answer) -> Answer:
    """Float outputs come as float16."""
    return _each(answer, lambda a: a.astype(np.float16) if a.dtype.kind == "f" else a)


def one_weight_changed(graph: Graph, folder: Path, strength: float) -> Graph:
    """The largest weight of an ONNX graph's first tensor grows by `strength` of itself."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(graph.folder / "model.onnx")
    floats = (t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT)
    tensor = next(floats)
    weights = np.array(numpy_helper.to_array(tensor))
    weights.flat[np.abs(weights).argmax()] *= 1 + strength
    tensor.CopyFrom(numpy_helper.from_array(weights, tensor.name))
    onnx.save(model, folder / "model.onnx")
    return dataclasses.replace(graph, folder=folder)


def one_byte_flipped(file: Path) -> None:
    """The last byte of a file differs in its lowest bit."""
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)


def _each(answer: Answer, change: Callable[[Array], Array]) -> Answer:
    outputs = {name: change(array) for name, array in answer.outputs.items()}
    return dataclasses.replace(answer, outputs=outputs)
