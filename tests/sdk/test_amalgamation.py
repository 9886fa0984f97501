"""The SDK as it lies in a bundle: one header and one source, and what builds them on the device."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import onnxruntime
import pytest

from deploy_targets.integrations import cpp

from .conftest import SDK

TOO_NEW = ("filesystem", "charconv", "execution", "memory_resource", "span", "bit", "format")
"""Headers that GCC 7, the newest of JetPack 4, has not, or not in the namespace std."""
INCLUDE = re.compile(r'^#include [<"]([^>"]+)[>"]', re.MULTILINE)
LONGEST = 300


def test_there_is_one_header_and_one_source_that_need_no_other_of_ours() -> None:
    made = cpp.amalgamated(SDK)
    assert set(made) == {"deploy_target.hpp", "deploy_target.cpp"}
    own = {path.name for path in SDK.rglob("*.hpp")} - {"deploy_target.hpp"}
    for name, text in made.items():
        assert not {Path(one).name for one in INCLUDE.findall(text)} & own, name
        assert text.count("#ifndef DEPLOY_TARGET_HPP") == (name == "deploy_target.hpp")
    assert made["deploy_target.cpp"].startswith('#include "deploy_target.hpp"\n')
    for source in (SDK / "src").glob("*.cpp"):
        body = source.read_text().rpartition("#include ")[2].partition("\n")[2].strip()
        assert body in made["deploy_target.cpp"], source.name


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    shutil.copytree(SDK, tmp_path / "elsewhere")
    assert cpp.amalgamated(tmp_path / "elsewhere") == cpp.amalgamated(SDK)


def test_no_header_is_newer_than_the_oldest_jetpacks_compiler() -> None:
    for text in (*cpp.amalgamated(SDK).values(), *_programs()):
        found = INCLUDE.findall(text)
        assert found
        assert not set(found) & set(TOO_NEW)


def test_no_file_grows_past_reading() -> None:
    files = [path for kind in ("*.cpp", "*.hpp") for path in SDK.rglob(kind)]
    long = {path.name: count for path in files if (count := len(_lines(path))) > LONGEST}
    assert files
    assert long == {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`sdk/` of a bundle."""
    if shutil.which("cmake") is None:
        pytest.skip("cmake was not found")
    made = tmp_path / "sdk"
    made.mkdir()
    for name, text in cpp.amalgamated(SDK).items():
        (made / name).write_text(text)
    for name in ("CMakeLists.txt", "programs/deploy_target_run.cpp"):
        shutil.copy(SDK / name, made)
    return made


def test_cmake_finds_what_it_was_shown(folder: Path, header: str, tmp_path: Path) -> None:
    root = tmp_path / "onnxruntime"
    (root / "lib").mkdir(parents=True)
    (root / "include").symlink_to(header.removeprefix("-I"))
    (library,) = (Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*.*")
    (root / "lib" / "libonnxruntime.so").symlink_to(library)
    ran = _cmake(folder, f"-DONNXRUNTIME_ROOT={root}")
    assert ran.returncode == 0, ran.stderr
    assert (folder / "build" / "Makefile").is_file()


def test_cmake_says_what_to_do_without_onnx_runtime(folder: Path) -> None:
    ran = _cmake(folder)
    assert ran.returncode != 0
    assert "-DONNXRUNTIME_ROOT=FOLDER" in ran.stderr
    assert _cmake(folder, "-DDEPLOY_TARGET_ONNXRUNTIME=OFF").returncode == 0


def _cmake(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["cmake", "-S", str(folder), "-B", str(folder / "build"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def _programs() -> list[str]:
    return [path.read_text() for path in sorted((SDK / "programs").glob("*.cpp"))]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()
