"""Functions to compare: our two flavors, a plain `pip install` of the same app, and bare handlers.

In: a bundle per flavor. Out: for each variant an unpacked folder that the emulator can run. All of
them hold the same model and run on the same Python.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import deploy_targets
from deploy_targets.integrations import bytecode, interpreters, wheels
from deploy_targets.integrations.lambda_emulator import FunctionSpec
from deploy_targets.records import Bundle
from deploy_targets.resources import resource
from deploy_targets.targets.aws_lambda import archive

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "efficientnet-lite0" / "deploy.toml"
PLAIN = ("onnxruntime==1.31.1", "numpy==2.4.6", "fastapi==0.165.0", "mangum==0.22.0")

# The floor: it loads the model at import, as the apps do, and answers nothing.
LOADS = """
import os
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(
    os.path.join(os.path.dirname(__file__), "model.onnx"), options)
def handler(event, context):
    return {"statusCode": 200, "body": ""}
"""

# The floor of a warm answer: one run of the model on an input that is already there.
RUNS = """
import os, time
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(
    os.path.join(os.path.dirname(__file__), "model.onnx"), options)
image = numpy.zeros((1, 3, 224, 224), numpy.float32)
def handler(event, context):
    start = time.perf_counter()
    session.run(None, {"image": image})
    return {"statusCode": 200, "body": "", "seconds": time.perf_counter() - start}
"""


@dataclass(frozen=True)
class Variant:
    """A function to run, and the size of its zip in bytes."""

    name: str
    spec: FunctionSpec
    zipped: int


def build(flavor: str, folder: Path) -> Bundle:
    """The example for one flavor. It is built and judged as for a user."""
    options = {"arch": "x86_64", "flavor": flavor}
    outcome = deploy_targets.build(
        EXAMPLE, target="lambda", out=folder / f"bundle-{flavor}", options=options
    )
    if outcome.verdict != "pass":
        sys.exit(f"the {flavor} bundle did not pass: {outcome.report}")
    return outcome.bundle


def unpacked(bundle: Bundle, folder: Path) -> Path:
    """The function of a bundle as it would lie in /var/task."""
    with zipfile.ZipFile(bundle.path / "function.zip") as opened:
        opened.extractall(folder)
    return folder


def plain(fastapi: Path, python: str, folder: Path) -> Path:
    """`pip install onnxruntime fastapi mangum` with the same app and model; no byte code."""
    requirements, lock = folder / "plain.in", folder / "plain.txt"
    requirements.write_text("\n".join(PLAIN) + "\n")
    wheels.lock(requirements, lock, python="3.12", command="benchmarks/lambda_variants.py")
    task, app = folder / "plain", resource("templates", "lambda", "app")
    wheels.install(lock, task, platform="x86_64-manylinux_2_28", python=python)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(app / "serving", task / "serving", ignore=ignored)
    shutil.copytree(app / "flavors" / "fastapi", task, ignore=ignored, dirs_exist_ok=True)
    for name in ("model.onnx", "model.json"):
        shutil.copy(fastapi / name, task)
    return task


def bare(lean: Path, code: str, python: str, folder: Path) -> Path:
    """A handler of a few lines among the lean flavor's packages, compiled like them."""
    interpreter = interpreters.find(python)
    assert interpreter is not None, "the bundle was just built with it"
    shutil.copytree(lean, folder)
    shutil.rmtree(folder / "serving")
    shutil.rmtree(folder / "__pycache__")
    (folder / "app.py").write_text(code)
    bytecode.byte_compile(interpreter, folder, seen_as="/var/task", keep_sources=True)
    return folder


def zipped(task: Path, folder: Path) -> int:
    """Bytes of the zip of a folder, made as ours is."""
    made = folder / f"{task.name}.zip"
    archive.write_zip(archive.contents_of(task), made)
    size = made.stat().st_size
    made.unlink()
    return size


def spec_of(task: Path, bundle: Bundle) -> FunctionSpec:
    """The function in a folder, sized as the bundle is."""
    options = bundle.manifest.options
    return FunctionSpec(
        task,
        "app.handler",
        "x86_64",
        str(options["python"]),
        memory_mb=int(str(options["memory_mb"])),
        timeout_s=60,
    )
