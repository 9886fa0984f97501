"""Unpacking a function: the same files as in the zip, whatever was unpacked before."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy_targets.targets.aws_lambda.runner import unpacked
from deploy_targets.workspace import Workspace

PACKAGES = {"numpy/__init__.pyc": b"numpy" * 99, "numpy/core.so": b"machine code" * 99}
APP = {"app.py": b"handler", "model.onnx": b"weights", "serving/model.py": b"load"}


def zipped(path: Path, *parts: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            for name in sorted(part):
                info = zipfile.ZipInfo(name)
                info.external_attr = (0o755 if name.endswith(".so") else 0o644) << 16
                archive.writestr(info, part[name])
    return path


def read(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_packages_are_unpacked_once_for_two_models(tmp_path: Path, workspace: Workspace) -> None:
    cat = zipped(tmp_path / "cat.zip", PACKAGES, APP)
    dog = zipped(tmp_path / "dog.zip", PACKAGES, {**APP, "model.onnx": b"other weights"})
    assert read(unpacked(cat, tmp_path / "cat", workspace)) == {**PACKAGES, **APP}
    assert read(unpacked(dog, tmp_path / "dog", workspace)) == {
        **PACKAGES,
        **APP,
        "model.onnx": b"other weights",
    }
    [kept] = (workspace.root / "cache" / "lambda-unpacked").iterdir()
    assert read(kept) == PACKAGES


def test_a_changed_package_is_never_served_from_before(
    tmp_path: Path, workspace: Workspace
) -> None:
    unpacked(zipped(tmp_path / "a.zip", PACKAGES, APP), tmp_path / "a", workspace)
    changed = {**PACKAGES, "numpy/core.so": b"machine cod3" * 99}
    other = unpacked(zipped(tmp_path / "b.zip", changed, APP), tmp_path / "b", workspace)
    assert read(other) == {**changed, **APP}


def test_what_a_function_is_changed_to_stays_out_of_the_cache(
    tmp_path: Path, workspace: Workspace
) -> None:
    archive = zipped(tmp_path / "a.zip", PACKAGES, APP)
    first = unpacked(archive, tmp_path / "first", workspace)
    (first / "numpy/core.so").write_bytes(b"changed")
    assert read(unpacked(archive, tmp_path / "second", workspace)) == {**PACKAGES, **APP}


@pytest.mark.parametrize("parts", [(PACKAGES,), (APP,), (PACKAGES, APP), ()])
def test_modes_are_those_of_the_zip_and_any_zip_is_unpacked(
    tmp_path: Path, workspace: Workspace, parts: tuple[Mapping[str, bytes], ...]
) -> None:
    archive = zipped(tmp_path / "a.zip", *parts)
    for again in ("first", "second"):
        folder = unpacked(archive, tmp_path / again, workspace)
        assert read(folder) == {name: data for part in parts for name, data in part.items()}
        for path in (folder, *folder.rglob("*")):
            executable = path.is_dir() or path.suffix == ".so"
            assert path.stat().st_mode & 0o777 == (0o755 if executable else 0o644)
