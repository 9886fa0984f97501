"""The Python package of a bundle: what lies in templates/edge, what judges, and the steps.

In: a folder, and whether steps are declared. Out: `deploy_target_edge/` in it, in a syntax that the
board's Python reads.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from deploy_targets.edge.older_python import lowered
from deploy_targets.resources import resource
from deploy_targets.stages import host
from deploy_targets.stages import plan as plans
from deploy_targets.stages.host.own import FOLDER
from deploy_targets.stages.plan import Plan

NAME = "deploy_target_edge"
SERVICE = "protocol"
AWS = ("events.py",)
"""What of the handlers only a function on Lambda has."""
PAGES = ("contract.py", "schemas.py", "raw_schemas.py")
JUDGES = ("compare.py", "judge.py")
"""The files of `parity/` that judge a bundle where it is built, and so where it runs."""
HAS = frozenset({"numpy", "onnxruntime", "PIL"})
"""What a user's own step may import on a board."""


def write(folder: Path, plan: Plan | None) -> None:
    """Writes the package. Raises UnsupportedModel where an own step imports more than is there."""
    home = folder / NAME
    home.mkdir()
    for source in _sources():
        _put(source, home / source.name)
    if plan:
        _steps(home / "stages", plan)


def write_service(folder: Path, plan: Plan | None) -> None:
    """Writes the protocol's handlers, which are those of the Lambda bundle, below the package."""
    app, home = resource("templates", "lambda", "app"), folder / NAME / SERVICE
    (home / "serving").mkdir(parents=True)
    for source in sorted((app / "serving").glob("*.py")):
        if source.name not in AWS:
            shutil.copyfile(source, home / "serving" / source.name)
    for name in PAGES:
        shutil.copyfile(app / "flavors" / "fastapi" / name, home / name)
    if plan:
        _steps(home / "serving" / "stages", plan)


def _steps(home: Path, plan: Plan) -> None:
    (home / FOLDER).mkdir(parents=True)
    for source in sorted(Path(str(host.__file__)).parent.glob("*.py")):
        _put(source, home / source.name)
    for name, source in plans.own_files(plan, HAS).items():
        _put(source, home / FOLDER / name)


def _sources() -> Iterator[Path]:
    yield from sorted(resource("templates", "edge", NAME).glob("*.py"))
    parity = Path(__file__).parents[1] / "parity"
    yield from (parity / name for name in JUDGES)


def _put(source: Path, target: Path) -> None:
    target.write_text(lowered(source.read_text(encoding="utf-8")), encoding="utf-8")
