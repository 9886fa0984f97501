"""The original with its declared steps around it, its noise, and the user's raw samples."""

from __future__ import annotations

import dataclasses
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deploy_targets import api, composing, pipeline, registry
from deploy_targets.composing import Steps
from deploy_targets.errors import ConfigError, DeployError
from deploy_targets.parity import agreement, raw_samples
from deploy_targets.parity.made import Question
from deploy_targets.pipeline import Job
from deploy_targets.records import BYTES, TENSORS, Case, Golden
from deploy_targets.runtime import Rounding
from deploy_targets.stages.compose import Staged
from deploy_targets.workspace import Workspace

pytestmark = pytest.mark.usefixtures("first_target")

MODEL = """
import numpy as np
import torch


class Mean(torch.nn.Module):
    def forward(self, image):
        return image.mean((2, 3))


def build():
    return Mean().eval()


def upright(image):
    pixels = np.asarray(image.convert("RGB").resize((8, 8), 2), np.float32) / 255
    return pixels.transpose(2, 0, 1)


def reversed(image):
    return upright(image)[::-1].copy()


def wrong_shape(image):
    return upright(image)[:, :4]


def raises(image):
    return image.nothing
"""
DEPLOY = """
source = "model.py:build"
[axes]
batch = [1, 4]
[inputs.image]
shape = ["batch", 3, 8, 8]
[inputs.image.preprocess]
type = "image"
orientation = "ignore"
resize = { to = [8, 8] }
scale = 0.00392156862745098
{reference}
[outputs.output]
"""


def project(folder: Path, reference: str = "") -> Path:
    """A model that answers the mean of each channel."""
    line = f'reference = "model.py:{reference}"' if reference else ""
    (folder / "model.py").write_text(MODEL)
    (folder / "deploy.toml").write_text(DEPLOY.replace("{reference}", line))
    return folder


def composed(folder: Path) -> tuple[Staged, Steps]:
    settings = api.settings_of(folder)
    steps, model = api.steps_of(settings), api.load(settings)
    workspace = Workspace(folder / "workspace")
    staged = composing.compose(model, steps, registry.load("around"), workspace)
    assert staged
    return staged, steps


def made(staged: Staged, steps: Steps, folder: Path) -> list[Question]:
    """What is awkward and yet right."""
    model = Golden(TENSORS, api.load(folder).signature, (), {})
    return raw_samples.questions({}, steps.before, staged.staging, model)


def photo(colour: tuple[int, int, int], kind: str = "PNG") -> np.ndarray:
    buffer = BytesIO()
    Image.new("RGB", (20, 10), colour).save(buffer, kind)
    return np.frombuffer(buffer.getvalue(), np.uint8)


def test_bytes_become_the_answer(tmp_path: Path) -> None:
    staged, _ = composed(project(tmp_path))
    answer = staged.run({"image": photo((255, 51, 0))})
    np.testing.assert_allclose(answer["output"], [[1.0, 0.2, 0.0]], atol=1e-6)


def test_a_level_of_the_decoder_is_noise_for_lossy_files_only(tmp_path: Path) -> None:
    staged, _ = composed(project(tmp_path))
    model = api.load(tmp_path)
    other = Staged(model, staged.staging, levels=1.0)
    assert Rounding.DECODER in other.roundings
    assert Rounding.DECODER not in staged.roundings
    for kind, moves in (("PNG", False), ("JPEG", True)):
        inputs = {"image": photo((120, 60, 30), kind)}
        plain, moved = other.run(inputs), other.run(inputs, rounding=Rounding.DECODER)
        assert np.array_equal(plain["output"], moved["output"]) is not moves
        np.testing.assert_allclose(plain["output"], moved["output"], atol=1 / 255)


def test_the_noise_of_the_model_is_carried_to_the_answer(tmp_path: Path) -> None:
    staged, steps = composed(project(tmp_path))
    model = api.load(tmp_path)
    job = Job(
        api.spec_of(api.settings_of(tmp_path)), registry.load("around"), tmp_path, steps=steps
    )
    tensors, answers = pipeline.record(model, job, staged)
    assert (tensors.name, answers.name) == (TENSORS, BYTES)
    assert Rounding.CARRIED.value in answers.noise_sources
    assert all((case.noise["output"] > 0).all() for case in answers.cases)


def test_a_reference_that_does_what_is_declared_is_taken(tmp_path: Path) -> None:
    staged, steps = composed(project(tmp_path, "upright"))
    asked = made(staged, steps, tmp_path)
    agreement.check(staged, asked)


def test_a_reference_that_does_otherwise_is_refused_with_what_it_does(tmp_path: Path) -> None:
    staged, steps = composed(project(tmp_path, "reversed"))
    asked = made(staged, steps, tmp_path)
    with pytest.raises(
        ConfigError, match=r"inputs\.image\.preprocess.*not what `reference`"
    ) as error:
        agreement.check(staged, asked)
    assert "channels are exchanged" in error.value.hint


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wrong_shape", r"float32\[1, 3, 4, 8\]; image is float32"),
        ("raises", "AttributeError"),
        ("upwright", "did you mean 'upright'"),
    ],
)
def test_a_reference_that_cannot_serve_says_why(tmp_path: Path, name: str, said: str) -> None:
    def ask() -> None:
        staged, steps = composed(project(tmp_path, name))
        agreement.check(staged, made(staged, steps, tmp_path))

    with pytest.raises(DeployError) as error:
        ask()
    told = f"{error.value} {getattr(error.value, 'hint', '')}"
    assert re.search(said, told)


def test_raw_samples_are_asked_from_bytes_and_as_tensors(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "samples").mkdir()
    (folder / "samples" / "red.png").write_bytes(photo((255, 0, 0)).tobytes())
    staged, steps = composed(folder)
    settings = api.settings_of(folder)
    job = Job(
        api.spec_of(settings), registry.load("around"), folder, folder / "samples", steps=steps
    )
    tensors, answers = pipeline.record(api.load(settings), job, staged)
    for golden in (tensors, answers):
        (red,) = [case for case in golden.cases if case.name == "red"]
        assert not red.synthetic
        np.testing.assert_allclose(red.outputs["output"], [[1, 0, 0]], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("broken.png", b"\x89PNG\r\n\x1a\n", "sample broken cannot be taken"),
        ("notes.txt", b"", "holds no sample"),
    ],
)
def test_a_sample_that_cannot_be_taken_is_named(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    folder = project(tmp_path)
    (folder / "samples").mkdir()
    (folder / "samples" / name).write_bytes(data)
    staged, steps = composed(folder)
    settings = api.settings_of(folder)
    job = Job(
        api.spec_of(settings), registry.load("around"), folder, folder / "samples", steps=steps
    )
    with pytest.raises(ConfigError, match=said):
        pipeline.record(api.load(settings), job, staged)


def test_a_target_that_carries_no_steps_is_asked_tensors_alone(tmp_path: Path) -> None:
    folder = project(tmp_path)
    settings = api.settings_of(folder)
    job = Job(
        api.spec_of(settings),
        registry.load("here"),
        folder / "out",
        steps=dataclasses.replace(api.steps_of(settings)),
    )
    made = pipeline.build(job, Workspace(folder / "workspace"))
    assert made.bundle.manifest.goldens == (TENSORS,)
    assert any("steps" in note for note in made.bundle.manifest.notes)


TABLE = """
source = "model.py:table"
[axes]
batch = [1, 16]
[inputs.rows]
shape = ["batch", 4]
[inputs.rows.preprocess]
type = "table"
columns = ["time", "kids", "name"]
categories = { name = ["x", "y"] }
{reference}
[outputs.output]
"""
ROWS = """
import torch


def table():
    return torch.nn.Linear(4, 2).eval()


def exchanged(rows):
    import numpy as np

    codes = {"x": [1, 0], "y": [0, 1]}
    return np.array([[r["time"], r["name"] == "x", *codes[r["name"]]] for r in rows], np.float32)
"""


def table_project(folder: Path, reference: str = "") -> Path:
    """A table with a column that dwarfs the others."""
    line = f'reference = "model.py:{reference}"' if reference else ""
    (folder / "model.py").write_text(ROWS)
    (folder / "deploy.toml").write_text(TABLE.replace("{reference}", line))
    return folder


def rows() -> dict[str, np.ndarray]:
    data = b"time,kids,name\n1700000000.25,3,x\n1700000077.5,1,y\n"
    return {"rows": np.frombuffer(data, np.uint8)}


def test_a_large_column_moves_no_other_and_codes_stay_codes(tmp_path: Path) -> None:
    staged, _ = composed(table_project(tmp_path))
    plain, _ = staged.tensors(rows())
    moved, _ = staged.tensors(rows(), Rounding.STEPS, 1)
    np.testing.assert_array_equal(moved["rows"][:, 1:], plain["rows"][:, 1:])
    np.testing.assert_allclose(moved["rows"][:, 0], plain["rows"][:, 0], rtol=2e-7)
    np.testing.assert_array_equal(plain["rows"][:, 2:], [[1, 0], [0, 1]])


def test_a_mistake_in_a_small_column_is_not_lost_beside_a_large_one(tmp_path: Path) -> None:
    staged, _ = composed(table_project(tmp_path, "exchanged"))
    with pytest.raises(ConfigError, match="not what `reference` does"):
        agreement.check(staged, [Question("two", "rows", rows(), False)])


def test_a_build_notices_what_a_reference_imports_and_reads(tmp_path: Path) -> None:
    folder = project(tmp_path, "upright")
    (folder / "deeper").mkdir()
    for name in ("deeper/steps.py", "deeper/numbers.json"):
        before = api.steps_of(api.settings_of(folder)).digest
        (folder / name).write_text("1")
        assert api.steps_of(api.settings_of(folder)).digest != before


@pytest.mark.parametrize("name", ["nosuch.module:f", "prep.txt:f", "model.py:absent"])
def test_a_reference_that_is_not_there_is_an_error_in_one_line(tmp_path: Path, name: str) -> None:
    folder = project(tmp_path)
    text = (folder / "deploy.toml").read_text()
    (folder / "deploy.toml").write_text(text.replace("[outputs", f'reference = "{name}"\n[outputs'))
    assert api.steps_of(api.settings_of(folder)).digest
    with pytest.raises(DeployError):
        composed(folder)


def test_made_up_inputs_that_the_steps_refuse_are_left_out_and_named(tmp_path: Path) -> None:
    folder = project(tmp_path)
    text = (folder / "deploy.toml").read_text()
    limited = text.replace("orientation", "max_pixels = 70000\norientation")
    (folder / "deploy.toml").write_text(limited)
    staged, steps = composed(folder)
    model = api.load(folder)
    kept, left = composing.askable(staged, made(staged, steps, folder), model.signature)
    assert kept
    assert left
    assert "at most 70,000 pixels" in left[0]
    (folder / "deploy.toml").write_text(text.replace("orientation", "max_pixels = 80\norientation"))
    staged, steps = composed(folder)
    with pytest.raises(ConfigError, match="no made-up input passes"):
        composing.askable(staged, made(staged, steps, folder), model.signature)


def test_noise_that_never_showed_is_an_ulp_where_a_step_subtracts_later(tmp_path: Path) -> None:
    staged, _ = composed(project(tmp_path))
    inputs = {"image": photo((255, 51, 0))}
    tensors, _ = staged.tensors(inputs)
    answer = api.load(tmp_path).run(tensors)
    silent = {"output": np.zeros_like(answer["output"])}
    staged.learn([Case("c", "", tensors, answer, noise=silent)])
    moved = staged.run(inputs, rounding=Rounding.CARRIED)["output"]
    assert (moved[0, :2] != answer["output"][0, :2]).all()
    np.testing.assert_allclose(moved, answer["output"], rtol=3e-7)
