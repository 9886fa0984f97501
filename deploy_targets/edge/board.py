"""A board as a target: all of it but its name, its systems and its lanes.

A graph in ONNX comes in; a folder to copy to the board goes out. `folder.py` puts it together,
`runner.py` asks it here and on an emulated ARM; on the board it proves itself.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from deploy_targets.edge.system import System
from deploy_targets.needs import Need
from deploy_targets.records import Built, Capture, Dialect, Lane, Prepared
from deploy_targets.runtime import Runner
from deploy_targets.targets.base import Target
from deploy_targets.workspace import Workspace

HERE = "onnxruntime"
"""The lane of this machine: the bundle's own code, and its ONNX Runtime."""


class Board(Target):
    """A computer with Linux on 64-bit ARM."""

    accepts: ClassVar[tuple[Dialect, ...]] = (Dialect.ONNX,)
    stages: ClassVar[bool] = True

    arm: Literal["auto", "all", "none"] = Field(
        "auto",
        description="Which cases an emulated ARM is asked: all, those that it answers in a minute "
        "or that arm_cases names (auto), or none: then the verdict waits for the board.",
    )
    arm_cases: tuple[str, ...] = Field(
        (), description="Cases that the emulated ARM is asked although the model is large."
    )

    @property
    @abstractmethod
    def system(self) -> System:
        """What the board has, by the options."""

    @property
    @abstractmethod
    def ways(self) -> Sequence[tuple[str, str]]:
        """How the board may run it: the lanes that it answers itself, each with its recipe."""

    @property
    def emulated(self) -> str:
        """The lane of the emulated processor."""
        return f"qemu-{self.system.cpu}"

    def captured(self, how: Capture) -> Capture:
        """In the opset that the board reads, where an exporter can choose it."""
        return replace(how, opset=self.system.opset)

    def check(self, prepared: Prepared) -> tuple[str, ...]:
        """Steps whose library no board's requirements hold."""
        stages = prepared.staging.stages if prepared.staging else ()
        return tuple(
            f"{stage.of} begins with decode_audio, whose library is not among a board's "
            "requirements: decode the recording before, and declare the steps after that"
            for stage in stages
            if stage.op == "decode_audio"
        )

    def build(self, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
        """model.onnx, the package that proves and serves it, the SDK in C++ and a README."""
        from deploy_targets.edge import folder as folders

        return folders.write(self, prepared, folder, workspace)

    def runner(self, workspace: Workspace) -> AbstractContextManager[Runner]:
        """ONNX Runtime in processes of its own."""
        from deploy_targets.edge import runner

        return runner.started(self, workspace)

    @classmethod
    def needs(cls) -> tuple[Need, ...]:
        """uv, the emulator and apt."""
        from deploy_targets.edge.needs import needs

        return needs()

    def lanes(self, recipe: str) -> tuple[Lane, ...]:
        """This machine and the emulated ARM are required; what a board proves by itself is not."""
        emulated = (Lane(self.emulated, recipe),) if self.arm != "none" else ()
        own = (Lane(name, of or recipe, required=False) for name, of in self.ways)
        return (Lane(HERE, recipe), *emulated, *own)
