"""What stands around the model: raw bytes -> its tensors, and its outputs -> the answer.

steps.json says which steps are declared. They are Python (`stages`, numpy and Pillow), but for the
user's own modules, which are graphs for ONNX Runtime.
"""

from __future__ import annotations

import json
import os

from . import ort
from .errors import EdgeError

FILE = "steps.json"
GIVEN = ".given"
"""A graph's input is called so: it takes a tensor whose name its output may have, too."""


class Steps:
    """The steps of one bundle, ready to run."""

    def __init__(self, said, session):
        # Only a bundle with steps has this package.
        from . import stages

        self._stages, self._said = stages, said
        graphs = {name: each["graph"] for name, each in said["inputs"].items()}
        self._before = {name: session(graph) for name, graph in graphs.items() if graph}
        self._after = session(said["graph"]) if said["graph"] else None

    @property
    def inputs(self):
        """The inputs that come as raw bytes."""
        return set(self._said["inputs"])

    def before(self, raw):
        """The model's tensors, and a frame for each raw input. Raises EdgeError."""
        found, frames = {}, {}
        for name, data in raw.items():
            frames[name] = {}
            try:
                host = self._said["inputs"][name]["host"]
                value = self._stages.before(host, data, frames[name])
            except self._stages.Refused as refused:
                raise EdgeError(f"input {name}: {refused}", "send what it takes") from None
            found[name] = self._before[name](value) if name in self._before else value
        return found, frames

    def after(self, outputs, frames):
        """The tensors of the answer."""
        found = dict(outputs)
        if self._after is not None:
            found.update(self._after(outputs))
        first = next(iter(frames.values()), {})
        for step in self._said["host"]:
            frame = frames.get(step["options"].get("input"), first)
            found = self._stages.after([step], found, frame)
        return {each["name"]: found[each["name"]] for each in self._said["gives"]}


def read(folder):
    """The steps of a bundle; None where none are declared. Raises EdgeError."""
    path = folder.file(FILE)
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8") as file:
        said = json.load(file)
    return Steps(said, lambda name: _Graph(folder.file(name)))


class _Graph:
    """A step that is a graph: small, and so on the CPU."""

    def __init__(self, path):
        module = ort.imported()
        self._session = module.InferenceSession(path, providers=[ort.CPU])
        self._inputs = [node.name for node in self._session.get_inputs()]
        self._outputs = [node.name for node in self._session.get_outputs()]

    def __call__(self, given):
        """Of an array the first output; of the model's outputs all, by name."""
        if isinstance(given, dict):
            fed = {name: given[name[: -len(GIVEN)]] for name in self._inputs}
            return dict(zip(self._outputs, self._session.run(self._outputs, fed)))
        return self._session.run(None, {self._inputs[0]: given})[0]
