"""The only door to the disk cache. Everything appears in it by a rename, whole or not at all.

What comes out of the cache is copied, never linked, so that nobody can change it from outside.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy_targets.errors import ConfigError

HOME = "DEPLOY_TARGET_HOME"
SECONDS_OF_A_DAY = 24 * 60 * 60


def digest_of(*parts: object) -> str:
    """SHA-256 of the parts in order, each either bytes or something JSON can hold."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_home() -> Path:
    """$DEPLOY_TARGET_HOME, else the user's cache folder."""
    if chosen := os.environ.get(HOME):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(cache) if cache else Path.home() / ".cache") / "deploy-target"


class Workspace:
    """A folder for what is worth keeping between builds, and for what is not."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_home()
        self._cache, self._scratch = self.root / "cache", self.root / "scratch"
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            self._scratch.mkdir(exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"the cache in {self.root} cannot be written: {error.strerror}",
                hint=f"name another folder in {HOME}",
            ) from error
        self._sweep()

    def find(self, kind: str, key: str) -> Path | None:
        """The cached folder of this key, if it was made before."""
        home = self._cache / kind / key
        return home if home.is_dir() else None

    def cached(self, kind: str, key: str, make: Callable[[Path], None]) -> Path:
        """A folder made once per key. `make` fills an empty one; if it raises, none appears."""
        home = self._cache / kind / key
        if not home.is_dir():
            with self.scratch() as parent:
                folder = parent / "made"
                folder.mkdir()
                make(folder)
                self._move_in(folder, home)
        return home

    def replace(self, kind: str, key: str, make: Callable[[Path], None]) -> Path:
        """Like `cached`, for what goes stale: what was there under this key is thrown away."""
        home = self._cache / kind / key
        with self.scratch() as parent:
            folder = parent / "made"
            folder.mkdir()
            make(folder)
            if home.is_dir():
                os.rename(home, parent / "stale")
            self._move_in(folder, home)
        return home

    def _move_in(self, folder: Path, home: Path) -> None:
        home.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(folder, home)
        except OSError:
            # Another process may have made the same thing first; then its copy serves.
            if not home.is_dir():
                raise

    def _sweep(self) -> None:
        """What a killed process left behind; nothing takes a day."""
        for folder in self._scratch.iterdir():
            with suppress(OSError):
                if time.time() - folder.stat().st_mtime > SECONDS_OF_A_DAY:
                    shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that is gone afterwards, whatever happens."""
        # Named before it is made, so that an interruption at any moment finds something to remove.
        folder = self._scratch / uuid.uuid4().hex[:12]
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
