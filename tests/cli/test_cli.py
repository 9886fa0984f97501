"""The command line as a user meets it: exit codes, hints, JSON, and no stack trace."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy_targets.testing import zoo

from ..conftest import Cli


@pytest.fixture(scope="module")
def environment(first_target: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With the target of docs/first-target.md installed, and a cache of its own."""
    return {
        **os.environ,
        "PYTHONPATH": str(first_target),
        "DEPLOY_TARGET_HOME": str(tmp_path_factory.mktemp("home")),
        "COLUMNS": "120",
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a torch model and its deploy.toml."""
    zoo.write(tmp_path)
    (tmp_path / "deploy.toml").write_text(
        'source = "model.py:build"\n[axes]\nbatch = [1, 8]\n'
        '[inputs.x]\nshape = ["batch", 6]\n[targets.here]\n'
    )
    return tmp_path


def test_a_build_ends_with_the_bundle_and_its_verdict(
    cli: Cli, project: Path, environment: dict[str, str]
) -> None:
    run = cli("build", cwd=project, env=environment)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].startswith(str(project / "build" / "model-here"))
    assert run.stdout.splitlines()[-1].endswith("PASS")
    assert "capture onnx by dynamo" in run.stderr
    again = cli("build", "--json", cwd=project, env=environment)
    (result,) = json.loads(again.stdout)["results"]
    assert (result["verdict"], result["cached"]) == ("pass", True)
    verified = cli("verify", "build/model-here", "--json", cwd=project, env=environment)
    assert json.loads(verified.stdout)["verdict"] == "pass"


def test_the_same_by_flags_alone(cli: Cli, project: Path, environment: dict[str, str]) -> None:
    (project / "deploy.toml").unlink()
    flags = ("-i", "x=float32[batch,6]", "--axis", "batch=1..8", "--output", "scores:classifier")
    run = cli(
        "build", "model.py:build", *flags, "-t", "here", "-o", "out", cwd=project, env=environment
    )
    assert run.returncode == 0, run.stderr
    shown = cli("inspect", "out", "--json", cwd=project, env=environment)
    (output,) = json.loads(shown.stdout)["signatures"]["tensors"]["outputs"]
    assert (output["name"], output["kind"]) == ("scores", "classifier")


def test_init_writes_a_file_that_builds(
    cli: Cli, project: Path, environment: dict[str, str]
) -> None:
    (project / "deploy.toml").unlink()
    run = cli("init", "model.py:build", cwd=project, env=environment)
    assert run.returncode == 0, run.stderr
    assert 'shape = ["batch", 6]' in (project / "deploy.toml").read_text()
    built = cli("build", "-t", "here", cwd=project, env=environment)
    assert built.returncode == 0, built.stderr
    again = cli("init", "model.py:build", cwd=project, env=environment)
    assert (again.returncode, "will not be replaced" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "message", "hint"),
    [
        (["build", "-t", "her"], 2, "no target named 'her'", "did you mean 'here'?"),
        (["build", "--set", "threds=2"], 2, "no option 'threds'", "did you mean 'threads'?"),
        (["build", "--set", "hree.threads=2"], 2, "hree is not being built", "being built: here"),
        (["build", "--nope"], 2, "No such option: --nope", "deploy-target build --help"),
        (["serve", ".", "--port", "99999"], 2, "--port", "deploy-target serve --help"),
        (["init", "model.py:build", "-o", "no/dir/x.toml"], 2, "no/dir", "run init in that folder"),
        (["build", "--set", "threads"], 2, "not of the form OPTION=VALUE", "--set arch=arm64"),
        (["build", "--set", "threads={ a"], 2, "neither a TOML value nor JSON", "'sizes={ time"),
        (["build", "-i", "x"], 2, "not of the form NAME=DTYPE[SIZES]", "--input 'image="),
        (["build", "--axis", "x"], 2, "not of the form NAME=LEAST..LARGEST", "--axis batch=1..8"),
        (["build", "nothing.py:f", "-t", "here"], 2, "nothing.py does not exist", "hint:"),
        (["build", "-c", "absent.toml"], 2, "absent.toml does not exist", "deploy-target init"),
        (["build", "--samples", "absent"], 2, "absent' does not exist", "samples"),
        (["verify", "absent"], 2, "absent is not a folder", "the folder that `build` made"),
        (["verify", "."], 7, "holds no deploy-target.json", "the folder that `build` made"),
        (["serve", "."], 7, "is no bundle", "the folder that `build` made"),
    ],
)
def test_a_users_mistake_ends_in_two_lines(
    cli: Cli,
    project: Path,
    environment: dict[str, str],
    arguments: list[str],
    code: int,
    message: str,
    hint: str,
) -> None:
    run = cli(*arguments, cwd=project, env=environment)
    assert run.returncode == code, run.stderr
    assert message in run.stderr
    assert hint in run.stderr
    assert "Traceback" not in run.stderr + run.stdout
    assert not (project / "build").exists()


def test_an_error_as_json(cli: Cli, project: Path, environment: dict[str, str]) -> None:
    run = cli("verify", ".", "--json", cwd=project, env=environment)
    error = json.loads(run.stdout)["error"]
    assert (error["type"], error["exit_code"], run.returncode) == ("BundleCorrupt", 7, 7)


def test_of_several_targets_each_is_tried_and_the_worst_code_returned(
    cli: Cli, project: Path, environment: dict[str, str]
) -> None:
    run = cli(
        "build", "-t", "absent", "-t", "here", "-o", "out", "--json", cwd=project, env=environment
    )
    failed, passed = json.loads(run.stdout)["results"]
    assert (run.returncode, failed["error"]["type"], passed["verdict"]) == (
        2,
        "UnknownTarget",
        "pass",
    )
    assert (project / "out" / "here" / "deploy-target.json").is_file()


def test_a_changed_byte_ends_with_7(cli: Cli, project: Path, environment: dict[str, str]) -> None:
    cli("build", "-o", "out", cwd=project, env=environment)
    model = project / "out" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    run = cli("verify", "out", cwd=project, env=environment)
    assert (run.returncode, "model.onnx" in run.stderr) == (7, True)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing(
    project: Path, environment: dict[str, str], stop: signal.Signals
) -> None:
    command = [sys.executable, "-m", "deploy_targets", "build", "--fresh", "-o", "made/out"]
    process = subprocess.Popen(
        command,
        cwd=project,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background of a script ignores Ctrl-C, and so would its children.
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    made = project / "made"
    deadline = time.monotonic() + 60
    while not made.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(stop)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert list(made.iterdir()) == []
    assert list(Path(environment["DEPLOY_TARGET_HOME"], "scratch").iterdir()) == []


def test_targets_and_doctor_answer_in_words_and_in_json(
    cli: Cli, environment: dict[str, str]
) -> None:
    assert "lambda" in cli("targets", env=environment).stdout
    listed = json.loads(cli("targets", "--json", env=environment).stdout)["targets"]
    assert set(listed) == {
        "around",
        "coreml",
        "executorch",
        "here",
        "lambda",
        "jetson",
        "pytorch_mobile",
        "raspberrypi",
        "tflite",
        "web",
    }
    described = json.loads(cli("targets", "lambda", "--json", env=environment).stdout)
    assert {option["option"] for option in described["options"]} >= {"arch", "flavor", "python"}
    needs = json.loads(cli("doctor", "--json", env=environment).stdout)["needs"]
    assert all(need["found"] or need["hint"] for need in needs)
    assert {"bubblewrap", "uv"} <= {need["tool"] for need in needs}


def test_help_and_version(cli: Cli) -> None:
    run = cli("--help")
    for command in ("build", "verify", "targets", "inspect", "doctor", "init", "serve"):
        assert command in run.stdout
    bare = cli()
    assert (bare.returncode, bare.stdout, bare.stderr) == (0, run.stdout, "")
    assert cli("--version").stdout.strip() == "0.1.0"
