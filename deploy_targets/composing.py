"""From declared tables to the model with its steps around it: the pipeline's `compose`.

In: a model, the tables under [inputs.NAME.preprocess] and [outputs.NAME.postprocess], a target.
Out: a `Staged`, or None where nothing is declared. Where the user names the original's own
preprocessing, the declared steps are held against it before anything is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets import grafting
from deploy_targets.errors import ConfigError
from deploy_targets.frontends import own, reference
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity import golden
from deploy_targets.parity.cases import check_sample
from deploy_targets.parity.made import Question
from deploy_targets.parity.noise import THOROUGH
from deploy_targets.parity.samples import SUFFIXES
from deploy_targets.records import Golden, Signature, Tensors
from deploy_targets.runtime import Model
from deploy_targets.stages.compose import Staged
from deploy_targets.stages.host import Refused
from deploy_targets.targets.base import Target
from deploy_targets.workspace import Workspace, digest_of

if TYPE_CHECKING:
    from deploy_targets.stages.base import After, Before


@dataclass(frozen=True)
class Steps:
    """The tables, by input and by output, and the folder that their files are relative to."""

    before: Mapping[str, Before] = field(default_factory=dict)
    after: Mapping[str, After] = field(default_factory=dict)
    base: Path = Path()

    def __bool__(self) -> bool:
        return bool(self.before or self.after)

    @property
    def modules(self) -> list[SourceSpec]:
        """The torch modules among the steps."""
        own = [step for table in self.before.values() for step in table.own]
        return [SourceSpec(step.module, self.base) for step in own if step.module]

    @property
    def digest(self) -> str:
        """Over all that they say, and over the code that they name: references, own steps."""
        named = {name: t.reference for name, t in self.before.items() if t.reference}
        code = {name: reference.digest(source, self.base) for name, source in named.items()}
        theirs = [
            own.digest(source, self.base)
            for table in self.before.values()
            for step in table.own
            for source in (step.source, *step.counterparts.values())
        ]
        said = {
            side: {name: table.model_dump(mode="json") for name, table in tables.items()}
            for side, tables in (("before", self.before), ("after", self.after))
        }
        files = [_digest_of_labels(table, self.base) for table in self.after.values()]
        return digest_of(said, code, theirs, files)


def compose(model: Model, steps: Steps, target: Target, workspace: Workspace) -> Staged | None:
    """The model with its steps; None where none is declared.

    Raises ConfigError, ToolMissing, and UnsupportedModel where the target lacks a counterpart of
    an own step.
    """
    if not steps:
        return None
    from deploy_targets.stages import needs
    from deploy_targets.stages.own import refuse_missing
    from deploy_targets.stages.tables import staging

    needs.require([*steps.before.values(), *steps.after.values()])
    specs = {spec.name: spec for spec in model.signature.inputs}
    made = staging(model.signature, steps.before, steps.after, steps.base, target.name)
    if target.stages:
        refuse_missing(made, target.name)
    references = {
        name: reference.load(table.reference, steps.base, table.given, specs[name])
        for name, table in steps.before.items()
        if table.reference
    }
    functions, files = grafting.load(made, model.signature, steps.base, workspace)
    return Staged(model, replace(made, files=files), references, target.levels, functions)


def left_behind(steps: Steps, target: Target) -> tuple[str, ...]:
    """What must be said where a target does not carry what is declared."""
    if not steps or target.stages:
        return ()
    return (
        f"the declared steps before and after the model do not travel with {target.name}: it takes "
        "and gives tensors",
    )


def derived(staged: Staged, raw: Mapping[str, Tensors]) -> dict[str, Tensors]:
    """What the model is asked when the user's raw samples are. Raises ConfigError."""
    found: dict[str, Tensors] = {}
    for name, inputs in raw.items():
        try:
            found[name], _ = staged.tensors(inputs)
        except Refused as error:
            raise ConfigError(
                f"sample {name} cannot be taken: {error}",
                hint=f"correct or remove it; tensors go as {', '.join(SUFFIXES)}",
            ) from error
    return found


def askable(
    staged: Staged, asked: Sequence[Question], model: Signature
) -> tuple[list[Question], tuple[str, ...]]:
    """The questions that the declared steps and the model's axes take, and what was left out.

    Raises ConfigError where nothing is left, and for a sample of the user's.
    """
    kept: list[Question] = []
    left: list[str] = []
    for question in asked:
        try:
            tensors, _ = staged.tensors(question.inputs)
            check_sample(model, question.name, tensors)
        except (Refused, ConfigError) as error:
            if not question.synthetic:
                raise ConfigError(
                    f"sample {question.name} cannot be taken: {error}",
                    hint="correct or remove it, or widen [axes] and the limits of the steps",
                ) from error
            left.append(f"made-up case {question.name} is not asked from bytes: {error}")
        else:
            kept.append(question)
    if asked and not kept:
        raise ConfigError(
            f"no made-up input passes the declared steps: {left[0]}",
            hint="give samples of your own, or correct the limits in the table",
        )
    return kept, tuple(left)


def learn(model: Model, staged: Staged, known: Golden, asked: Sequence[Question]) -> None:
    """How sure the model is of its answers to what these raw inputs become.

    Most of it is known already, for the user's raw samples are asked as tensors, too.
    """
    staged.learn(known.cases)
    rest: list[Question] = []
    for question in asked:
        tensors, _ = staged.tensors(question.inputs)
        if not staged.knows(tensors):
            rest.append(replace(question, inputs=tensors))
    if rest:
        # The user's own samples have been asked thoroughly; these are beside them.
        known_well = sum(not case.synthetic for case in known.cases)
        staged.learn(golden.record(model, rest, thorough=0 if known_well else THOROUGH).cases)


def _digest_of_labels(table: After, base: Path) -> str:
    labels = getattr(table, "labels", None)
    if not isinstance(labels, str):
        return ""
    try:
        return digest_of((base / labels).read_bytes())
    except (OSError, ValueError):
        # What is wrong with it is said where it is read.
        return ""
