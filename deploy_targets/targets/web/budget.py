"""What a first visit downloads, against the budget that the user has set.

In: the folder and what a visit loads of it. Out: a note for the manifest. Raises OverBudget. What
the self-check asks for is not counted: manifest and golden are written when the folder is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy_targets.errors import OverBudget

MB = 1_000_000
UNCOUNTED = "the self-check's share of deploy-target.json and golden.safetensors not counted"


@dataclass(frozen=True)
class Share:
    """One file of a first visit, in bytes: as it is, and as a host sends it."""

    name: str
    raw: int
    sent: int


def measure(folder: Path, names: Iterable[str]) -> tuple[Share, ...]:
    """The files that a first visit downloads, the largest first."""
    shares = (_share(folder, name) for name in names)
    return tuple(sorted(shares, key=lambda share: (-share.sent, share.name)))


def check(shares: tuple[Share, ...], most_mb: float | None) -> None:
    """Raises OverBudget, naming what is largest."""
    total = sum(share.sent for share in shares)
    if most_mb is not None and total > most_mb * MB:
        largest = ", ".join(f"{share.name} {share.sent / MB:.2f} MB" for share in shares[:3])
        raise OverBudget(
            f"a first visit downloads {total / MB:.2f} MB, and max_download_mb is {most_mb:g}; the "
            f"largest are {largest}",
            hint=f"set max_download_mb = {total / MB + 0.1:.1f}, or make the model smaller",
        )


def note(shares: tuple[Share, ...]) -> str:
    """What the user is told at every build."""
    raw, sent = sum(share.raw for share in shares), sum(share.sent for share in shares)
    few = f"a first visit downloads {raw / MB:.2f} MB in {len(shares)} files"
    less = "" if raw == sent else f", {sent / MB:.2f} MB where the host sends brotli"
    return f"{few}{less}; {UNCOUNTED}"


def _share(folder: Path, name: str) -> Share:
    raw, brotli = (folder / name).stat().st_size, folder / f"{name}.br"
    return Share(name, raw, brotli.stat().st_size if brotli.is_file() else raw)
