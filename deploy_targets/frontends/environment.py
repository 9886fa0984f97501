"""What is installed: Python, and every package on sys.path, without importing any.

A reinstalled package is noticed even under an old version number: its RECORD lists the hashes of
its files. A file edited in place inside site-packages is not noticed.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy_targets.workspace import digest_of

_LISTS = ("RECORD", "METADATA", "PKG-INFO")


def environment() -> str:
    """SHA-256 over Python's version, the machine, and what every package says of itself."""
    packages = sorted(_packages())
    return digest_of(sys.version, platform.machine(), sys.platform, packages)


def _packages() -> Iterator[tuple[str, str]]:
    for folder in dict.fromkeys(sys.path):
        home = Path(folder)
        if not home.is_dir():
            continue
        for entry in home.iterdir():
            if entry.suffix in (".dist-info", ".egg-info", ".pth", ".egg-link"):
                files = [entry] if entry.is_file() else [entry / name for name in _LISTS]
                contents = [file.read_bytes() for file in files if file.is_file()]
                yield entry.name, digest_of(*contents)
