from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from deploy_targets.errors import ConfigError
from deploy_targets.integrations.interpreters import Interpreter
from deploy_targets.targets.aws_lambda import archive, dependencies
from deploy_targets.targets.aws_lambda.dependencies import Tree
from deploy_targets.workspace import Workspace

# What a function does, with nothing but the packages to import from.
ANSWER = """
import sys, io, json
sys.path.insert(0, sys.argv[1])
import numpy as np, onnxruntime, fastapi, mangum, pydantic

class Question(pydantic.BaseModel):
    x: list[list[float]]

app = fastapi.FastAPI()
session = onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])

@app.post("/ask")
def ask(question: Question) -> dict[str, list[list[float]]]:
    buffer = io.BytesIO()
    np.save(buffer, np.array(question.x, np.float32))
    buffer.seek(0)
    return {"y": session.run(None, {"x": np.load(buffer)})[0].tolist()}

event = {
    "version": "2.0", "routeKey": "$default", "rawPath": sys.argv[3], "rawQueryString": "",
    "headers": {"content-type": "application/json"}, "isBase64Encoded": False,
    "body": sys.argv[4] or None,
    "requestContext": {"http": {"method": sys.argv[5], "path": sys.argv[3], "sourceIp": "::1",
                                "protocol": "HTTP/1.1", "userAgent": "-"}, "stage": "$default"},
}
print(json.dumps(mangum.Mangum(app, lifespan="off")(event, None)))
"""

IMPORT_ALL = """
import importlib, json, os, sys, warnings
warnings.simplefilter("ignore")
root = sys.argv[1]
sys.path.insert(0, root)
missed = {}
for folder, _, files in os.walk(root):
    for name in (name for name in files if name.endswith(".pyc") and name != "__main__.pyc"):
        parts = os.path.relpath(os.path.join(folder, name[:-4]), root).split(os.sep)
        module = ".".join(part for part in parts if part != "__init__")
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            missed[module] = error.name
        except Exception as error:
            missed[module] = getattr(error.__cause__, "name", None) or repr(error)
print(json.dumps(missed))
"""

TRACEBACK = """
import sys, traceback
sys.path.insert(0, sys.argv[1])
import mangum
try:
    mangum.Mangum(None)({}, None)
except RuntimeError:
    print(traceback.format_exc())
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """y = x @ [[1, 2], [3, 4]]."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor("w", TensorProto.FLOAT, [2, 2], np.array([1.0, 2.0, 3.0, 4.0]))],
    )
    opset = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=opset), tmp_path / "tiny.onnx")
    return tmp_path / "tiny.onnx"


def run(interpreter: Interpreter, code: str, *arguments: object) -> str:
    """What the code prints where nothing but the standard library is installed."""
    isolated = [interpreter.executable, "-I", "-S", "-B", "-c", code]
    command = [str(word) for word in (*isolated, *arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd="/")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_model_is_asked_through_fastapi_with_only_the_stripped_packages(
    packages: Tree, interpreter: Interpreter, model: Path
) -> None:
    question = ("/ask", '{"x": [[1, 1], [0, 2]]}', "POST")
    answer = json.loads(run(interpreter, ANSWER, packages.folder, model, *question))
    assert (answer["statusCode"], json.loads(answer["body"])) == (
        200,
        {"y": [[4.0, 6.0], [6.0, 8.0]]},
    )


def test_the_schema_of_an_app_is_made_with_only_the_stripped_packages(
    packages: Tree, interpreter: Interpreter, model: Path
) -> None:
    question = ("/openapi.json", "", "GET")
    answer = json.loads(run(interpreter, ANSWER, packages.folder, model, *question))
    assert "/ask" in json.loads(answer["body"])["paths"]


def test_no_module_that_is_left_misses_one_that_was_taken_out(
    packages: Tree, interpreter: Interpreter
) -> None:
    missed = json.loads(run(interpreter, IMPORT_ALL, packages.folder))
    ours = {path.name for path in packages.folder.iterdir()}
    # pytest, jinja2, trio, … were never there.
    broken = {module: what for module, what in missed.items() if what.split(".")[0] in ours}
    assert not broken
    assert "pytest" in missed.values(), "the modules were not walked"


def test_byte_code_ships_and_sources_do_not(packages: Tree) -> None:
    suffixes = {path.suffix for path in packages.folder.rglob("*")}
    assert ".pyc" in suffixes
    assert ".py" not in suffixes


def test_a_traceback_names_the_folder_where_lambda_unpacks(
    packages: Tree, interpreter: Interpreter
) -> None:
    text = run(interpreter, TRACEBACK, packages.folder)
    assert 'File "/var/task/mangum/adapter.py", line ' in text
    assert str(packages.folder) not in text


def test_two_workspaces_make_the_same_bytes(
    packages: Tree, interpreter: Interpreter, tmp_path: Path
) -> None:
    again = dependencies.tree("fastapi", "x86_64", interpreter, Workspace(tmp_path / "elsewhere"))
    assert again.folder != packages.folder
    one, two = archive.contents_of(packages.folder), archive.contents_of(again.folder)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name].read_bytes() != two[name].read_bytes()] == []
    assert packages.archive.read_bytes() == again.archive.read_bytes()


def test_the_second_request_comes_from_the_cache(packages: Tree, interpreter: Interpreter) -> None:
    again = dependencies.tree("fastapi", "x86_64", interpreter, Workspace())
    assert again == packages


def test_the_lean_flavor_for_arm64_is_numpy_and_onnx_runtime_alone(
    interpreter: Interpreter,
) -> None:
    lean = dependencies.tree("lean", "arm64", interpreter, Workspace())
    assert set(lean.packages) == {"numpy", "onnxruntime"}
    assert next(lean.folder.rglob("*umath*.so")).name.endswith("aarch64-linux-gnu.so")


READS = """
import io, sys
sys.path.insert(0, sys.argv[1])
import numpy as np, soundfile
from PIL import Image, features
sound = io.BytesIO()
soundfile.write(sound, np.zeros(80, np.float32), 8000, format="FLAC")
sound.seek(0)
samples, rate = soundfile.read(sound)
read = []
for form in ("JPEG", "PNG", "WEBP", "GIF", "BMP"):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (255, 0, 0)).save(file, form)
    with Image.open(file, formats=[form]) as image:
        read.append(image.resize((4, 4), Image.Resampling.BICUBIC).size)
print(len(samples), rate, set(read), features.check("avif"))
"""


def test_images_and_recordings_are_read_with_only_the_stripped_packages(
    interpreter: Interpreter,
) -> None:
    made = dependencies.tree("lean", "x86_64", interpreter, Workspace(), ("image", "audio"))
    assert run(interpreter, READS, made.folder).split("\n")[0] == "80 8000 {(4, 4)} False"


def test_what_media_need_is_added_to_a_flavor_and_to_nothing_else(
    interpreter: Interpreter,
) -> None:
    made = dependencies.tree("lean", "arm64", interpreter, Workspace(), ("image",))
    assert set(made.packages) == {"numpy", "onnxruntime", "pillow"}
    assert next(made.folder.glob("PIL/_imaging.*.so")).name.endswith("aarch64-linux-gnu.so")
    terms = (made.folder / "THIRD-PARTY-LICENSES").read_text()
    assert "pillow 13" in terms
    assert "JPEG" in terms


def test_the_packages_know_their_versions(packages: Tree) -> None:
    locked = dependencies.lock_of("fastapi").read_text()
    assert packages.packages["onnxruntime"].count(".") == 2
    for name, version in packages.packages.items():
        assert f"{name.replace('_', '-')}=={version} " in locked


def test_an_unknown_flavor_is_refused_with_those_there_are(interpreter: Interpreter) -> None:
    with pytest.raises(ConfigError, match="flavour") as refused:
        dependencies.tree("flavour", "x86_64", interpreter, Workspace())
    assert refused.value.hint == "one of: fastapi, lean"


def test_a_python_that_lambda_runs_on_too_old_a_system_is_refused(
    interpreter: Interpreter,
) -> None:
    with pytest.raises(ConfigError, match=r"Amazon Linux 2, whose glibc 2\.26"):
        dependencies.tree("lean", "x86_64", replace(interpreter, version="3.11.7"), Workspace())
