"""What travels between the stages of the pipeline. Frozen, plain, no behaviour beyond looking up.

Read this beside `pipeline.py`. Arrays are written as safetensors, everything else as JSON.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deploy_targets.verdicts import Bound

Array = NDArray[np.generic]
Tensors = Mapping[str, Array]

Dim = int | str  # a size, or the name of a dynamic axis ("batch"), or a product ("batch*time")


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: its name, its numpy or ml_dtypes dtype name, and its shape."""

    name: str
    dtype: str
    shape: tuple[Dim, ...]
    kind: str = "plain"  # what an output means, as declared: classifier, embedding, …
    range: tuple[float, float] | None = None  # what an input may hold, as declared


@dataclass(frozen=True)
class DynamicAxis:
    """A named axis and the sizes, both included, that the model takes along it."""

    name: str
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Signature:
    """What goes into a model and what comes out, in the model's own names and layout."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    axes: tuple[DynamicAxis, ...] = ()
    batch: str | None = None  # the one axis along which a case may be split into several calls


@dataclass(frozen=True)
class Case:
    """A question asked of the original model, in its own terms, and its answer."""

    name: str
    why: str
    inputs: Tensors
    outputs: Tensors
    synthetic: bool = False
    noise: Tensors = field(default_factory=dict)
    """Per float output, element by element: how far the original strays from itself (one standard
    deviation, in the output's unit, float32)."""


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
    options: Mapping[str, object]


@dataclass(frozen=True)
class Prepared:
    """All that a target needs to build; on disk or JSON, so it can be hashed and handed on."""

    name: str
    signature: Signature
    graph: Graph
    recipe: Recipe
    calibration: Samples | None = None
    stages: tuple[Stage, ...] = ()


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
    signature: Signature
    entries: tuple[Entry, ...]
    lanes: tuple[Lane, ...]
    goldens: tuple[str, ...]
    synthetic: bool  # no golden case came from the user
    bounds: Mapping[str, Mapping[str, Bound]]  # recipe -> output -> what is allowed
    bounds_from: tuple[str, ...]
    uncovered: tuple[str, ...]
    tools: Mapping[str, str]
    stages: tuple[Stage, ...] = ()
    quantized: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: Mapping[str, FileRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class Bundle:
    """A sealed folder and its manifest."""

    path: Path
    manifest: Manifest
