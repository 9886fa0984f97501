"""How an explanation is shown: a sentence, then each culprit with its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from deploy_targets.cli import console

if TYPE_CHECKING:
    from deploy_targets.parity.finding import Culprit, Explanation, Sight


def show(found: Explanation) -> None:
    """Prints it on stdout."""
    console.out.print(f"[bold]{escape(found.said)}[/bold]")
    if found.call:
        console.note(
            f"asked: {found.call} in lane {found.lane}; graphs were run {found.runs} times"
        )
    for culprit in found.culprits:
        _culprit(culprit)
    for name, difference in found.differences.items():
        console.note(f"{name}, as its runtime answers: {difference.kind}: {difference.words}")
    for text in found.untold:
        console.note(f"not known: {text}")


def _culprit(culprit: Culprit) -> None:
    named = f"{culprit.operator} {culprit.node}".strip() or "a node that the runtime does not name"
    console.out.print(f"[bold red]{escape(culprit.kind)}[/] at [bold]{escape(named)}[/]")
    facts = {
        "why": culprit.words,
        "stage": culprit.stage.value,
        "module": culprit.module,
        "source": culprit.line,
    }
    rows = [[label, escape(text)] for label, text in facts.items() if text]
    rows += [["", escape(text)] for text in culprit.details if text != culprit.words]
    console.out.print(console.table("", "", rows=rows))
    sights = [("in", seen) for seen in culprit.inputs]
    if culprit.output.name:
        sights.append(("out", culprit.output))
    if sights:
        shown = [_sight(side, seen) for side, seen in sights]
        headers = ("", "tensor", "rel. L2", "worst at", "expected", "came")
        console.out.print(console.table(*headers, rows=shown))


def _sight(side: str, seen: Sight) -> list[str]:
    return [
        side,
        escape(seen.name),
        f"{seen.relative_l2:.1e}",
        escape(str(list(seen.index))),
        " ".join(_numbers(seen.expected)),
        " ".join(_numbers(seen.came)),
    ]


def _numbers(values: Sequence[float | str]) -> Iterator[str]:
    return (escape(value) if isinstance(value, str) else f"{value:.5g}" for value in values)
