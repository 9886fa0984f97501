"""Whole bundles for AWS Lambda, built by the pipeline and asked in its real emulator."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deploy_targets import pipeline, registry
from deploy_targets.choose import world
from deploy_targets.errors import ParityFailed
from deploy_targets.parity.verify import answers
from deploy_targets.pipeline import Job
from deploy_targets.records import Array
from deploy_targets.workspace import Workspace

from .models import Source, source_of
from .record import keep, noted
from .store import Entry

BUILD = "pipeline.lambda"


def run(cache: Path, homes: Sequence[Entry]) -> None:
    """One bundle per model, unless it is known how it ends."""
    workspace = Workspace(cache / "workspace")
    for home in homes:
        if not home.tried(BUILD):
            with noted(home, BUILD):
                _one(cache, home, workspace)


def _one(cache: Path, home: Entry, workspace: Workspace) -> None:
    source = source_of(home.name, cache)
    target = registry.load("lambda", {})
    with tempfile.TemporaryDirectory(dir=workspace.root) as folder:
        out = Path(folder) / "bundle"
        job = Job(source.spec, target, out, _samples(source, Path(folder) / "samples"))
        try:
            bundle = pipeline.build(job, workspace, reuse=False).bundle
        except ParityFailed:
            # Whether that was a false alarm is for the scores to say: what it answers counts.
            from deploy_targets.bundle import open_bundle

            bundle = open_bundle(out.with_name(out.name + ".refused"))
        said: dict[str, dict[str, Array]] = {}
        with world(target.choices()[0], workspace) as runner:
            for check, answer in answers(bundle, runner, bundle.manifest.lanes[0].name):
                said[check.call.name.rpartition("/")[0]] = dict(answer.outputs)
    cases = home.read_cases()
    known = {case.name for case in cases}
    keep(home, BUILD, cases, {k: v for k, v in said.items() if k in known})


def _samples(source: Source, folder: Path) -> Path | None:
    """A model's samples as a user would give them: one file per case."""
    given = source.samples()
    if not given:
        return None
    folder.mkdir()
    for name, tensors in given.items():
        np.savez(folder / f"{name}.npz", allow_pickle=False, **tensors)
    return folder
