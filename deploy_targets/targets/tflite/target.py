"""TensorFlow Lite, which is LiteRT now: one file for Android and iOS, and the projects that use it.

A graph comes in; model.tflite goes out, with a Gradle project and a Swift package that consume it
as it is. `conversion.py` chooses a converter, `project.py` puts the folder together, `places.py`
says where the file is asked: in LiteRT here, on an emulated ARM, and in an old runtime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from deploy_targets.needs import Need
from deploy_targets.records import Built, Dialect, Lane, Prepared
from deploy_targets.runtime import Runner
from deploy_targets.targets.base import Target
from deploy_targets.workspace import Workspace

CONVERTERS: Mapping[Dialect, tuple[str, ...]] = {
    Dialect.EXPORTED: ("litert-torch",),
    Dialect.SAVED_MODEL: ("tensorflow",),
    Dialect.ONNX: ("onnx2tf", "onnx-in-tensorflow"),
}
"""Per dialect, the best first."""


class Tflite(Target):
    """A .tflite with the Android and iOS projects around it."""

    name: ClassVar[str] = "tflite"
    accepts: ClassVar[tuple[Dialect, ...]] = tuple(
        (Dialect.EXPORTED, Dialect.SAVED_MODEL, Dialect.ONNX)
    )
    stages: ClassVar[bool] = True
    recipes: ClassVar[frozenset[str]] = frozenset({"fp32", "fp16"})

    converter: Literal["auto", "litert-torch", "tensorflow", "onnx2tf", "onnx-in-tensorflow"] = (
        Field(
            "auto",
            description="What makes the .tflite; auto takes the best for the model at hand, and "
            "the next where one fails or is wrong.",
        )
    )
    layout: Literal["auto", "nhwc", "nchw"] = Field(
        "auto",
        description="Where the channels of image inputs lie; auto is nhwc for images, the faster.",
    )
    batch_sizes: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = Field(
        (1,), description="Sizes of the batch: each is a signature of the one file."
    )
    sizes: dict[str, int] = Field(
        default_factory=dict, description="Sizes of axes other than the batch, which are fixed."
    )
    arm: Literal["auto", "all", "none"] = Field(
        "auto",
        description="Which cases an emulated ARM is asked: all, those that it answers in some "
        "seconds or that arm_cases names (auto), or none.",
    )
    arm_cases: tuple[str, ...] = Field(
        (), description="Cases that the emulated ARM is asked although the model is large."
    )
    old_runtime: bool = Field(
        True, description="Whether the last tflite-runtime (2.14) is asked, as on old devices."
    )

    golden: Literal["samples", "synthetic", "none"] = Field(
        "synthetic",
        description="Which questions and answers travel in the bundle, and one of them in the app; "
        "all are judged at the build.",
    )

    @property
    def fixed(self) -> Mapping[str, int]:
        """The sizes that were said."""
        return self.sizes

    @property
    def dialects(self) -> tuple[Dialect, ...]:
        """Those that the chosen converter reads."""
        return tuple(
            dialect for dialect in self.accepts if self.converter in ("auto", *CONVERTERS[dialect])
        )

    def converters(self, dialect: Dialect) -> Sequence[Self]:
        """One for each converter of the dialect, or for the one that was asked for."""
        if self.converter != "auto":
            return (self,)
        return tuple(self.model_copy(update={"converter": name}) for name in CONVERTERS[dialect])

    def check(self, prepared: Prepared) -> tuple[str, ...]:
        """Datatypes, axes and operators that a .tflite cannot have. Raises ConfigError."""
        from deploy_targets.targets.tflite import conversion

        return conversion.problems(self, prepared)

    def build(self, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
        """model.tflite, the Gradle project, the Swift package and a README."""
        from deploy_targets.targets.tflite import project

        return project.write(self, prepared, folder, workspace)

    def runner(self, workspace: Workspace) -> AbstractContextManager[Runner]:
        """LiteRT in processes of its own."""
        from deploy_targets.phones.runner import started
        from deploy_targets.targets.tflite.places import WORLD

        return started(WORLD, workspace)

    @classmethod
    def needs(cls) -> tuple[Need, ...]:
        """The emulator and the interpreters that the lanes and converters use."""
        from deploy_targets.targets.tflite.needs import needs

        return needs()

    def lanes(self, recipe: str) -> tuple[Lane, ...]:
        """Two on this machine are required; ARM, the old runtime and phones are other people's."""
        others = []
        if self.arm != "none":
            others.append("qemu-cortex-a53")
        if self.old_runtime:
            others.append("tflite-2.14")
        # Asked on a device, and judged by `verify --actual`.
        others += ["android", "android-gpu", "ios", "ios-gpu"]
        required = (Lane("litert-1t", recipe), Lane("litert-2t", recipe))
        return (*required, *(Lane(name, recipe, required=False) for name in others))
