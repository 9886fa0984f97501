"""A device whose TensorRT and GPU are scripted: what each would say, without one.

What it answers is ONNX Runtime's own answer, on the CPU, or that with a mistake; nothing of it ever
becomes a verdict of a bundle.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime

from tests.edge.conftest import Part


class Scripted:
    """A runtime that answers as the CPU does, times `off`."""

    def __init__(self, model: str, where: str, off: float) -> None:
        self._session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        self.where, self.off, self.closed = where, off, False

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        names = [node.name for node in self._session.get_outputs()]
        found = dict(zip(names, self._session.run(names, inputs), strict=True))
        return {name: (array * np.float32(self.off)) for name, array in found.items()}

    def close(self) -> None:
        self.closed = True


class Device:
    """Stands in `ladder.Host`'s place; counts what is built and what is loaded."""

    def __init__(self, part: Part, home: Path, version: str = "10.3.0", gpu: str = "Orin") -> None:
        self._part = part
        self.engines = part("engines").Engines(str(home))
        self.proofs = part("proof").Proofs(str(home))
        self.device = part("device").Device("Orin Nano", "aarch64", gpu, "8.7", "36.4.0", "3.10")
        self.version = version
        self.wrong: dict[str, float] = {}
        self.fails: dict[str, Exception] = {}
        self.has_tensorrt = True
        self.built: list[str] = []
        self.loaded: list[bytes] = []
        self.model = ""

    def tensorrt(self) -> Any:
        if not self.has_tensorrt:
            raise self._part("errors").Unusable("tensorrt cannot be imported", "install it")
        return SimpleNamespace(__version__=self.version)

    def onnxruntime(self) -> ModuleType:
        return onnxruntime

    def load(self, plan: str, where: str) -> Scripted:
        body = Path(plan).read_bytes()
        self.loaded.append(body)
        precision = body.decode().split()[1]
        return Scripted(self.model, where, self.wrong.get(precision, 1.0))

    def build(self, model: str, key: Any, profiles: Any) -> bytes:
        if key.precision in self.fails:
            raise self.fails[key.precision]
        self.built.append(key.precision)
        self.model = model
        return f"engine {key.precision} {len(self.built)}".encode()
