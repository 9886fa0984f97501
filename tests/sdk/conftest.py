"""The SDK as it lies in a bundle, compiled for this machine and for an emulated ARM."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnxruntime
import pytest

from deploy_targets.integrations import cpp, qemu, wheels
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

SDK = Path(__file__).parents[2] / "sdk"
LOCK = Path(__file__).parent / "onnxruntime.txt"
PACKAGES = ("libonnxruntime-dev", "libjpeg62-turbo-dev", "zlib1g-dev")
"""Of Debian for ARM: ONNX Runtime's header, and what else the SDK is linked against. The library is
a wheel's, for Debian's own has instructions that older processors lack."""
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wno-sign-conversion", "-Werror")
INNER = ("-Iinner", "-Iinner/src")
"""Where the tests' own program finds what is no part of the SDK's interface."""
LIBRARIES = ("-ljpeg", "-lz", "-pthread")
PROGRAMS = {
    "answers": ("inner/answers.cpp", cpp.SOURCE),
    "deploy_target_run": ("deploy_target_run.cpp", cpp.SOURCE),
}
PLATFORM = "aarch64-manylinux_2_28"
CPU = "cortex-a57"
"""The oldest that a Jetson has."""


@dataclass(frozen=True)
class Programs:
    """Compiled programs, and how they are run on this machine."""

    folder: Path
    before: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(
        self, name: str, *arguments: object, seconds: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """What a program said and how it ended."""
        command = [*self.before, str(self.folder / name), *map(str, arguments)]
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, env=environment
        )


@pytest.fixture(scope="session")
def files() -> dict[str, str]:
    """The two files of the SDK, its program, and beside them what the tests look into."""
    inner = {
        f"inner/{path.relative_to(home).as_posix()}": path.read_text()
        for home in (SDK / "include", SDK)
        for path in home.rglob("*.hpp")
        if home == SDK / "include" or path.parent == SDK / "src"
    }
    return {
        **cpp.amalgamated(SDK),
        **inner,
        "inner/answers.cpp": (SDK / "tests" / "answers.cpp").read_text(),
        "deploy_target_run.cpp": (SDK / "programs" / "deploy_target_run.cpp").read_text(),
    }


@pytest.fixture(scope="session")
def arm_root() -> Path:
    if sys.platform != "linux":
        pytest.skip("QEMU emulates single programs on Linux only")
    return qemu.rootfs(PACKAGES, cpp.SUITE, Workspace())


@pytest.fixture(scope="session")
def header(arm_root: Path) -> str:
    """ONNX Runtime's, which is the same for every machine."""
    return f"-I{arm_root.resolve() / 'usr/include/onnxruntime'}"


@pytest.fixture(scope="session")
def here(files: dict[str, str], header: str, tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """For this machine, with the ONNX Runtime of this Python."""
    library = _library(Path(onnxruntime.__file__).parent)
    folder = cpp.built(
        files,
        PROGRAMS,
        cpp.gxx(),
        Workspace(),
        compile=("-O1", *WARNINGS, *INNER, header),
        link=(str(library), *LIBRARIES),
    )
    return Programs(folder, (), _found(library, tmp_path_factory.mktemp("library")))


@pytest.fixture(scope="session")
def arm(
    files: dict[str, str],
    header: str,
    arm_root: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Programs:
    """For ARM, emulated."""
    emulator, workspace = qemu.find(), Workspace()
    packages = workspace.cached(
        "packages", digest_of("sdk", digest_of_file(LOCK), PLATFORM), lambda home: _install(home)
    )
    library = _library(packages.resolve() / "onnxruntime")
    folder = cpp.built(
        files,
        PROGRAMS,
        cpp.within(cpp.cross(workspace), arm_root),
        workspace,
        compile=("-O1", *INNER, header),
        link=(str(library), *LIBRARIES),
    )
    prefix = qemu.prefix(arm_root.resolve(), CPU, tmp_path_factory.mktemp("arm") / "links")
    named = _found(library, tmp_path_factory.mktemp("library"))
    return Programs(folder, tuple(emulator.command(CPU, [], prefix=prefix)), named)


def _install(home: Path) -> None:
    wheels.install(LOCK, home, platform=PLATFORM, python="3.12")


def _library(package: Path) -> Path:
    (library,) = (package / "capi").glob("libonnxruntime.so.*.*")
    return library


def _found(library: Path, folder: Path) -> dict[str, str]:
    """Programs ask for the library by a name that a wheel has not."""
    (folder / "libonnxruntime.so.1").symlink_to(library)
    return {"LD_LIBRARY_PATH": str(folder)}
