"""Whole builds of small models: an LSTM, a transformer encoder, a CNN in both precisions, Keras."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deploy_targets import api, pipeline, registry
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import DynamicAxis, TensorSpec
from deploy_targets.testing import zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

QUICK = {"arm": "none", "old_runtime": False}
MODELS = """
import torch
from torch import nn

def seeded(build):
    torch.manual_seed(0)
    return build().eval()

class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.embed, self.layers = nn.Embedding(50, 16), nn.TransformerEncoder(layer, 2)

    def forward(self, token):
        return self.layers(self.embed(token)).mean(1)

class Seen(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 64, 3, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
            nn.Conv2d(64, 128, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(128, 10),
        )

    def forward(self, image):
        return self.net(image)

def encoder():
    return seeded(Encoder)

def seen():
    return seeded(Seen)
"""
KERAS = """
import keras

def lstm():
    keras.utils.set_random_seed(0)
    sound = keras.Input((12, 4), name="sound")
    return keras.Model(sound, keras.layers.Dense(3, name="said")(keras.layers.LSTM(8)(sound)))
"""
BATCH = DynamicAxis("batch", 1, 8)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "model.py").write_text(MODELS)
    (folder / "kerased.py").write_text(KERAS)
    return folder


def built(spec: SourceSpec, out: Path, precision: str = "fp32", **options: object) -> Outcome:
    target = registry.load("tflite", {**QUICK, **options})
    return pipeline.build(Job(spec, target, out, recipe=RECIPES[precision]), Workspace())


def passed(outcome: Outcome, far: float) -> None:
    """In LiteRT on one and two threads, all cases, within this relative L2."""
    rows = [row for row in outcome.report.rows if row.lane.startswith("litert")]
    assert {row.lane for row in rows} == {"litert-1t", "litert-2t"}
    assert outcome.verdict is Verdict.PASS, [row.reason for row in rows]
    assert max(parity.relative_l2 for row in rows for parity in row.parity) <= far


def test_an_lstm(tmp_path: Path) -> None:
    # torch.export takes no LSTM whose time axis is dynamic, and a .tflite has none anyway.
    given = zoo.SPECS["recurrent"]
    (sound,) = given.inputs
    axes = tuple(axis for axis in given.axes if axis.name == given.batch)
    still = replace(given, inputs=(replace(sound, shape=(sound.shape[0], 7, 3)),), axes=axes)
    outcome = built(still, tmp_path / "out")
    passed(outcome, 1e-5)


def test_a_transformer_encoder_whose_integers_become_32_bits_wide(
    home: Path, tmp_path: Path
) -> None:
    token = TensorSpec("token", "int64", ("batch", 9), range=(0, 49))
    spec = SourceSpec("model.py:encoder", home, inputs=(token,), axes=(BATCH,), batch="batch")
    outcome = built(spec, tmp_path / "out", batch_sizes=(1, 3))
    passed(outcome, 1e-5)
    assert [entry.name for entry in outcome.bundle.manifest.entries] == ["b1", "b3"]
    assert "token is int64 in the model and int32 in the .tflite" in outcome.bundle.manifest.notes


def test_a_cnn_with_float16_weights_is_half_as_large(home: Path, tmp_path: Path) -> None:
    image = TensorSpec("image", "float32", ("batch", 3, 32, 32))
    spec = SourceSpec("model.py:seen", home, inputs=(image,), axes=(BATCH,), batch="batch")
    full = built(spec, tmp_path / "fp32")
    half = built(spec, tmp_path / "fp16", "fp16")
    passed(full, 1e-5)
    passed(half, 1e-2)
    sizes = [one.bundle.manifest.files["model.tflite"].size for one in (full, half)]
    assert 0.45 < sizes[1] / sizes[0] < 0.65
    (entry,) = full.bundle.manifest.entries
    assert entry.inputs[0].axes == (0, 2, 3, 1)
    assert entry.inputs[0].spec.shape == (1, 32, 32, 3)


def test_a_keras_model_that_code_gives(home: Path, tmp_path: Path) -> None:
    spec = SourceSpec("kerased.py:lstm", home)
    outcome = built(spec, tmp_path / "out")
    passed(outcome, 1e-5)
    assert outcome.bundle.manifest.capture == "saved_model by tensorflow"
    assert api.verify(tmp_path / "out", lanes=["litert-1t"]).verdict is Verdict.PASS
