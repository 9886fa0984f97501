from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from deploy_targets.errors import ToolMissing
from deploy_targets.integrations import wheels
from deploy_targets.resources import resource

LINUX = "x86_64-manylinux_2_28"


def test_a_lock_is_made_and_installed_for_another_machine(tmp_path: Path) -> None:
    (tmp_path / "a.in").write_text("mangum==0.22.0\n")
    left_out = ("typing-extensions",)
    wheels.lock(
        tmp_path / "a.in",
        tmp_path / "a.txt",
        python="3.12",
        without=left_out,
        command="do it again",
    )
    locked = (tmp_path / "a.txt").read_text()
    assert "#    do it again" in locked
    assert str(tmp_path) not in locked
    assert re.findall(r"^(\S+)==", locked, re.MULTILINE) == ["mangum"]
    wheels.install(tmp_path / "a.txt", tmp_path / "out", platform=LINUX, python="3.13")
    assert (tmp_path / "out" / "mangum" / "__init__.py").is_file()
    assert not list((tmp_path / "out").rglob("*.pyc"))


def test_a_wheel_with_another_hash_is_not_installed(tmp_path: Path) -> None:
    lock = tmp_path / "a.txt"
    lock.write_text(f"mangum==0.22.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(ToolMissing, match=r"(?i)hash mismatch"):
        wheels.install(lock, tmp_path / "out", platform=LINUX, python="3.13")
    assert not (tmp_path / "out" / "mangum").exists()


def test_a_package_without_any_hash_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mangum==0.22.0\n")
    with pytest.raises(ToolMissing, match="--require-hashes"):
        wheels.install(tmp_path / "a.txt", tmp_path / "out", platform=LINUX, python="3.13")


def test_where_uv_is_missing_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    with pytest.raises(ToolMissing) as missing:
        wheels.install(tmp_path, tmp_path, platform=LINUX, python="3.13")
    assert "pip install" in missing.value.hint


@pytest.mark.parametrize("flavor", ["fastapi", "lean"])
def test_the_committed_locks_have_what_their_requirements_ask_for(flavor: str) -> None:
    locks = resource("templates", "lambda", "locks")
    asked = re.findall(r"^\w\S+==\S+", (locks / f"{flavor}.in").read_text(), re.MULTILINE)
    locked = (locks / f"{flavor}.txt").read_text()
    pinned = re.findall(r"^\w\S+==\S+", locked, re.MULTILINE)
    assert set(asked) <= set(pinned)
    assert locked.count("--hash=sha256:") >= len(pinned)
    assert "://" not in locked
    # ONNX Runtime asks for it, inference does not.
    assert not any(pin.startswith("protobuf==") for pin in pinned)
