"""Packages from npm's registry, as a lock names them. In: a lock and a name. Out: a folder.

npm fetches, this file checks: what came must have the hash that is in the lock, so that a bundle
holds the very bytes that were tried.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy_targets.errors import ToolMissing
from deploy_targets.integrations import node
from deploy_targets.workspace import Workspace, digest_of

TIMEOUT = 300.0
"""Seconds that a download may take."""
_SAID = re.compile(
    r"^npm (?:error|ERR!) (?!code |errno |syscall |A complete log)(.+)$", re.MULTILINE
)


@dataclass(frozen=True)
class Pinned:
    """One package in a lock."""

    name: str
    version: str
    integrity: str


def package(name: str, lock: Path, workspace: Workspace, only: Sequence[str] = ()) -> Path:
    """The unpacked package, fetched once; with `only`, of it these files and their folders alone.

    Raises ToolMissing where npm or the network is absent, or where something else came.
    """
    wanted = pinned(name, lock)
    key = digest_of(wanted.name, wanted.version, wanted.integrity, sorted(only))
    return workspace.cached("npm", key, lambda home: _fetch(home, wanted, only)) / "package"


def version_of(name: str, lock: Path) -> str:
    """The version that the lock names."""
    return pinned(name, lock).version


def pinned(name: str, lock: Path) -> Pinned:
    """What the lock says of a package. Raises KeyError where it is not in there."""
    entry: dict[str, Any] = json.loads(lock.read_bytes())["packages"][f"node_modules/{name}"]
    return Pinned(name, str(entry["version"]), str(entry["integrity"]))


def _fetch(home: Path, wanted: Pinned, only: Sequence[str]) -> None:
    archive = _downloaded(home, wanted)
    _check(archive, wanted)
    with tarfile.open(archive) as opened:
        opened.extractall(home, members=list(_members(opened, only)), filter="data")
    archive.unlink()


def _members(opened: tarfile.TarFile, only: Sequence[str]) -> Iterator[tarfile.TarInfo]:
    wanted = {"package.json", *only}
    for member in opened.getmembers():
        # Most packages lie in a folder "package", those with types alone in one of their own.
        name = member.name.partition("/")[2]
        if name in wanted or not only:
            member.name = f"package/{name}"
            yield member
            wanted.discard(name)
    if only and wanted:
        raise KeyError(f"the package has no {', '.join(sorted(wanted))}")


def _downloaded(home: Path, wanted: Pinned) -> Path:
    what = f"{wanted.name}@{wanted.version}"
    # Without a network npm would be silent for a minute, and try again.
    quick = ("--fetch-retries=1", "--loglevel=error")
    command = [node.find("npm"), "pack", what, *quick, "--pack-destination", str(home)]
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=home, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired as error:
        raise _not_fetched(what, f"it took more than {TIMEOUT:.0f} s") from error
    archives = sorted(home.glob("*.tgz"))
    if ran.returncode or len(archives) != 1:
        raise _not_fetched(what, _reason(ran.stderr))
    return archives[0]


def _reason(stderr: str) -> str:
    """What npm says of its failure, between codes and the path of its log."""
    said = _SAID.search(stderr)
    return said[1] if said else stderr.strip() or "no reason given"


def _not_fetched(what: str, why: str) -> ToolMissing:
    return ToolMissing(
        f"npm could not fetch {what}: {why}", hint="check the network and npm's registry: npm ping"
    )


def _check(archive: Path, wanted: Pinned) -> None:
    algorithm, _, expected = wanted.integrity.partition("-")
    found = base64.b64encode(hashlib.new(algorithm, archive.read_bytes()).digest()).decode()
    if found != expected:
        raise ToolMissing(
            f"{wanted.name} {wanted.version} came with another {algorithm} than the lock has",
            hint="fetch it from npm's own registry: npm config get registry",
        )
