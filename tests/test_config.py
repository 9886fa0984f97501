"""deploy.toml is typed, and what is wrong in it is said with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets import config
from deploy_targets.errors import ConfigError

GOOD = """
source = "model.py:build"
[axes]
batch = [1, 8]
[inputs.image]
shape = ["batch", 3, 8, 8]
[outputs.logits]
kind = "classifier"
[targets.lambda]
arch = "arm64"
"""


def read(folder: Path, text: str, **overrides: object) -> config.Settings:
    (folder / "deploy.toml").write_text(text)
    return config.read(folder / "deploy.toml", overrides)


def test_a_file_becomes_settings(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)
    assert settings.inputs["image"].shape == ("batch", 3, 8, 8)
    assert settings.inputs["image"].dtype == "float32"
    assert settings.axes == {"batch": (1, 8)}
    assert settings.targets == {"lambda": {"arch": "arm64"}}
    assert settings.base == tmp_path


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD, axes={"batch": [2, 4]}, budget=0.5)
    assert (settings.axes["batch"], settings.budget) == ((2, 4), 0.5)
    assert settings.outputs["logits"].kind == "classifier"


def test_a_table_in_pyproject_is_found_when_there_is_no_deploy_toml(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.deploy-target]\nsource = "m.onnx"\n')
    path = config.find(tmp_path)
    assert path is not None
    assert config.read(path).source == "m.onnx"
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    assert config.find(tmp_path) is None


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("sorce = 'x'", "there is no key 'sorce'", "did you mean 'source'?"),
        ("budget = -1", "budget", "correct budget"),
        ("budget = inf", "budget", "correct budget"),
        ("precision = 'fp17'", "fp17", ""),
        ("budget = 'small'", "budget", "correct budget"),
        ("name = 'a b'", "name", "write for example name = "),
        ("= 3", "not valid TOML", "correct that line"),
    ],
)
def test_a_wrong_line_is_refused_by_name(
    tmp_path: Path, line: str, message: str, hint: str
) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        read(tmp_path, f"{line}\n{GOOD}")
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("wrong", "message", "hint"),
    [
        (("kind =", "knd ="), "outputs.logits.knd", "did you mean 'kind'?"),
        (("shape =", "shpe ="), "inputs.image.s", ""),
        (('"classifier"', '"clasifier"'), "did you mean 'classifier'?", ""),
        (("[1, 8]", "[8, 1]"), "expected \\[least, largest\\]", ""),
        (("batch = ", "bach = "), "axis|axes", "[axes] batch = [1, 8]"),
        (('source = "model.py:build"', ""), "names no model", "source ="),
        (("[1, 8]", "[0, 0]"), "expected \\[least, largest\\]", ""),
        (('["batch", 3, 8, 8]', '["batch", -1]'), "-1 is no size", ""),
        (('["batch", 3, 8, 8]', '["batch"]\nrange = [2, 1]'), "expected \\[smallest", ""),
        (('["batch", 3, 8, 8]', '["batch"]\ndtype="uint8"\nrange = [0, 256]'), "not fit uint8", ""),
        (
            ("[targets.lambda]", "[targets.lamda]"),
            "of no installed target",
            "did you mean 'lambda'",
        ),
    ],
)
def test_a_wrong_table_is_refused_by_name(
    tmp_path: Path, wrong: tuple[str, str], message: str, hint: str
) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        read(tmp_path, GOOD.replace(*wrong))
    assert hint in error.value.hint


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        config.read(tmp_path / "deploy.toml")
