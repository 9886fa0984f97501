"""Artifacts of the Lambda function as the build lays them out, and the events that AWS sends it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

APP = Path(__file__).parents[2] / "templates" / "lambda" / "app"
FLAVORS = ("fastapi", "lean")
OWN = ("app", "contract", "raw_schemas", "schemas", "serving")
DATATYPES = {
    "BOOL": (TensorProto.BOOL, "bool"),
    "INT8": (TensorProto.INT8, "int8"),
    "INT16": (TensorProto.INT16, "int16"),
    "INT32": (TensorProto.INT32, "int32"),
    "INT64": (TensorProto.INT64, "int64"),
    "UINT8": (TensorProto.UINT8, "uint8"),
    "UINT16": (TensorProto.UINT16, "uint16"),
    "UINT32": (TensorProto.UINT32, "uint32"),
    "UINT64": (TensorProto.UINT64, "uint64"),
    "FP16": (TensorProto.FLOAT16, "float16"),
    "FP32": (TensorProto.FLOAT, "float32"),
    "FP64": (TensorProto.DOUBLE, "float64"),
}
Axes = list[int | str]
Tensors = dict[str, tuple[str, Axes]]


class Zoo(NamedTuple):
    """A small model, as a graph and as model.json describes it."""

    name: str
    nodes: list[onnx.NodeProto]
    inputs: Tensors
    outputs: Tensors
    axes: dict[str, list[int]]
    constants: dict[str, np.ndarray]


def _mixed() -> Zoo:
    """Three inputs of three datatypes, two outputs, one dynamic batch shared by all."""
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["row"]),
        helper.make_node("Unsqueeze", ["row", "last"], ["column"]),
        helper.make_node("Add", ["image", "column"], ["score"]),
        helper.make_node("Where", ["flag", "ids", "zero"], ["seen"]),
    ]
    inputs: Tensors = {
        "image": ("FP32", ["batch", 3]),
        "ids": ("INT64", ["batch"]),
        "flag": ("BOOL", ["batch"]),
    }
    outputs: Tensors = {"score": ("FP32", ["batch", 3]), "seen": ("INT64", ["batch"])}
    constants = {
        "table": np.arange(5, dtype=np.float32) / 3,
        "last": np.array([1]),
        "zero": np.array(0),
    }
    return Zoo("mixed", nodes, inputs, outputs, {"batch": [1, 8]}, constants)


def _datatypes() -> Zoo:
    """Each datatype that the protocol and ONNX Runtime share, handed through unchanged."""
    ins: Tensors = {f"in_{name}": (name, ["n", 2]) for name in DATATYPES}
    outs: Tensors = {f"out_{name}": (name, ["n", 2]) for name in DATATYPES}
    nodes = [helper.make_node("Identity", [f"in_{n}"], [f"out_{n}"]) for n in DATATYPES]
    return Zoo("datatypes", nodes, ins, outs, {"n": [0, 100]}, {})


def _single(name: str, op: str) -> Zoo:
    """One input and one output of any length."""
    nodes = [helper.make_node(op, ["x", *(["four"] if op == "Reshape" else [])], ["y"])]
    constants = {"four": np.array([2, 2])} if op == "Reshape" else {}
    rank2: Axes = [2, 2] if op == "Reshape" else ["n"]
    return Zoo(name, nodes, {"x": ("FP32", ["n"])}, {"y": ("FP32", rank2)}, {}, constants)


def _folded() -> Zoo:
    """An input whose one axis is the product of those of the two others."""
    nodes = [helper.make_node("Identity", ["pairs"], ["y"])]
    inputs: Tensors = {
        "rows": ("INT8", ["batch"]),
        "steps": ("INT8", ["time"]),
        "pairs": ("INT8", ["batch*time"]),
    }
    return Zoo("folded", nodes, inputs, {"y": ("INT8", ["batch*time"])}, {}, {})


ZOO = {
    zoo.name: zoo
    for zoo in (
        _mixed(),
        _datatypes(),
        _folded(),
        _single("single", "Identity"),
        _single("square", "Reshape"),
    )
}


def write_model(zoo: Zoo, folder: Path) -> None:
    """model.onnx and model.json, as the build writes them."""

    def infos(tensors: Tensors) -> list[onnx.ValueInfoProto]:
        return [
            helper.make_tensor_value_info(name, DATATYPES[datatype][0], axes)
            for name, (datatype, axes) in tensors.items()
        ]

    def stated(tensors: Tensors) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "datatype": datatype,
                "shape": [axis if isinstance(axis, int) else -1 for axis in axes],
                "axes": axes,
            }
            for name, (datatype, axes) in tensors.items()
        ]

    constants = [onnx.numpy_helper.from_array(a, name) for name, a in zoo.constants.items()]
    graph = helper.make_graph(zoo.nodes, zoo.name, infos(zoo.inputs), infos(zoo.outputs), constants)
    opset = [helper.make_opsetid("", 17)]
    raw = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    (folder / "model.onnx").write_bytes(raw)
    description = {
        "name": zoo.name,
        "version": "1",
        "inputs": stated(zoo.inputs),
        "outputs": stated(zoo.outputs),
        "axes": zoo.axes,
        "digest": hashlib.sha256(raw).hexdigest(),
    }
    (folder / "model.json").write_text(json.dumps(description))


def assemble(
    zoo: Zoo, flavor: str, folder: Path, more: Callable[[Path], None] = lambda _: None
) -> Path:
    """An artifact's own files, without the packages beside them; `more` writes others."""
    shutil.copytree(APP / "flavors" / flavor, folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(
        APP / "serving", folder / "serving", ignore=shutil.ignore_patterns("__pycache__")
    )
    write_model(zoo, folder)
    more(folder)
    if flavor == "lean":
        command = [sys.executable, APP / "describe.py", folder / "model.json", folder]
        subprocess.run(command, check=True)
    return folder


class Reply(NamedTuple):
    """What a function answered, whichever way it was called."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])

    def json(self) -> Any:
        return json.loads(self.body)


class Context:
    """The part of Lambda's context that the function reads."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"


def v2_event(
    method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """What an HTTP API or a function URL sends: the body always base64."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers or {},
        "requestContext": {
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test",
            },
            "requestId": "id",
            "stage": "$default",
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def reply_of(result: dict[str, Any]) -> Reply:
    """The HTTP answer that a gateway makes of a function's result."""
    body = result["body"]
    raw = base64.b64decode(body) if result["isBase64Encoded"] else body.encode()
    several = {name: ", ".join(v) for name, v in result.get("multiValueHeaders", {}).items()}
    return Reply(result["statusCode"], {**result.get("headers", {}), **several}, raw)


class Function:
    """A loaded artifact."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._modules: dict[str, ModuleType] = {}
        with self._at_home():
            self._handler = importlib.import_module("app").handler

    def handler(self, event: Any, context: Any = None) -> dict[str, Any]:
        """What Lambda calls."""
        with self._at_home():
            answer: dict[str, Any] = self._handler(event, context)
        return answer

    def module(self, name: str) -> ModuleType:
        """One of the artifact's modules, to be asked directly."""
        return module(self.folder, name)

    def __call__(
        self, method: str, path: str, body: Any = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        """Sends one request as an HTTP API does; a body that is not bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return reply_of(self.handler(v2_event(method, path, raw, headers), Context()))

    @contextmanager
    def _at_home(self) -> Iterator[None]:
        """Its own modules, also those that it imports late, are its own in here alone."""
        sys.path.insert(0, str(self.folder))
        sys.modules.update(self._modules)
        try:
            yield
        finally:
            sys.path.remove(str(self.folder))
            self._modules = taken_out()


def taken_out() -> dict[str, ModuleType]:
    """The artifact's modules, which are then imported no more."""
    names = [name for name in sys.modules if name.split(".")[0] in OWN]
    return {name: sys.modules.pop(name) for name in names}


def load(folder: Path) -> Function:
    """Imports an artifact's app afresh, as Lambda's runtime does."""
    return Function(folder)


def module(folder: Path, name: str) -> ModuleType:
    """A module of an artifact, imported afresh; nothing of it stays behind."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        taken_out()


@pytest.fixture(scope="session", autouse=True)
def _event_loop() -> Iterator[None]:
    # Mangum would make one at import, and leave it open.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(scope="session")
def function(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Function]:
    """(model of the zoo, flavor) -> its function, assembled and loaded once."""
    made: dict[tuple[str, str], Function] = {}

    def get(model: str, flavor: str) -> Function:
        if (model, flavor) not in made:
            folder = tmp_path_factory.mktemp(f"{model}-{flavor}") / "task"
            made[model, flavor] = load(assemble(ZOO[model], flavor, folder))
        return made[model, flavor]

    return get


@pytest.fixture(params=FLAVORS)
def flavor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def mixed(function: Callable[[str, str], Function], flavor: str) -> Function:
    return function("mixed", flavor)


@pytest.fixture
def single(function: Callable[[str, str], Function], flavor: str) -> Function:
    return function("single", flavor)
