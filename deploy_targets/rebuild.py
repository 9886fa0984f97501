"""Recognises a build in which nothing changed, without importing the framework of the model.

A bundle is served from the cache only if the model's code and weights, the samples, the settings,
every installed package and this program are what they were; `frontends.recall` says what the
model is, or that it cannot tell, and then the whole path is taken.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets import bundle as bundles
from deploy_targets import frontends
from deploy_targets.errors import BundleCorrupt
from deploy_targets.frontends.source import name_of
from deploy_targets.parity import rows, samples
from deploy_targets.records import Bundle
from deploy_targets.resources import resource
from deploy_targets.runtime import Model
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

if TYPE_CHECKING:
    from deploy_targets.pipeline import Job
    from deploy_targets.targets.base import Target

KIND = "bundle"


def stamp(job: Job) -> str:
    """All that decides a bundle besides the model: taken before a build, and looked at after it."""
    return digest_of(
        frontends.environment(),
        program(),
        _code_of(type(job.target)),
        samples.digest(job.samples),
        name_of(job.spec),
        # Where the model lies does not matter; which file and callable it is does.
        bundles.as_json(job.spec) | {"base": "", "source": Path(job.spec.source).name},
        job.budget,
        {name: bundles.as_json(tolerance) for name, tolerance in job.expects.items()},
        job.steps.digest,
        bundles.as_json(job.recipe),
        job.target.name,
        # The concrete targets, so that an "auto" notices what this machine has gained.
        [choice.model_dump(mode="json") for choice in job.target.choices()],
    )


def asked(job: Job, model: Model, workspace: Workspace) -> str | None:
    """All that decides what is asked of the original, and so its answers; None if that is open."""
    modules = _modules(job, workspace)
    if modules is None:
        return None
    return digest_of(
        model.digest,
        modules,
        frontends.environment(),
        program(),
        bundles.as_json(model.signature),
        samples.digest(job.samples),
        {name: bundles.as_json(tolerance) for name, tolerance in job.expects.items()},
        job.steps.digest,
        job.target.stages,
        job.target.levels,
        dict(job.target.fixed),
    )


def recall(job: Job, workspace: Workspace) -> Bundle | None:
    """The passed bundle of an identical job, or None."""
    model, modules = frontends.recall(job.spec, workspace), _modules(job, workspace)
    if model is None or modules is None:
        return None
    home = workspace.find(KIND, digest_of(model, modules, stamp(job)))
    if home is None:
        return None
    try:
        bundle = bundles.open_bundle(home)
    except BundleCorrupt:
        return None
    report = bundles.read_report(bundle)
    passed = report and rows.overall(bundle.manifest.lanes, report.rows) is Verdict.PASS
    return bundle if passed else None


def remember(job: Job, model: Model, bundle: Bundle, workspace: Workspace, before: str) -> None:
    """Keeps a copy of a bundle that passed, unless something changed while it was built."""
    modules = _modules(job, workspace)
    if stamp(job) != before or modules is None:
        return

    def make(home: Path) -> None:
        shutil.copytree(bundle.path, home, dirs_exist_ok=True)

    workspace.replace(KIND, digest_of(model.digest, modules, before), make)


def _modules(job: Job, workspace: Workspace) -> list[str] | None:
    """What the torch modules among the declared steps are; None where one cannot be told."""
    known = [frontends.recall(spec, workspace) for spec in job.steps.modules]
    return [digest for digest in known if digest] if all(known) else None


def program() -> str:
    """All of this program that bundles hold: working on it never serves a stale one."""
    sources = [resource(*place) for place in (("templates",), ("mobile",), ("web", "src"))]
    return _contents(Path(__file__).parent, *sources)


def _code_of(target: type[Target]) -> str:
    """The code of a target that somebody else wrote: its package, or its file."""
    top = target.__module__.partition(".")[0]
    if top == __package__:
        return ""
    file = Path(str(sys.modules[top].__file__))
    return _contents(file.parent) if file.name == "__init__.py" else digest_of_file(file)


def _contents(*folders: Path) -> str:
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return digest_of(
        [[path.name, digest_of_file(path)] for path in files if "__pycache__" not in path.parts]
    )
