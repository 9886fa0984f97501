"""What a fitted estimator is: a digest of its state that is the same in every process, its arrays,
and the packages that its classes come from.

Pickled bytes are not always the same (the padding of a tree's nodes is whatever lay there, sets
have no order), and so the state is walked by itself: attributes by name, arrays field by field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from deploy_targets.errors import UnsupportedModel
from deploy_targets.records import Array

TIMES = frozenset({"cv_results_", "refit_time_"})
"""Attributes that hold how long something took, which is another each time it is fitted."""

DISTRIBUTIONS = {"sklearn": "scikit-learn"}
"""Where a package is not called as what it is installed by."""

DEEPEST = 200


@dataclass
class State:
    """All of an object, fed to one digest."""

    sha: Any = field(default_factory=hashlib.sha256)
    arrays: list[tuple[str, Array]] = field(default_factory=list)
    """The numbers in it, each with its place."""
    packages: set[str] = field(default_factory=set)
    """The top-level packages of its classes."""
    modules: set[str] = field(default_factory=set)
    _seen: dict[int, int] = field(default_factory=dict)
    _kept: list[object] = field(default_factory=list)

    def add(self, value: Any, place: str, depth: int = 0) -> None:
        """Any value. Raises UnsupportedModel for one that has no state that could be read."""
        if depth > DEEPEST:
            raise _unreadable(place, value)
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            self._say(f"{type(value).__name__} {value!r}")
        elif isinstance(value, np.generic):
            self._say(f"{value.dtype} {value.item()!r}")
        elif id(value) in self._seen:
            self._say(f"again {self._seen[id(value)]}")
        else:
            # Kept alive, so that no id is used twice.
            self._seen[id(value)] = len(self._seen)
            self._kept.append(value)
            self._parts(value, place, depth + 1)

    def _parts(self, value: Any, place: str, depth: int) -> None:
        if isinstance(value, np.ndarray):
            self._array(value, place, depth)
        elif isinstance(value, Mapping):
            self._say(f"{type(value).__name__} of {len(value)}")
            for key in sorted(value, key=repr):
                if key not in TIMES:
                    self.add(key, place, depth)
                    self.add(value[key], f"{place}.{key}", depth)
        elif isinstance(value, list | tuple):
            self._say(f"{type(value).__name__} of {len(value)}")
            for index, part in enumerate(value):
                self.add(part, f"{place}.{index}", depth)
        elif isinstance(value, set | frozenset):
            self._say(f"set {sorted(map(repr, value))}")
        elif isinstance(value, type | FunctionType | BuiltinFunctionType):
            self._named(value)
        else:
            self._object(value, place, depth)

    def _object(self, value: Any, place: str, depth: int) -> None:
        self._named(type(value))
        try:
            reduced = value.__reduce_ex__(4)
        except TypeError as error:
            raise _unreadable(place, value) from error
        if isinstance(reduced, str):
            self._named(value)
            return
        # How it is made, with what, and what is put into it then.
        make, arguments, *state = reduced
        self._named(make)
        self.add(list(arguments), place, depth)
        for part in state:
            plain = list(part) if hasattr(part, "__next__") else part
            self.add(plain, place, depth)

    def _array(self, array: Any, place: str, depth: int) -> None:
        self._say(f"{array.dtype} {array.shape}")
        if array.dtype.names:
            # Field by field: what lies between the fields is chance.
            for name in array.dtype.names:
                self.sha.update(np.ascontiguousarray(array[name]).tobytes())
            self.arrays.append((place, array))
        elif array.dtype == object:
            self.add(array.tolist(), place, depth)
        else:
            self.sha.update(array.tobytes())
            self.arrays.append((place, array))

    def _named(self, thing: Any) -> None:
        module = getattr(thing, "__module__", None) or ""
        self.packages.add(module.partition(".")[0])
        self.modules.add(module)
        self._say(f"{module}:{getattr(thing, '__qualname__', type(thing).__qualname__)}")

    def _say(self, text: str) -> None:
        self.sha.update(text.encode(errors="replace") + b"\0")


def state_of(estimator: object) -> State:
    """The state of a fitted estimator. Raises UnsupportedModel where a part of it has none."""
    state = State()
    state.add(estimator, type(estimator).__name__)
    return state


def versions(packages: set[str]) -> dict[str, str]:
    """Distribution -> version, of those of these packages that are installed, and numpy's."""
    found = {}
    for package in sorted(packages | {"numpy", "scipy", "sklearn"}):
        name = DISTRIBUTIONS.get(package, package)
        try:
            found[name] = version(name)
        except (PackageNotFoundError, ValueError):
            continue
    return found


def layouts(array: Array) -> list[Callable[[], memoryview]]:
    """The bytes as they lie in memory, which is how they are pickled, and in either order."""
    return [lambda order=order: memoryview(array.tobytes(order)) for order in ("A", "C", "F")]  # type: ignore[misc]


def stored(state: State) -> Iterator[tuple[str, list[Callable[[], memoryview]]]]:
    """What must have come from a file, as a witness wants it."""
    return ((place, layouts(array)) for place, array in state.arrays)


def _unreadable(place: str, value: object) -> UnsupportedModel:
    return UnsupportedModel(
        f"{place} is a {type(value).__name__}, whose state cannot be read",
        hint="keep what cannot be pickled (locks, open files, lambdas) out of the estimator",
    )
