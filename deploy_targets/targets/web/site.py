"""The folder: modules, runtime, graphs, and the files with short-lived names around them.

In: a prepared model and the target's options. Out: a folder that needs no bundler and works from
any path of any host. What has a hash in its name may be kept for ever; `pages.py` writes the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.records import Entry, Prepared
from deploy_targets.resources import resource
from deploy_targets.stages import plan as plans
from deploy_targets.stages.plan import Plan
from deploy_targets.targets.web import (
    about,
    budget,
    compress,
    headers,
    hosts,
    own_steps,
    pages,
    places,
    runtimes,
    vendored,
    visit,
)
from deploy_targets.targets.web.runtimes import Order, Runtime, Written
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    from deploy_targets.targets.web.target import Web

NO_MODULES = (".d.ts", ".d.mts", ".html")


@dataclass(frozen=True)
class Made:
    """What was written, and what is to be known of it."""

    entries: tuple[Entry, ...]
    roles: Mapping[str, str]
    tools: Mapping[str, str]
    notes: tuple[str, ...]


def write(
    target: Web, prepared: Prepared, plan: Plan | None, folder: Path, workspace: Workspace
) -> Made:
    """Everything but golden and the seal.

    Raises UnsupportedModel, ConversionFailed, ToolMissing, OverBudget.
    """
    runtime = runtimes.find(target.runtime)
    operations = {stage.op for stage in plan.stages} if plan else set()
    more = vendored.needed(operations, workspace)
    with workspace.scratch() as scratch:
        steps, graphs = _around(plan, prepared, scratch)
        order = Order(prepared, graphs, target.webgpu, folder, workspace, target.sizes)
        written = runtime.write(order)
    code = places.together(folder, "code", {**_modules(runtime, plan), **more.files})
    described = _described(target, prepared, written, runtime, code, steps, folder)
    pages.write(folder, code, described, written, more.licences)
    first = _first_visit(folder, code, runtime, written, operations)
    names = [path.relative_to(folder).as_posix() for path in _files(folder)]
    sent = [name for name in names if headers.immutable(name) or name in hosts.SENT]
    copies = compress.beside(folder, sent, workspace) if target.precompress else {}
    shares = budget.measure(folder, first)
    budget.check(shares, target.max_download_mb)
    roles = {name: _role(name, written) for name in names}
    return Made(
        entries=written.entries,
        roles={**roles, **{copy: "compressed" for copy in copies}},
        tools={**written.tools, **more.tools},
        notes=(*written.notes, budget.note(shares)),
    )


def _around(
    plan: Plan | None, prepared: Prepared, scratch: Path
) -> tuple[dict[str, Any] | None, dict[str, Path]]:
    """The steps as model.json has them, and the graphs among them by role."""
    if plan is None:
        return None, {}
    said = plans.write(plan, prepared.signature, scratch)
    graphs = {path.stem: path for path in sorted(scratch.glob("*.onnx"))}
    return about.steps(said, plan.staging), graphs


def _modules(runtime: Runtime, plan: Plan | None) -> dict[str, Path]:
    """Path in the folder of modules -> file: ours, of one runtime; the user's own steps."""
    source = resource("web", "src")
    found = {path.relative_to(source).as_posix(): path for path in _files(source)}
    own = own_steps.files(plan) if plan else {}
    ours = {name: path for name, path in found.items() if _is_wanted(name, runtime.CODE)}
    return {**ours, **own}


def _is_wanted(name: str, code: str) -> bool:
    if name.endswith(NO_MODULES) or "own_steps/" in name:
        return False
    return not name.startswith("runtimes/") or Path(name).stem == code


def _described(
    target: Web,
    prepared: Prepared,
    written: Written,
    runtime: Runtime,
    code: str,
    steps: dict[str, Any] | None,
    folder: Path,
) -> dict[str, Any]:
    files = {**written.files, "worker": f"{code}/worker.mjs"}
    return about.described(
        name=prepared.name,
        code=code.removeprefix("code."),
        runtime=(target.runtime, written.version),
        entries=written.entries,
        signature=prepared.signature,
        steps=steps,
        ladder=[rung for rung in runtime.LADDER if rung != "webgpu" or target.webgpu],
        files={role: about.file(folder, path) for role, path in sorted(files.items())},
    )


def _first_visit(
    folder: Path, code: str, runtime: Runtime, written: Written, operations: set[str]
) -> list[str]:
    """What a page that brings nothing of its own downloads before the first answer.

    But for the self-check's share of manifest and golden, which are not there yet.
    """
    ours = {f"{code}/{name}" for name in visit.modules(folder / code, runtime.CODE, operations)}
    loaded = {path for role, path in written.files.items() if role not in written.later}
    return sorted({"model.mjs", about.NAME, *ours, *loaded})


def _role(name: str, written: Written) -> str:
    if name == written.files.get("model"):
        return "model"
    if name.endswith(".md"):
        return "doc"
    if "LICENSE" in name:
        return "licence"
    return "runtime" if name.startswith("runtime.") else "code"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
