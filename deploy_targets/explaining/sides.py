"""Two graphs side by side: run with all that lies inside them in sight, or only to the end.

In: two ONNX graphs and one question in the terms of each. Out: their values, paired; the first
step at which they part. `parity/bisect.py` decides which; this file only runs and pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.errors import NotRun
from deploy_targets.graph import align, cut, tap
from deploy_targets.graph.align import Step
from deploy_targets.integrations import onnx_runtime
from deploy_targets.parity import bisect
from deploy_targets.parity.bisect import Parted
from deploy_targets.parity.difference import apart
from deploy_targets.records import Array, Tensors

if TYPE_CHECKING:
    from onnx import ModelProto

MEMORY = 2**30
"""Bytes of values held at once, of each graph; beyond it they are looked at in several runs."""
FINER = (1.0, 0.1, 0.01, 0.0)
"""Where no step stands out, smaller differences are looked at; in the end any bit."""


@dataclass
class Side:
    """A graph and what it is asked. Counts its runs; one plain run serves all who ask for values
    of it, if they fit into `memory` together."""

    model: ModelProto
    feeds: Tensors
    beside: Path | None = None
    memory: int = MEMORY
    runs: int = 0

    @classmethod
    def read(cls, path: Path, feeds: Tensors, memory: int = MEMORY) -> Side:
        """The graph in a file; weights that lie in other files stay there."""
        import onnx

        return cls(onnx.load(path, load_external_data=False), feeds, path.parent, memory)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...] | None]:
        """The values that can be seen, in order, with their shapes where these are known."""
        return tap.measured(self.model, self.feeds)

    @cached_property
    def outputs(self) -> list[str]:
        """The names of the answers."""
        return [value.name for value in self.model.graph.output]

    def groups(self, names: Sequence[str]) -> list[list[str]]:
        """Values in their order, as many together as fit."""
        return list(tap.chunks({name: self.shapes[name] for name in names}, self.memory))

    def fetch(self, names: Sequence[str]) -> dict[str, Array]:
        """These values, in one plain run."""
        wanted = list(dict.fromkeys(names))
        if len(self.groups(list(self.shapes))) == 1:
            return {name: self._whole[name] for name in wanted if name in self._whole}
        return self._run(tap.tap(self.model, wanted)) if wanted else {}

    def answers(self, *, optimised: bool = False) -> dict[str, Array]:
        """Its outputs; optimised, with nothing inside it in sight."""
        return self._run(self.model, optimised=True) if optimised else self.fetch(self.outputs)

    @cached_property
    def _whole(self) -> dict[str, Array]:
        return self._run(tap.tap(self.model, list(dict.fromkeys([*self.shapes, *self.outputs]))))

    def live_after(self, count: int) -> dict[str, Array]:
        """What its first nodes hand on to the others, run by themselves and optimised."""
        return self._run(cut.prefix(self.model, count), optimised=True)

    def alone(self, value: str, known: Tensors) -> Array | None:
        """One value, computed from others that are given; None where that does not run."""
        feeds = {**self.feeds, **known}
        try:
            return self._run(cut.between(self.model, feeds, value), feeds).get(value)
        except NotRun:
            return None

    def _run(
        self, model: ModelProto, feeds: Tensors | None = None, *, optimised: bool = False
    ) -> dict[str, Array]:
        self.runs += 1
        asked = self.feeds if feeds is None else feeds
        return onnx_runtime.run(model, asked, optimised=optimised, beside=self.beside)


@dataclass(frozen=True)
class Parting:
    """Where two graphs part ways, and what was seen there."""

    parted: Parted[Step]
    want: Tensors
    """The original's values by its names: of the step and of what feeds it."""
    got: Tensors
    """The artifact's, by its own."""


def first_parting(
    original: Side, artifact: Side, boundary: Mapping[str, str], distance: float
) -> Parting | None:
    """The first step that turns what agrees into what does not, for a difference so large."""
    steps = _steps(original, artifact, boundary)
    for share in FINER:
        allowed = share * bisect.tolerance(distance)
        off = {
            step.artifact
            for group, want, got in _seen(original, artifact, steps)
            for step in group
            if apart(want[step.original], got[step.artifact]) > allowed
        }
        matter = bisect.that_matter(steps, off, artifact.outputs)
        for group, want, got in _seen(original, artifact, matter):
            parted = bisect.first_parting(
                group,
                want,
                got,
                lambda step, known: artifact.alone(step.artifact, known),
                allowed,
            )
            if parted:
                return Parting(parted, want, got)
    return None


def first_when_optimised(
    original: Side, artifact: Side, boundary: Mapping[str, str], distance: float
) -> Parting | None:
    """The first node after which an optimised run no longer agrees with a plain one; by cuts."""
    steps = {step.artifact: step for step in _steps(original, artifact, boundary)}
    allowed = bisect.tolerance(distance)
    plain = artifact.fetch([name for name in artifact.shapes if name in steps])
    last: dict[int, dict[str, Array]] = {}

    def agrees(count: int) -> bool:
        last[count] = artifact.live_after(count)
        return all(apart(plain[n], a) <= allowed for n, a in last[count].items() if n in plain)

    found = bisect.first_difference(len(artifact.model.graph.node), agrees)
    if found is None:
        return None
    live = {n: a for n, a in last[found.step].items() if n in plain}
    worst = max(live, key=lambda name: apart(plain[name], live[name]))
    want = {steps[name].original: array for name, array in plain.items()}
    parted = Parted(steps[worst], live[worst], apart(plain[worst], live[worst]), True)
    return Parting(parted, {**original.feeds, **want}, {**artifact.feeds, **plain})


def _steps(original: Side, artifact: Side, boundary: Mapping[str, str]) -> list[Step]:
    """Those whose values can be seen on both sides."""
    shapes = original.shapes, artifact.shapes
    found = align.align(original.model.graph, artifact.model.graph, boundary, shapes)
    return [s for s in found if s.original in shapes[0] and s.artifact in shapes[1]]


def _seen(
    original: Side, artifact: Side, steps: Sequence[Step]
) -> Iterator[tuple[list[Step], dict[str, Array], dict[str, Array]]]:
    """The values of the steps and of what feeds them, on both sides; as many at once as fit."""
    by_name = {step.artifact: step for step in steps}
    for names in artifact.groups(list(by_name)):
        group = [by_name[name] for name in names]
        pairs = [pair for step in group for pair in ((step.original, step.artifact), *step.feeds)]
        here = [ours for ours, _ in pairs if ours not in original.feeds]
        there = [theirs for _, theirs in pairs if theirs not in artifact.feeds]
        want = {**original.feeds, **original.fetch(here)}
        yield group, want, {**artifact.feeds, **artifact.fetch(there)}
