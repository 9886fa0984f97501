"""Whole builds of small models: an encoder with XNNPACK, an LSTM by the kernels alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deploy_targets import pipeline, registry
from deploy_targets.converters.pte import Converted
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.records import DynamicAxis, Prepared, TensorSpec
from deploy_targets.targets.executorch import conversion
from deploy_targets.targets.executorch.target import Executorch
from deploy_targets.testing import zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

from .written import spoilt

ENCODER = """
import torch
from torch import nn

class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.embed, self.layers = nn.Embedding(50, 16), nn.TransformerEncoder(layer, 1)

    def forward(self, token):
        return self.layers(self.embed(token)).mean(1)

def encoder():
    torch.manual_seed(0)
    return Encoder().eval()
"""


def built(spec: SourceSpec, out: Path, **options: object) -> Outcome:
    return pipeline.build(Job(spec, registry.load("executorch", options), out), Workspace())


def passed(outcome: Outcome, kind: str) -> None:
    """On one and two threads, all cases, at sizes of the batch that the example had not."""
    rows = [row for row in outcome.report.rows if row.parity]
    assert {row.lane for row in rows} == {f"{kind}-1t", f"{kind}-2t"}
    assert outcome.verdict is Verdict.PASS, [row.reason for row in rows]
    assert max(parity.relative_l2 for row in rows for parity in row.parity) <= 1e-5
    assert outcome.bundle.manifest.uncovered == ()
    assert outcome.bundle.manifest.entries[0].inputs[0].spec.shape[0] == "batch"


def test_an_encoder_whose_batch_and_time_are_dynamic(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(ENCODER, encoding="utf-8")
    token = TensorSpec("token", "int64", ("batch", "time"), range=(0, 49))
    axes = (DynamicAxis("batch", 1, 8), DynamicAxis("time", 2, 16))
    spec = SourceSpec("model.py:encoder", tmp_path, inputs=(token,), axes=axes, batch="batch")
    outcome = built(spec, tmp_path / "out")
    passed(outcome, "xnnpack")
    assert outcome.bundle.manifest.options["backend"] == "xnnpack"
    assert outcome.bundle.manifest.entries[0].inputs[0].spec.shape == ("batch", "time")


def lstm() -> SourceSpec:
    # torch.export takes no LSTM whose time axis is dynamic.
    given = zoo.SPECS["recurrent"]
    (sound,) = given.inputs
    axes = tuple(axis for axis in given.axes if axis.name == given.batch)
    return replace(given, inputs=(replace(sound, shape=(sound.shape[0], 7, 3)),), axes=axes)


def test_an_lstm_by_the_kernels_alone(tmp_path: Path) -> None:
    outcome = built(lstm(), tmp_path / "out", backend="portable")
    passed(outcome, "portable")
    asked = [row for row in outcome.report.rows if row.parity]
    assert all(", without XNNPACK, " in row.where for row in asked)
    notes = outcome.bundle.manifest.notes
    assert [note for note in notes if note.startswith("computed by ExecuTorch's own kernels: ")]


def test_where_xnnpack_is_wrong_the_kernels_alone_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = conversion.converted

    def crooked(
        target: Executorch, prepared: Prepared, workspace: Workspace
    ) -> tuple[Path, Converted]:
        portable = target.model_copy(update={"backend": "portable"})
        file, made = honest(portable, prepared, workspace)
        if target.backend == "portable":
            return file, made
        wrong = tmp_path / "wrong.pte"
        wrong.write_bytes(spoilt(file.read_bytes(), zoo.recurrent()))
        return wrong, made

    monkeypatch.setattr(conversion, "converted", crooked)
    # A name of its own, so that nobody is given this bundle for an honest one.
    job = Job(replace(lstm(), name="crooked"), registry.load("executorch"), tmp_path / "out")
    outcome = pipeline.build(job, Workspace(), reuse=False)
    passed(outcome, "portable")
    assert outcome.bundle.manifest.options["backend"] == "portable"
    (said,) = outcome.tried
    assert said.startswith("exported by torch.export, xnnpack: ")
    words = "exported by torch.export, xnnpack was tried before and did not answer as the original"
    assert [note for note in outcome.bundle.manifest.notes if note.startswith(words)]
