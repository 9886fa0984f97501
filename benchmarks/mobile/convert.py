"""One conversion, as its tool's own documentation does it. Each runs in a process of its own.

In: the tool, the model's file, where the .tflite goes, and the question (shapes.json: the inputs'
sizes by name, in order), for a .tflite has one size of each axis. `deploy-target` takes an order.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def ours(order: Path, out: Path, question: Path) -> None:
    """By the converter that the tflite target takes, child process and all."""
    from importlib import import_module

    from deploy_targets.converters import tflite
    from deploy_targets.workspace import Workspace

    told = json.loads(order.read_text(encoding="utf-8"))
    out.parent.mkdir()
    converter = import_module(told["converter"])
    converter.convert(tflite.unpacked(told["order"]), out.parent, Workspace())


def litert_torch(program: Path, out: Path, question: Path) -> None:
    """What litert-torch's README does, with the question as its example."""
    sys.path.append(os.environ["BESIDE"])
    import litert_torch as tool  # type: ignore[import-not-found]
    import numpy as np
    import torch

    with np.load(question / "question.npz") as held:
        examples = tuple(torch.from_numpy(held[f"in{i}"]) for i in range(len(_shapes(question))))
    module = torch.export.load(program).module()
    # The tool asks whether it is in training; an exported module has no such thing, only the word.
    module.training = False
    out.parent.mkdir()
    tool.convert(module, examples).export(str(out))


def onnx2tf(graph: Path, out: Path, question: Path) -> None:
    """Its command without options but the sizes, by the interpreter that has it."""
    import onnx2tf as tool  # type: ignore[import-not-found]

    shapes = [f"{name}:{','.join(map(str, sizes))}" for name, sizes in _shapes(question).items()]
    tool.convert(
        input_onnx_file_path=str(graph),
        output_folder_path=str(out.parent),
        overwrite_input_shape=shapes,
    )
    made = sorted(out.parent.glob("*float32.tflite"))
    made[0].rename(out)


def tensorflow(model: Path, out: Path, question: Path) -> None:
    """TensorFlow's own converter on a Keras model."""
    import keras  # type: ignore[import-not-found]
    import tensorflow  # type: ignore[import-not-found,import-untyped]

    converter = tensorflow.lite.TFLiteConverter.from_keras_model(keras.models.load_model(model))
    out.parent.mkdir()
    out.write_bytes(converter.convert())


def _shapes(question: Path) -> dict[str, list[int]]:
    shapes: dict[str, list[int]] = json.loads((question / "shapes.json").read_text("utf-8"))
    return shapes


TOOLS = {
    "deploy-target": ours,
    "litert-torch": litert_torch,
    "onnx2tf": onnx2tf,
    "TensorFlow": tensorflow,
}


if __name__ == "__main__":
    TOOLS[sys.argv[1]](*map(Path, sys.argv[2:]))
