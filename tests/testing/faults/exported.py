"""Graphs as exporters write them, in which every fault of a graph finds a place."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper
from torch import Tensor, nn

Tensors = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Exported:
    """A graph and what to ask it."""

    model: onnx.ModelProto
    inputs: Tensors


class Vision(nn.Module):
    """Convolutions with batch norm (folded), ReLU6, pools, bilinear resizing, flattened maps."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6())
        self.second = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1), nn.BatchNorm2d(8), nn.ReLU6())
        self.pool = nn.MaxPool2d(3, 1, 1)
        self.average = nn.AvgPool2d(3, 2, 1)
        self.dense = nn.Linear(8 * 16, 32)
        self.square, self.other = nn.Linear(32, 32), nn.Linear(32, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.first(image * 8)
        x = self.pool(x + self.second(x))
        large = nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
        x = nn.functional.pad(self.average(x), (1, 1, 1, 1))[:, :, 1:-1, 1:-1]
        x = torch.relu(self.square(torch.relu(self.dense(x.flatten(1)))))
        x = torch.relu(self.other(x))
        return torch.softmax(self.head(x), 1), large


class Attention(nn.Module):
    """An embedding, layer norms, attention, GELU."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(20, 16)
        self.norm, self.again = nn.LayerNorm(16), nn.LayerNorm(16)
        nn.init.normal_(self.norm.weight, 1, 0.3)
        self.mixed = nn.Linear(16, 48)
        self.out, self.up, self.down = nn.Linear(16, 16), nn.Linear(16, 32), nn.Linear(32, 16)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.table(ids)
        batch, time, _ = x.shape
        parts = self.mixed(self.norm(x)).view(batch, time, 3, 4, 4).permute(2, 0, 3, 1, 4)
        heads = nn.functional.scaled_dot_product_attention(parts[0] * 4, parts[1], parts[2])
        x = x + self.out(heads.transpose(1, 2).reshape(batch, time, 16))
        return torch.as_tensor(x + self.down(nn.functional.gelu(self.up(self.again(x)))))


class Recurrence(nn.Module):
    """An LSTM in two directions and a GRU in one."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 6, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(12, 6, batch_first=True)
        self.head = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.head(self.gru(self.lstm(x)[0])[0]))


class Mixed(nn.Module):
    """Norms that cannot be folded, SiLU, GELU by erf, nearest and bicubic resizing, concat."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.group = nn.BatchNorm2d(3), nn.GroupNorm(2, 8)
        for statistic in (self.norm.running_mean, self.norm.running_var):
            assert statistic is not None
            statistic.uniform_(0.5, 2)
        nn.init.normal_(self.group.weight)
        self.left, self.right = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1)
        self.end = nn.Conv2d(16, 4, 1)

    def forward(self, image: Tensor) -> Tensor:
        image = self.norm(image)
        both = torch.cat([self.left(image), nn.functional.gelu(self.right(image))], 1)
        x = nn.functional.silu(self.group(both))
        resized = nn.functional.interpolate(x, size=(12, 12), mode="nearest")
        smooth = nn.functional.interpolate(torch.relu(x), size=(12, 12), mode="bicubic")
        return torch.as_tensor(self.end(torch.cat([resized, smooth], 1)))


@cache
def zoo() -> Mapping[str, Exported]:
    """Every graph, by name; each is made once."""
    vision = _legacy(Vision, "image", (5, 3, 16, 16), ["classes", "map"])
    return {
        "vision": vision,
        "attention": _dynamo(Attention, "ids", torch.randint(0, 20, (5, 4))),
        "recurrence": _legacy(Recurrence, "x", (5, 7, 3), ["y"]),
        "mixed": _legacy(Mixed, "image", (5, 3, 8, 8), ["y"]),
        "quantized": Exported(_quantized(vision), vision.inputs),
    }


def placeless() -> onnx.ModelProto:
    """A graph without anything to spoil: it gives the absolute of one integer."""
    value = helper.make_tensor_value_info
    node = helper.make_node("Abs", ["x"], ["y"])
    x, y = (value(name, onnx.TensorProto.INT64, [1]) for name in "xy")
    return helper.make_model(helper.make_graph([node], "placeless", [x], [y]), ir_version=8)


def _seeded(module: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return module().eval()


def _legacy(
    module: Callable[[], nn.Module], name: str, shape: tuple[int, ...], outputs: list[str]
) -> Exported:
    made, given = _seeded(module), torch.randn(shape)
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter's own, of its age and of tracing
        torch.onnx.export(
            made,
            (given,),
            file,
            dynamo=False,
            opset_version=17,
            input_names=[name],
            output_names=outputs,
            dynamic_axes={each: {0: "batch"} for each in (name, *outputs)},
        )
    return Exported(onnx.load_model_from_string(file.getvalue()), {name: given.numpy()})


def _dynamo(module: Callable[[], nn.Module], name: str, given: Tensor) -> Exported:
    made = _seeded(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside of the exporter
        program: Any = torch.onnx.export(
            made,
            (given,),
            dynamo=True,
            verbose=False,
            input_names=[name],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=8)},),
        )
    return Exported(program.model_proto, {name: given.numpy()})


def _quantized(honest: Exported) -> onnx.ModelProto:
    import tempfile

    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Once(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = [dict(honest.inputs)]

        def get_next(self) -> Any:
            return self._left.pop() if self._left else None

    with tempfile.TemporaryDirectory() as folder:
        plain, made = Path(folder) / "plain.onnx", Path(folder) / "quantized.onnx"
        onnx.save(honest.model, plain)
        quantize_static(
            plain,
            made,
            Once(),
            per_channel=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
        )
        return onnx.load(made)
