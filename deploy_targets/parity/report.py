"""What there is to show of a bundle that was judged. In: its folder. Out: a Story, plain data.

Everything comes from the manifest, golden.safetensors and parity.json; nothing is run. page.py
writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deploy_targets import bundle as bundles
from deploy_targets.binding import batch_axis, in_model_terms
from deploy_targets.errors import ConfigError
from deploy_targets.parity import judge, rows
from deploy_targets.parity.exhibits import Exhibit, exhibit
from deploy_targets.parity.raw_exhibits import raw
from deploy_targets.parity.shares import Share, shares, used
from deploy_targets.records import (
    BYTES,
    Array,
    Bundle,
    Check,
    Entry,
    Manifest,
    Signature,
    Tensors,
    TensorSpec,
)
from deploy_targets.verdicts import Bound, OutputParity, Row, Verdict

WORST = 3
"""Calls that are shown with their inputs."""

CLASSES = 5
"""Classes of the original that are shown where an output is a classifier's."""


@dataclass(frozen=True)
class Measure:
    """The largest share of one bound over all calls, and the call in which it was found."""

    share: Share
    call: str
    expected: float
    answered: float
    """What stands at the worst element; NaN for measures that are not of one element."""


@dataclass(frozen=True)
class Output:
    """One output of a row, over all its calls."""

    spec: TensorSpec
    bound: Bound
    calls: int
    failures: tuple[str, ...]
    """Of calls that are not within the bounds: the call and what is wrong."""
    measures: tuple[Measure, ...]
    tasks: Mapping[str, float]
    """The least agreement over the calls."""
    jumped: int
    size: int
    histogram: tuple[int, ...]

    @property
    def used(self) -> float:
        """The largest share of any bound."""
        return max((m.share.used for m in self.measures), default=0.0)


@dataclass(frozen=True)
class Choice:
    """A class of the original, and its score."""

    index: int
    score: float


@dataclass(frozen=True)
class Nearest:
    """One call that is near its bound or beyond, with what was asked."""

    call: str
    output: str
    used: float
    reason: str
    parity: OutputParity
    inputs: tuple[Exhibit, ...]
    row: int
    """The row of the batch that is shown first: the one with the worst element."""
    classes_of: str
    """The classifier's output whose classes are shown; empty where there is none."""
    classes: tuple[Choice, ...]
    """The original's, of that row."""


@dataclass(frozen=True)
class Judged:
    """One row of the verdict with all that is shown of it."""

    row: Row
    required: bool
    recipe: str
    outputs: tuple[Output, ...]
    worst: tuple[Nearest, ...]
    calls: int


@dataclass(frozen=True)
class Story:
    """One bundle."""

    path: Path
    refused: bool
    digest: str
    manifest: Manifest
    verdict: Verdict
    rows: tuple[Judged, ...]
    silent: tuple[str, ...]
    """Lanes of which nothing is known."""


def read(folder: Path) -> Story:
    """Raises ConfigError where the bundle was never judged, BundleCorrupt where it has changed."""
    bundle = bundles.open_bundle(folder)
    report = bundles.read_report(bundle)
    if report is None:
        raise ConfigError(
            f"{folder} was never verified: it has no {bundles.PARITY} about these bytes",
            hint=f"deploy-target verify {folder}",
        )
    lanes, checks = bundle.manifest.lanes, list(bundles.read_golden(bundle))
    judged = [_judged(bundle, row, checks) for row in report.rows]
    known = {row.lane for row in report.rows}
    return Story(
        path=folder,
        refused=folder.name.endswith(".refused"),
        digest=report.bundle,
        manifest=bundle.manifest,
        verdict=rows.overall(lanes, report.rows),
        rows=tuple(sorted(judged, key=lambda one: one.row.verdict is not Verdict.FAIL)),
        silent=tuple(lane.name for lane in lanes if lane.name not in known),
    )


def _judged(bundle: Bundle, row: Row, checks: Sequence[Check]) -> Judged:
    manifest = bundle.manifest
    lane = next(lane for lane in manifest.lanes if lane.name == row.lane)
    allowed = manifest.bounds[lane.recipe][row.golden]
    signature = manifest.signatures[row.golden]
    names = dict.fromkeys(parity.output for parity in row.parity)
    outputs = [_output(name, row.parity, signature, allowed) for name in names]
    asked = {check.call.name: check for check in checks if check.golden == row.golden}
    return Judged(
        row=row,
        required=lane.required,
        recipe=lane.recipe,
        outputs=tuple(sorted(outputs, key=lambda out: (not out.failures, -out.used))),
        worst=tuple(_worst(row.parity, asked, manifest.entries, signature, allowed)),
        calls=len({parity.call for parity in row.parity}),
    )


def _output(
    name: str, parity: Sequence[OutputParity], signature: Signature, allowed: Mapping[str, Bound]
) -> Output:
    mine, bound = [p for p in parity if p.output == name], allowed.get(name, rows.EXACT)
    unknown = TensorSpec(name, "", ())
    said = [(p, judge.reason(p, bound)) for p in mine]
    tasks = {task: min(p.task.get(task, 1.0) for p in mine) for p in mine for task in p.task}
    counts = [p.histogram for p in mine if p.histogram]
    return Output(
        spec=next((spec for spec in signature.outputs if spec.name == name), unknown),
        bound=bound,
        calls=len(mine),
        failures=tuple(f"{p.call}: {reason}" for p, reason in said if reason),
        measures=tuple(_measures(mine, bound)),
        tasks=tasks,
        jumped=sum(p.jumped for p in mine),
        size=sum(p.size for p in mine),
        histogram=tuple(sum(bins) for bins in zip(*counts, strict=True)),
    )


def _measures(parity: Sequence[OutputParity], bound: Bound) -> list[Measure]:
    """Of each measure the call that uses most of its bound, in the judge's order."""
    found: dict[str, Measure] = {}
    for one in parity:
        for share in shares(one, bound):
            before = found.get(share.measure)
            if before is None or share.used > before.share.used:
                exact = share.measure == "worst element"
                numbers = (one.expected, one.answered) if exact else (float("nan"),) * 2
                found[share.measure] = Measure(share, one.call, *numbers)
    return list(found.values())


def _worst(
    parity: Sequence[OutputParity],
    asked: Mapping[str, Check],
    entries: Sequence[Entry],
    signature: Signature,
    allowed: Mapping[str, Bound],
) -> list[Nearest]:
    """The calls that are nearest to a bound, each by that output of it which is nearest."""
    ranked = sorted(parity, key=lambda p: used(p, allowed.get(p.output, rows.EXACT)), reverse=True)
    first = {p.call: p for p in reversed(ranked)}
    calls = [p for p in ranked if first[p.call] is p and p.call in asked][:WORST]
    return [_nearest(p, asked[p.call], entries, signature, allowed) for p in calls]


def _nearest(
    parity: OutputParity,
    check: Check,
    entries: Sequence[Entry],
    signature: Signature,
    allowed: Mapping[str, Bound],
) -> Nearest:
    entry = next(entry for entry in entries if entry.name == check.call.entry)
    bound = allowed.get(parity.output, rows.EXACT)
    spec = next((spec for spec in signature.outputs if spec.name == parity.output), None)
    row = _row(parity, spec, signature.batch)
    scored = _scored(parity.output, signature, in_model_terms(check.expected, entry))
    return Nearest(
        call=parity.call,
        output=parity.output,
        used=used(parity, bound),
        reason=judge.reason(parity, bound),
        parity=parity,
        inputs=tuple(_inputs(check, entry, row)),
        row=row,
        classes_of=scored[0] if scored else "",
        classes=_classes(scored[1], row) if scored else (),
    )


def _row(parity: OutputParity, spec: TensorSpec | None, batch: str | None) -> int:
    """The row of the batch in which the worst element lies."""
    axis = batch_axis(spec, batch) if spec else None
    if spec is None or axis is None or spec.shape[axis] != batch or not parity.element_at:
        return 0
    return parity.element_at[axis]


def _inputs(check: Check, entry: Entry, row: int) -> list[Exhibit]:
    """In the artifact's layout, under the artifact's names: what was really asked."""
    given = {port.spec.name: check.call.inputs[port.spec.name] for port in entry.inputs}
    if entry.golden == BYTES:
        return [raw(name, array) or exhibit(name, array) for name, array in given.items()]
    return [exhibit(name, array, row) for name, array in given.items()]


def _scored(output: str, signature: Signature, expected: Tensors) -> tuple[str, Array] | None:
    """A classifier's scores: those of this output, or else of the first that has any."""
    for spec in sorted(signature.outputs, key=lambda spec: spec.name != output):
        want = expected.get(spec.name)
        if spec.kind == "classifier" and want is not None and want.size and want.ndim:
            return spec.name, want
    return None


def _classes(want: Array, row: int) -> tuple[Choice, ...]:
    scores = want.reshape(-1, want.shape[-1]).astype(np.float64)
    one = scores[min(row, len(scores) - 1)]
    best = np.argsort(-one, kind="stable")[:CLASSES]
    return tuple(Choice(int(index), float(one[index])) for index in best)
