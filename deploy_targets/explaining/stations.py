"""From station to station, upstream first: where do two neighbours disagree?

    original's answer | captured graph | artifact's graph | the same, optimised | its own runtime

In: a question and the graphs that can be had. Out: the culprits, or which station is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from deploy_targets.binding import in_model_terms
from deploy_targets.errors import NotRun
from deploy_targets.explaining import blame, captured, sides
from deploy_targets.explaining.blame import Sources
from deploy_targets.explaining.question import Question
from deploy_targets.explaining.sides import Side
from deploy_targets.frontends.eager import EagerModel
from deploy_targets.parity.finding import Culprit, Sight, Stage
from deploy_targets.records import Array
from deploy_targets.runtime import Model

_REFUSED = re.compile(r"running (?P<operator>\w+) node\. Name:'(?P<node>[^']*)'")


@dataclass
class Stations:
    """What can be asked here. `untold` fills with what could not be told, and what to type."""

    question: Question
    loaded: Model | None
    original: Side | None
    """The captured graph."""
    artifact: Side | None
    sources: Sources
    untold: list[str] = field(default_factory=list)

    def search(self) -> tuple[Stage, list[Culprit]]:
        """The first stage at which answers part ways, and all culprits, upstream first."""
        culprits = [*self._capture(), *self._build()]
        if not culprits and self.artifact:
            culprits = [*self._optimisation(self.artifact)]
        if culprits:
            return culprits[0].stage, culprits
        known = self.artifact is not None or self.original is not None
        right = known and not self.untold
        return (Stage.RUNTIME if right else Stage.UNKNOWN), []

    @property
    def runs(self) -> int:
        """How often a graph was run, in whole or in part."""
        return sum(side.runs for side in (self.original, self.artifact) if side)

    def _capture(self) -> Iterator[Culprit]:
        """The original against its captured graph."""
        if self.original is None:
            return
        try:
            answers = self.original.answers()
        except NotRun as error:
            yield self._refused(error, Stage.CAPTURE)
            return
        distance = self.question.off(answers)
        if distance <= self.question.allowed:
            return
        if isinstance(self.loaded, EagerModel):
            found = captured.culprit(
                self.loaded, self.question.inputs, self.original, self.sources, distance
            )
            if found:
                yield found
                return
        yield self._captured_wrongly(answers)

    def _captured_wrongly(self, answers: dict[str, Array]) -> Culprit:
        """What is known of a wrong capture without looking into the original."""
        if self.loaded is None:
            self.untold.append(
                "which module was captured wrongly: deploy-target verify "
                f"{self.question.bundle.path} --explain --model deploy.toml"
            )
        assert self.original is not None
        expected = self.question.expected
        name = max(expected, key=lambda n: self.question.off(answers, {n: expected[n]}))
        graph = self.original.model.graph
        node = next(node for node in graph.node if name in node.output)
        return blame.of_answer(
            Stage.CAPTURE, node, expected[name], answers.get(name), name, self.sources
        )

    def _build(self) -> Iterator[Culprit]:
        """The captured graph against the artifact's."""
        if self.artifact is None:
            return
        try:
            answers = in_model_terms(self.artifact.answers(), self.question.entry)
        except NotRun as error:
            yield self._refused(error, Stage.BUILD)
            return
        if self.original is None:
            if self.question.off(answers) > self.question.allowed:
                self.untold.append(
                    "the artifact's graph is wrong, and the graph that was captured is not in the "
                    "cache: deploy-target verify "
                    f"{self.question.bundle.path} --explain --model deploy.toml"
                )
            return
        try:
            wanted = self.original.answers()
        except NotRun:
            return
        distance = self.question.off(answers, wanted)
        if distance > self.question.allowed:
            boundary = self.question.boundary
            parting = sides.first_parting(self.original, self.artifact, boundary, distance)
            if parting:
                yield blame.culprit(
                    Stage.BUILD, parting, self.original, self.artifact, self.sources
                )
            else:
                self.untold.append(
                    f"the artifact's graph differs from the captured one by {distance:.1e}, and no "
                    "single node stands out: compare recipe and options, or look at its first nodes"
                )

    def _optimisation(self, artifact: Side) -> Iterator[Culprit]:
        """The artifact's graph as it is written against what ONNX Runtime makes of it."""
        if self.untold:
            return
        plain, optimised = artifact.answers(), artifact.answers(optimised=True)
        distance = self.question.off(optimised, plain)
        if distance <= self.question.allowed:
            return
        original = self.original or artifact
        boundary = self.question.boundary if self.original else {}
        if found := sides.first_when_optimised(original, artifact, boundary, distance):
            yield blame.culprit(Stage.OPTIMISATION, found, original, artifact, self.sources)

    def _refused(self, error: NotRun, stage: Stage) -> Culprit:
        """A graph that does not run on this input; the runtime's message names the node."""
        match = _REFUSED.search(str(error))
        node = match["node"] if match else ""
        source = self.sources.get(node, {})
        return Culprit(
            stage,
            match["operator"] if match else "",
            node,
            source.get("module", ""),
            source.get("line", ""),
            "refused",
            str(error),
            Sight("", float("inf"), (), (), (), ()),
        )
