"""What a bundle may say of questions that do not travel in it: how they were judged, not what.

In: a report, the bundle with what it withholds. Out: the report without names and values of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from deploy_targets.records import Bundle
from deploy_targets.verdicts import OutputParity, ParityReport, Row


def without(report: ParityReport, bundle: Bundle) -> ParityReport:
    """Each withheld call under a number, without what was expected, answered, and where."""
    names = {
        check.call.name: f"withheld-{number}" for number, check in enumerate(bundle.withheld, 1)
    }
    return replace(report, rows=tuple(_row(row, names) for row in report.rows))


def unnamed(text: str, names: Iterable[str], instead: str = "a sample") -> str:
    """A text in which no case has one of these names."""
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", instead, text)
    return text


def _row(row: Row, names: Mapping[str, str]) -> Row:
    reason = row.reason
    for name, number in names.items():
        reason = unnamed(reason, [name], number)
    return replace(row, reason=reason, parity=tuple(_parity(one, names) for one in row.parity))


def _parity(one: OutputParity, names: Mapping[str, str]) -> OutputParity:
    if one.call not in names:
        return one
    nothing = float("nan")
    return replace(
        one,
        call=names[one.call],
        part_at="",
        element_at=(),
        expected=nothing,
        answered=nothing,
        histogram=(),
    )
