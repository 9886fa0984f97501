"""Entry points -> targets. Built-in targets use the same door as anybody's.

Listing imports no target; loading imports exactly one.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from deploy_targets.errors import ConfigError, UnknownTarget

if TYPE_CHECKING:
    from deploy_targets.targets.base import Target

GROUP = "deploy_targets.targets"


def installed() -> dict[str, EntryPoint]:
    """Every target's name and where it would be imported from, sorted by name."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def target_class(name: str) -> type[Target]:
    """The class registered under a name. Raises UnknownTarget with the nearest name."""
    known = installed()
    if name not in known:
        raise UnknownTarget(
            f"there is no target named {name!r}",
            hint=_nearest(name, known) or f"installed are: {', '.join(known) or 'none'}",
        )
    try:
        loaded: type[Target] = known[name].load()
    except ImportError as error:
        raise ConfigError(
            f"target {name!r} cannot be imported: {error}",
            hint="install what it needs, or uninstall the package that registers it",
        ) from error
    return loaded


def load(name: str, options: Mapping[str, object] | None = None) -> Target:
    """The target with these options. Raises ConfigError naming the option that is wrong."""
    from pydantic import ValidationError

    cls = target_class(name)
    try:
        return cls.model_validate(dict(options or {}))
    except ValidationError as error:
        first = error.errors()[0]
        option = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise ConfigError(
                f"[targets.{name}] has no option {option!r}",
                hint=_nearest(option, cls.model_fields)
                or f"it takes {', '.join(cls.model_fields) or 'no options'}",
            ) from error
        raise ConfigError(
            f"[targets.{name}] {option} = {first.get('input')!r}: {first['msg']}",
            hint=f"see `deploy-target targets {name}` for what it takes",
        ) from error


def _nearest(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else ""
