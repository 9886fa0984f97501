"""A sandbox made by bubblewrap: the process inside sees what it was given, and nothing else.

In comes a `Sandbox` (what lies where, read-only; what may be written, up to which size; which
environment); out goes a command line. There is no network but loopback, no /sys, no way back to the
host's files; the user is not root; all processes inside end with the one that started them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy_targets.errors import NotRun, ToolMissing

OLDEST = (0, 8)  # --size came with 0.7, --disable-userns with 0.8
_HINT = "install it (Debian, Ubuntu: apt-get install bubblewrap; Fedora: dnf install bubblewrap)"


@dataclass(frozen=True)
class Sandbox:
    """What a sandboxed process can see. Everything is read-only but for `writable`."""

    files: Mapping[str, Path]
    """Path inside -> file or folder of the host. A later one may lie within an earlier one."""
    environment: Mapping[str, str]
    links: Mapping[str, str] = field(default_factory=dict)
    """Path inside -> what the symbolic link points to."""
    hidden: tuple[str, ...] = ()
    """Folders within `files` that are shown empty."""
    writable: Mapping[str, int] = field(default_factory=dict)
    """Path inside -> size in bytes of the memory-backed folder there."""
    workdir: str = "/"
    uid: int = 1000
    gid: int = 1000
    hostname: str = "sandbox"

    def command(self, program: Sequence[str]) -> list[str]:
        """The command line that runs `program` (a path inside, and its arguments).

        Raises ToolMissing and NotRun as `find` does.
        """
        return [str(find()), *self._isolation(), *self._files(), *self._environment(), *program]

    def _isolation(self) -> list[str]:
        return [
            *_NAMESPACES,
            *("--uid", str(self.uid), "--gid", str(self.gid), "--hostname", self.hostname),
            *("--cap-drop", "ALL", "--new-session", "--die-with-parent"),
        ]

    def _files(self) -> list[str]:
        # /proc and /dev come first, so that `files` may put something over a part of them.
        arguments = ["--proc", "/proc", "--dev", "/dev"]
        for inside, size in self.writable.items():
            arguments += ["--perms", "1777", "--size", str(size), "--tmpfs", inside]
        for inside, path in self.files.items():
            arguments += ["--ro-bind", str(path), inside]
        for inside, goal in self.links.items():
            arguments += ["--symlink", goal, inside]
        for inside in self.hidden:
            arguments += ["--size", "4096", "--tmpfs", inside, "--remount-ro", inside]
        return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", self.workdir]

    def _environment(self) -> list[str]:
        pairs = (("--setenv", name, value) for name, value in self.environment.items())
        return ["--clearenv", *(part for pair in pairs for part in pair)]


_NAMESPACES = ("--unshare-all", "--unshare-user", "--disable-userns")


def find() -> Path:
    """The bwrap program, seen to work here.

    Raises NotRun where the system is not Linux or forbids user namespaces, ToolMissing where
    bubblewrap is absent or too old.
    """
    if sys.platform != "linux":
        raise NotRun(
            f"a sandbox needs Linux; this is {sys.platform}",
            hint="run this command on Linux, or in a Linux container or virtual machine",
        )
    path = shutil.which("bwrap")
    if path is None:
        raise ToolMissing("bubblewrap (bwrap) was not found", hint=_HINT)
    if version(path) < OLDEST:
        have, want = (".".join(map(str, each)) for each in (version(path), OLDEST))
        raise ToolMissing(f"bubblewrap {have} is too old; {want} or newer is needed", hint=_HINT)
    _try(path)
    return Path(path)


def version(path: str) -> tuple[int, ...]:
    """What `bwrap --version` says: (0, 8, 0)."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(number) for number in re.findall(r"\d+", said))


def _try(path: str) -> None:
    command = [path, *_NAMESPACES, "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise NotRun(
            f"bubblewrap cannot make a sandbox here: {ran.stderr.strip()}",
            hint="allow unprivileged user namespaces (sysctl user.max_user_namespaces=15000; on "
            "Ubuntu also kernel.apparmor_restrict_unprivileged_userns=0); in a container, run it "
            "with --security-opt seccomp=unconfined --cap-add SYS_ADMIN",
        )
