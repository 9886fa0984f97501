"""x.br and x.gz beside every file that they make smaller: hosts send these instead of x.

In: the finished folder. Out: more files, the same bytes every time. The runtime is the same for
every model: it is compressed once, well, and kept.
"""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Iterable
from pathlib import Path

from deploy_targets.errors import ToolMissing
from deploy_targets.workspace import Workspace, digest_of

SUFFIXES = (".br", ".gz")
WORTH = 0.98
"""A copy that is not at least this much smaller is not kept."""
SMALL = 1_000_000
"""Bytes up to which the slowest setting takes less than two seconds."""


def beside(folder: Path, names: Iterable[str], workspace: Workspace) -> dict[str, str]:
    """Writes the copies; returns which file each is a copy of. Raises ToolMissing."""
    if importlib.util.find_spec("brotli") is None:
        raise ToolMissing(
            "files are compressed with brotli, which is not installed",
            hint="pip install 'deploy-targets[web]', or set precompress = false",
        )
    found: dict[str, str] = {}
    for name in sorted(names):
        source = folder / name
        # A runtime is worth ten seconds, once; a model changes with every training.
        lasting = source.suffix == ".wasm"
        made = _kept(source, workspace) if lasting else _compressed(source.read_bytes(), lasting)
        for suffix, data in made.items():
            if len(data) <= WORTH * source.stat().st_size:
                (folder / f"{name}{suffix}").write_bytes(data)
                found[f"{name}{suffix}"] = name
    return found


def _kept(source: Path, workspace: Workspace) -> dict[str, bytes]:
    data = source.read_bytes()

    def make(home: Path) -> None:
        for suffix, less in _compressed(data, lasting=True).items():
            (home / f"file{suffix}").write_bytes(less)

    home = workspace.cached("compressed", digest_of(_versions(), data), make)
    return {suffix: (home / f"file{suffix}").read_bytes() for suffix in SUFFIXES}


def _compressed(data: bytes, lasting: bool) -> dict[str, bytes]:
    import brotli  # type: ignore[import-untyped]

    # Of weights the best setting saves no more than the sixth (docs/web.md), in five times as long.
    best = 11 if len(data) <= SMALL else 9 if lasting else 5
    zipped = gzip.compress(data, 9 if lasting or len(data) <= SMALL else 6, mtime=0)
    return {
        ".br": bytes(brotli.compress(data, quality=best, lgwin=24 if lasting else 22)),
        ".gz": zipped,
    }


def _versions() -> list[str]:
    import zlib

    import brotli

    return [brotli.__version__, zlib.ZLIB_RUNTIME_VERSION]
