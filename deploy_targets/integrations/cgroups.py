"""Limits on the memory and CPU that a process and its children may use together.

In come the limits; out goes `Limits`, which starts a command under them and says in plain words
what could not be limited. cgroups (version 1 or 2) are used where this user may make them, inside
the group that the caller itself is in; RLIMIT_DATA stands in for memory where not. The groups are
removed when the `with` block ends, after what is left in them was killed.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PERIOD_US = 20_000
"""CPU time is dealt out per period of this many microseconds."""
_PREFIX = "deploy-target-"


@dataclass(frozen=True)
class Limits:
    """Limits that are in force for whatever `command` starts."""

    groups: Mapping[str, Path]
    """Controller -> the group's folder; one folder may serve both."""
    data_bytes: int | None
    """RLIMIT_DATA per process, where memory has no group."""
    notes: tuple[str, ...]

    def command(self, program: Sequence[str]) -> list[str]:
        """The command line that enters the groups and then becomes `program`."""
        enter = [_enter(folder) for folder in sorted(set(self.groups.values()))]
        if self.data_bytes is not None:
            enter.append(f"ulimit -d {self.data_bytes // 1024}")
        return ["/bin/sh", "-c", " && ".join([*enter, 'exec "$@"']), "sh", *program]

    def kills_for_memory(self) -> int | None:
        """How many processes the kernel killed for their memory; None where it does not count."""
        for name in ("memory.oom_control", "memory.events"):
            with suppress(KeyError, OSError):
                text = (self.groups["memory"] / name).read_text()
                if counted := re.search(r"^oom_kill (\d+)$", text, re.MULTILINE):
                    return int(counted[1])
        return None


@contextmanager
def limited(memory_bytes: int | None, cpus: float | None) -> Iterator[Limits]:
    """Makes the groups, and removes them however the block ends. None: no limit."""
    groups: dict[str, Path] = {}
    name = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        for controller, settings in _settings(memory_bytes, cpus).items():
            if folder := _make(controller, settings, name):
                groups[controller] = folder
        without_group = memory_bytes is not None and "memory" not in groups
        yield Limits(
            groups=groups,
            data_bytes=memory_bytes if without_group else None,
            notes=tuple(_notes(groups, memory_bytes, cpus)),
        )
    finally:
        for folder in set(groups.values()):
            _remove(folder)


def _notes(groups: Mapping[str, Path], memory: int | None, cpus: float | None) -> Iterator[str]:
    if memory is not None and "memory" not in groups:
        yield (
            f"no memory cgroup could be made: each process alone is held to {memory >> 20} MB of "
            "private memory (RLIMIT_DATA), not all of them together"
        )
    if cpus is not None and "cpu" not in groups:
        yield (
            f"CPU could not be limited to {cpus:.2f} cores: no cpu cgroup could be made, "
            f"and {os.cpu_count()} cores were free to use"
        )


def _settings(
    memory: int | None, cpus: float | None
) -> Mapping[str, tuple[Mapping[str, str], ...]]:
    """Controller -> what is written in version 1, in version 2; the first file must exist."""
    wanted: dict[str, tuple[Mapping[str, str], ...]] = {}
    if memory is not None:
        size = str(memory)
        wanted["memory"] = (
            {"memory.limit_in_bytes": size, "memory.memsw.limit_in_bytes": size},
            {"memory.max": size, "memory.swap.max": "0"},
        )
    if cpus is not None:
        quota, period = str(max(1000, round(cpus * PERIOD_US))), str(PERIOD_US)
        wanted["cpu"] = (
            {"cpu.cfs_period_us": period, "cpu.cfs_quota_us": quota},
            {"cpu.max": f"{quota} {period}"},
        )
    return wanted


def _make(controller: str, versions: Sequence[Mapping[str, str]], name: str) -> Path | None:
    for parent in _parents(controller):
        folder = parent / name
        before = folder.exists()  # in version 2, another controller's is this one's too
        with suppress(OSError):
            _sweep(parent)
            folder.mkdir(exist_ok=True)
            if any(_apply(folder, settings) for settings in versions) and _can_enter(folder):
                return folder
        if not before:
            with suppress(OSError):
                folder.rmdir()
    return None


def _can_enter(folder: Path) -> bool:
    # A delegated group may be ours to make, and the way into it closed.
    return (
        subprocess.run(["/bin/sh", "-c", _enter(folder)], stderr=subprocess.DEVNULL).returncode == 0
    )


def _enter(folder: Path) -> str:
    return f'echo $$ > "{folder}/cgroup.procs"'


def _apply(folder: Path, settings: Mapping[str, str]) -> bool:
    present = {file: value for file, value in settings.items() if (folder / file).exists()}
    for file, value in present.items():
        (folder / file).write_text(value)
    return next(iter(settings)) in present


def _parents(controller: str, proc: Path = Path("/proc/self")) -> Iterator[Path]:
    """Groups in which a child may be made, nearest first: our own group, then those around it."""
    with suppress(OSError):
        own = _own_groups((proc / "cgroup").read_text())
        for line in (proc / "mountinfo").read_text().splitlines():
            before, _, after = line.partition(" - ")
            kind, _, options = after.split(" ", 2)
            root, mounted = before.split(" ")[3:5]
            if kind == "cgroup" and controller in options.split(","):
                yield _within(mounted, root, own.get(controller, "/"))
            elif kind == "cgroup2" and "" in own:
                here = _within(mounted, root, own[""])
                yield from (
                    folder
                    for folder in (here, *here.parents)
                    if folder.is_relative_to(mounted) and _hands_down(folder, controller)
                )


def _own_groups(text: str) -> dict[str, str]:
    """Controller -> our group's path, from /proc/self/cgroup; version 2 goes by ""."""
    lines = (line.split(":", 2) for line in text.splitlines())
    return {name: path for _, names, path in lines for name in names.split(",")}


def _within(mounted: str, root: str, group: str) -> Path:
    # In a container the mount shows only the part of the tree that lies below `root`.
    path = Path(group)
    inner = path.relative_to(root) if path.is_relative_to(root) else Path()
    return Path(mounted) / str(inner).lstrip("/")


def _hands_down(folder: Path, controller: str) -> bool:
    try:
        return controller in (folder / "cgroup.subtree_control").read_text().split()
    except OSError:
        return False


def _remove(folder: Path) -> None:
    # A killed process leaves its group a moment after it is gone from everywhere else.
    for _ in range(100):
        with suppress(OSError):
            for pid in (folder / "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        with suppress(OSError):
            folder.rmdir()
        if not folder.exists():
            return
        time.sleep(0.05)


def _sweep(parent: Path) -> None:
    """Removes groups whose maker was killed before it could do so itself."""
    for folder in parent.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            with suppress(OSError):
                folder.rmdir()
