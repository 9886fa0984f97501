"""deploy-target report, and what verify's table shows, as a user meets them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from deploy_targets import bundle as bundles
from deploy_targets.testing import zoo

from ..conftest import Cli


@pytest.fixture(scope="module")
def environment(first_target: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With the target of docs/first-target.md installed, and a terminal of 80 columns."""
    return {
        **os.environ,
        "PYTHONPATH": str(first_target),
        "DEPLOY_TARGET_HOME": str(tmp_path_factory.mktemp("home")),
        "COLUMNS": "80",
    }


@pytest.fixture
def bundle(cli: Cli, tmp_path: Path, environment: dict[str, str]) -> Path:
    """A bundle of the zoo's convnet."""
    zoo.convnet(tmp_path / "convnet.onnx")
    flags = ("-t", "here", "-o", "out")
    run = cli("build", "convnet.onnx", *flags, cwd=tmp_path, env=environment)
    assert run.returncode == 0, run.stderr
    header, row = run.stdout.splitlines()[:2]
    assert "error / noise" in header
    assert "% of bound" in row
    assert max(map(len, (header, row))) <= 80
    return tmp_path / "out"


def test_a_page_is_written_of_several_bundles(
    cli: Cli, bundle: Path, environment: dict[str, str]
) -> None:
    where = {"cwd": bundle.parent, "env": environment}
    run = cli("report", "out", "out", "--html", "page.html", **where)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[0] == "out  PASS"
    text = (bundle.parent / "page.html").read_text()
    assert text.count("<main") == 2
    again = cli("report", "out", "--html", "page.html", "--json", **where)
    assert (again.returncode, json.loads(again.stdout)["error"]["type"]) == (2, "ConfigError")
    assert (bundle.parent / "page.html").read_text() == text
    forced = cli("report", "out", "--html", "page.html", "--json", "--force", **where)
    assert json.loads(forced.stdout) == {
        "html": "page.html",
        "bundles": [{"bundle": "out", "name": "convnet", "verdict": "pass"}],
    }
    (bundle / bundles.PARITY).unlink()
    none = cli("report", "out", "--html", "new.html", **where)
    assert (none.returncode, "deploy-target verify out" in none.stderr) == (2, True)
    assert not (bundle.parent / "new.html").exists()


def test_copied_answers_end_with_6_and_say_so(
    cli: Cli, bundle: Path, environment: dict[str, str]
) -> None:
    opened = bundles.open_bundle(bundle)
    tensors = {
        f"{check.call.name}/{name}": array
        for check in bundles.read_golden(opened)
        for name, array in check.expected.items()
    }
    said = {"lane": "cpu", "runtime": "LiteRT 2", "device": "a phone"}
    file = bundle.parent / "actual.safetensors"
    bundles.write_tensors(file, tensors, manifest=bundles.digest(opened), **said)
    before = (bundle / bundles.PARITY).read_bytes()
    run = cli("verify", "out", "--actual", file, cwd=bundle.parent, env=environment)
    assert run.returncode == 6, run.stderr
    assert "were the expected answers copied?" in run.stdout
    assert run.stdout.splitlines()[-1].endswith("NOT-RUN")
    assert (bundle / bundles.PARITY).read_bytes() == before
