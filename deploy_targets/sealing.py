"""What a bundle says of itself: every question in the artifact's terms, and the manifest.

In: the original's answers and what a target built. Out: the questions that travel in the folder,
those that are only judged while it is built, and the manifest that is sealed with the former.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import deploy_targets
from deploy_targets import bundle as bundles
from deploy_targets.binding import NotCovered, encode
from deploy_targets.errors import UnsupportedModel
from deploy_targets.parity import rows
from deploy_targets.parity.withheld import unnamed
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Built, Check, Golden, Manifest, Prepared, Recipe
from deploy_targets.targets.base import Target


@dataclass
class Asked:
    """The questions in the artifact's terms: those that travel, and those that stay here."""

    sent: list[Check] = field(default_factory=list)
    withheld: list[Check] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)
    private: list[str] = field(default_factory=list)
    """Names of cases that nothing in the folder may mention."""

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.withheld:
            return ()
        every = len(self.sent) + len(self.withheld)
        return (
            f"{len(self.withheld)} of {every} questions were judged at the build and are not in "
            "this folder, as its option `golden` says",
        )


def encoded(known: Sequence[Golden], built: Built, travels: str) -> Asked:
    """Every question as the artifact is asked it. `travels`: the target's option `golden`.

    Raises UnsupportedModel where nothing that was recorded fits what was built.
    """
    asked = Asked()
    for one in known:
        before = len(asked.sent) + len(asked.withheld)
        for case in one.cases:
            sent = travels == "samples" or (travels == "synthetic" and case.synthetic)
            checks = asked.sent if sent else asked.withheld
            asked.private += [] if sent else [case.name]
            try:
                checks += encode(one.signature, built.entries, case, one.name)
            except NotCovered as reason:
                asked.uncovered.append(str(reason))
        if len(asked.sent) + len(asked.withheld) == before:
            raise UnsupportedModel(
                f"no case fits what was built, so nothing could be verified from {one.name}: "
                f"{asked.uncovered[-1]}",
                hint="give smaller samples, or make the fixed sizes those of the samples",
            )
    return asked


def manifest(
    prepared: Prepared,
    known: Sequence[Golden],
    target: Target,
    built: Built,
    asked: Asked,
    budget: float,
    notes: tuple[str, ...],
) -> Manifest:
    """All that is known of the bundle without running it; the files are added by the seal."""
    recipes = _recipes(prepared, built)
    return Manifest(
        schema=bundles.SCHEMA,
        name=prepared.name,
        source=prepared.graph.digest,
        capture=f"{prepared.graph.dialect} by {prepared.graph.how}",
        target=target.name,
        options=target.model_dump(mode="json"),
        recipes=recipes,
        signatures={one.name: one.signature for one in known},
        entries=built.entries,
        lanes=built.lanes,
        synthetic=all(case.synthetic for one in known for case in one.cases),
        bounds={
            name: {one.name: rows.bounds(one, recipe, budget) for one in known}
            for name, recipe in recipes.items()
        },
        bounds_from=tuple(dict.fromkeys(s for one in known for s in one.noise_sources)),
        uncovered=tuple(unnamed(text, asked.private) for text in asked.uncovered),
        tools={"deploy-targets": deploy_targets.__version__, **built.tools},
        quantized=built.quantized,
        stages=built.stages,
        notes=(
            *notes,
            *(unnamed(doubt, asked.private) for one in known for doubt in one.doubts),
            *asked.notes,
            *built.notes,
        ),
    )


def _recipes(prepared: Prepared, built: Built) -> dict[str, Recipe]:
    """That which was asked for, and those in which a device may run the artifact by itself."""
    own = {prepared.recipe.name: prepared.recipe}
    return {
        **{lane.recipe: RECIPES[lane.recipe] for lane in built.lanes if lane.recipe not in own},
        **own,
    }
