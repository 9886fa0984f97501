"""Imports a package without what it needs for other things than its network."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class _Hollow(ModuleType):
    """A module of which everything may be imported and nothing be used."""

    __path__: list[str] = []  # noqa: RUF012 - modules have it so

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Hollow(f"{self.__name__}.{name}")

    def __getitem__(self, key: object) -> _Hollow:
        return self


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        hollow = name.partition(".")[0] in self._names
        return importlib.machinery.ModuleSpec(name, self) if hollow else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Hollow(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


@contextmanager
def hollow(*names: str) -> Iterator[None]:
    """Meanwhile these packages can be imported where they are not installed; nobody else sees."""
    finder = _Finder(names)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name, module in list(sys.modules.items()):
            if isinstance(module, _Hollow):
                del sys.modules[name]
