"""The ways to one concrete target in turn, until one is right.

In: attempts, the best first, and what makes and judges one of them. Out: the candidate that counts;
a `Tally` hears what came of the others.

Wrong in a required lane is refused. Wrong in a lane that is not required is second best: another
converter may do better, and so one more way is made and judged, and is taken where it passes in all
that the first was asked. It is never more than one, and none where the file was not even loaded in
that lane: a runtime that lacks an operator, or a device that is not there, lacks it for the next
converter, too, and the build would take twice its time to learn nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy_targets.errors import (
    ConversionFailed,
    DeployError,
    OverBudget,
    ToolMissing,
    UnsupportedModel,
)
from deploy_targets.records import Bundle, Capture
from deploy_targets.runtime import Runner
from deploy_targets.targets.base import Target
from deploy_targets.verdicts import ParityReport, Row, Verdict


@dataclass(frozen=True)
class Attempt:
    """One way, and the folder (not yet made) to build in."""

    target: Target
    capture: Capture
    folder: Path
    notes: tuple[str, ...] = ()
    """What was tried before, for the manifest: no paths, no texts of other people's errors."""


@dataclass(frozen=True)
class Candidate:
    """What came of an attempt."""

    bundle: Bundle
    report: ParityReport
    verdict: Verdict


@dataclass
class Tally:
    """What has come of the attempts so far."""

    refused: list[Candidate] = field(default_factory=list)
    errors: list[DeployError] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    """A way's name, "" where it has none, and what was wrong with it."""

    def failed(self, label: str, error: DeployError) -> None:
        """A way that came to nothing."""
        self.errors.append(error)
        self.said.append((label, str(error)))


def told(said: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What was wrong, in words: once where it was the same in several ways."""
    labels: dict[str, list[str]] = {}
    for label, text in said:
        labels.setdefault(text, []).append(label)
    return tuple(": ".join(filter(None, ["; ".join(by), text])) for text, by in labels.items())


def first_right(
    attempts: Sequence[Attempt],
    attempt: Callable[[Attempt, Runner], Candidate],
    runner: Runner,
    tally: Tally,
) -> Candidate | None:
    """The candidate that counts; None where every way failed. Raises OverBudget."""
    second: Candidate | None = None
    notes: tuple[str, ...] = ()
    for number, (way, label) in enumerate(_labelled(attempts), start=1):
        try:
            candidate = attempt(replace(way, notes=notes), runner)
        except (UnsupportedModel, ConversionFailed, ToolMissing, OverBudget) as error:
            if isinstance(error, OverBudget) and second is None:
                raise
            tally.failed(label, error)
            if isinstance(error, ToolMissing) and _same_tool(way, attempts[number:]):
                break
            notes += (f"{label} was tried before and failed",)
            continue
        if second is not None:
            return _better(candidate, second, label, tally)
        if candidate.verdict is Verdict.FAIL:
            tally.refused.append(candidate)
            tally.said.append((label, _why(candidate.report)))
            notes += (f"{label} was tried before and did not answer as the original does",)
            continue
        strayed = _strayed(candidate)
        if not strayed or number == len(attempts):
            return candidate
        second = candidate
        tally.said.append((label, f"{_where(strayed)}: {strayed[0].reason}"))
        notes += (f"{label} was tried before and is wrong in {_where(strayed)}",)
    return second


def differing(target: Target, rivals: Sequence[Target]) -> dict[str, object]:
    """The options in which a target is not like all of these."""
    mine, others = target.model_dump(mode="json"), [r.model_dump(mode="json") for r in rivals]
    return {key: value for key, value in mine.items() if any(o.get(key) != value for o in others)}


def _labelled(attempts: Sequence[Attempt]) -> Iterator[tuple[Attempt, str]]:
    """Each attempt with its name: the capture, and the converter where it has several."""
    for way in attempts:
        rivals = [other.target for other in attempts if other.capture == way.capture]
        by = ", ".join(map(str, differing(way.target, rivals).values()))
        yield way, f"{way.capture.dialect} by {way.capture.how}" + (f", {by}" if by else "")


def _same_tool(way: Attempt, left: Sequence[Attempt]) -> bool:
    """What one converter lacks it lacks for every capture."""
    return all(later.target == way.target for later in left)


def _strayed(candidate: Candidate) -> list[Row]:
    """The rows of lanes that are not required in which it was loaded, and then was wrong."""
    spare = {lane.name for lane in candidate.bundle.manifest.lanes if not lane.required}
    rows = candidate.report.rows
    # Nothing says where a file ran that was not loaded.
    return [row for row in rows if row.lane in spare and row.verdict is Verdict.FAIL and row.where]


def _better(candidate: Candidate, second: Candidate, label: str, tally: Tally) -> Candidate:
    """The one that passes where the other did and where it did not; else the other."""
    passed = {(r.lane, r.golden) for r in candidate.report.rows if r.verdict is Verdict.PASS}
    asked = {(r.lane, r.golden) for r in second.report.rows if r.verdict is Verdict.PASS}
    asked |= {(row.lane, row.golden) for row in _strayed(second)}
    if asked <= passed and candidate.verdict is not Verdict.FAIL and not _strayed(candidate):
        return candidate
    why = _why(candidate.report) or "it was not asked all that the one before was"
    tally.said.append((label, f"no better, so the one before it is taken: {why}"))
    return second


def _where(rows: Sequence[Row]) -> str:
    return ", ".join(dict.fromkeys(row.lane for row in rows))


def _why(report: ParityReport) -> str:
    return next((row.reason for row in report.rows if row.verdict is Verdict.FAIL), "")
