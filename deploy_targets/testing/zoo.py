"""Small seeded models with traps, for our tests and for yours: third parties may use them all.

Out: PyTorch modules (importable as "deploy_targets.testing.zoo:three_inputs"), the `SourceSpec` of
each, ONNX files, and `write`, which puts a model of code and weights into a folder. To add one: the
class in torch_zoo.py, a function here, and its line in `SPECS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import Array, DynamicAxis, TensorSpec

if TYPE_CHECKING:
    from onnx import NodeProto
    from torch import Tensor, nn

BATCH, TIME = DynamicAxis("batch", 1, 8), DynamicAxis("time", 2, 24)


def three_inputs() -> nn.Module:
    """f32[batch,3,8,8], i64[batch], bool[batch] -> logits, features."""
    return seeded("ThreeInputs")


def internal() -> nn.Module:
    """f32[batch,4] -> relu, linear: outputs that are named like internal values."""
    return seeded("Internal")


def recurrent() -> nn.Module:
    """f32[batch,time,3] -> f32[batch,time,2]"""
    return seeded("Recurrent")


def crop() -> nn.Module:
    """f32[batch,3,time] -> f32[batch,4,time - floor(time / 2)]"""
    return seeded("Crop")


def reshapes() -> nn.Module:
    """f32[batch,time,4] -> f32[batch*time,2]"""
    return seeded("Reshapes")


def burns_in() -> nn.Module:
    """f32[batch,time,4] -> f32[batch,time - 1,2]: no exporter keeps its time axis dynamic."""
    return seeded("BurnsIn")


def branches() -> nn.Module:
    """f32[batch,4] -> f32[batch,2], by a look at the numbers."""
    return seeded("Branches")


def nested() -> nn.Module:
    """f32[batch,4] -> corner_low, corner_high, levels_0, levels_1_0, positive, count"""
    return seeded("Nested")


def seeded(name: str, file: str = "torch_zoo") -> nn.Module:
    """The module of that class, in a file beside this one; always with the same weights."""
    import torch

    held = import_module(f"deploy_targets.testing.{file}")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made: nn.Module = getattr(held, name)()
    return made.eval()


def _spec(name: str, *inputs: TensorSpec, batch: str | None = "batch") -> SourceSpec:
    used = {dim for spec in inputs for dim in spec.shape}
    return SourceSpec(
        f"{__name__}:{name}",
        name=name,
        inputs=inputs,
        axes=tuple(axis for axis in (BATCH, TIME) if axis.name in used),
        batch=batch,
    )


SPECS = {
    spec.name or "": spec
    for spec in (
        _spec(
            "three_inputs",
            TensorSpec("image", "float32", ("batch", 3, 8, 8)),
            TensorSpec("token", "int64", ("batch",), range=(0, 9)),
            TensorSpec("use", "bool", ("batch",)),
        ),
        _spec("internal", TensorSpec("x", "float32", ("batch", 4))),
        _spec("recurrent", TensorSpec("x", "float32", ("batch", "time", 3))),
        _spec("crop", TensorSpec("x", "float32", ("batch", 3, "time"))),
        _spec("reshapes", TensorSpec("x", "float32", ("batch", "time", 4))),
        _spec("burns_in", TensorSpec("x", "float32", ("batch", "time", 4))),
        _spec("branches", TensorSpec("x", "float32", ("batch", 4)), batch=None),
        _spec("nested", TensorSpec("x", "float32", ("batch", 4))),
    )
}
"""What `deploy_targets.frontends.load` takes, by name."""

CODE = '''
"""A small classifier whose weights lie beside it."""

from pathlib import Path

import torch
from layers import Head


def build():
    model = Head()
    model.load_state_dict(torch.load(Path(__file__).with_name("weights.bin"), weights_only=True))
    return model.eval()
'''

LAYERS = """
import torch


class Head(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(6, 20)
        self.out = torch.nn.Linear(20, 3)

    def forward(self, x):
        return {"logits": self.out(torch.relu(self.fc(x)))}
"""


def write(folder: Path, seed: int = 0) -> SourceSpec:
    """model.py, a module that it imports, and weights: what a user's project looks like."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.py").write_text(CODE, encoding="utf-8")
    (folder / "layers.py").write_text(LAYERS, encoding="utf-8")
    torch.save(weights(seed), folder / "weights.bin")
    return written(folder)


def written(folder: Path) -> SourceSpec:
    """The spec of a model that `write` wrote."""
    head = _spec("head", TensorSpec("x", "float32", ("batch", 6)))
    return replace(head, source="model.py:build", base=folder)


def weights(seed: int = 0) -> dict[str, Tensor]:
    """A state dict of the model that `write` writes."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    shapes = {"fc.weight": (20, 6), "fc.bias": (20,), "out.weight": (3, 20), "out.bias": (3,)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def convnet(path: Path) -> Path:
    """An ONNX file: image f32[B,3,8,8] -> logits [B,5] and features [B,8,8,8].

    The channels of its second convolution differ in scale, so that one scale for all of them shows.
    """
    from onnx import helper

    draw = np.random.default_rng(0).normal
    loud = 9.0 ** np.random.default_rng(1).integers(0, 2, (8, 1, 1, 1))
    held = {
        "first.weight": draw(size=(8, 3, 3, 3)),
        "first.bias": draw(size=8),
        "second.weight": draw(size=(8, 8, 3, 3)) * loud,
        "head.weight": draw(size=(8, 5)),
        "head.bias": draw(size=5),
    }
    node = helper.make_node
    nodes = [
        node("Conv", ["image", "first.weight", "first.bias"], ["c"], "first", pads=[1] * 4),
        node("Relu", ["c"], ["r"], "relu"),
        node("Conv", ["r", "second.weight"], ["features"], "second", pads=[1] * 4),
        node("GlobalAveragePool", ["features"], ["pooled"], "pool"),
        node("Flatten", ["pooled"], ["flat"], "flatten"),
        node("Gemm", ["flat", "head.weight", "head.bias"], ["logits"], "head"),
    ]
    floats = {name: array.astype(np.float32) for name, array in held.items()}
    inputs: Boundary = {"image": ("float32", ["B", 3, 8, 8])}
    outputs: Boundary = {"logits": ("float32", ["B", 5]), "features": ("float32", ["B", 8, 8, 8])}
    return _save(path, nodes, inputs, outputs, floats)


def tokens(path: Path) -> Path:
    """An ONNX file: ids i64[B,4] -> scores f32[B*4]. Whole numbers in, the batch flattened out."""
    from onnx import helper

    held: dict[str, Array] = {
        "table": np.random.default_rng(0).normal(size=50).astype(np.float32),
        "all": np.array([-1], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["found"], "lookup"),
        helper.make_node("Reshape", ["found", "all"], ["scores"], "flatten"),
    ]
    return _save(path, nodes, {"ids": ("int64", ["B", 4])}, {"scores": ("float32", ["B*4"])}, held)


Boundary = Mapping[str, tuple[str, Sequence[int | str]]]


def _save(
    path: Path,
    nodes: Sequence[NodeProto],
    inputs: Boundary,
    outputs: Boundary,
    held: Mapping[str, Array],
) -> Path:
    import onnx
    from onnx import helper, numpy_helper

    def values(boundary: Boundary) -> list[onnx.ValueInfoProto]:
        return [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape
            )
            for name, (dtype, shape) in boundary.items()
        ]

    initializers = [numpy_helper.from_array(array, name) for name, array in held.items()]
    graph = helper.make_graph(nodes, path.stem, values(inputs), values(outputs), initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
