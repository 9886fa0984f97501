"""The documented Python API. The command line is a thin layer over these functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy_targets import bundle as bundles
from deploy_targets import config, frontends, pipeline, registry
from deploy_targets.choose import Progress, silent
from deploy_targets.composing import Steps
from deploy_targets.config import OutputTable, Settings
from deploy_targets.errors import ConfigError
from deploy_targets.frontends.source import SourceSpec, name_of
from deploy_targets.parity.expected import Tolerance
from deploy_targets.parity.recorded import recording
from deploy_targets.parity.verify import answers as ask
from deploy_targets.parity.verify import check_lanes
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import TENSORS, Array, DynamicAxis, Recipe, TensorSpec
from deploy_targets.runtime import Model
from deploy_targets.targets.base import Target
from deploy_targets.verdicts import ParityReport
from deploy_targets.workspace import Workspace


def build(
    model: str | Path | Settings,
    *,
    target: str,
    out: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    reuse: bool = True,
    timeout: float = 600.0,
    precision: str | None = None,
    workspace: Workspace | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Builds a bundle and proves it in the target's own runtime.

    `model` is a deploy.toml, a folder that holds one, or settings. `options` are laid over the
    target's table in it. `out` defaults to build/<name>-<target> beside the deploy.toml.
    Without `reuse` everything is made again though nothing has changed. `timeout` is in seconds,
    for each attempt to capture or convert the model. `precision` ("fp32", "fp16") goes before that
    of the settings.
    A verdict of NOT_RUN is returned, not raised: look at `outcome.verdict`.

    Raises ParityFailed where the artifact does not answer as the model does (it is then kept
    beside `out` as <out>.refused), and other DeployErrors.
    """
    settings = settings_of(model)
    chosen = registry.load(target, {**settings.targets.get(target, {}), **(options or {})})
    recipe = recipe_for(chosen, precision or settings.precision)
    spec = spec_of(settings)
    place = Path(out) if out else settings.base / "build" / f"{name_of(spec)}-{target}"
    folder = settings.base / settings.samples if settings.samples else None
    expects = {name: _exactly(table) for name, table in settings.outputs.items()}
    said = {name: tolerance for name, tolerance in expects.items() if tolerance}
    job = Job(
        spec,
        chosen,
        place,
        folder,
        settings.budget,
        recipe,
        timeout=timeout,
        expects=said,
        steps=steps_of(settings),
    )
    return pipeline.build(job, workspace or Workspace(), progress, reuse=reuse)


def verify(
    bundle: str | Path,
    *,
    lanes: Sequence[str] = (),
    actual: str | Path | None = None,
    workspace: Workspace | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Judges a bundle again, from its folder alone; neither the model nor its framework is needed.

    With `actual`, the answers are those in a safetensors file written elsewhere, whose metadata
    name the bundle's manifest digest, lane, runtime and device.

    Raises BundleCorrupt where a byte has changed since it was sealed.
    """
    opened = bundles.open_bundle(Path(bundle))
    check_lanes(opened, lanes)
    recorded = recording(Path(actual), opened) if actual is not None else None
    if recorded is not None:
        lanes = lanes or [recorded.lane]
    return pipeline.verify_folder(opened.path, workspace or Workspace(), lanes, recorded, progress)


def answers(
    bundle: str | Path,
    *,
    calls: Collection[str] | None = None,
    lane: str | None = None,
    golden: str = TENSORS,
    workspace: Workspace | None = None,
) -> dict[str, dict[str, Array]]:
    """What a bundle answers to its own golden calls: call -> output -> array.

    `calls` defaults to all of them, `lane` to the first. `golden` is the line of the verdict:
    "tensors", or "bytes", whose answers are those that a user gets. Raises NotRun where it cannot
    be run here.
    """
    opened = bundles.open_bundle(Path(bundle))
    target = registry.load(opened.manifest.target, opened.manifest.options)
    chosen = lane or opened.manifest.lanes[0].name
    with target.runner(workspace or Workspace()) as runner:
        return {
            check.call.name: dict(answer.outputs)
            for check, answer in ask(opened, runner, chosen, calls, golden)
        }


def load(model: str | Path | Settings) -> Model:
    """The original model, runnable, from a deploy.toml, a folder that holds one, or settings."""
    return frontends.load(spec_of(settings_of(model)))


def recipe_for(target: Target, precision: str) -> Recipe:
    """The precision as data. Raises ConfigError where it is none, or the target has it not."""
    if precision not in target.recipes:
        known = ", ".join(sorted(target.recipes))
        raise ConfigError(
            f"precision = {precision!r}: {target.name} has {known}",
            hint=f"set precision to one of these: {known}",
        )
    return RECIPES[precision]


def spec_of(settings: Settings) -> SourceSpec:
    """What the frontends need of the settings."""
    return SourceSpec(
        source=settings.source,
        base=settings.base,
        name=settings.name,
        inputs=tuple(
            TensorSpec(name, table.dtype, table.shape, range=table.range)
            for name, table in settings.inputs.items()
            if table.shape is not None
        ),
        axes=tuple(DynamicAxis(name, *sizes) for name, sizes in settings.axes.items()),
        outputs=tuple((name, table.kind) for name, table in settings.outputs.items()),
        batch=settings.batch,
        depends=settings.depends,
    )


def steps_of(settings: Settings) -> Steps:
    """What is declared to happen before and after the model."""
    before = {name: table.preprocess for name, table in settings.inputs.items()}
    after = {name: table.postprocess for name, table in settings.outputs.items()}
    return Steps(
        {name: table for name, table in before.items() if table is not None},
        {name: table for name, table in after.items() if table is not None},
        settings.base,
    )


def _exactly(table: OutputTable) -> Tolerance | None:
    """How exactly recorded answers are meant; None where nothing was said."""
    if table.rtol is None and table.atol is None:
        return None
    return Tolerance(table.rtol or 0.0, of_the_largest=0.0, absolute=table.atol or 0.0, last_bits=0)


def settings_of(model: str | Path | Settings) -> Settings:
    """The settings in a deploy.toml, or in a folder that holds one. Raises ConfigError."""
    if isinstance(model, Settings):
        return model
    path = Path(model)
    if path.is_dir():
        found = config.find(path)
        if found is None:
            raise ConfigError(
                f"{path} holds no {config.FILE}", hint="write one with `deploy-target init MODEL`"
            )
        path = found
    return config.read(path)


__all__ = ["Outcome", "ParityReport", "answers", "build", "load", "verify"]
