"""Watches what is read while a user's model is loaded: modules, files, folders.

In: nothing. Out: an `Observed`, filled while the `with` lasts. The user's own modules are imported
afresh from their source, past any bytecode cache: what is noted is the very text that runs, even
where a file changed within one tick of the clock. Modules of installed packages are left as they
are; their versions speak for them (`environment.py`).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import linecache
import os
import site
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_IMPORTERS = ("<frozen importlib._bootstrap_external>", os.path.dirname(importlib.__file__))
_PACKAGE = __name__.partition(".")[0]
_watching: list[Observed] = []
_hooked: list[bool] = []


@dataclass
class Observed:
    """What was read, by absolute path. Grows while it is watched."""

    modules: dict[str, str] = field(default_factory=dict)
    """Module -> SHA-256 of the source that was run, for modules that are no installed package's."""
    code: set[str] = field(default_factory=set)
    """The files of those modules."""
    files: set[str] = field(default_factory=set)
    """Files opened for reading, whether or not they existed."""
    folders: set[str] = field(default_factory=set)
    """Folders whose contents were listed."""

    def note(self, module: str, file: str, source: bytes) -> None:
        """A module of the user's, and the text that was run."""
        self.modules[module] = hashlib.sha256(source).hexdigest()
        self.code.add(os.path.abspath(file))


@contextmanager
def observing(folder: Path | None = None) -> Iterator[Observed]:
    """Watches; meanwhile modules lying in `folder` can be imported by their plain names."""
    observed, finder = Observed(), _Finder()
    finder.observed = observed
    aside = _set_aside()
    _hook()
    path = [str(folder)] if folder else []
    sys.path[:0] = path
    sys.meta_path.insert(0, finder)
    _watching.append(observed)
    try:
        yield observed
    finally:
        _watching.remove(observed)
        sys.meta_path.remove(finder)
        for entry in path:
            with contextlib.suppress(ValueError):
                sys.path.remove(entry)
        _put_back(aside)


def is_installed(path: str) -> bool:
    """Whether a file belongs to Python, to an installed package or to this program."""
    return os.path.realpath(path).startswith(_installed())


def is_standard(path: str) -> bool:
    """Whether a file belongs to Python itself."""
    real = os.path.realpath(path)
    return real.startswith(_standard()) and "site-packages" not in real


@functools.cache
def _standard() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple(os.path.realpath(paths[key]) + os.sep for key in ("stdlib", "platstdlib"))


@functools.cache
def _installed() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    roots = {paths["purelib"], paths["platlib"], site.getusersitepackages()}
    roots |= {*site.getsitepackages(), str(Path(__file__).parents[1])}
    return (*_standard(), *(os.path.realpath(root) + os.sep for root in roots))


class _Finder:
    """Finds what the other finders find; gives the user's own modules a loader that is ours."""

    observed: Observed

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        others = [finder for finder in sys.meta_path if finder is not self]
        specs = (finder.find_spec(name, path, target) for finder in others)
        found = next((spec for spec in specs if spec is not None), None)
        if found is None or not found.has_location or is_installed(found.origin or ""):
            return found
        if type(found.loader) is SourceFileLoader:
            found.loader = FreshSource(found.loader.name, found.loader.path, self.observed)
        else:
            # An extension module, for example: its bytes are its code.
            self.observed.files.add(os.path.abspath(found.origin or ""))
        return found


class FreshSource(SourceFileLoader):
    """Compiles a module from its source, never from __pycache__, and notes what it compiled."""

    def __init__(self, name: str, path: str, observed: Observed) -> None:
        super().__init__(name, path)
        self._observed = observed

    def get_code(self, fullname: str) -> CodeType:
        raw = self.get_data(self.path)
        self._observed.note(fullname, self.path, raw)
        return self.source_to_code(raw, self.path)


def _set_aside() -> dict[str, ModuleType]:
    """Forgets the user's modules of an earlier load, which may be stale or another model's."""
    aside = {
        name: module
        for name, module in list(sys.modules.items())
        if type(getattr(module, "__loader__", None)) in (SourceFileLoader, FreshSource)
        and name.partition(".")[0] not in ("__main__", _PACKAGE)
        and not is_installed(getattr(module, "__file__", None) or sys.executable)
    }
    for name in aside:
        del sys.modules[name]
    importlib.invalidate_caches()
    linecache.checkcache()
    return aside


def _put_back(aside: dict[str, ModuleType]) -> None:
    """Gives back what the load did not need; never a part of a package that it imported anew."""
    anew = {name.partition(".")[0] for name in aside if name in sys.modules}
    for name, module in aside.items():
        if name.partition(".")[0] not in anew:
            sys.modules[name] = module


def _hook() -> None:
    # An audit hook cannot be taken away again, so one is set, once, that is idle when unwatched.
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_note)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching or event not in ("open", "os.listdir", "os.scandir"):
        return
    place = os.getcwd() if arguments[0] is None else arguments[0]
    if isinstance(place, int) or (event == "open" and not _reads(*arguments[1:3])):
        return
    # The importer lists folders too; which modules lie where is witnessed by itself.
    if event != "open" and sys._getframe(1).f_code.co_filename.startswith(_IMPORTERS):
        return
    absolute = os.path.abspath(os.fsdecode(place))
    for observed in _watching:
        (observed.files if event == "open" else observed.folders).add(absolute)


def _reads(mode: str | None, flags: int) -> bool:
    if mode is not None:
        return "r" in mode or "+" in mode
    return flags & (os.O_WRONLY | os.O_RDWR) != os.O_WRONLY
