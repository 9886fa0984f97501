"""Core ML: a package for Apple's systems, and the Swift package that uses it.

A program of torch.export comes in, or TorchScript where that fails; model.mlpackage goes out, with
a Swift package that uses it as it is. `conversion.py` orders it and says what was checked,
`project.py` puts the folder together. Only Apple's systems can run it: `runner.py` says how.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from deploy_targets.converters.coreml import Minimum
from deploy_targets.needs import Need
from deploy_targets.records import Built, Dialect, Lane, Prepared
from deploy_targets.runtime import Runner
from deploy_targets.targets.base import Target
from deploy_targets.workspace import Workspace


class Coreml(Target):
    """An .mlpackage for Core ML with a Swift package around it; judged on Apple's systems alone."""

    name: ClassVar[str] = "coreml"
    accepts: ClassVar[tuple[Dialect, ...]] = (Dialect.EXPORTED, Dialect.TORCHSCRIPT)
    stages: ClassVar[bool] = True
    recipes: ClassVar[frozenset[str]] = frozenset({"fp32", "fp16"})

    minimum: Minimum = Field(
        "iOS16",
        description="The oldest system that takes it: iOS16 is macOS 13, too, iOS17 macOS 14, and "
        "iOS18 macOS 15.",
    )
    sizes: dict[str, int] = Field(
        default_factory=dict,
        description="Sizes of axes that shall be fixed; all others stay dynamic.",
    )
    golden: Literal["samples", "synthetic", "none"] = Field(
        "synthetic",
        description="Which questions and answers travel in the bundle, and one of them in the app; "
        "without any no device can be asked.",
    )

    @property
    def fixed(self) -> Mapping[str, int]:
        """The sizes that were said."""
        return self.sizes

    def check(self, prepared: Prepared) -> tuple[str, ...]:
        """Datatypes and axes that a package cannot have. Raises ConfigError."""
        from deploy_targets.targets.coreml import conversion

        return conversion.problems(self, prepared)

    def build(self, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
        """model.mlpackage, the Swift package and a README."""
        from deploy_targets.targets.coreml import project

        return project.write(self, prepared, folder, workspace)

    def runner(self, workspace: Workspace) -> AbstractContextManager[Runner]:
        """One that says where the package is asked."""
        from deploy_targets.targets.coreml.runner import started

        return started()

    @classmethod
    def needs(cls) -> tuple[Need, ...]:
        """PyTorch and uv."""
        from deploy_targets.targets.coreml.needs import needs

        return needs()

    def lanes(self, recipe: str) -> tuple[Lane, ...]:
        """Both are required: until a device has answered nobody knows that the package is right."""
        return (Lane("ios", recipe), Lane("macos", recipe))
