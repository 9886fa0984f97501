"""A Raspberry Pi with a 64-bit system: ONNX Runtime on its processor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from deploy_targets.edge.board import Board
from deploy_targets.edge.system import System

SYSTEMS = {
    number: System(
        name="raspberrypi",
        said="Raspberry Pi OS",
        python="3.11",
        onnxruntime="1.31.1",
        pythons=("3.11", "3.12", "3.13"),
        opset=20,
        ir=10,
        cpu=cpu,
        emulated="trixie",
        image="python:3.11-slim-bookworm",
    )
    for number, cpu in (("4", "cortex-a72"), ("5", "cortex-a76"))
}
"""By the board's number: they differ in the processor alone."""


class RaspberryPi(Board):
    """A folder for a Raspberry Pi, which proves itself there and serves the model."""

    name: ClassVar[str] = "raspberrypi"

    board: Literal["4", "5"] = Field("5", description="The number of the board.")

    @property
    def system(self) -> System:
        """Raspberry Pi OS on that board."""
        return SYSTEMS[self.board]

    @property
    def ways(self) -> Sequence[tuple[str, str]]:
        """Its processor."""
        return (("cpu", ""),)
