"""What a person sees: stages with their times on stderr, tables on stdout."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from deploy_targets.parity.shares import noise_used

if TYPE_CHECKING:
    from deploy_targets.choose import Compared
    from deploy_targets.pipeline import Outcome
    from deploy_targets.records import Manifest
    from deploy_targets.verdicts import Row, Verdict

out = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
err = Console(stderr=True, highlight=False, soft_wrap=True)

STYLES = {"pass": "bold green", "fail": "bold red", "not-run": "bold yellow"}


@contextmanager
def stages(stage: str) -> Iterator[None]:
    """Shows a stage while it lasts and its time when it is over."""
    start = time.perf_counter()
    # A spinner is for terminals; rich prints nothing of it elsewhere.
    with err.status(escape(stage)):
        try:
            yield
        except BaseException:
            err.print(f"  [red]x[/red] {escape(stage)}  {_since(start)}")
            raise
    err.print(f"  [green]ok[/green] {escape(stage)}  {_since(start)}")


def table(*headers: str, rows: Sequence[Sequence[str]] = (), title: str | None = None) -> Table:
    """A plain table. Cells may hold markup."""
    made = Table(*headers, title=title, title_justify="left", box=None, pad_edge=False)
    for column in made.columns:
        column.overflow = "fold"
    for row in rows:
        made.add_row(*row)
    return made


def verdict(said: Verdict | str) -> str:
    """A verdict in capitals, coloured on terminals."""
    return f"[{STYLES.get(said, 'bold')}]{str(said).upper()}[/]"


def note(text: str) -> None:
    """A remark below a table, indented however often it wraps."""
    out.print(Padding(escape(text), (0, 0, 0, 2)) if out.is_terminal else f"  {escape(text)}")


def show_report(outcome: Outcome) -> None:
    """The verdict table of a bundle, and what the reader must know beside it."""
    manifest = outcome.bundle.manifest
    rows = [_row(row, manifest) for row in outcome.report.rows]
    headers = ("lane", "golden", "verdict", "worst rel. L2", "error / noise", "cases")
    out.print(table(*headers, rows=rows))
    told = [
        f"{row.lane}: {text}"
        for row in outcome.report.rows
        for text in filter(None, (row.where, row.reason, *row.notes))
    ]
    # The lines of one lane were run in one place.
    for text in dict.fromkeys(told):
        note(text)
    for row in outcome.unkept:
        note(f"{row.lane}: this time {row.verdict}, so what was known stays: {row.reason}")
    if manifest.synthetic:
        note("golden: synthetic inputs only; give `samples` to judge on real ones")
    for text in manifest.notes:
        note(text)
    if manifest.uncovered:
        note(f"not covered ({len(manifest.uncovered)}):")
        for text in manifest.uncovered:
            note(f"  {text}")


def show_tried(tried: Sequence[str]) -> None:
    """The captures that failed before the one that is shipped."""
    for text in tried:
        err.print(f"  [yellow]tried[/yellow] {escape(text)}")


def show_compared(compared: Sequence[Compared]) -> None:
    """What stood behind an "auto", side by side."""
    if not compared:
        return
    rows = [
        [
            ", ".join(f"{key} = {escape(str(value))}" for key, value in one.options.items()),
            verdict(one.verdict) if one.verdict else "not built",
            "-" if one.seconds is None else f"{one.seconds * 1000:.2f} ms",
            f"{one.size / 1e6:.1f} MB" if one.size else "-",
            "[bold]chosen[/bold]" if one.chosen else escape(one.said),
        ]
        for one in compared
    ]
    out.print(table("choice", "verdict", "median answer", "files", "", rows=rows))


def _row(row: Row, manifest: Manifest) -> list[str]:
    calls = len({p.call for p in row.parity})
    # NaN is the worst there is; max alone would lose it.
    apart = [math.inf if math.isnan(p.relative_l2) else p.relative_l2 for p in row.parity]
    return [
        escape(row.lane),
        escape(row.golden),
        verdict(row.verdict),
        f"{max(apart):.1e}" if apart else "-",
        _of_bound(row, manifest),
        str(calls) if calls else "-",
    ]


def _of_bound(row: Row, manifest: Manifest) -> str:
    """How much of what is allowed, in units of noise, the worst part or element takes."""
    recipes = {lane.name: lane.recipe for lane in manifest.lanes}
    allowed = manifest.bounds[recipes[row.lane]][row.golden]
    judged = [p for p in row.parity if p.output in allowed]
    if not judged:
        return "-"
    used = max(noise_used(p, allowed[p.output]) for p in judged)
    if math.isinf(used):
        return "not comparable"
    return f"{used:.0%} of bound" if used < 10 else f"{used:.0e} x bound"


def _since(start: float) -> str:
    return f"[dim]{time.perf_counter() - start:.1f} s[/dim]"
