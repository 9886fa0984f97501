"""Models that see, hear and read rows, with the tables of deploy.toml that say how they are asked.

Out: PyTorch modules (importable as "deploy_targets.testing.media_zoo:detector"), and `write`, which
puts a project of one of them into a folder. To add one: the class in torch_media.py, a function
here, and where it is to be built its deploy.toml in `TABLES`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.testing import zoo

if TYPE_CHECKING:
    from torch import nn


def detector() -> nn.Module:
    """f32[batch,3,height,width] -> boxes [batch,cells,4] in pixels, scores [batch,cells,3]"""
    return zoo.seeded("Detector", "torch_media")


def segmenter() -> nn.Module:
    """f32[batch,3,height,width] -> mask [batch,4,height / 2,width / 2]"""
    return zoo.seeded("Segmenter", "torch_media")


def eye() -> nn.Module:
    """f32[batch,3,64,96] -> boxes [batch,96,4], scores [batch,96,3], mask [batch,4,32,48]"""
    return zoo.seeded("Eye", "torch_media")


def ear() -> nn.Module:
    """f32[batch,32,time] -> kind [batch,4], letters [batch,time,6]"""
    return zoo.seeded("Ear", "torch_media")


TABLES = {
    "eye": """
source = "deploy_targets.testing.media_zoo:eye"
[axes]
batch = [1, 4]
[inputs.image]
shape = ["batch", 3, 64, 96]
[inputs.image.preprocess]
type = "image"
resize = { longer = 64, antialias = "none" }
pad = { to = [64, 96], value = 114, at = "centre" }
scale = 0.00392156862745098
[outputs.boxes.postprocess]
type = "boxes"
scores = "scores"
format = "xyxy"
labels = ["red", "green", "blue"]
input = "image"
[outputs.scores]
[outputs.mask.postprocess]
type = "mask"
labels = ["nothing", "red", "green", "blue"]
palette = [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]]
size = [64, 96]
input = "image"
""",
    "ear": """
source = "deploy_targets.testing.media_zoo:ear"
[axes]
batch = [1, 4]
time = [2, 200]
[inputs.sound]
shape = ["batch", 32, "time"]
[inputs.sound.preprocess]
type = "audio"
rate = 8000
resample = "sinc_hann"
log_mel = { convention = "librosa", n_fft = 512, hop = 128, mels = 32 }
layout = ["batch", "mels", "time"]
mean = -30.0
std = 20.0
[outputs.kind.postprocess]
type = "classes"
activation = "softmax"
top_k = 2
labels = ["bell", "drum", "flute", "rain"]
[outputs.letters.postprocess]
type = "text"
alphabet = "abcd|_"
space = "|"
blank = 5
""",
    "passengers": """
source = "model.py:pipeline"
[inputs.features]
shape = ["batch", 4]
[axes]
batch = [1, 64]
[inputs.features.preprocess]
type = "table"
columns = ["age", "fare", "sex"]
missing = { age = 29.5, fare = 60.0 }
categories = { sex = ["female", "male"] }
[outputs.label]
[outputs.probabilities.postprocess]
type = "classes"
activation = "none"
labels = ["first", "second", "third"]
""",
}
"""deploy.toml of each, by name."""

CODE = {
    "passengers": """
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def pipeline():
    draw = np.random.default_rng(0)
    numbers, sex = draw.normal((30, 60), (12, 40), (200, 2)), draw.integers(0, 2, 200)
    rows = np.column_stack([numbers, sex, 1 - sex])
    kinds = (rows[:, 0] > 30).astype(int) + (rows[:, 1] * rows[:, 2] > 40)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(rows.astype("float32"), kinds)
"""
}
"""model.py of those whose model is made on the spot."""


def write(folder: Path, name: str) -> Path:
    """A project: the folder with its deploy.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "deploy.toml").write_text(TABLES[name], encoding="utf-8")
    if name in CODE:
        (folder / "model.py").write_text(CODE[name], encoding="utf-8")
    return folder
