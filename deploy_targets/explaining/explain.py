"""Why a bundle does not answer as the original does: where the two part ways, and how.

In: a bundle that failed, and perhaps the deploy.toml of its model. Out: an Explanation. The
smallest call that failed (`question.py`) is asked of every station between the original and the
runtime (`stations.py`); where two neighbours disagree, the first node or module that turns what
agrees into what does not is named (`sides.py`, `captured.py`, `blame.py`).
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from deploy_targets import api, choose, frontends, pipeline, registry
from deploy_targets import bundle as bundles
from deploy_targets.binding import in_model_terms
from deploy_targets.choose import Progress, silent
from deploy_targets.config import Settings
from deploy_targets.errors import ConfigError, DeployError, NotRun
from deploy_targets.explaining import blame, rebuilt, steps
from deploy_targets.explaining.question import Question, questions
from deploy_targets.explaining.sides import MEMORY, Side
from deploy_targets.explaining.stations import Stations
from deploy_targets.parity.difference import Difference, kinds_of_answers
from deploy_targets.parity.finding import Explanation, Stage
from deploy_targets.parity.verify import Recorded, answers
from deploy_targets.records import TENSORS, Bundle, Capture, Dialect
from deploy_targets.runtime import Model, Runner
from deploy_targets.verdicts import ParityReport
from deploy_targets.workspace import Workspace


def explain(
    bundle: str | Path,
    model: str | Path | Settings | None = None,
    *,
    report: ParityReport | None = None,
    recorded: Recorded | None = None,
    workspace: Workspace | None = None,
    memory: int = MEMORY,
    progress: Progress = silent,
) -> Explanation:
    """Finds the first node at which a bundle that failed and its original part ways.

    `model` is a deploy.toml (or its folder, or settings): with it the captured graph is compared
    with the eager original, too, module by module. `report` defaults to the bundle's parity.json,
    and where it has none, to a fresh verification; `recorded` holds answers written elsewhere.
    `memory`: bytes of values that are held at once, of each of two graphs.

    Raises NotRun where nothing is known of the bundle, ConfigError where `model` is another one.
    """
    opened, place = bundles.open_bundle(Path(bundle)), workspace or Workspace()
    known = report or bundles.read_report(opened)
    if known is None:
        known = pipeline.verify_folder(opened.path, place, progress=progress).report
    asked = questions(opened, known)
    if not asked:
        said = "every lane that was run answers as the original does: nothing to explain"
        return Explanation(str(opened.path), Stage.NOTHING, said)
    own = [one for one in asked if one.check.golden == TENSORS]
    if not own:
        with progress("look for the step that is done otherwise"):
            return steps.explain(asked, recorded, place)
    loaded = _load(model, opened, place, progress) if model is not None else None
    with progress("look for where the answers part ways"):
        tried = (_explain(one, loaded, recorded, place, memory) for one in own)
        # Where the runtime answered nothing, the call that it refused has to be looked for.
        found = next(tried)
        if found.culprits or own[0].answered:
            return found
        return next((more for more in tried if more.culprits), found)


def _explain(
    asked: Question,
    loaded: Model | None,
    recorded: Recorded | None,
    workspace: Workspace,
    memory: int,
) -> Explanation:
    folder = _captured(asked.bundle, loaded, workspace)
    with workspace.scratch() as scratch:
        there = asked.target.graph(asked.bundle, scratch)
        stations = Stations(
            asked,
            loaded,
            Side.read(folder / "model.onnx", asked.inputs, memory) if folder else None,
            Side.read(there, asked.check.call.inputs, memory) if there else None,
            blame.sources_of(folder) if folder else {},
        )
        stage, culprits = stations.search()
    found = Explanation(
        str(asked.bundle.path),
        stage,
        _said(stage, asked, stations.artifact is not None),
        asked.lane,
        asked.check.call.name,
        tuple(culprits),
        runs=stations.runs,
        untold=tuple(stations.untold),
    )
    return found if culprits else _beyond(found, asked, stations, recorded, workspace)


def _beyond(
    found: Explanation,
    asked: Question,
    stations: Stations,
    recorded: Recorded | None,
    workspace: Workspace,
) -> Explanation:
    """Where no graph is to blame: what its own runtime answers, and where in it that begins."""
    untold = list(found.untold)
    differences = _in_its_runtime(asked, recorded, workspace, untold)
    found = replace(found, differences=differences)
    if found.stage is Stage.RUNTIME and stations.original and differences and not recorded:
        try:
            parting, runs = rebuilt.first_difference(asked, stations.original, workspace)
        except DeployError as error:
            untold.append(f"which node its runtime computes differently: {error} ({error.hint})")
        else:
            found = replace(found, runs=found.runs + runs)
            if parting:
                culprit = blame.culprit(
                    Stage.RUNTIME, parting, stations.original, stations.original, stations.sources
                )
                found = replace(found, culprits=(culprit,), said=_RUNTIME)
            else:
                found = replace(found, said=_AROUND)
    return replace(found, untold=tuple(untold))


def _load(
    model: str | Path | Settings, bundle: Bundle, workspace: Workspace, progress: Progress
) -> Model:
    """The original. Raises ConfigError where it is not the one that the bundle was built from."""
    with progress("load the model"):
        loaded = frontends.load(api.spec_of(api.settings_of(model)), workspace)
    manifest = bundle.manifest
    if loaded.digest != manifest.source:
        raise ConfigError(
            f"--model is not what {bundle.path} was built from: the model's digest is "
            f"{loaded.digest[:12]}, the bundle's source {manifest.source[:12]}",
            hint="give the deploy.toml of that build, with the code, the weights and the packages "
            "of then; or build again from this one",
        )
    return loaded


def _captured(bundle: Bundle, loaded: Model | None, workspace: Workspace) -> Path | None:
    """The folder of the captured graph: of the cache, or captured again where there is a model."""
    manifest = bundle.manifest
    dialect, _, how = manifest.capture.partition(" by ")
    if dialect != Dialect.ONNX:
        return None
    target = registry.load(manifest.target, manifest.options)
    capture = target.captured(Capture(Dialect.ONNX, how))
    if loaded is not None:
        return pipeline.capture(loaded, capture, workspace).folder
    key = pipeline.capture_key(manifest.source, manifest.signature, capture)
    return workspace.find(pipeline.GRAPH, key)


def _in_its_runtime(
    asked: Question, recorded: Recorded | None, workspace: Workspace, untold: list[str]
) -> dict[str, Difference]:
    """What kind of difference its own runtime's answers show."""
    world: AbstractContextManager[Runner]
    world = nullcontext(recorded) if recorded else choose.world(asked.target, workspace)
    try:
        with world as runner:
            return _differences(asked, runner)
    except NotRun as error:
        untold.append(f"what its own runtime answers: {error} ({error.hint})")
    except DeployError as error:
        untold.append(f"what its own runtime answers: {error}")
    return {}


def _differences(asked: Question, runner: Runner) -> dict[str, Difference]:
    name = asked.check.call.name
    golden = asked.check.golden
    for _, answer in answers(asked.bundle, runner, asked.lane, [name], golden):
        return kinds_of_answers(asked.expected, in_model_terms(answer.outputs, asked.entry))
    return {}


_RUNTIME = (
    "the captured graph is right, and the target does not compute it: parts of it were built and "
    "run there, and the first wrong one ends at this node"
)
_AROUND = (
    "the target computes the captured graph rightly when it is built anew: the difference lies in "
    "this bundle's other files, or around the graph (what comes before and after it, the serving)"
)


def _said(stage: Stage, asked: Question, seen: bool) -> str:
    name = asked.bundle.manifest.name
    sentences = {
        Stage.CAPTURE: f"the graph that was captured does not compute what {name} computes",
        Stage.BUILD: "the captured graph is right, and the artifact's graph is another",
        Stage.OPTIMISATION: "the artifact's graph is right as it is written; the fault appears "
        "only in what ONNX Runtime's optimisation makes of it",
        Stage.RUNTIME: "the artifact's graph is right on this machine: the difference arises in "
        "its runtime, or around the graph (what comes before and after it, the serving)"
        if seen
        else "the captured graph is right, and the artifact is no ONNX graph to look into",
        Stage.UNKNOWN: "where the answers part ways cannot be told from what is here",
    }
    return sentences[stage]
