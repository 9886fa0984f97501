"""How much of ONNX the two converters to TensorFlow Lite carry, and carry rightly.

    .venv/bin/python benchmarks/tflite_onnx.py
    .venv/bin/python benchmarks/tflite_onnx.py --every 5 --converter onnx2tf --only 'node/*'

Each case of the onnx package's own suite, its sizes fixed and all inputs but the first held as
constants, as models hold weights; what a converter made is asked in LiteRT. Prints how many were
right, refused (with a reason) and wrong, and which were wrong. `--every N`: each N-th case.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from backend_suite.cases import SuiteCase, collect
from onnx import numpy_helper

from deploy_targets.converters import tflite, tflite_from_onnx, tflite_from_onnx_mapped
from deploy_targets.converters.tflite import Fixed, Order
from deploy_targets.errors import DeployError
from deploy_targets.integrations import worker
from deploy_targets.records import Dialect, Graph, Signature, TensorSpec
from deploy_targets.workspace import Workspace

SECONDS = 7200.0
HERE = str(Path(__file__).parent)
FIXED = (Fixed("main", {}),)


def main() -> int:
    """Asks and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="*", help="a pattern of kind/name")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--converter", choices=list(CONVERTERS), action="append")
    given = parser.parse_args()
    cases = [case for case in collect() if fnmatch.fnmatch(case.id, given.only)][:: given.every]
    workspace = Workspace()
    for name in given.converter or CONVERTERS:
        with workspace.scratch() as scratch:
            homes = {case.id: str(scratch / str(i)) for i, case in enumerate(cases)}
            asked = [homes[case.id] for case in cases if written(case, Path(homes[case.id]))]
            said = CONVERTERS[name](asked, workspace)
        verdicts = {case.id: said.get(homes[case.id], "refused: no tensor") for case in cases}
        counts = Counter(verdict.partition(":")[0] for verdict in verdicts.values())
        sys.stdout.write(f"{name}: {dict(counts)} of {len(cases)}\n")
        for case, verdict in verdicts.items():
            if verdict.startswith(("wrong", "crash")):
                sys.stdout.write(f"  {case}: {verdict[:200]}\n")
    return 0


def written(case: SuiteCase, home: Path) -> bool:
    """The case as a captured graph, an order, a question and its answer; False where it is none."""
    given, wanted = case.data[0]
    arrays = [*given, *wanted]
    kinds = all(isinstance(a, np.ndarray) and a.dtype.name in tflite.DTYPES for a in arrays)
    if not kinds or not given or any(a.size == 0 for a in arrays):
        return False
    home.mkdir()
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    names = [value.name for value in case.inputs][: len(given)]
    for name, array in list(zip(names, given, strict=True))[1:]:
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    left = [value for value in model.graph.input if value.name == names[0]]
    del model.graph.input[:]
    model.graph.input.extend(left)
    onnx.save(model, home / "model.onnx")
    outputs = [value.name for value in model.graph.output]
    signature = Signature(
        (TensorSpec(names[0], given[0].dtype.name, given[0].shape),),
        tuple(TensorSpec(n, a.dtype.name, a.shape) for n, a in zip(outputs, wanted, strict=True)),
    )
    order = Order(Graph(Dialect.ONNX, home, case.id, "onnx"), signature, FIXED)
    (home / "order.json").write_text(json.dumps(tflite.packed(order)))
    answers = {f"out{i}": array for i, array in enumerate(wanted)}
    np.savez(home / "asked.npz", given=given[0], rtol=case.rtol, atol=case.atol, **answers)
    return True


def by_onnx2tf(homes: list[str], workspace: Workspace) -> dict[str, str]:
    """Its half in its own environment first, then LiteRT's."""
    path = [HERE, str(Path(tflite_from_onnx.__file__).parent / "by_onnx2tf")]
    orders = {home: _plain(home) for home in homes}
    first = worker.call(
        "tflite_suite.made:files",
        {"orders": orders},
        who="onnx2tf",
        timeout=SECONDS,
        python=str(tflite_from_onnx.python(workspace)),
        path=path,
    )
    return _ask("joined", homes, workspace, first)


def by_mapping(homes: list[str], workspace: Workspace) -> dict[str, str]:
    """In one child."""
    return _ask("mapped", homes, workspace, dict.fromkeys(homes, ""))


CONVERTERS = {"onnx2tf": by_onnx2tf, "onnx-in-tensorflow": by_mapping}


def _plain(home: str) -> dict[str, Any]:
    order = tflite.unpacked(json.loads(Path(home, "order.json").read_text()))
    return tflite_from_onnx._asked(order)


def _ask(how: str, homes: list[str], workspace: Workspace, first: Any) -> dict[str, str]:
    path = [HERE, *tflite.path("litert", workspace)]
    given = {"how": how, "homes": homes, "first": first}
    said: dict[str, str] = worker.call(
        f"{Path(__file__).stem}:judge", given, who="it", timeout=SECONDS, path=path
    )
    return said


def judge(how: str, homes: list[str], first: dict[str, str]) -> dict[str, str]:
    """The child with LiteRT: a word for each case, and why."""
    return {home: first[home] or _judged(how, Path(home)) for home in homes}


def _judged(how: str, home: Path) -> str:
    order = json.loads((home / "order.json").read_text())
    try:
        if how == "joined":
            tflite_from_onnx.join(order, str(home), str(home), {})
        else:
            tflite_from_onnx_mapped.export(order, str(home))
        return _apart(home)
    except DeployError as error:
        return f"refused: {error}"
    except Exception as error:
        return f"crash: {type(error).__name__}: {error}"


def _apart(home: Path) -> str:
    """In a process of its own: some files end LiteRT."""
    child = os.fork()
    if child == 0:
        try:
            said = _compared(home)
        except Exception as error:
            said = f"crash: {type(error).__name__}: {error}"
        (home / "said.txt").write_text(said, encoding="utf-8")
        os._exit(0)
    os.waitpid(child, 0)
    answer = home / "said.txt"
    return answer.read_text(encoding="utf-8") if answer.is_file() else "crash: LiteRT was ended"


def _compared(home: Path) -> str:
    from ai_edge_litert.interpreter import Interpreter

    port = tflite.read(home).entries[0]
    with np.load(home / "asked.npz") as asked:
        runner = Interpreter(str(home / tflite.FILE)).get_signature_runner("main")
        given = asked["given"].astype(port.inputs[0].spec.dtype)
        said = runner(**{port.inputs[0].spec.name: given})
        for i, output in enumerate(port.outputs):
            wanted, found = asked[f"out{i}"], said[output.spec.name]
            near = float(asked["rtol"]), max(float(asked["atol"]), 1e-6)
            exact = wanted.dtype.kind in "iub"
            if found.shape != wanted.shape:
                return f"wrong: {found.shape} is not {wanted.shape}"
            wide = found.astype(np.float64), wanted.astype(np.float64)
            if not np.allclose(*wide, *((0, 0) if exact else near), equal_nan=True):
                return f"wrong: {found.reshape(-1)[:4]} is not {wanted.reshape(-1)[:4]}"
    return "right"


if __name__ == "__main__":
    sys.exit(main())
