"""AWS's own pieces, fetched once: the emulator's program, and what lies in /var/runtime.

In come a Python version and an architecture; out go paths in the workspace's cache. Versions and
hashes are those of `locks/`; to move to newer ones, run the command in a lock's first lines.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from deploy_targets.integrations import bytecode, interpreters, wheels
from deploy_targets.workspace import Workspace, digest_of_file

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The Python versions for which AWS Lambda has a runtime, and its runtime client has wheels."""
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
"""AWS's names -> the platform's."""
RUNTIME_FOLDER = "/var/runtime"
_LOCKS = Path(__file__).parent / "locks"
_EMULATOR, _CLIENT = _LOCKS / "lambda_emulator.txt", _LOCKS / "lambda_runtime.txt"


def versions() -> dict[str, str]:
    """Package -> version, of what this module fetches."""
    text = _EMULATOR.read_text() + _CLIENT.read_text()
    return dict(re.findall(r"^([\w-]+)==(\S+)", text, re.MULTILINE))


def emulator(arch: str, workspace: Workspace) -> Path:
    """The Runtime Interface Emulator as a static program for this machine's architecture.

    Raises ToolMissing where it cannot be fetched.
    """

    def make(folder: Path) -> None:
        with workspace.scratch() as scratch:
            _install(_EMULATOR, scratch, arch="x86_64", python=PYTHONS[0])
            for program in (scratch / "samcli/local/rapid").glob("aws-lambda-rie-*"):
                shutil.copy(program, folder)
            licence = next(scratch.glob("aws_sam_cli-*.dist-info/licenses/LICENSE"), None)
            if licence:
                shutil.copy(licence, folder)

    folder = workspace.cached("lambda-emulator", digest_of_file(_EMULATOR)[:16], make)
    return folder / f"aws-lambda-rie-{arch}"


def runtime_client(python: str, arch: str, workspace: Workspace) -> Path:
    """A folder with awslambdaric and what it needs, for /var/runtime, byte-compiled if possible."""
    compiler = interpreters.find(python)

    def make(folder: Path) -> None:
        _install(_CLIENT, folder, arch=arch, python=python)
        if compiler:
            compile_for(compiler, folder, seen_as=RUNTIME_FOLDER)

    form = "pyc" if compiler else "py"
    key = f"{python}-{arch}-{form}-{digest_of_file(_CLIENT)[:16]}"
    return workspace.cached("lambda-runtime", key, make)


def compile_for(compiler: interpreters.Interpreter, folder: Path, *, seen_as: str) -> None:
    """Byte-compiles a folder that will be read-only, so that each cold start need not."""
    bytecode.byte_compile(compiler, folder, seen_as=seen_as, keep_sources=True)


def _install(lock: Path, folder: Path, *, arch: str, python: str) -> None:
    platform = f"{ARCHITECTURES[arch]}-manylinux_2_28"
    wheels.install(lock, folder, platform=platform, python=python)
