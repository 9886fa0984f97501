"""The figures as Markdown, for the terminal and for docs/judge-benchmark.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from . import table
from .ours import NAME
from .peers import RULES

Row = dict[str, Any]
SHOWN = 60
"""Misses that are listed one by one."""


def text(honest: Sequence[Row], trials: Sequence[Row]) -> str:
    """All tables, one after another."""
    rules, rows = table.everyone(honest), table.counted(trials)
    parts = [
        _corpus(honest, trials, rows),
        _summary(honest, rows, rules),
        _beyond(rows, rules),
        _bins(rows, rules),
        _weakest(rows, rules),
        _misses(rows),
        _false_alarms(honest),
    ]
    return "\n\n".join(parts) + "\n"


def _corpus(honest: Sequence[Row], trials: Sequence[Row], rows: Sequence[Row]) -> str:
    families = {_family(row["model"]) for row in honest}
    runtimes = sorted({row["build"].partition(".")[2] for row in honest})
    models = {row["model"] for row in trials}
    faults = {row["fault"] for row in rows}
    return (
        f"Honest builds: {len(honest)}, of {len({r['model'] for r in honest})} models of "
        f"{len(families)} architectures, in {len(runtimes)} runtimes and settings "
        f"({', '.join(runtimes)}).\n\n"
        f"Trials: {len(trials)} of {len({r['fault'] for r in trials})} faults in {len(models)} "
        f"models; {len(table.refused(trials))} were refused by ONNX Runtime itself; "
        f"{len(rows)} (of {len(faults)} faults) change an answer by more than the model's own "
        "noise and count."
    )


def _summary(honest: Sequence[Row], all_rows: Sequence[Row], rules: Any) -> str:
    rows = [row for row in all_rows if row["named"]]
    head = ["rule", "false alarms", "detected", "missed", "moved to", "detected", "missed"]
    lines = []
    for name, published, moved in rules:
        first, second = table.detected(published, rows), table.detected(moved, rows)
        said = name + (
            " (warns only)" if any(r.name == name and r.warns_only for r in RULES) else ""
        )
        lines.append(
            [
                said,
                str(table.detected(published, honest)),
                _share(first, len(rows)),
                str(len(rows) - first),
                "" if moved.threshold is None else _number(moved.threshold),
                _share(second, len(rows)),
                str(len(rows) - second),
            ]
        )
    return (
        f"## Detected, missed, false alarms ({len(rows)} faults)\n\nAt the strengths that the "
        "faults name; as published, and moved to the tightest threshold that raises no false "
        "alarm:\n\n" + _markdown(head, lines)
    )


def _beyond(rows: Sequence[Row], rules: Any) -> str:
    further = [row for row in rows if not row["named"]]
    lines = [
        [name, _share(table.detected(moved, further), len(further))] for name, _, moved in rules
    ]
    return (
        f"## Weaker still ({len(further)} faults)\n\nEach strength continued below the weakest "
        "named one until the fault no longer counts; peers at no false alarm:\n\n"
        + _markdown(["rule", "detected"], lines)
    )


def _bins(rows: Sequence[Row], rules: Any) -> str:
    bins = [table.in_bin(rows, low, high) for low, high in table.BINS]
    head = [
        "rule",
        *(f"{_span(*b)} noise ({len(r)})" for b, r in zip(table.BINS, bins, strict=True)),
    ]
    lines = [
        [name, *(_share(table.detected(moved, found), len(found)) for found in bins)]
        for name, _, moved in rules
    ]
    return "## By size of the fault, all strengths, peers at no false alarm\n\n" + _markdown(
        head, lines
    )


def _weakest(rows: Sequence[Row], rules: Any) -> str:
    head = ["fault", "weakest tried", *(name for name, _, _ in rules)]
    lines = []
    for fault in dict.fromkeys(row["fault"] for row in rows):
        of_it = [row for row in rows if row["fault"] == fault]
        found = [table.weakest(moved, of_it) for _, _, moved in rules]
        least = table.weakest(table.Verdicts("", None, lambda row: False), of_it)
        lines.append([f"`{fault}`", _strength(least), *map(_strength, found)])
    return (
        "## The weakest strength detected in every model, peers at no false alarm\n\n"
        "A dash: not even the grossest is detected everywhere.\n\n" + _markdown(head, lines)
    )


def _misses(rows: Sequence[Row]) -> str:
    own = table.Verdicts(NAME, None, lambda row: bool(row[NAME]))
    found = table.misses(own, rows)
    lines = [
        [r["model"], f"`{r['fault']}`", _strength(r["strength"]), f"{r['ratio']:.3g}"]
        for r in found[:SHOWN]
    ]
    more = f"\n\nand {len(found) - SHOWN} more." if len(found) > SHOWN else ""
    head = ["model", "fault", "strength", "times noise"]
    return f"## What we miss ({len(found)})\n\n" + _markdown(head, lines) + more


def _false_alarms(honest: Sequence[Row]) -> str:
    found = [row for row in honest if not row[NAME]]
    lines = [[row["model"], row["build"], row["why"]] for row in found]
    head = ["model", "build", "why"]
    return f"## Our false alarms ({len(found)})\n\n" + _markdown(head, lines)


def _markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    if not lines:
        return "None."
    marks = ["---"] * len(head)
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, marks, *lines))


def _family(model: str) -> str:
    first = model.partition("-")[0]
    return model if first in ("zoo", "real") else first


def _share(count: int, of: int) -> str:
    # Cut and not rounded: 100 % is all of them.
    return f"{math.floor(1000 * count / of) / 10:.1f} %" if of else "-"


def _span(low: float, high: float) -> str:
    return f"{low:g}-{high:g}x" if high < math.inf else f">{low:g}x"


def _number(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) and abs(value) < 1e300 else "any"


def _strength(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
