"""ExecuTorch: one .pte for Android and iOS, and the projects that use it.

A program of torch.export comes in; model.pte goes out, with a Gradle project and a Swift package
that use it as it is. `conversion.py` orders the file and says what became of the model in it,
`project.py` puts the folder together, `places.py` says where the file is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field

from deploy_targets.needs import Need
from deploy_targets.records import Built, Dialect, Prepared
from deploy_targets.runtime import Runner
from deploy_targets.targets.base import Target
from deploy_targets.workspace import Workspace

BACKENDS = ("xnnpack", "portable")
"""The best first."""


class Executorch(Target):
    """A .pte for ExecuTorch, with the Android and iOS projects around it."""

    name: ClassVar[str] = "executorch"
    accepts: ClassVar[tuple[Dialect, ...]] = (Dialect.EXPORTED,)
    stages: ClassVar[bool] = True

    backend: Literal["auto", "xnnpack", "portable"] = Field(
        "auto",
        description="Who computes: XNNPACK, as far as it can, or ExecuTorch's own kernels alone. "
        "auto takes XNNPACK, and the kernels alone where that fails or is wrong.",
    )
    sizes: dict[str, int] = Field(
        default_factory=dict,
        description="Sizes of axes that shall be fixed; all others stay dynamic.",
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

    def converters(self, dialect: Dialect) -> Sequence[Self]:
        """With XNNPACK and then without it, or the one that was asked for."""
        if self.backend != "auto":
            return (self,)
        return tuple(self.model_copy(update={"backend": name}) for name in BACKENDS)

    def check(self, prepared: Prepared) -> tuple[str, ...]:
        """Datatypes and axes that a .pte cannot have. Raises ConfigError."""
        from deploy_targets.targets.executorch import conversion

        return conversion.problems(self, prepared)

    def build(self, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
        """model.pte, report.json, the Gradle project, the Swift package and a README."""
        from deploy_targets.targets.executorch import project

        return project.write(self, prepared, folder, workspace)

    def runner(self, workspace: Workspace) -> AbstractContextManager[Runner]:
        """ExecuTorch's own runtime in processes of its own."""
        from deploy_targets.phones.runner import started
        from deploy_targets.targets.executorch.places import WORLD

        return started(WORLD, workspace)

    @classmethod
    def needs(cls) -> tuple[Need, ...]:
        """PyTorch, uv, and Java for declared steps."""
        from deploy_targets.targets.executorch.needs import needs

        return needs()
