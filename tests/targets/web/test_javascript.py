"""What the JavaScript says of itself: its own tests in Node.js, and the strictest TypeScript."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy_targets.integrations import node, npm
from deploy_targets.stages import host
from deploy_targets.targets.web import vendored
from deploy_targets.workspace import Workspace

WEB = Path(__file__).parents[3] / "web"
TYPES: dict[str, tuple[str, ...]] = {
    "@types/node": (),
    "undici-types": (),
    "onnxruntime-web": ("types.d.ts",),
    "onnxruntime-common": (),
}
"""Package -> the files that are needed of it, where not all are."""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """web/ with the types that npm would install."""
    web = tmp_path_factory.mktemp("javascript") / "web"
    shutil.copytree(WEB, web, ignore=shutil.ignore_patterns("node_modules"))
    for name, only in TYPES.items():
        home = npm.package(name, WEB / "package-lock.json", Workspace(), only)
        shutil.copytree(home, web / "node_modules" / name)
    return web


def test_its_own_tests_pass(copied: Path, tmp_path: Path) -> None:
    web = tmp_path / "web"
    shutil.copytree(copied, web)
    for place, file in vendored.needed(host.BEFORE, Workspace()).files.items():
        (web / "src" / place).parent.mkdir(parents=True)
        shutil.copyfile(file, web / "src" / place)
    files = sorted(map(str, (web / "tests").rglob("*.test.mjs")))
    assert len(files) > 10
    ran = run(web, "--test", *files)
    assert ran.returncode == 0, ran.stdout[-4000:]


@pytest.mark.parametrize("project", [".", "tools"])
def test_typescript_finds_nothing(copied: Path, project: str) -> None:
    ran = run(copied, compiler(), "-p", project)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_typescript_finds_what_is_wrong(copied: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / "web"
    shutil.copytree(copied, spoilt)
    file = spoilt / "src" / "ladder.mjs"
    file.write_text(f"{file.read_text()}\nexport const wrong = 'text' * 2;\n")
    ran = run(spoilt, compiler(), "-p", ".")
    assert "src/ladder.mjs" in ran.stdout
    assert ran.returncode != 0


def compiler() -> str:
    return str(npm.package("typescript", WEB / "package-lock.json", Workspace()) / "bin" / "tsc")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [node.find(), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
