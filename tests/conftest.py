"""What several rooms' tests share."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy_targets.workspace import Workspace

ROOT = Path(__file__).parent.parent
Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A cache that is empty at first."""
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def cli() -> Cli:
    """Runs `deploy-target` in a process of its own, as a user would."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "deploy_targets", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]

    return run


@pytest.fixture(scope="session")
def first_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The target of docs/first-target.md, installed: a folder for sys.path."""
    folder = tmp_path_factory.mktemp("site")
    for name, code in code_blocks(ROOT / "docs" / "first-target.md").items():
        (folder / name).write_text(code)
    info = folder / "first_target-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: first-target\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(
        "[deploy_targets.targets]\nhere = first_target:Here\naround = steps_target:Around\n"
    )
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def code_blocks(page: Path) -> dict[str, str]:
    """File name -> code, of the blocks whose first line is a comment naming a file."""
    blocks = re.findall(r"```\w+\n# (\S+)\n(.*?)```", page.read_text(), re.DOTALL)
    return dict(blocks)
