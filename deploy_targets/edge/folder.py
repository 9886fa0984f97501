"""The folder: model.onnx in a form that the board reads, the package around it, what people read.

In: a prepared model and a board. Out: everything but golden and the seal.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from deploy_targets.binding import identity
from deploy_targets.edge import package
from deploy_targets.graph.lower import lower
from deploy_targets.integrations.cpp import amalgamated
from deploy_targets.records import BYTES, Built, Entry, Prepared
from deploy_targets.resources import resource
from deploy_targets.stages import plan as plans
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    from deploy_targets.edge.board import Board

MODEL = "model.onnx"
STEPS = "steps.json"
ROLES = {".onnx": "model", ".md": "doc", ".txt": "runtime"}


def write(board: Board, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
    """Everything but golden and the seal. Raises UnsupportedModel."""
    plan = plans.plan(prepared.staging, lambda stage: True) if prepared.staging else None
    how = _model(board, prepared, folder)
    package.write(folder, plan)
    if board.system.serves:
        package.write_service(folder, plan)
    if plan:
        plans.write(plan, prepared.signature, folder)
        (folder / plans.FILE).rename(folder / STEPS)
    _around(board, prepared, folder)
    return Built(
        entries=_entries(prepared),
        lanes=board.lanes(prepared.recipe.name),
        roles={name: _role(name) for name in _names(folder)},
        tools={"onnxruntime": board.system.onnxruntime},
        notes=(f"restated: {how}",) if how else (),
        stages=plan.stages if plan else (),
    )


def _model(board: Board, prepared: Prepared, folder: Path) -> str:
    """Never ONNX Runtime's own optimised form: what it writes on one processor, another refuses."""
    import onnx

    from deploy_targets.graph.save import save

    model = onnx.load(prepared.graph.folder / MODEL)
    system = board.system
    made = lower(model, system.opset, system.ir, system.said)
    save(made.model, folder)
    return made.how


def _around(board: Board, prepared: Prepared, folder: Path) -> None:
    system, home = board.system, resource("templates", "edge")
    lock = home / "requirements" / f"{system.name}.txt"
    shutil.copyfile(lock, folder / "requirements.txt")
    shutil.copyfile(resource("LICENSE"), folder / "LICENSE")
    given = {
        "name": prepared.name,
        "board": board,
        "system": system,
        "inputs": prepared.signature.inputs,
        "outputs": prepared.signature.outputs,
        "axes": prepared.signature.axes,
        "steps": dict(prepared.staging.media) if prepared.staging else {},
    }
    (folder / "README.md").write_text(_filled(home / "README.md.j2", given), encoding="utf-8")
    _sdk(folder / "sdk")
    if system.serves:
        shutil.copyfile(home / "requirements" / "serve.txt", folder / "requirements-serve.txt")
        unit = f"deploy-target-{prepared.name}.service"
        for template, name in (("unit.service.j2", unit), ("Dockerfile.j2", "Dockerfile")):
            (folder / name).write_text(_filled(home / template, given), encoding="utf-8")


def _sdk(home: Path) -> None:
    """The C++ SDK: a header, a source, the program that asks the bundle, how to compile it."""
    source = resource("sdk")
    home.mkdir()
    for name, text in amalgamated(source).items():
        (home / name).write_text(text, encoding="utf-8")
    for name in ("programs/deploy_target_run.cpp", "CMakeLists.txt", "README.md"):
        shutil.copyfile(source / name, home / Path(name).name)


def _entries(prepared: Prepared) -> tuple[Entry, ...]:
    main = identity(prepared.signature)
    if prepared.staging is None:
        return (main,)
    raw = identity(prepared.staging.signature, "predict")
    return (main, Entry(raw.name, raw.inputs, raw.outputs, golden=BYTES))


def _filled(template: Path, given: Mapping[str, object]) -> str:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    return environment.from_string(template.read_text(encoding="utf-8")).render(given)


def _role(name: str) -> str:
    if name == "LICENSE":
        return "licence"
    return ROLES.get(Path(name).suffix, "code")


def _names(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files)
