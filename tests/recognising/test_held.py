"""Transforms that a user names, held against what they become, in the file that init writes."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from deploy_targets import config
from deploy_targets.drafting import Draft, draft
from deploy_targets.errors import ConfigError
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.recognising.named import parsed

from . import standins

CODE = """
import torch
from torch import nn
from standins import *
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.linear_model import LogisticRegression

def net(channels=3):
    layers = nn.Conv2d(channels, 2, 3, stride=4), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(*layers).eval()

def grey():
    return net(1)

class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = net()
    def forward(self, left, right):
        return self.net(left) + self.net(right)

def pair():
    return Pair().eval()

end = [ToTensor(), Normalize([0.5] * 3, [0.25] * 3)]
usual = Compose([Resize(40), CenterCrop(32), *end])
tensors = Compose([ToTensor(), Resize((32, 24))])
digits = Compose([Resize((28, 28)), ToTensor(), Normalize([0.5], [0.5])])
changed = Compose([Resize((32, 32)), ToTensor(), lambda x: x * 2 - 1])
broken = Compose([Resize((32, 32)), ToTensor(), lambda x: x.nothing])
wide = Compose([Resize(40), ToTensor()])
settings = {"input_size": (3, 32, 32), "mean": [0.5] * 3, "std": [0.25] * 3, "crop_pct": 1.0}

def returned():
    return usual

def takes(image):
    return usual(image)

rows = [[float(i % 3), float(i)] for i in range(9)]
pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, [0, 1, 0] * 3)
scaler = pipeline[0]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "forms.py").write_text(CODE)
    shutil.copy(standins.__file__, tmp_path / "standins.py")
    return tmp_path


def drafted(project: Path, transform: str, model: str = "net") -> tuple[Draft, dict[str, object]]:
    """What is written, and the table before the only input."""
    made = draft(SourceSpec(f"forms.py:{model}", project), {"": f"forms.py:{transform}"})
    settings = config.validate(tomllib.loads(made.text), project)
    (table,) = settings.inputs.values()
    assert table.preprocess is not None
    return made, table.preprocess.model_dump(exclude_unset=True)


def test_a_transform_is_written_checked_and_named_as_reference(project: Path) -> None:
    made, table = drafted(project, "usual")
    assert "# checked against forms.py:usual on 8 photos" in made.text
    assert 'shape = ["batch", 3, 32, 32]' in made.text
    assert (table["reference"], table["reference_mode"]) == ("forms.py:usual", "RGB")
    assert (table["crop"], table["mean"]) == ((32, 32), (0.5, 0.5, 0.5))


def test_a_resize_of_tensors_is_torchs(project: Path) -> None:
    made, table = drafted(project, "tensors")
    assert "# checked against" in made.text
    assert table["resize"] == {"to": (32, 24), "interpolation": "bilinear", "antialias": "torch"}


def test_a_model_of_one_channel_takes_grey(project: Path) -> None:
    made, table = drafted(project, "digits", "grey")
    assert "# checked against" in made.text
    assert (table["colour"], table["reference_mode"]) == ("grey", "L")


def test_what_is_not_the_same_is_said_with_what_would_be(project: Path) -> None:
    made, table = drafted(project, "changed")
    assert "# NOT the same as forms.py:changed: on " in made.text
    assert "values run from -1 to 1" in made.text
    assert "# not said: function: what a function of your own does" in made.text
    # So that no build takes the one for the other.
    assert table["reference"] == "forms.py:changed"
    assert [one.same for one in made.steps.values()] == [False]


def test_a_transform_that_raises_is_not_called_checked(project: Path) -> None:
    made, table = drafted(project, "broken")
    assert "# NOT checked: forms.py:broken raised AttributeError" in made.text.replace("\n#  ", "")
    assert '# reference = "forms.py:broken"' in made.text
    assert "reference" not in table


def test_what_returns_a_transform_is_checked_and_no_reference(project: Path) -> None:
    made, table = drafted(project, "returned")
    assert "# checked against forms.py:returned on 8 photos" in made.text
    assert "name the object itself" in made.text
    assert "reference" not in table


def test_a_description_says_that_nobody_can_ask_it(project: Path) -> None:
    made, table = drafted(project, "settings")
    assert "# not checked: it is a description" in made.text
    assert table["resize"] == {"shorter": 32, "interpolation": "bilinear", "antialias": "pil"}


@pytest.mark.parametrize(
    ("model", "transforms", "said"),
    [
        ("net", {"": "forms.py:wide"}, "the steps leave the size as it comes"),
        ("net", {"": "forms.py:takes"}, "needs arguments: image"),
        ("net", {"": "forms.py:rows"}, "neither a module nor a function"),
        ("net", {"other": "forms.py:usual"}, "the model has no input 'other'"),
        ("pair", {"": "forms.py:usual"}, "does not say of which input: left, right"),
        ("pipeline", {"": "forms.py:scaler"}, "would be changed twice"),
    ],
)
def test_what_cannot_be_taken_is_refused(
    project: Path, model: str, transforms: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        draft(SourceSpec(f"forms.py:{model}", project), transforms)


def test_each_input_has_a_transform_of_its_own(project: Path) -> None:
    of = parsed(["left=forms.py:usual", "right=forms.py:usual"])
    made = draft(SourceSpec("forms.py:pair", project), of)
    assert made.text.count("# checked against forms.py:usual on 8 photos") == 2
    with pytest.raises(ConfigError, match="two for 'left'"):
        parsed(["left=a.py:b", "left=a.py:c"])
