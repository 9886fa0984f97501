"""What was recognised: the table that says it, and what no table can say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Found:
    """One form that is known, as deploy.toml would declare it."""

    what: str
    """In words: "a torchvision Compose"."""
    table: Mapping[str, Any]
    """[inputs.NAME.preprocess], as plain values, without `reference`."""
    left_out: tuple[str, ...] = ()
    """What the table cannot say, each by its own name and with the reason."""
    call: Callable[[Any], Any] | None = None
    """From what `Before.given` gives to the array; None where there is nothing to ask."""
    direct: bool = False
    """Whether the thing itself can be named as `reference`."""
    unasked: str = "it is a description, which nobody can ask"
    """Why there is no `call`."""

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width that a photo ends in, where they are known."""
        last = self.table.get("pad", {}).get("to") or self.table.get("crop")
        size = last or self.table.get("resize", {}).get("to")
        return (size[0], size[1]) if size else None
