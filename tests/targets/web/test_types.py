"""The types of a bundle, read by the strictest TypeScript: right calls pass, wrong ones do not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from deploy_targets.integrations import node, npm
from deploy_targets.records import Bundle
from deploy_targets.resources import resource
from deploy_targets.workspace import Workspace

RIGHT = """\
import { load, type Model } from "BUNDLE/model.mjs";

export async function asked(signal: AbortSignal): Promise<Float32Array> {
  const model: Model = await load({ threads: 1, signal });
  const image = new Float32Array(192);
  const outputs = await model.run({ image: { data: image, shape: [1, 3, 8, 8] } }, { signal });
  const step: string = model.info().step;
  model.close();
  return step === "" ? outputs.features.data : outputs.logits.data;
}
"""
WRONG = {
    "an unknown input": ("{ image: {", "{ picture: {", "picture"),
    "a wrong array": ("new Float32Array(192)", "new Float64Array(192)", "Float64Array"),
    "an unknown output": ("outputs.logits", "outputs.scores", "scores"),
    "an unknown option": ("threads: 1", "thread: 1", "thread"),
}
STRICT = (
    *("--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--noEmit"),
    *("--skipLibCheck", "false", "--target", "ES2022", "--lib", "ES2022,DOM"),
)


def checked(folder: Path, bundle: Bundle, code: str, resolution: str) -> str:
    """What the compiler complains of; empty where it accepts the code."""
    compiler = npm.package("typescript", resource("web", "package-lock.json"), Workspace())
    where = os.path.relpath(bundle.path, folder)
    (folder / "page.mts").write_text(code.replace("BUNDLE", where))
    module = "esnext" if resolution == "bundler" else resolution
    command = [node.find(), str(compiler / "bin" / "tsc"), *STRICT]
    command += ["--module", module, "--moduleResolution", resolution, "page.mts"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = ran.stdout + ran.stderr
    assert bool(ran.returncode) == bool(said), "it fails if and only if it says why"
    return said


@pytest.mark.parametrize("resolution", ["bundler", "nodenext"])
def test_right_calls_pass(bundle: Bundle, tmp_path: Path, resolution: str) -> None:
    assert checked(tmp_path, bundle, RIGHT, resolution) == ""


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_calls_do_not(bundle: Bundle, tmp_path: Path, wrong: str) -> None:
    old, new, said = WRONG[wrong]
    assert old in RIGHT
    complaint = checked(tmp_path, bundle, RIGHT.replace(old, new), "bundler")
    assert "page.mts" in complaint
    assert said in complaint
