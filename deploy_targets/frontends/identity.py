"""The digest of a PyTorch model: the same in whatever folder it lies, another after any change.

It covers names, dtypes, shapes and bytes of all parameters and buffers; plain attributes
(a list of class means read from a file is part of the model too); the text of the user's modules
and of those that define the layers; and the packages that these import, by version and contents.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import importlib.metadata
import inspect
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.frontends.environment import environment
from deploy_targets.frontends.observe import Observed, is_installed
from deploy_targets.workspace import digest_of, digest_of_file

if TYPE_CHECKING:
    import torch
    from torch import nn

_FRAMEWORK = ("torch", "numpy")
_MOST = 100_000
"""Attributes that are followed; a model with more is known by the first of them."""


def digest_of_module(module: nn.Module, observed: Observed, folder: Path | None) -> str:
    """SHA-256 over code and weights. `folder` holds the user's source; its path does not count."""
    code = dict(observed.modules) | _code_of_layers(module)
    needed = {*_FRAMEWORK, *_imported(observed.code), *(name.partition(".")[0] for name in code)}
    # The script that calls us is no part of the model, though it may lie beside it and be read.
    caller = os.path.abspath(getattr(sys.modules["__main__"], "__file__", None) or "")
    beside = [
        file
        for file in observed.files - observed.code - {caller}
        if folder and _inside(file, folder)
    ]
    data = sorted(digest_of_file(Path(file)) for file in beside if Path(file).is_file())
    return digest_of(
        "torch", weights(module), _attributes(module, folder), code, _packages(needed), data
    )


def weights(module: nn.Module) -> str:
    """SHA-256 over the parameters and buffers alone."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors(module)):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)} ".encode())
        digest.update(raw(tensor))
    return digest.hexdigest()


def tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Every parameter and buffer by its name, shared ones under each."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def raw(tensor: torch.Tensor) -> memoryview:
    """A tensor's bytes in order, as checkpoints hold them."""
    import torch

    flat = tensor.detach().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data


def layouts(tensor: torch.Tensor) -> list[Callable[[], memoryview]]:
    """A tensor's bytes in order, then with its axes in every other order.

    Checkpoints that were converted from another framework hold transposed tensors. Bytes are made
    when asked for.
    """
    if tensor.ndim > 4:
        return [functools.partial(raw, tensor)]
    # Axes of one element lie anywhere.
    orders = {
        tuple(axis for axis in order if tensor.shape[axis] != 1): order
        for order in reversed([*itertools.permutations(range(tensor.ndim))])
    }
    ordered = sorted(orders.values())
    return [functools.partial(_permuted, tensor, order) for order in ordered]


def _permuted(tensor: torch.Tensor, order: Sequence[int]) -> memoryview:
    return raw(tensor.permute(*order) if order else tensor)


def _attributes(module: nn.Module, folder: Path | None) -> str:
    """SHA-256 over what hangs on the modules besides tensors; paths under `folder` are relative."""
    walk = _Walk(str(folder.absolute()) if folder else "")
    for name, layer in module.named_modules():
        walk.add(name)
        walk.add_layer(layer)
    return walk.digest.hexdigest()


class _Walk:
    """Feeds plain values, and what they hold, to one digest."""

    def __init__(self, folder: str) -> None:
        from torch import nn

        self.digest = hashlib.sha256()
        self._folder, self._seen, self._left = folder, set[int](), _MOST
        self._machinery = {*vars(nn.Module()), "_c"}

    def add_layer(self, layer: nn.Module) -> None:
        """A layer's class and its attributes, but for PyTorch's own machinery."""
        self._say(type(layer).__qualname__)
        for key, value in vars(layer).items():
            if key not in self._machinery:
                self._say(key)
                self.add(value)
        if isinstance(script := getattr(layer, "code", None), str):
            self._say(script)

    def add(self, value: object) -> None:
        """Any value. What cannot be written down counts by its type alone."""
        self._left -= 1
        if self._left < 0:
            return
        if isinstance(value, str | Path):
            text = str(value)
            self._say(text.replace(self._folder, "") if self._folder else text)
        elif value is None or isinstance(value, bool | int | float | complex | bytes):
            self._say(repr(value))
        elif id(value) not in self._seen:
            # The model keeps these alive, so that no id is used twice.
            self._seen.add(id(value))
            self._say(getattr(value, "__qualname__", type(value).__qualname__))
            self._add_parts(value)

    def _add_parts(self, value: Any) -> None:
        from torch import Tensor, nn

        if isinstance(value, Tensor):
            with contextlib.suppress(RuntimeError, TypeError):
                self.digest.update(raw(value))
        elif hasattr(value, "__array_interface__"):
            self._say(f"{value.dtype} {value.shape}")
            self.digest.update(value.tobytes())
        elif isinstance(value, Mapping):
            for key in value:
                self.add(key)
                self.add(value[key])
        elif isinstance(value, set | frozenset):
            self._say(str(sorted(map(repr, value))) if _plain(value) else str(len(value)))
        elif isinstance(value, list | tuple):
            for part in value:
                self.add(part)
        elif isinstance(value, nn.Module):
            # Out of PyTorch's sight, in a plain list for example, and used all the same.
            self.add_layer(value)
            self._say(weights(value))
        elif not isinstance(value, type) and not callable(value) and hasattr(value, "__dict__"):
            for key, part in vars(value).items():
                self._say(key)
                self.add(part)

    def _say(self, text: str) -> None:
        self.digest.update(text.encode(errors="replace") + b"\0")


def _plain(values: set[Any] | frozenset[Any]) -> bool:
    return all(isinstance(value, str | int | float) for value in values)


def _code_of_layers(module: nn.Module) -> dict[str, str]:
    """Module -> SHA-256 of its file, for every class in the tree that is not PyTorch's own."""
    names = {type(layer).__module__ for layer in module.modules()}
    found: dict[str, str] = {}
    for name in sorted(names - {"__main__"}):
        if name.partition(".")[0] != "torch" and (held := sys.modules.get(name)):
            file = inspect.getsourcefile(held) if getattr(held, "__file__", None) else None
            found |= {name: digest_of_file(Path(file))} if file else {}
    return found


def _imported(files: set[str]) -> set[str]:
    """The top-level packages that these files import."""
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(Path(file).read_bytes())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


def _packages(modules: set[str]) -> dict[str, str]:
    """Distribution -> version, and a digest of its code, for those that supply these modules."""
    suppliers = _suppliers(environment())
    names = sorted({name for module in modules for name in suppliers.get(module, ())})
    return {name: _identity(importlib.metadata.distribution(name)) for name in names}


@functools.lru_cache(maxsize=1)
def _suppliers(_installed: str) -> Mapping[str, list[str]]:
    """Top-level package -> distributions; read again only when another is installed."""
    return importlib.metadata.packages_distributions()


def _identity(distribution: importlib.metadata.Distribution) -> str:
    record = distribution.read_text("RECORD") or ""
    lines = record.splitlines()
    code = sorted(x for x in lines if (".py," in x or ".so," in x) and "__editable__" not in x)
    return f"{distribution.version} {digest_of(code)}"


def _inside(file: str, folder: Path) -> bool:
    return Path(file).is_relative_to(folder.absolute()) and not is_installed(file)
