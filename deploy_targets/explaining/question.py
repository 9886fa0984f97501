"""The call that an explanation is about. In: a bundle and its report. Out: Questions.

The smallest of those that failed come first, in the terms of the model and of the artifact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deploy_targets import bundle as bundles
from deploy_targets import registry
from deploy_targets.binding import in_model_terms
from deploy_targets.errors import BundleCorrupt, NotRun
from deploy_targets.parity import bisect, judge
from deploy_targets.parity.difference import apart
from deploy_targets.parity.rows import EXACT
from deploy_targets.records import Array, Bundle, Check, Entry, Signature, Tensors
from deploy_targets.targets.base import Target
from deploy_targets.verdicts import OutputParity, ParityReport, Row, Verdict


@dataclass(frozen=True)
class Question:
    """A call that failed in one lane."""

    bundle: Bundle
    target: Target
    lane: str
    check: Check
    distance: float
    """How far off the artifact was judged to be: relative L2, 1 at most."""
    answered: bool
    """Whether the runtime answered at all; if not, it is not known which call it refused."""

    @property
    def entry(self) -> Entry:
        """What was called."""
        name = self.check.call.entry
        return next(e for e in self.bundle.manifest.entries if e.name == name)

    @property
    def signature(self) -> Signature:
        """Of the line of the verdict that failed."""
        return self.bundle.manifest.signatures[self.check.golden]

    @property
    def allowed(self) -> float:
        """Relative L2 that counts as agreeing."""
        return bisect.tolerance(self.distance)

    @property
    def expected(self) -> dict[str, Array]:
        """The original's answer, in the model's terms."""
        return in_model_terms(self.check.expected, self.entry)

    @property
    def inputs(self) -> dict[str, Array]:
        """What the model is asked, in its own terms."""
        dtypes = {spec.name: spec.dtype for spec in self.signature.inputs}
        given = in_model_terms(self.check.call.inputs, Entry("", (), self.entry.inputs))
        return {name: array.astype(dtypes[name]) for name, array in given.items()}

    @property
    def boundary(self) -> Mapping[str, str]:
        """The artifact's names of inputs and outputs -> the model's."""
        return {port.spec.name: port.of for port in (*self.entry.inputs, *self.entry.outputs)}

    def off(self, answers: Tensors, of: Tensors | None = None) -> float:
        """How far answers in the model's terms are from the original's, or from others; at worst.

        An output that is not there is infinitely far.
        """
        wanted = self.expected if of is None else of
        found = [apart(a, answers[n]) if n in answers else float("inf") for n, a in wanted.items()]
        return max(found, default=0.0)


def questions(bundle: Bundle, report: ParityReport) -> list[Question]:
    """The calls that failed, the smallest first; none where every lane that was run passed.

    Raises NotRun where none was run.
    """
    failed = [row for row in report.rows if row.verdict is Verdict.FAIL]
    if not failed and all(row.verdict is Verdict.NOT_RUN for row in report.rows):
        raise NotRun(
            f"{bundle.path} was never run, so there is nothing to explain",
            hint=f"deploy-target verify {bundle.path} on a machine that has its runtime",
        )
    checks = {(c.golden, c.call.name): c for c in bundles.read_golden(bundle)}
    found = [
        (checks[row.golden, call], row, distance)
        for row in failed
        for call, distance in _bad(bundle, row, checks)
        if (row.golden, call) in checks
    ]
    if failed and not found and bundle.manifest.options.get("golden", "samples") != "samples":
        raise NotRun(
            "what failed was asked of your samples, which do not travel in this folder",
            hint="build it where they may: --set golden=samples",
        )
    if failed and not found:
        raise BundleCorrupt(
            f"{bundle.path / bundles.PARITY} names calls that are not in its golden",
            hint=f"judge it again: deploy-target verify {bundle.path}",
        )
    target = registry.load(bundle.manifest.target, bundle.manifest.options)
    return [
        Question(bundle, target, row.lane, check, distance, bool(row.parity))
        for check, row, distance in sorted(found, key=lambda item: _size(item[0]))
    ]


def _bad(
    bundle: Bundle, row: Row, checks: Mapping[tuple[str, str], Check]
) -> Iterator[tuple[str, float]]:
    """Calls that failed, and by how much. All of them where the runtime refused the artifact."""
    if not row.parity:
        yield from ((call, 1.0) for golden, call in checks if golden == row.golden)
    lane = next(lane for lane in bundle.manifest.lanes if lane.name == row.lane)
    bounds = bundle.manifest.bounds[lane.recipe][row.golden]
    for parity in row.parity:
        if not judge.accepts(parity, bounds.get(parity.output, EXACT)):
            yield parity.call, _distance(parity)


def _distance(parity: OutputParity) -> float:
    # Written so that NaN, which stands for what cannot be compared, counts as far.
    return parity.relative_l2 if 0 < parity.relative_l2 < 1 else 1.0


def _size(check: Check) -> int:
    return sum(array.nbytes for array in check.call.inputs.values())
