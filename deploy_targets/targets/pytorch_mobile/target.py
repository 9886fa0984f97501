"""PyTorch Mobile, which is legacy: a .ptl for the lite interpreter, and the Android project for it.

TorchScript comes in; model.ptl goes out, with a Gradle project that uses it as it is. The converter
is `converters/ptl_from_torchscript.py`, `project.py` puts the folder together, `places.py` says
where the file is asked.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from deploy_targets.needs import Need
from deploy_targets.records import Built, Dialect, Lane, Prepared
from deploy_targets.runtime import Runner
from deploy_targets.targets.base import Target
from deploy_targets.workspace import Workspace


class PytorchMobile(Target):
    """Legacy: a .ptl for PyTorch's lite interpreter, with an Android project (see executorch)."""

    name: ClassVar[str] = "pytorch_mobile"
    accepts: ClassVar[tuple[Dialect, ...]] = (Dialect.TORCHSCRIPT,)
    stages: ClassVar[bool] = True

    freeze: bool = Field(
        True,
        description="Whether weights become constants and layers are folded; where that would "
        "change the answers it is left out, and said.",
    )
    golden: Literal["samples", "synthetic", "none"] = Field(
        "synthetic",
        description="Which questions and answers travel in the bundle, and one of them in the app; "
        "all are judged at the build.",
    )

    def check(self, prepared: Prepared) -> tuple[str, ...]:
        """Datatypes that the runtime's Android API does not have."""
        from deploy_targets.converters import ptl

        return ptl.problems(prepared.signature)

    def build(self, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
        """model.ptl, the Gradle project and a README."""
        from deploy_targets.targets.pytorch_mobile import project

        return project.write(self, prepared, folder, workspace)

    def runner(self, workspace: Workspace) -> AbstractContextManager[Runner]:
        """The lite interpreter in a process of its own."""
        from deploy_targets.phones.runner import started
        from deploy_targets.targets.pytorch_mobile.places import WORLD

        return started(WORLD, workspace)

    @classmethod
    def needs(cls) -> tuple[Need, ...]:
        """PyTorch, and Java for declared steps."""
        from deploy_targets.targets.pytorch_mobile.needs import needs

        return needs()

    def lanes(self, recipe: str) -> tuple[Lane, ...]:
        """The interpreter on this machine is required; a phone is judged by `verify --actual`."""
        return (Lane("lite-interpreter", recipe), Lane("android", recipe, required=False))
