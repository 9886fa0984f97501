"""model.json and model.onnx become something that can be run. Loaded once, at import.

What stands around the model, where anything does, is in stages.json: see steps.py.

model.json, written by the build:

    name      the model's name in every URL
    version   its one version, a string
    inputs    [{"name": "image", "datatype": "FP32", "shape": [-1, 3, 224, 224],
                "axes": ["batch", 3, 224, 224]}, …]
    outputs   the same
    axes      {"batch": [1, 64]}: the sizes, both included, that a named axis may take
    digest    SHA-256 of model.onnx

`shape` holds -1 where `axes` holds a name, or a product of names ("batch*time"). Datatypes are the
keys of `datatypes.DATATYPES`; names are those of the ONNX graph, and so are checked against it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from serving import steps
from serving.datatypes import DATATYPES, Datatype
from serving.staged import Around
from serving.steps import Steps

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime

MEGABYTES_PER_CPU = 1769
"""Lambda gives a function CPU in proportion to its memory: one virtual CPU for so many MB."""


class ModelUnusable(ImportError):
    """The function cannot start.

    An ImportError, because Lambda's runtime reports one as a single line, without a stack trace.
    """


class Tensor(NamedTuple):
    """An input or an output as declared."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    axes: tuple[int | str, ...]

    @property
    def known(self) -> Datatype:
        return DATATYPES[self.datatype]

    def metadata(self) -> dict[str, object]:
        """As the protocol shows it."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


class Description(NamedTuple):
    """All of model.json."""

    name: str
    version: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    axes: Mapping[str, tuple[int, int]]
    digest: str
    steps: Steps | None
    """What is declared to happen before and after the model."""


def describe(path: str) -> Description:
    """Reads a model.json, and the stages.json beside it. Raises ModelUnusable."""
    try:
        with open(path, encoding="utf-8") as file:
            stated = json.load(file)
        return Description(
            stated["name"],
            stated["version"],
            _tensors(stated["inputs"]),
            _tensors(stated["outputs"]),
            {axis: (low, high) for axis, (low, high) in stated["axes"].items()},
            stated["digest"],
            _steps(os.path.join(os.path.dirname(path), "stages.json")),
        )
    except FileNotFoundError:
        raise ModelUnusable("model.json is missing from the artifact; build it again") from None
    except (KeyError, TypeError, ValueError) as problem:
        raise ModelUnusable(
            f"model.json is not as the build writes it ({type(problem).__name__}: {problem}); "
            "build the artifact again"
        ) from None


def _steps(path: str) -> Steps | None:
    try:
        return steps.read(path)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise ModelUnusable(
            f"stages.json is not as the build writes it ({type(problem).__name__}: {problem}); "
            "build the artifact again"
        ) from None


def _tensors(stated: Sequence[dict]) -> dict[str, Tensor]:
    tensors = [
        Tensor(each["name"], each["datatype"], tuple(each["shape"]), tuple(each["axes"]))
        for each in stated
    ]
    for tensor in tensors:
        if tensor.datatype not in DATATYPES:
            raise ModelUnusable(
                f"{tensor.name!r} is {tensor.datatype}, which this function cannot serve; "
                f"it serves {', '.join(DATATYPES)}"
            )
    return {tensor.name: tensor for tensor in tensors}


class Model:
    """A description, the session that runs it, and what stands around it."""

    def __init__(
        self,
        description: Description,
        session: onnxruntime.InferenceSession,
        around: Around | None,
    ) -> None:
        self.description, self.around = description, around
        self._session = session

    def run(
        self, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """The named outputs, in that order. Raises what ONNX Runtime raises."""
        return dict(zip(outputs, self._session.run(list(outputs), dict(inputs)), strict=True))


def load(folder: str) -> Model:
    """The model that lies in `folder`. Raises ModelUnusable."""
    description = describe(os.path.join(folder, "model.json"))
    session = _session(os.path.join(folder, "model.onnx"))
    _compare("input", description.inputs, session.get_inputs())
    _compare("output", description.outputs, session.get_outputs())
    around = Around(description.steps, folder, _session) if description.steps else None
    return Model(description, session, around)


def _session(path: str) -> onnxruntime.InferenceSession:
    folder, name = os.path.split(path)
    if not os.path.isfile(path):
        raise ModelUnusable(f"{name} is missing from the artifact; build it again")
    import onnxruntime as ort

    # On arm64 ONNX Runtime warns at every start that it does not know Lambda's processor.
    ort.set_default_logger_severity(3)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads()
    # What goes wrong in a run is raised, and logged by the service as one line.
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as problem:
        said = str(problem).replace(folder + os.sep, "").splitlines()[0]
        raise ModelUnusable(
            f"{name} cannot be loaded by ONNX Runtime {ort.__version__}: {said}"
        ) from None


def threads() -> int:
    """As many as the function has virtual CPUs, to the nearest; ONNX Runtime's 0 elsewhere."""
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    return max(1, round(int(memory) / MEGABYTES_PER_CPU)) if memory.isdigit() else 0


def _compare(kind: str, stated: Mapping[str, Tensor], found: Sequence) -> None:
    here = {tensor.name: tensor.known.onnx for tensor in stated.values()}
    graph = {node.name: node.type for node in found}
    if here != graph:
        raise ModelUnusable(
            f"model.json and model.onnx do not belong together: {kind}s {here} against {graph}"
        )
