"""Runs what stands around the model: the steps here in Python, the graphs in ONNX Runtime.

In: the bytes of raw inputs. Out: the model's tensors, and a frame for each raw input: what the
steps behind the model must know of it. And the model's outputs become the tensors of the answer.
Sessions are made at start, and so is what the steps import: Lambda gives a start more processor
than it gives a small function's requests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from serving.refusals import Refused
from serving.steps import Step, Steps

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime

    Arrays = dict[str, np.ndarray]
    Frames = dict[str, dict]
    MakeSession = Callable[[str], onnxruntime.InferenceSession]


GIVEN = ".given"
"""A graph's input is called so: it takes a tensor whose name its output may have, too."""


class Around:
    """The steps of one model, ready to run."""

    def __init__(self, steps: Steps, folder: str, session: MakeSession) -> None:
        # Only a function with steps has this package.
        from serving import stages

        self._stages, self._steps = stages, steps
        self._before = {
            name: session(os.path.join(folder, raw.graph))
            for name, raw in steps.inputs.items()
            if raw.graph
        }
        self._after = session(os.path.join(folder, steps.graph)) if steps.graph else None
        for raw in steps.inputs.values():
            _import(raw.host, stages.BEFORE)
        _import(steps.host, stages.AFTER)

    def decoded(self, raw: Mapping[str, bytes]) -> tuple[Arrays, Frames]:
        """What the steps here make of raw inputs, and their frames. Raises Refused."""
        values, frames = {}, {name: {} for name in raw}
        for name, data in raw.items():
            try:
                host = self._steps.inputs[name].host
                values[name] = self._stages.before(host, data, frames[name])
            except self._stages.Refused as refused:
                raise Refused(refused.status, f"input {name!r}: {refused}") from None
        return values, frames

    def before(self, values: Arrays) -> Arrays:
        """The model's tensors: through a graph where there is one."""
        return {
            name: _run(self._before[name], value) if name in self._before else value
            for name, value in values.items()
        }

    def after(self, outputs: Arrays, frames: Frames) -> Arrays:
        """The tensors of the answer."""
        tensors = {**outputs, **self._through(outputs)}
        for step in self._steps.host:
            tensors = self._stages.after([step], tensors, frame_of(step, frames))
        return {name: tensors[name] for name in self._steps.gives}

    def _through(self, outputs: Arrays) -> Arrays:
        if self._after is None:
            return {}
        names = [node.name for node in self._after.get_outputs()]
        given = [node.name for node in self._after.get_inputs()]
        fed = {name: outputs[name.removesuffix(GIVEN)] for name in given}
        return dict(zip(names, self._after.run(names, fed), strict=True))


def frame_of(step: Step, frames: Frames) -> dict:
    """The frame of the input that a step names, else of the only one."""
    return frames.get(step["options"].get("input"), next(iter(frames.values()), {}))


def _run(session: onnxruntime.InferenceSession, value: np.ndarray) -> np.ndarray:
    (node,) = session.get_inputs()
    return session.run(None, {node.name: value})[0]


def _import(steps: list[Step], known: Mapping[str, str]) -> None:
    for step in steps:
        if step["op"] in known:
            import_module(f"serving.stages.{known[step['op']]}")
