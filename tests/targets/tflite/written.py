"""A .tflite written by hand from the schema, and a bundle of it: no converter, no framework.

y = relu(x @ W + B), next = token + 1, off = not use; a signature for each size of the batch. numpy
is the original, and says what is expected.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import flatbuffers
import numpy as np

from deploy_targets import bundle as bundles
from deploy_targets.binding import encode
from deploy_targets.integrations import beside
from deploy_targets.parity import rows
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import (
    TENSORS,
    Array,
    Bundle,
    Case,
    DynamicAxis,
    Entry,
    Golden,
    Manifest,
    OutputNoise,
    Port,
    Signature,
    TensorSpec,
)
from deploy_targets.targets.tflite.target import Tflite
from deploy_targets.workspace import Workspace

WIDTH, HEIGHT = 4, 3
SIGNATURE = Signature(
    (
        TensorSpec("x", "float32", ("batch", WIDTH)),
        TensorSpec("token", "int32", ("batch",)),
        TensorSpec("use", "bool", ("batch",)),
    ),
    (
        TensorSpec("y", "float32", ("batch", HEIGHT)),
        TensorSpec("next", "int32", ("batch",)),
        TensorSpec("off", "bool", ("batch",)),
    ),
    (DynamicAxis("batch", 1, 16),),
    "batch",
)
OLDEST = b"2.2.0"


@dataclass(frozen=True)
class Spoilt:
    """What is not as it should be in a file."""

    weight: float = 0.0  # added to one weight
    versions: Mapping[str, int] = field(default_factory=dict)  # operator -> version
    plain: bool = False  # no matrices: nothing that XNNPACK would take


@functools.cache
def schema() -> ModuleType:
    """The one that lies in LiteRT, alone: the rest of LiteRT is not imported here."""
    path = beside.folder("litert", Workspace()) / "ai_edge_litert" / "schema_py_generated.py"
    spec = importlib.util.spec_from_file_location("tflite_schema", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def weights() -> tuple[Array, Array]:
    """W and B, always the same."""
    draw = np.random.default_rng(0).normal
    return draw(size=(WIDTH, HEIGHT)).astype(np.float32), draw(size=HEIGHT).astype(np.float32)


def original(inputs: Mapping[str, Array]) -> dict[str, Array]:
    """What the file is to answer."""
    matrix, bias = weights()
    y = np.maximum(np.asarray(inputs["x"]) @ matrix + bias, 0)
    return {
        "y": y.astype(np.float32),
        "next": (np.asarray(inputs["token"]) + 1).astype(np.int32),
        "off": ~np.asarray(inputs["use"], bool),
    }


def cases(sizes: Sequence[int] = (1, 2, 3)) -> tuple[Case, ...]:
    """One for each size of the batch."""
    found = []
    for size in sizes:
        draw = np.random.default_rng(size)
        inputs: dict[str, Array] = {
            "x": draw.normal(size=(size, WIDTH)).astype(np.float32),
            "token": draw.integers(0, 9, size).astype(np.int32),
            "use": draw.integers(0, 2, size).astype(bool),
        }
        answers = original(inputs)
        noise: dict[str, Array] = {"y": np.full_like(answers["y"], 1e-6)}
        found.append(Case(f"case{size}", "made", inputs, answers, synthetic=True, noise=noise))
    return tuple(found)


def entries(batches: Sequence[int]) -> tuple[Entry, ...]:
    """As the file is called."""

    def ports(specs: Sequence[TensorSpec], size: int) -> tuple[Port, ...]:
        shapes = [(size, *spec.shape[1:]) for spec in specs]
        return tuple(
            Port(TensorSpec(spec.name, spec.dtype, shape), spec.name)
            for spec, shape in zip(specs, shapes, strict=True)
        )

    return tuple(
        Entry(f"b{size}", ports(SIGNATURE.inputs, size), ports(SIGNATURE.outputs, size))
        for size in batches
    )


def bundle(
    folder: Path,
    *,
    batches: Sequence[int] = (1, 2),
    sizes: Sequence[int] = (1, 2, 3),
    spoilt: Spoilt = Spoilt(),
    **options: Any,
) -> Bundle:
    """A sealed folder with such a file, as the target would have built it."""
    target, recipe = Tflite(**options), RECIPES["fp32"]
    folder.mkdir()
    (folder / "model.tflite").write_bytes(model(batches, spoilt))
    noise = {"y": OutputNoise(1e-7), "next": OutputNoise(0.0), "off": OutputNoise(0.0)}
    golden = Golden(TENSORS, SIGNATURE, cases(sizes), noise)
    made = entries(batches)
    checks = [check for case in golden.cases for check in encode(SIGNATURE, made, case)]
    bundles.write_golden(folder, checks)
    manifest = Manifest(
        schema=bundles.SCHEMA,
        name="written",
        source="0" * 64,
        capture="exported by torch.export",
        target="tflite",
        options=target.model_dump(mode="json"),
        recipes={recipe.name: recipe},
        signatures={TENSORS: SIGNATURE},
        entries=made,
        lanes=target.lanes(recipe.name),
        synthetic=True,
        bounds={recipe.name: {TENSORS: rows.bounds(golden, recipe, 0.0)}},
        bounds_from=(),
        uncovered=(),
        tools={},
    )
    return bundles.seal(folder, manifest, {"model.tflite": "model"})


def model(batches: Sequence[int], spoilt: Spoilt = Spoilt()) -> bytes:
    """The file's bytes."""
    made = _Writing(spoilt)
    for size in batches:
        made.signature(size)
    return made.bytes()


class _Writing:
    """A ModelT that grows. Its tensors' names are not those in its signatures."""

    def __init__(self, spoilt: Spoilt) -> None:
        self._s, self._spoilt = schema(), spoilt
        self._made = self._s.ModelT()
        self._made.version, self._made.description = 3, "written by hand"
        self._made.operatorCodes, self._made.subgraphs = [], []
        self._made.signatureDefs = []
        matrix, bias = weights()
        turned = np.ascontiguousarray(matrix.T)
        turned[0, 0] += spoilt.weight
        held = [b"", turned.tobytes(), bias.tobytes(), np.ones(1, np.int32).tobytes()]
        self._made.buffers = [self._buffer(raw) for raw in (*held, OLDEST.ljust(16, b"\0"))]
        known = self._s.MetadataT()
        known.name, known.buffer = "min_runtime_version", len(held)
        self._made.metadata = [known]

    def signature(self, size: int) -> None:
        """One more subgraph, and its signature."""
        s, graph = self._s, self._s.SubGraphT()
        kinds = {"float32": s.TensorType.FLOAT32, "int32": s.TensorType.INT32}
        kinds["bool"] = s.TensorType.BOOL
        graph.name, graph.tensors, graph.operators = f"graph{size}", [], []
        specs = (*SIGNATURE.inputs, *SIGNATURE.outputs)
        at = {
            spec.name: self._tensor(graph, (size, *spec.shape[1:]), kinds[spec.dtype])
            for spec in specs
        }
        matrix = self._tensor(graph, (HEIGHT, WIDTH), kinds["float32"], buffer=1)
        bias = self._tensor(graph, (HEIGHT,), kinds["float32"], buffer=2)
        one = self._tensor(graph, (1,), kinds["int32"], buffer=3)
        if not self._spoilt.plain:
            options = s.FullyConnectedOptionsT()
            options.fusedActivationFunction = s.ActivationFunctionType.RELU
            self._operator(
                graph, "FULLY_CONNECTED", [at["x"], matrix, bias], at["y"], options,
                s.BuiltinOptions.FullyConnectedOptions,
            )  # fmt: skip
        adding = s.AddOptionsT(), s.BuiltinOptions.AddOptions
        self._operator(graph, "ADD", [at["token"], one], at["next"], *adding)
        denying = s.LogicalNotOptionsT(), s.BuiltinOptions.LogicalNotOptions
        self._operator(graph, "LOGICAL_NOT", [at["use"]], at["off"], *denying)
        outputs = [
            spec.name for spec in SIGNATURE.outputs if not self._spoilt.plain or spec.name != "y"
        ]
        graph.inputs = [at[spec.name] for spec in SIGNATURE.inputs]
        graph.outputs = [at[name] for name in outputs]
        signed = s.SignatureDefT()
        signed.signatureKey, signed.subgraphIndex = f"b{size}", len(self._made.subgraphs)
        signed.inputs = [self._mapped(spec.name, at[spec.name]) for spec in SIGNATURE.inputs]
        signed.outputs = [self._mapped(name, at[name]) for name in outputs]
        self._made.signatureDefs.append(signed)
        self._made.subgraphs.append(graph)

    def bytes(self) -> bytes:
        """The whole file."""
        builder = flatbuffers.Builder(4096)
        builder.Finish(self._made.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _buffer(self, raw: bytes) -> Any:
        made = self._s.BufferT()
        made.data = np.frombuffer(raw, np.uint8) if raw else None
        return made

    def _tensor(self, graph: Any, shape: Sequence[object], kind: int, buffer: int = 0) -> int:
        made = self._s.TensorT()
        made.name, made.shape = f"tensor{len(graph.tensors)}", [int(str(size)) for size in shape]
        made.type, made.buffer = kind, buffer
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def _operator(
        self, graph: Any, name: str, inputs: list[int], output: int, options: Any, kind: int
    ) -> None:
        made, code = self._s.OperatorT(), self._s.OperatorCodeT()
        code.builtinCode = getattr(self._s.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = self._spoilt.versions.get(name, 1)
        self._made.operatorCodes.append(code)
        made.opcodeIndex = len(self._made.operatorCodes) - 1
        made.inputs, made.outputs = inputs, [output]
        made.builtinOptions, made.builtinOptionsType = options, kind
        graph.operators.append(made)

    def _mapped(self, name: str, index: int) -> Any:
        made = self._s.TensorMapT()
        made.name, made.tensorIndex = name, index
        return made
