"""The loop over the ways in which a bundle can be made; one wrong way is not the end.

A way is a concrete target (of those behind an "auto") and a capture (a dialect by an exporter).
For each target the first capture that builds and is not wrong counts; among targets a PASS beats
a NOT_RUN, and then the fastest wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy_targets import bundle as bundles
from deploy_targets import publish
from deploy_targets.errors import (
    ConversionFailed,
    DeployError,
    NotRun,
    OverBudget,
    ParityFailed,
    ToolMissing,
    UnsupportedModel,
)
from deploy_targets.records import Bundle, Capture
from deploy_targets.runtime import Model, Runner, Session
from deploy_targets.targets.base import Target
from deploy_targets.verdicts import ParityReport, Verdict
from deploy_targets.workspace import Workspace

Progress = Callable[[str], AbstractContextManager[object]]
"""Given the name of a stage, a context that lasts as long as the stage does."""


def silent(stage: str) -> AbstractContextManager[object]:
    """Progress for callers who want none."""
    return nullcontext()


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


@dataclass(frozen=True)
class Compared:
    """One of the concrete targets behind an "auto", and what came of it."""

    options: Mapping[str, object]
    """Those in which the choices differ."""
    verdict: Verdict | None
    """None where nothing was built; `said` is why."""
    seconds: float | None
    """The median of one answer, of the fastest lane that was measured."""
    size: int
    """Bytes of the folder, what only the verdict needs left out."""
    chosen: bool = False
    said: str = ""


@dataclass(frozen=True)
class Best:
    """The bundle to publish, what failed before it, and the choices side by side if several."""

    bundle: Bundle
    tried: tuple[str, ...]
    compared: tuple[Compared, ...] = ()


@dataclass
class _Tally:
    """What has come of the attempts so far."""

    kept: list[Candidate] = field(default_factory=list)
    refused: list[Candidate] = field(default_factory=list)
    errors: list[DeployError] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@contextmanager
def world(target: Target, workspace: Workspace) -> Iterator[Runner]:
    """The target's runner; where this machine lacks what it needs, one that says so."""
    with ExitStack() as stack:
        runner: Runner
        try:
            runner = stack.enter_context(target.runner(workspace))
        except (NotRun, ToolMissing) as error:
            runner = _Absent(error)
        yield runner


@dataclass(frozen=True)
class _Absent:
    """A runner that could not be started: every lane is NOT_RUN, and the bundle is still built."""

    why: DeployError

    def open(self, bundle: Bundle, lane: str) -> AbstractContextManager[Session]:
        raise self.why


def ways(model: Model, target: Target, shop: Path) -> list[tuple[Target, list[Attempt]]]:
    """Each concrete target with its captures, in the target's order of dialects."""
    found: list[tuple[Target, list[Attempt]]] = []
    for number, choice in enumerate(target.choices()):
        made = [
            (by, how)
            for dialect in choice.dialects
            for how in model.captures
            if how.dialect == dialect
            for by in choice.converters(dialect)
        ]
        attempts = [Attempt(by, how, shop / f"{number}-{i}") for i, (by, how) in enumerate(made)]
        found.append((choice, attempts))
    if not any(attempts for _, attempts in found):
        raise _nothing_in_common(model, found[0][0])
    return found


def best(
    ways: Sequence[tuple[Target, Sequence[Attempt]]],
    attempt: Callable[[Attempt, Runner], Candidate],
    workspace: Workspace,
    out: Path,
    name: str,
) -> Best:
    """The bundle to publish. Raises where nothing is left."""
    tally, made = _Tally(), []
    for choice, attempts in ways:
        said = len(tally.said)
        with world(choice, workspace) as runner:
            try:
                candidate = _first_right(attempts, attempt, runner, tally)
            except (ToolMissing, OverBudget) as error:
                # Of several choices one may lack its tools; alone, it is what the user asked for.
                if len(ways) == 1:
                    raise
                tally.errors.append(error)
                tally.said.append(str(error))
                candidate = None
        made.append((choice, candidate, tally.said[said:]))
    tally.kept = [candidate for _, candidate, _ in made if candidate]
    if not tally.kept:
        raise _refusal(tally, out, name)
    chosen = min(tally.kept, key=_rank)
    table = [_compared(*one, chosen=one[1] is chosen, among=ways) for one in made]
    return Best(chosen.bundle, tuple(tally.said), tuple(table) if len(table) > 1 else ())


def _compared(
    choice: Target,
    candidate: Candidate | None,
    said: Sequence[str],
    *,
    chosen: bool,
    among: Sequence[tuple[Target, Sequence[Attempt]]],
) -> Compared:
    differ = _differing(choice, [other for other, _ in among])
    if candidate is None:
        reason = said[-1] if said else f"the model cannot be captured as {_listed(choice)}"
        return Compared(differ, None, None, 0, said=reason)
    files = candidate.bundle.manifest.files.values()
    size = sum(file.size for file in files if file.role not in ("golden", "doc"))
    return Compared(differ, candidate.verdict, _seconds(candidate), size, chosen, "")


def _differing(target: Target, rivals: Sequence[Target]) -> dict[str, object]:
    """The options in which a target is not like all of these."""
    mine, others = target.model_dump(mode="json"), [r.model_dump(mode="json") for r in rivals]
    return {key: value for key, value in mine.items() if any(o.get(key) != value for o in others)}


def _first_right(
    attempts: Sequence[Attempt],
    attempt: Callable[[Attempt, Runner], Candidate],
    runner: Runner,
    tally: _Tally,
) -> Candidate | None:
    notes: tuple[str, ...] = ()
    for number, (way, label) in enumerate(_labelled(attempts), start=1):
        try:
            candidate = attempt(replace(way, notes=notes), runner)
        except (UnsupportedModel, ConversionFailed, ToolMissing) as error:
            # Another converter may be there; the same one is missing for every capture.
            others = any(later.target != way.target for later in attempts[number:])
            if isinstance(error, ToolMissing) and not others:
                raise
            tally.errors.append(error)
            tally.said.append(f"{label}: {error}")
            notes += (f"{label} was tried before and failed",)
            continue
        if candidate.verdict is not Verdict.FAIL:
            return candidate
        tally.refused.append(candidate)
        tally.said.append(f"{label}: {_why(candidate.report)}")
        notes += (f"{label} was tried before and did not answer as the original does",)
    return None


def _labelled(attempts: Sequence[Attempt]) -> Iterator[tuple[Attempt, str]]:
    """Each attempt with its name: the capture, and the converter where it has several."""
    for way in attempts:
        rivals = [other.target for other in attempts if other.capture == way.capture]
        by = ", ".join(map(str, _differing(way.target, rivals).values()))
        yield way, f"{way.capture.dialect} by {way.capture.how}" + (f", {by}" if by else "")


def _rank(candidate: Candidate) -> tuple[bool, float]:
    seconds = _seconds(candidate)
    return candidate.verdict is not Verdict.PASS, float("inf") if seconds is None else seconds


def _seconds(candidate: Candidate) -> float | None:
    rows = candidate.report.rows
    return min((row.seconds for row in rows if row.seconds is not None), default=None)


def _why(report: ParityReport) -> str:
    return next((row.reason for row in report.rows if row.verdict is Verdict.FAIL), "failed")


def _refusal(tally: _Tally, out: Path, name: str) -> DeployError:
    if tally.refused:
        # The first is what the target would have liked best, so the one worth looking at.
        kept = publish.keep_refused(tally.refused[0].bundle, out)
        return ParityFailed(
            f"no artifact answers as {name} does. {'. '.join(tally.said)}",
            hint=f"`deploy-target verify {kept} --explain` finds where it parts from the original; "
            f"the numbers are in its {bundles.PARITY}",
        )
    if len(tally.errors) == 1:
        return tally.errors[0]
    last = tally.errors[-1]
    return type(last)(". ".join(tally.said), hint=last.hint)


def _nothing_in_common(model: Model, target: Target) -> UnsupportedModel:
    speaks = ", ".join(sorted({how.dialect for how in model.captures}))
    return UnsupportedModel(
        f"{model.name} can be captured as {speaks}, and {target.name} takes {_listed(target)}",
        hint="give the model in another form, for example as a torch module",
    )


def _listed(target: Target) -> str:
    return ", ".join(target.dialects)
