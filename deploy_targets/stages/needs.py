"""The packages that declared steps need where answers are recorded."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from deploy_targets.errors import ToolMissing
from deploy_targets.needs import Need, package
from deploy_targets.stages.base import Table

BY_TYPE = {
    "image": ("PIL", "pillow", "image"),
    "mask": ("PIL", "pillow", "image"),
    "audio": ("soundfile", "soundfile", "audio"),
}
"""The type of a table -> the module, the package that has it, and our extra that installs it."""


def require(tables: Iterable[Table]) -> None:
    """Raises ToolMissing where a table's steps cannot be run here."""
    for table in tables:
        kind = str(getattr(table, "type", ""))
        if kind not in BY_TYPE:
            continue
        module, name, extra = BY_TYPE[kind]
        if importlib.util.find_spec(module) is None:
            raise ToolMissing(
                f'steps of type = "{kind}" need {name}, which is not installed',
                hint=f"pip install 'deploy-targets[{extra}]'",
            )


def needs() -> tuple[Need, ...]:
    """Found or not; none is imported."""
    return (
        package("pillow", "decodes photos, and writes masks, where answers are recorded", "image"),
        package("soundfile", "decodes recordings", "audio"),
    )
