"""stages.json: what stands around the model, as the build planned it. Absent, nothing does.

    inputs   {"image": {"media": ["image/*"], "host": [step, …], "graph": "before-0.onnx"}}: of each
             raw input its content types, the steps that run here, and the graph with the rest
    graph    "after.onnx": from the model's outputs to what the steps in `host` begin with
    host     the steps of all outputs that run here; "label" and "palette" say how to put an answer
    gives    [{"name": …, "dtype": …, "shape": …}, …]: the tensors of the answer
    single   whether one request is one item
    alone    {"boxes": 0}: of outputs that can be of one item only, the axis of items; or left out

A graph is null where there is none. A step is {"op": …, "of": …, "options": {…}}, which the package
serving/stages runs; that folder and the graphs come from the build, like this file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from serving.media import JSON, PNG

Step = dict[str, object]


class RawInput(NamedTuple):
    """An input that comes as the bytes of a file."""

    media: tuple[str, ...]
    host: list[Step]
    graph: str | None


class Steps(NamedTuple):
    """All of stages.json."""

    inputs: Mapping[str, RawInput]
    graph: str | None
    host: list[Step]
    gives: tuple[str, ...]
    single: bool
    alone: Mapping[str, int]

    def metadata(self) -> dict[str, object]:
        """As a model's metadata has it: what /predict takes and gives."""
        takes = {name: list(raw.media) for name, raw in self.inputs.items()}
        return {"takes": takes, "gives": [JSON, *([PNG] if self.drawn else [])]}

    @property
    def drawn(self) -> bool:
        """Whether the answer can be a picture: it has one mask."""
        return len([step for step in self.host if step["op"] == "palette"]) == 1

    @property
    def followed(self) -> frozenset[str]:
        """The inputs whose raw form a step of the answer must know: the size of a photo."""
        named = {step["options"].get("input") for step in self.host}
        return frozenset(named & set(self.inputs))


def read(path: str) -> Steps | None:
    """The file's content; None where there is none. Raises KeyError, TypeError, ValueError."""
    try:
        with open(path, encoding="utf-8") as file:
            stated = json.load(file)
    except FileNotFoundError:
        return None
    inputs = {
        name: RawInput(tuple(each["media"]), each["host"], each["graph"])
        for name, each in stated["inputs"].items()
    }
    gives = tuple(each["name"] for each in stated["gives"])
    alone = {name: int(axis) for name, axis in stated.get("alone", {}).items()}
    return Steps(inputs, stated["graph"], stated["host"], gives, bool(stated["single"]), alone)
