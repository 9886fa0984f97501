"""The Python that a function runs on in its sandbox: this machine's, or an emulated one.

In come a version and an architecture; out goes a `System`: the interpreter and its standard library
for /var/lang, and the shared libraries that they need. What else this machine has installed is left
out, packages in site-packages first of all: the function must bring what it imports.
"""

from __future__ import annotations

import functools
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy_targets.errors import NotRun, ToolMissing
from deploy_targets.integrations import interpreters, lambda_runtime, qemu
from deploy_targets.workspace import Workspace, digest_of

LANG = "/var/lang"
"""Where AWS has its Python."""
GRAVITON = "neoverse-n1"
"""The processor of Lambda's arm64 (Graviton2), in QEMU's words."""
DEBIAN = {"3.11": "bookworm", "3.13": "trixie"}
"""Python version -> the release of Debian that has it for arm64."""
_AMAZON_LINUX = "Amazon Linux 2023's (glibc 2.34)"
_QEMU = "/var/rapid/qemu-aarch64"
_PACKAGE_FOLDERS = ("site-packages", "dist-packages")
# What every Linux has beside libc, Amazon's too, and wheels take for granted.
_BESIDE_LIBC = (
    *("libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1", "libresolv.so.2"),
    *("libnss_files.so.2", "libnss_dns.so.2", "libgcc_s.so.1", "libstdc++.so.6"),
    "libmvec.so.1",
)


@dataclass(frozen=True)
class System:
    """A Python, where its parts lie, and how it is run."""

    files: Mapping[str, Path]
    links: Mapping[str, str]
    hidden: tuple[str, ...]
    command: tuple[str, ...]
    where: str
    emulated: bool
    note: str


def system(python: str, arch: str, workspace: Workspace, folder: Path) -> System:
    """Puts it together; `folder` holds its small files while it runs.

    Raises ToolMissing or NotRun where this machine cannot run such a Python.
    """
    here = this_architecture()
    if arch == here:
        return _native(python, arch)
    if (arch, here) == ("arm64", "x86_64") and python in DEBIAN:
        return _emulated(python, workspace, folder)
    raise NotRun(
        f"a function for Python {python} on {arch} cannot be run on this {here} machine",
        hint=f"arm64 is emulated on x86_64 for Python {' and '.join(DEBIAN)}; choose one of those, "
        f"or verify on a machine that is {arch}",
    )


def checkable(arch: str, pythons: Iterable[str]) -> list[str]:
    """Those of these Python versions that a function of this architecture can be run on here."""
    return [python for python in pythons if arch == this_architecture() or python in DEBIAN]


def this_architecture() -> str:
    """This machine's, in AWS's words."""
    return "x86_64" if platform.machine().lower() in ("x86_64", "amd64") else "arm64"


def _native(python: str, arch: str) -> System:
    interpreter = interpreters.find(python)
    if interpreter is None:
        raise ToolMissing(
            f"Python {python} was not found, and the function is to run on it",
            hint=f"install it (uv python install {python}, or pyenv install {python})",
        )
    program, stdlib = f"{LANG}/bin/python{python}", f"{LANG}/lib/python{python}"
    packages = (name for name in _PACKAGE_FOLDERS if (interpreter.stdlib / name).is_dir())
    libraries = _libraries(interpreter)
    return System(
        files={**libraries, program: interpreter.executable, stdlib: interpreter.stdlib},
        links={},
        hidden=tuple(f"{stdlib}/{name}" for name in packages),
        command=(program,),
        where=f"Python {interpreter.version}, {arch}",
        emulated=False,
        note=f"the C library is this machine's ({' '.join(platform.libc_ver())}), "
        f"not {_AMAZON_LINUX}",
    )


def _emulated(python: str, workspace: Workspace, folder: Path) -> System:
    emulator = qemu.find()
    name = f"python{python}"
    packages = (f"{name}-minimal", f"lib{name}-stdlib", "libstdc++6")
    root = qemu.rootfs(packages, DEBIAN[python], workspace)
    cpuinfo = folder / "cpuinfo"
    cpuinfo.write_text(qemu.cpuinfo(GRAVITON))
    patch, libc = (qemu.package_version(root, each) for each in (packages[0], "libc6"))
    program = f"{LANG}/bin/{name}"
    return System(
        files={
            "/usr/lib": root / "usr/lib",
            "/proc/cpuinfo": cpuinfo,
            _QEMU: emulator.path,
            program: root / "usr/bin" / name,
            f"{LANG}/lib/{name}": _compiled_stdlib(root, python, workspace),
        },
        links={"/lib": "usr/lib"},
        hidden=(),
        command=tuple(emulator.command(GRAVITON, [program], at=_QEMU)),
        where=f"Python {patch.partition('-')[0]}, arm64 emulated by qemu-aarch64 "
        f"{emulator.version} as {GRAVITON}",
        emulated=True,
        note="the processor is emulated: neither its time nor its cores are limited, and times "
        "mean nothing; the function cannot start other programs; "
        f"the C library is Debian's (glibc {libc.partition('-')[0]}), not {_AMAZON_LINUX}",
    )


def _compiled_stdlib(root: Path, python: str, workspace: Workspace) -> Path:
    """Debian compiles its Python where it is installed, and ours is only unpacked."""
    stdlib = root / "usr/lib" / f"python{python}"
    compiler = interpreters.find(python)
    if compiler is None:
        return stdlib  # it works, and each start takes some seconds more

    def make(folder: Path) -> None:
        copy = shutil.copytree(stdlib, folder / stdlib.name, symlinks=True)
        lambda_runtime.compile_for(compiler, copy, seen_as=f"{LANG}/lib/{stdlib.name}")

    key = digest_of(root.name, python)[:16]
    return workspace.cached("lambda-python-arm64", key, make) / stdlib.name


@functools.lru_cache
def _libraries(interpreter: interpreters.Interpreter) -> Mapping[str, Path]:
    """Path inside -> path here, of the shared libraries that this Python and its modules need."""
    found = _loaded_by(interpreter)
    libc = next(path for path in found if path.name.startswith("libc.so"))
    found |= {path for name in _BESIDE_LIBC if (path := libc.parent / name).exists()}
    own = interpreter.base_prefix

    def inside(path: Path) -> str:
        # Its own libraries move with it; the system's stay where the loader looks for them.
        moves = own != Path("/usr") and path.is_relative_to(own)
        return f"{LANG}/lib/{path.name}" if moves else str(path)

    return {inside(path): path.resolve() for path in sorted(found)}


def _loaded_by(interpreter: interpreters.Interpreter) -> set[Path]:
    """Asks the loader, in one go, what it would load for Python and all of its modules."""
    modules = {
        module
        for module in (interpreter.stdlib / "lib-dynload").glob("*.so")
        if not module.name.startswith("_tkinter")  # wants half of X11; Lambda's Python has none
    }
    # As ldd does it, but with all modules in one process.
    asked = {"LD_TRACE_LOADED_OBJECTS": "1", "LD_PRELOAD": ":".join(map(str, modules))}
    ran = subprocess.run(
        [interpreter.executable], env={**os.environ, **asked}, capture_output=True, text=True
    )
    paths = re.findall(r"^\s+(?:\S+ => )?(/.+?) \(0x", ran.stdout, re.MULTILINE)
    return {Path(path) for path in paths} - modules
