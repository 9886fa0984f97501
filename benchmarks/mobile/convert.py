"""One conversion, as its tool's own documentation does it. Each runs in a process of its own.

In: the tool, the model's file, and where the .tflite goes. `deploy-target` takes an order instead.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def ours(order: Path, out: Path) -> None:
    """By the converter that the tflite target takes, child process and all."""
    from importlib import import_module

    from deploy_targets.converters import tflite
    from deploy_targets.workspace import Workspace

    told = json.loads(order.read_text(encoding="utf-8"))
    out.parent.mkdir()
    converter = import_module(told["converter"])
    converter.convert(tflite.unpacked(told["order"]), out.parent, Workspace())


def litert_torch(program: Path, out: Path) -> None:
    """What litert-torch's README does, with the examples that the program was exported with."""
    sys.path.append(os.environ["BESIDE"])
    import litert_torch as tool  # type: ignore[import-not-found]
    import torch

    exported = torch.export.load(program)
    arguments, _ = exported.example_inputs
    first = tuple(one[:1] if one.ndim else one for one in arguments)
    out.parent.mkdir()
    tool.convert(exported.module(), first).export(str(out))


def onnx2tf(graph: Path, out: Path) -> None:
    """Its command without options but the batch, by the interpreter that has it."""
    import onnx2tf as tool  # type: ignore[import-not-found]

    tool.convert(input_onnx_file_path=str(graph), output_folder_path=str(out.parent), batch_size=1)
    made = sorted(out.parent.glob("*float32.tflite"))
    made[0].rename(out)


def tensorflow(model: Path, out: Path) -> None:
    """TensorFlow's own converter on a Keras model."""
    import keras  # type: ignore[import-not-found]
    import tensorflow  # type: ignore[import-not-found,import-untyped]

    converter = tensorflow.lite.TFLiteConverter.from_keras_model(keras.models.load_model(model))
    out.parent.mkdir()
    out.write_bytes(converter.convert())


TOOLS = {
    "deploy-target": ours,
    "litert-torch": litert_torch,
    "onnx2tf": onnx2tf,
    "TensorFlow": tensorflow,
}


if __name__ == "__main__":
    TOOLS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
