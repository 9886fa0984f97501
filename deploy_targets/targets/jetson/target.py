"""NVIDIA's Jetson: TensorRT on the board, ONNX Runtime where that is not to be had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from deploy_targets.edge.board import Board
from deploy_targets.edge.system import System
from deploy_targets.targets.jetson.jetpacks import JETPACKS


class Jetson(Board):
    """A folder for a Jetson, which builds an engine there, proves it, and serves it."""

    name: ClassVar[str] = "jetson"

    jetpack: Literal["4", "5", "6", "7"] = Field(
        "6", description="The board's JetPack: it decides on Python, TensorRT and ONNX Runtime."
    )

    @property
    def system(self) -> System:
        """That of the JetPack."""
        return JETPACKS[self.jetpack]

    @property
    def ways(self) -> Sequence[tuple[str, str]]:
        """TensorRT's engines in two precisions, ONNX Runtime with the GPU, and without."""
        return (
            ("tensorrt-fp16", "fp16"),
            ("tensorrt-fp32", "fp32"),
            ("ort-tensorrt", ""),
            ("ort-cuda", ""),
            ("cpu", ""),
        )
