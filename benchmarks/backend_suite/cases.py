"""Every case of the suite. In: the installed onnx package. Out: models with questions and answers.

Five kinds: "node" (generated, one operator each), "simple", "pytorch-converted",
"pytorch-operator", and "light" (whole networks whose weights are made up by the graph itself).
To add a kind: a function here, and its name in `collect`.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test import loader
from onnx.backend.test.case.test_case import TestCase

FLOATS = frozenset({"float16", "float32", "float64"})
BESIDE = frozenset({"int32", "int64", "bool"})
"""What a float case may also have: shapes, axes, indices, masks."""

Values = tuple[Any, ...]  # one per input or output: an array, a list of them, or None


@dataclass(frozen=True)
class SuiteCase:
    """One model, what it is asked, and what the suite says that it answers."""

    kind: str
    name: str
    model: onnx.ModelProto
    data: tuple[tuple[Values, Values], ...]
    rtol: float
    atol: float
    operator: str
    """What a node case is about; a whole model's is its kind, in parentheses."""

    @property
    def id(self) -> str:
        """ "node/test_abs"."""
        return f"{self.kind}/{self.name}"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the model, the questions and the answers."""
        said = hashlib.sha256(self.model.SerializeToString(deterministic=True))
        for given, wanted in self.data:
            for value in (*given, *wanted):
                said.update(_bytes(value))
        said.update(repr((self.rtol, self.atol)).encode())
        return said.hexdigest()

    @property
    def operators(self) -> tuple[str, ...]:
        """The operators of the main graph, sorted."""
        return tuple(sorted({_operator(node) for node in self.model.graph.node}))

    @property
    def inputs(self) -> tuple[onnx.ValueInfoProto, ...]:
        """The inputs that a caller gives: those without a value in the file."""
        weights = {tensor.name for tensor in self.model.graph.initializer}
        return tuple(value for value in self.model.graph.input if value.name not in weights)

    @property
    def is_float(self) -> bool:
        """Whether all that goes in or out is a dense tensor of float16, float32 or float64, or
        beside those of int32, int64 or bool; one tensor at least is of the first three.
        """
        dtypes = {_dtype(value) for value in (*self.inputs, *self.model.graph.output)}
        return dtypes <= FLOATS | BESIDE and bool(dtypes & FLOATS)


def collect() -> list[SuiteCase]:
    """All cases, sorted by id; no two have the same."""
    found = [*_generated("node"), *_in_folders(), *_generated("simple"), *_light()]
    first = {case.id: case for case in reversed(found)}
    return [first[key] for key in sorted(first)]


def _generated(kind: str) -> Iterator[SuiteCase]:
    """Those that onnx computes when asked."""
    with warnings.catch_warnings():
        # Its own overflows and divisions by zero are what some of the cases are about.
        warnings.simplefilter("ignore")
        if kind == "node":
            cases: Sequence[TestCase] = loader.load_model_tests(kind="node")
        else:
            from onnx.backend.test.case.model import collect_testcases

            cases = [case for case in collect_testcases() if case.kind == kind]
    graphs = {case.name: case.model.graph for case in cases if case.model is not None}
    for case in cases:
        if case.model is not None and case.data_sets is not None:
            data = tuple((_plain(given), _plain(wanted)) for given, wanted in case.data_sets)
            # "test_elu_expanded_ver18" is "test_elu" written in other operators.
            about = _operator(graphs[case.name.partition("_expanded")[0]].node[0])
            operator = about if kind == "node" else f"({kind})"
            yield SuiteCase(kind, case.name, case.model, data, case.rtol, case.atol, operator)


def _in_folders() -> Iterator[SuiteCase]:
    """Those that lie in the wheel as models and protocol buffers."""
    for kind in ("simple", "pytorch-converted", "pytorch-operator"):
        for case in loader.load_model_tests(kind=kind):
            folder = Path(str(case.model_dir))
            model = onnx.load(folder / "model.onnx")
            sets = sorted(folder.glob("test_data_set*"))
            data = tuple(_data_set(folder, model) for folder in sets)
            yield SuiteCase(kind, case.name, model, data, case.rtol, case.atol, f"({kind})")


def _light() -> Iterator[SuiteCase]:
    """Whole networks; the question is a ramp, as onnx's own runner makes it."""
    for path in sorted(Path(loader.DATA_DIR, "light").glob("*.onnx")):
        model = onnx.load(path)
        weights = {tensor.name for tensor in model.graph.initializer}
        given = tuple(_ramp(value) for value in model.graph.input if value.name not in weights)
        answers = [
            _read(path.with_name(f"{path.stem}_output_{index}.pb"), value)
            for index, value in enumerate(model.graph.output)
        ]
        data = ((given, tuple(answers)),)
        yield SuiteCase("light", path.stem, model, data, 1e-3, 1e-7, "(light)")


def _ramp(value: onnx.ValueInfoProto) -> np.ndarray:
    dims = value.type.tensor_type.shape.dim
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else 1 for dim in dims)
    count = int(np.prod(shape))
    return (np.arange(count).reshape(shape) / count).astype(np.float32)


def _data_set(folder: Path, model: onnx.ModelProto) -> tuple[Values, Values]:
    graph = model.graph
    return _side(folder, "input", graph.input), _side(folder, "output", graph.output)


def _side(folder: Path, side: str, values: Sequence[onnx.ValueInfoProto]) -> Values:
    count = len(list(folder.glob(f"{side}_*.pb")))
    return tuple(_read(folder / f"{side}_{i}.pb", values[i]) for i in range(count))


def _read(file: Path, value: onnx.ValueInfoProto) -> Any:
    raw = file.read_bytes()
    if value.type.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(raw))
    if value.type.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(raw))
    return numpy_helper.to_array(onnx.TensorProto.FromString(raw))


def _plain(values: Sequence[Any]) -> Values:
    return tuple(_array(value) for value in values)


def _array(value: Any) -> Any:
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    # Some of the suite's scalars are numbers of numpy, which are no arrays.
    return np.asarray(value) if isinstance(value, np.generic) else value


def _dtype(value: onnx.ValueInfoProto) -> str:
    """numpy's name of the dtype; "" for what is no tensor."""
    if value.type.WhichOneof("value") != "tensor_type":
        return ""
    return onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name


def _operator(node: onnx.NodeProto) -> str:
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def _bytes(value: Any) -> bytes:
    if isinstance(value, list | tuple):
        return b"[" + b",".join(_bytes(each) for each in value) + b"]"
    if value is None:
        return b"none"
    array = np.asarray(value)
    raw = repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
    return repr((array.dtype.name, array.shape)).encode() + raw
