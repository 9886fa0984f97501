"""Prints the table of the faults for docs/faults.md: `python -m deploy_targets.testing.faults`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from deploy_targets.testing.faults import FAULTS, Place


def table() -> str:
    """Every fault, place by place, as Markdown."""
    return "\n".join(line for place in Place for line in _of(place))


def _of(place: Place) -> Iterator[str]:
    found = [fault for fault in FAULTS.values() if fault.place is place]
    yield f"### {place.capitalize()}: {len(found)} faults\n"
    yield "| Fault | What is wrong | Strength is | From gross to weak |"
    yield "|---|---|---|---|"
    for fault in found:
        weak = ", ".join(f"{strength:g}" for strength in fault.strengths)
        yield f"| `{fault.name}` | {fault.what} | {fault.means} | {weak} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
