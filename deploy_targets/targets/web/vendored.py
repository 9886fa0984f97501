"""What of npm's packages a step needs beside our own code: decoders, for the sites that use them.

In: the operations of a plan. Out: files by the place that each gets among our modules, and terms.
web/vendored.json says which; to add one, add a line there, its package to web/package.json, and
the text of its licence where the package has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy_targets.integrations import npm
from deploy_targets.resources import resource
from deploy_targets.workspace import Workspace

FOLDER = "vendor"


@dataclass(frozen=True)
class Vendored:
    """Files by their place among our modules, versions and licences by package."""

    files: Mapping[str, Path] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    licences: Mapping[str, Path] = field(default_factory=dict)


def needed(operations: Iterable[str], workspace: Workspace) -> Vendored:
    """What these operations need. Raises ToolMissing where it cannot be fetched."""
    known = json.loads(resource("web", "vendored.json").read_bytes())
    lock = resource("web", "package-lock.json")
    files: dict[str, Path] = {}
    tools: dict[str, str] = {}
    licences: dict[str, Path] = {}
    for operation in sorted(set(operations) & set(known)):
        for place, (package, path) in sorted(known[operation].items()):
            version = npm.version_of(package, lock)
            home = npm.package(package, lock, workspace)
            files[f"{FOLDER}/{place}"] = home / path
            tools[package] = version
            licences[f"{package} {version}"] = _licence(package, home)
    return Vendored(files, tools, licences)


def _licence(package: str, home: Path) -> Path:
    """The package's own text; ours of its terms where it has none."""
    own = home / "LICENSE"
    name = package.rpartition("/")[2]
    return own if own.is_file() else resource("templates", "web", "licences", f"{name}.txt")
