"""What travels between the stages of the pipeline. Frozen, plain, no behaviour beyond looking up.

Read this beside `pipeline.py`. Arrays are written as safetensors, everything else as JSON.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy_targets.signatures import Dim as Dim
from deploy_targets.signatures import DynamicAxis as DynamicAxis
from deploy_targets.signatures import Signature as Signature
from deploy_targets.signatures import TensorSpec as TensorSpec
from deploy_targets.verdicts import Bound

Array = NDArray[np.generic]
Tensors = Mapping[str, Array]

TENSORS, BYTES = "tensors", "bytes"
"""The lines of a verdict: from the model's own tensors, and from raw bytes to the answer."""


@dataclass(frozen=True)
class Case:
    """A question asked of the original model, in its own terms, and its answer."""

    name: str
    why: str
    inputs: Tensors
    outputs: Tensors
    synthetic: bool = False
    noise: Tensors = field(default_factory=dict)
    """Element by element, float32: how far the original strays from itself. Of floats one standard
    deviation, in the output's unit; of integers how far each jumps, where any does."""


@dataclass(frozen=True)
class OutputNoise:
    """How far the original strays from itself in one output, over all cases."""

    relative_l2: float
    jumps: float = 0.0  # share of elements that jump: labels, steps, numbers that were rounded
    jump: float = 0.0  # the largest of those jumps, in the output's unit


@dataclass(frozen=True)
class Golden:
    """The original's answers. Its name ("tensors", "bytes") is one line of the verdict."""

    name: str
    signature: Signature
    cases: tuple[Case, ...]
    noise: Mapping[str, OutputNoise]
    noise_sources: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()  # what a reader must know of the reference itself


class Dialect(enum.StrEnum):
    """A form in which a graph can be captured. Each has a fixed file name in its folder."""

    EXPORTED = "exported"  # model.pt2
    ONNX = "onnx"  # model.onnx
    SAVED_MODEL = "saved_model"  # saved_model/
    TORCHSCRIPT = "torchscript"  # model.pt


@dataclass(frozen=True)
class Capture:
    """One way of getting a graph out of a model: the dialect, and by which exporter."""

    dialect: Dialect
    how: str
    opset: int = field(default=0, compare=False)
    """Of ONNX: what an exporter that can choose is to write; 0 for its own choice."""


@dataclass(frozen=True)
class Graph:
    """A captured graph. It lies on disk, so that it has a digest and crosses processes."""

    dialect: Dialect
    folder: Path
    digest: str
    how: str


@dataclass(frozen=True)
class Recipe:
    """A precision as data. The target applies it."""

    name: str
    weights: str = "float32"
    activations: str = "float32"
    keep: frozenset[str] = frozenset()
    calibrator: str = "minmax"
    budget: float = 0.0  # relative L2 allowed above the model's own noise


@dataclass(frozen=True)
class Samples:
    """Inputs on disk, one safetensors file each, read when iterated."""

    folder: Path
    digest: str

    def __iter__(self) -> Iterator[Tensors]:
        from safetensors.numpy import load_file

        return (load_file(file) for file in sorted(self.folder.glob("*.safetensors")))


@dataclass(frozen=True)
class Stage:
    """A declared step around the graph: which tensor, which operation, with which options."""

    of: str
    op: str
    options: Mapping[str, Any]
    side: str = "before"  # the model, or "after" it
    where: str = ""  # "host" or "graph", once a target has chosen


@dataclass(frozen=True)
class Staging:
    """All declared steps of a model, in the order in which they run."""

    stages: tuple[Stage, ...]
    signature: Signature  # from raw bytes to the answer
    ports: Mapping[str, tuple[TensorSpec, ...]]
    """Per input: the tensor before each of its steps, the raw bytes first."""
    media: Mapping[str, tuple[str, ...]]  # per input: the content types of its raw bytes
    suffixes: Mapping[str, tuple[str, ...]]  # per input: of files that hold them
    single: bool  # one request is one item: a leading axis of 1 in the answer says nothing
    files: Mapping[str, Path] = field(default_factory=dict)
    """Of the user's own steps: a counterpart by its source, a module's graph by its key."""

    def of(self, name: str, side: str = "before") -> tuple[Stage, ...]:
        """The steps of one input, or of one output."""
        return tuple(s for s in self.stages if (s.of, s.side) == (name, side))

    @property
    def after(self) -> tuple[Stage, ...]:
        """The steps of all outputs."""
        return tuple(stage for stage in self.stages if stage.side == "after")


@dataclass(frozen=True)
class Prepared:
    """All that a target needs to build; on disk or JSON, so it can be hashed and handed on."""

    name: str
    signature: Signature
    graph: Graph
    recipe: Recipe
    calibration: Samples | None = None
    staging: Staging | None = None
    timeout: float = 600.0  # seconds that one conversion may take; no part of what is built


@dataclass(frozen=True)
class Port:
    """One tensor of the artifact, and the tensor of the model that it stands for."""

    spec: TensorSpec
    of: str
    axes: tuple[int, ...] | None = None  # artifact = model.transpose(axes)


@dataclass(frozen=True)
class Entry:
    """One thing that can be called: a signature in a file, a method, an HTTP route."""

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    golden: str = TENSORS  # which line of the verdict asks it
    max_input_bytes: int | None = None  # what one call can carry, all tensors together
    max_output_bytes: int | None = None


@dataclass(frozen=True)
class Lane:
    """One way to run the bundle, and the unit of verdict."""

    name: str
    recipe: str
    required: bool = True  # the bundle may choose this way by itself, and so must pass in it


@dataclass(frozen=True)
class Built:
    """What a target hands back. The files lie in the folder that it was given."""

    entries: tuple[Entry, ...]
    lanes: tuple[Lane, ...]
    roles: Mapping[str, str]  # path in the folder -> model, code, runtime, licence or doc
    tools: Mapping[str, str]
    quantized: tuple[str, ...] = ()  # units, in the quantizer's names, that `keep` may name
    notes: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()  # where each of the declared steps runs


@dataclass(frozen=True)
class Call:
    """One question in the artifact's names and layout."""

    name: str
    entry: str
    inputs: Tensors


@dataclass(frozen=True)
class Check:
    """A call and what the original answers to it: artifact's layout, the original's dtype."""

    golden: str
    call: Call
    expected: Tensors
    noise: Tensors = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a runtime said to one call."""

    outputs: Tensors
    seconds: float | None = None  # as the runtime measured; None where that would mislead
    refused: str = ""  # why the artifact, used as it will be, would not have given it
    skipped: str = ""  # why it was not asked at all: then it is no part of the verdict


@dataclass(frozen=True)
class FileRecord:
    """One file of a bundle: what it is for, its size in bytes, its SHA-256."""

    role: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """`deploy-target.json`: everything that is known about a bundle without running it."""

    schema: int
    name: str
    source: str  # digest of the original model: its code and its weights
    capture: str  # how the graph was captured: "onnx by dynamo"
    target: str
    options: Mapping[str, object]
    recipes: Mapping[str, Recipe]
    signatures: Mapping[str, Signature]  # per line of the verdict
    entries: tuple[Entry, ...]
    lanes: tuple[Lane, ...]
    synthetic: bool  # no golden case came from the user
    bounds: Mapping[str, Mapping[str, Mapping[str, Bound]]]
    """Recipe -> line of the verdict -> output -> what is allowed."""
    bounds_from: tuple[str, ...]
    uncovered: tuple[str, ...]
    tools: Mapping[str, str]
    stages: tuple[Stage, ...] = ()
    quantized: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: Mapping[str, FileRecord] = field(default_factory=dict)

    @property
    def signature(self) -> Signature:
        """The model's own."""
        return self.signatures[TENSORS]

    @property
    def goldens(self) -> tuple[str, ...]:
        """The lines of the verdict, the model's own tensors first."""
        return tuple(sorted(self.signatures, key=lambda name: (name != TENSORS, name)))


@dataclass(frozen=True)
class Bundle:
    """A sealed folder and its manifest."""

    path: Path
    manifest: Manifest
    withheld: tuple[Check, ...] = ()
    """Questions that are judged while it is built, and do not travel in the folder."""
