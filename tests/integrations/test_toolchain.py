"""Environments of their own: made once, whole or not at all, from a lock with hashes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy_targets.errors import ToolMissing
from deploy_targets.integrations import toolchain, wheels, worker
from deploy_targets.workspace import Workspace

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def locks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locks")
    (folder / "small.in").write_text("six==1.17.0\n")
    wheels.lock(folder / "small.in", folder / "small.txt", python=HERE, command="none")
    (folder / "wrong.txt").write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "home")


def test_a_child_runs_in_the_environment_of_the_lock(locks: Path, workspace: Workspace) -> None:
    python = toolchain.python("small", workspace, minors=[HERE], locks=locks)
    asked = {"module_name": "six"}
    found = worker.call(
        "importlib.util:find_spec", {"name": "pytest"}, who="it", python=str(python), path=[]
    )
    assert found is None
    text = worker.call(
        "importlib.metadata:version",
        {"distribution_name": asked["module_name"]},
        who="it",
        python=str(python),
        path=[],
    )
    assert text == "1.17.0"


def test_it_is_made_once_and_without_what_nobody_needs(locks: Path, workspace: Workspace) -> None:
    def made() -> Path:
        return toolchain.python(
            "small", workspace, minors=[HERE], without=["six-1.17.0.dist-info"], locks=locks
        )

    python = made()
    before = python.parent.stat().st_mtime_ns
    assert made() == python
    assert python.parent.stat().st_mtime_ns == before
    packages = next((python.parents[1] / "lib").glob("python*/site-packages"))
    assert (packages / "six.py").is_file()
    assert not (packages / "six-1.17.0.dist-info").exists()


def test_a_file_with_another_hash_leaves_no_environment(locks: Path, workspace: Workspace) -> None:
    with pytest.raises(ToolMissing, match=r"(?i)hash mismatch") as missing:
        toolchain.python("wrong", workspace, minors=[HERE], locks=locks)
    assert "UV_DEFAULT_INDEX" in missing.value.hint
    assert not list(workspace.root.glob("cache/toolchain/*"))
    assert not list(workspace.root.glob("scratch/*"))


def test_no_python_of_a_wanted_version_says_which_to_install(
    locks: Path, workspace: Workspace
) -> None:
    with pytest.raises(ToolMissing, match=r"needs Python 3\.99") as missing:
        toolchain.python("small", workspace, minors=["3.99"], locks=locks)
    assert "uv python install 3.99" in missing.value.hint


def test_a_lock_of_the_project_names_every_file_by_its_hash() -> None:
    for name in ("tfjs",):
        lock = (toolchain.LOCKS / f"{name}.txt").read_text()
        pinned = [line for line in lock.splitlines() if "==" in line and line[0] != "#"]
        assert pinned
        assert lock.count("--hash=sha256:") >= len(pinned)
        wanted = (toolchain.LOCKS / f"{name}.in").read_text().splitlines()
        for line in (line for line in wanted if "==" in line):
            assert any(pin.startswith(line) for pin in pinned), line
