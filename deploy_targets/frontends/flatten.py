"""Nested outputs as a flat list with names. In: whatever forward returned. Out: (name, tensor)s.

Dictionaries, named tuples and dataclasses give names ("boxes", "heads_0"); where nothing does,
outputs are output_0, output_1 … in order. None is left out, as exporters leave it out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploy_targets.errors import ConfigError, UnsupportedModel

Path = tuple[str | int, ...]


def flatten(value: object) -> list[tuple[str, Any]]:
    """Every tensor with its name. Raises UnsupportedModel for what is no tensor."""
    leaves = list(_leaves(value, ()))
    names = [_name(path, index) for index, (path, _) in enumerate(leaves)]
    if not leaves:
        raise UnsupportedModel("forward returned no tensor", hint="return at least one")
    if len(set(names)) < len(names):
        raise UnsupportedModel(
            f"two outputs have the same name: {', '.join(names)}",
            hint="name the dictionary's keys apart",
        )
    return [(name, leaf) for name, (_, leaf) in zip(names, leaves, strict=True)]


def declared(natural: Sequence[str], outputs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """(name, kind) of each output in the model's order, from [outputs] in deploy.toml.

    Where the model names its outputs itself, declared names that are the same give kinds; else
    they rename by position. Raises ConfigError where neither fits.
    """
    if not outputs:
        return [(name, "plain") for name in natural]
    kinds = dict(outputs)
    if set(kinds) == set(natural):
        return [(name, kinds[name]) for name in natural]
    # Half a match is a slip of the pen; renaming by position would exchange outputs.
    if len(kinds) == len(natural) and not set(kinds) & set(natural):
        return list(outputs)
    raise ConfigError(
        f"[outputs] declares {', '.join(kinds)}; the model returns {', '.join(natural)}",
        hint="declare all of them under the model's names, or all under new ones, in its order",
    )


def _leaves(value: object, path: Path) -> Iterator[tuple[Path, Any]]:
    import torch

    if isinstance(value, torch.Tensor):
        yield path, value
    elif (parts := _parts(value)) is not None:
        for key, part in parts:
            yield from _leaves(part, (*path, key))
    elif value is not None:
        place = ".".join(map(str, path)) or "the output"
        raise UnsupportedModel(
            f"{place} is a {type(value).__name__}; only tensors leave a model",
            hint="return torch.tensor(x), or leave it out",
        )


def _parts(value: object) -> list[tuple[str | int, object]] | None:
    if isinstance(value, Mapping):
        return [(str(key), part) for key, part in value.items()]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return list(zip(value._fields, value, strict=True))
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if dataclasses.is_dataclass(value):
        return [(item.name, getattr(value, item.name)) for item in dataclasses.fields(value)]
    return None


def _name(path: Path, index: int) -> str:
    if any(isinstance(key, str) for key in path):
        name = "_".join(map(str, path))
        return f"output_{name}" if isinstance(path[0], int) else name
    return f"output_{index}"
