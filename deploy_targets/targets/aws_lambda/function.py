"""function.zip: the packages, the app, the model. In: a prepared model. Out: what Lambda takes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from deploy_targets.errors import ToolMissing
from deploy_targets.integrations import bytecode
from deploy_targets.integrations.interpreters import Interpreter
from deploy_targets.records import Prepared
from deploy_targets.resources import resource
from deploy_targets.stages.plan import Plan
from deploy_targets.targets.aws_lambda import (
    archive,
    around,
    asking,
    contract,
    dependencies,
    licences,
)
from deploy_targets.targets.aws_lambda.dependencies import Tree
from deploy_targets.workspace import Workspace, digest_of_file

if TYPE_CHECKING:
    from deploy_targets.targets.aws_lambda.target import AwsLambda

ZIP, HANDLER, MODEL = "function.zip", "app.handler", "model.onnx"


@dataclass(frozen=True)
class Made:
    """What was written, and what is to be known of it."""

    roles: Mapping[str, str]
    tools: Mapping[str, str]
    notes: tuple[str, ...]


def build(
    target: AwsLambda,
    interpreter: Interpreter,
    prepared: Prepared,
    plan: Plan | None,
    folder: Path,
    workspace: Workspace,
) -> Made:
    """Writes function.zip, the licences and a README. Raises OverBudget, ToolMissing."""
    media = around.media_of(prepared)
    tree = dependencies.tree(target.flavor, target.arch, interpreter, workspace, media)
    with workspace.scratch() as scratch:
        app = _app(target, interpreter, prepared, plan, scratch)
        archive.write_zip(archive.contents_of(app), folder / ZIP, onto=tree.archive)
    shutil.copyfile(tree.folder / licences.FILE_NAME, folder / licences.FILE_NAME)
    shutil.copyfile(resource("LICENSE"), folder / "LICENSE")
    (folder / "README.md").write_text(_readme(target, prepared, folder / ZIP), encoding="utf-8")
    roles = {ZIP: "model", "README.md": "doc", "LICENSE": "licence", licences.FILE_NAME: "licence"}
    return Made(roles, _tools(tree, interpreter), archive.notes(folder / ZIP))


def graph(bundle: Path, folder: Path) -> Path:
    """The model, unpacked into `folder`."""
    with zipfile.ZipFile(bundle / ZIP) as archive:
        return Path(archive.extract(MODEL, folder))


def _app(
    target: AwsLambda,
    interpreter: Interpreter,
    prepared: Prepared,
    plan: Plan | None,
    scratch: Path,
) -> Path:
    """The app and the model as they will lie in /var/task, beside the packages."""
    source, app = resource("templates", "lambda", "app"), scratch / "app"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source / "serving", app / "serving", ignore=ignored)
    shutil.copytree(source / "flavors" / target.flavor, app, ignore=ignored, dirs_exist_ok=True)
    model = app / MODEL
    shutil.copyfile(prepared.graph.folder / "model.onnx", model)
    described = contract.model_json(prepared.name, prepared.signature, digest_of_file(model))
    _write_json(app / "model.json", described)
    if plan is not None:
        around.write(plan, prepared.signature, app)
    if target.flavor == "lean":
        _describe(source / "describe.py", app)
    # /var/task cannot be written, so without byte code every cold start would compile again.
    bytecode.byte_compile(interpreter, app, seen_as=dependencies.TASK_ROOT, keep_sources=True)
    return app


def _describe(program: Path, app: Path) -> None:
    """/openapi.json and /docs, written by FastAPI here because it is not there."""
    command = [sys.executable, "-B", str(program), str(app / "model.json"), str(app)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise ToolMissing(
            f"the API's description could not be written: {ran.stderr.strip().splitlines()[-1]}",
            hint='pip install "deploy-targets[lambda]"',
        )


def _readme(target: AwsLambda, prepared: Prepared, zipped: Path) -> str:
    template = resource("templates", "lambda", "README.md.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    return environment.from_string(template).render(
        name=prepared.name,
        target=target,
        inputs=prepared.signature.inputs,
        outputs=prepared.signature.outputs,
        axes=prepared.signature.axes,
        asked=asking.asked(prepared.staging) if prepared.staging else None,
        handler=HANDLER,
        zipped=f"{zipped.stat().st_size / 1e6:.1f}",
        unzipped=f"{sum(share.unzipped for share in archive.measure(zipped)) / 1e6:.1f}",
    )


def _tools(tree: Tree, interpreter: Interpreter) -> dict[str, str]:
    wanted = ("fastapi", "mangum", "numpy", "onnxruntime", "pillow", "soundfile", "starlette")
    packages = {name: version for name, version in tree.packages.items() if name in wanted}
    return {**packages, "python": interpreter.version}


def _write_json(path: Path, plain: Any) -> None:
    path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
