"""Names with a hash of the contents, so that a browser may keep what they name for ever.

In: files. Out: copies in the bundle's folder, and the paths that they got there.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy_targets.workspace import digest_of, digest_of_file

LENGTH = 12
"""Hexadecimal digits of a SHA-256 in a name."""


def asset(folder: Path, source: Path, stem: str) -> str:
    """Copies a file to assets/STEM.HEX.SUFFIX; returns that path."""
    name = f"assets/{stem}.{digest_of_file(source)[:LENGTH]}{source.suffix}"
    (folder / "assets").mkdir(exist_ok=True)
    shutil.copyfile(source, folder / name)
    return name


def together(folder: Path, stem: str, files: Mapping[str, Path]) -> str:
    """Copies files that refer to each other by relative URL to STEM.HEX/; returns that folder.

    `files`: the path within it -> the file.
    """
    parts = [[name, digest_of_file(path)] for name, path in sorted(files.items())]
    home = f"{stem}.{digest_of(parts)[:LENGTH]}"
    for name, path in files.items():
        (folder / home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / home / name)
    return home
