"""AWS Lambda: FastAPI (or a lean handler) and ONNX Runtime in a zip, run in AWS's own emulator.

A graph in ONNX comes in; function.zip and a README go out. `function.py` puts the zip together,
`runner.py` runs it in a sandbox, `gateway.py` serves it on a local port.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field

from deploy_targets.errors import ToolMissing
from deploy_targets.integrations import interpreters
from deploy_targets.integrations.interpreters import Interpreter
from deploy_targets.integrations.lambda_python import checkable
from deploy_targets.needs import Need
from deploy_targets.records import Built, Bundle, Dialect, Lane, Prepared
from deploy_targets.runtime import Runner
from deploy_targets.targets.aws_lambda import around, contract, function, native
from deploy_targets.targets.aws_lambda.runner import LambdaRunner
from deploy_targets.targets.base import Target
from deploy_targets.workspace import Workspace


class AwsLambda(Target):
    """An HTTP API on AWS Lambda, by the Open Inference Protocol."""

    name: ClassVar[str] = "lambda"
    accepts: ClassVar[tuple[Dialect, ...]] = (Dialect.ONNX,)
    stages: ClassVar[bool] = True

    arch: Literal["x86_64", "arm64"] = Field("x86_64", description="The function's processor.")
    flavor: Literal["fastapi", "lean"] = Field(
        "fastapi",
        description="The same HTTP contract; lean imports no framework and starts faster.",
    )
    python: Literal["auto", "3.12", "3.13", "3.14"] = Field(
        "auto", description="Lambda's Python; auto is the newest that this machine can check."
    )
    memory_mb: int = Field(
        1769, ge=128, le=10240, description="Memory in MB; 1769 MB come with one virtual CPU."
    )
    timeout_s: int = Field(30, ge=1, le=900, description="Seconds until Lambda gives up.")

    def choices(self) -> Sequence[Self]:
        """The concrete Python behind "auto"."""
        if self.python != "auto":
            return (self,)
        newest = interpreters.newest(checkable(self.arch, native.RUNTIMES))
        chosen = newest.minor if newest else next(iter(native.RUNTIMES))
        return (self.model_copy(update={"python": chosen}),)

    def check(self, prepared: Prepared) -> tuple[str, ...]:
        """Datatypes that the protocol cannot carry."""
        return contract.problems(prepared.signature)

    def build(self, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
        """function.zip, its licences and a README."""
        plan = around.planned(prepared.staging) if prepared.staging else None
        made = function.build(self, self._interpreter(), prepared, plan, folder, workspace)
        raw = (contract.raw_entry(prepared.staging.signature),) if prepared.staging else ()
        size = (prepared.graph.folder / "model.onnx").stat().st_size
        crowded = around.memory_notes(plan.stages, size, self.memory_mb) if plan else ()
        return Built(
            entries=(contract.entry(prepared.signature), *raw),
            lanes=(Lane(self.arch, prepared.recipe.name),),
            roles=made.roles,
            tools=made.tools,
            notes=(*made.notes, *crowded),
            stages=plan.stages if plan else (),
        )

    def runner(self, workspace: Workspace) -> AbstractContextManager[Runner]:
        """Starts a sandbox for each bundle that is opened."""
        return nullcontext(LambdaRunner(workspace))

    def serve(
        self, bundle: Path, port: int, workspace: Workspace, ready: Callable[[str], object]
    ) -> None:
        """The function behind a local HTTP port, as API Gateway would stand before it."""
        from deploy_targets.targets.aws_lambda.gateway import serve

        serve(bundle, port, workspace, ready)

    def graph(self, bundle: Bundle, folder: Path) -> Path:
        """model.onnx, out of the zip."""
        return function.graph(bundle.path, folder)

    @classmethod
    def needs(cls) -> tuple[Need, ...]:
        """The interpreter, uv, bubblewrap and QEMU."""
        from deploy_targets.targets.aws_lambda.needs import needs

        return needs()

    def _interpreter(self) -> Interpreter:
        found = interpreters.find(self.python)
        if found is None:
            raise ToolMissing(
                f"Python {self.python} was not found, and the function's byte code needs it",
                hint=f"uv python install {self.python}; or set python to one that `doctor` finds",
            )
        return found
