"""Swift's compiler for Linux, as Debian packs it, run in a sandbox: nothing is installed.

In comes a Swift package (a folder with Package.swift); out goes what `swift build` or `swift test`
said of it. Debian's swiftlang brings Foundation and XCTest, so the plain Swift code of the iOS
project is compiled and tested by the real compiler here; what needs Apple's own frameworks is not.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy_targets.errors import NotRun
from deploy_targets.integrations import bubblewrap, qemu
from deploy_targets.workspace import Workspace

SUITE = "trixie"
PACKAGES = ("swiftlang", "libc6-dev", "libstdc++-14-dev")
"""The compiler does not depend on the libraries that it links everything against."""

PACKAGE, BUILD = "/package", "/build"
"""Where the sandbox has the Swift package, which cannot be written, and what is made of it."""

_ENVIRONMENT = {"HOME": "/tmp", "PATH": "/usr/libexec/swift/bin:/usr/bin", "LC_ALL": "C.UTF-8"}
_MERGED = ("bin", "lib", "lib64")


@dataclass(frozen=True)
class Swift:
    """A compiler that is unpacked in a folder of its own."""

    root: Path
    version: str
    """Of Debian's package: "6.0.3-2"."""

    def run(self, program: Sequence[str], job: Job, *, seconds: float = 600.0) -> str:
        """What `program` said, errors too. Raises NotRun where it fails or takes longer."""
        command = [*self._sandbox(), *_arguments(job), "--chdir", PACKAGE, *program]
        said = " ".join(program[:2])
        try:
            ran = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as error:
            raise NotRun(
                f"{said} took longer than {seconds:g} seconds",
                hint="run it again where the machine has less else to do",
            ) from error
        if ran.returncode != 0:
            last = "\n".join(ran.stdout.strip().splitlines()[-40:])
            raise NotRun(
                f"{said} ended with {ran.returncode}:\n{last}", hint=f"look at {job.package}"
            )
        return ran.stdout

    def _sandbox(self) -> list[str]:
        alone = ["--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
        seen = ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
        seen += ["--ro-bind", str(self.root / "usr"), "/usr"]
        seen += ["--ro-bind", str(self.root / "etc"), "/etc"]
        for name in _MERGED:
            seen += ["--symlink", f"usr/{name}", f"/{name}"]
        pairs = (("--setenv", name, value) for name, value in _ENVIRONMENT.items())
        said = [part for pair in pairs for part in pair]
        return [str(bubblewrap.find()), *alone, *seen, "--clearenv", *said]


@dataclass(frozen=True)
class Job:
    """What one run may see: the package, a folder for what is made, more files by place."""

    package: Path
    build: Path
    files: Mapping[str, Path] = field(default_factory=dict)


def find(workspace: Workspace) -> Swift:
    """The compiler, which is downloaded at first: 444 MB, of which 2.4 GB are unpacked.

    Raises NotRun on another machine than Linux on x86-64, and as `qemu.rootfs` does.
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise NotRun(
            f"Debian's Swift is run on Linux on x86-64; this is {sys.platform} on "
            f"{platform.machine()}",
            hint="run `swift test` in the Swift package itself, with the compiler of your system",
        )
    root = qemu.rootfs(PACKAGES, SUITE, workspace, "amd64")
    return Swift(root, qemu.package_version(root, "swiftlang"))


def build(*arguments: str) -> list[str]:
    """The command that builds the package, its tests among it."""
    return ["swift", "build", "--build-tests", "--scratch-path", BUILD, *arguments]


def test(*arguments: str) -> list[str]:
    """The command that runs the package's tests, once they are built."""
    return ["swift", "test", "--skip-build", "--scratch-path", BUILD, *arguments]


def _arguments(job: Job) -> list[str]:
    bound = ["--ro-bind", str(job.package), PACKAGE, "--bind", str(job.build), BUILD]
    for inside, path in job.files.items():
        bound += ["--ro-bind", str(path), inside]
    return bound
