"""Asks a .tflite in the interpreter that is installed beside it, call after call.

It is started as a file, `python ask.py '{"model": ..., "threads": 1, ...}'`, by whatever Python
has an interpreter of TensorFlow Lite: here, on an emulated ARM, in an old environment. So it
imports the standard library and numpy alone, and is plain enough for Python 3.9. Calls come in on
stdin and answers leave on stdout, each eight bytes of length and then a safetensors file, whose
metadata holds the entry, or what was measured, or the error. It ends where stdin ends.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import struct
import sys
import time
from typing import Any, BinaryIO

import numpy as np

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BOOL": "|b1",
    "U8": "|u1",
    "I8": "|i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
}
"""What safetensors calls them -> what numpy does."""
CODES = {np.dtype(name): code for code, name in DTYPES.items()}
LENGTH = struct.Struct("<Q")


class File:
    """A .tflite, loaded."""

    def __init__(self, model: str, threads: int, module: str, warm: bool) -> None:
        interpreter = importlib.import_module(module).Interpreter
        self._warm = warm
        self._runners: dict[str, Any] = {}
        self.before = peak()
        started = time.perf_counter()
        self._file = interpreter(model, num_threads=threads)
        self._file.allocate_tensors()
        self.seconds = time.perf_counter() - started

    @property
    def delegated(self) -> int:
        """Into how many parts of the graph XNNPACK was put; only it is there to be put."""
        return sum(op["op_name"] == "DELEGATE" for op in self._file._get_ops_details())

    def ask(self, entry: str, tensors: dict[str, Any]) -> tuple[dict[str, Any], float]:
        """The answer and the seconds that it took. Raises where the file takes other tensors.

        The first call of an entry is asked twice, and the second is measured.
        """
        runner = self._runners.get(entry)
        if first := runner is None:
            known = sorted(self._file.get_signature_list())
            if entry not in known:
                raise ValueError(f"the file has no signature {entry!r}; it has {known}")
            runner = self._runners[entry] = self._file.get_signature_runner(entry)
        # What does not fit would be resized to fit, and then it would be another file.
        check(runner.get_input_details(), tensors)
        if first and self._warm:
            runner(**tensors)
        started = time.perf_counter()
        answer = runner(**tensors)
        return answer, time.perf_counter() - started


def check(wanted: dict[str, Any], tensors: dict[str, Any]) -> None:
    """Raises ValueError unless these are the very names, shapes and dtypes that the file takes."""
    takes = {name: f"{np.dtype(d['dtype'])}{d['shape'].tolist()}" for name, d in wanted.items()}
    given = {name: f"{array.dtype}{list(array.shape)}" for name, array in tensors.items()}
    if takes != given:
        raise ValueError(f"the file takes {takes}, and was given {given}")


def peak() -> int:
    """Bytes of resident memory at their peak so far; 0 where the system does not say."""
    # Not getrusage: what that says begins with the peak of the process that started this one.
    try:
        with open("/proc/self/status") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["VmHWM"].split()[0]) * 1024
    except (OSError, KeyError):
        return 0


def version(module: str) -> str:
    """What is installed of it: "ai-edge-litert 2.3.0"."""
    name = module.partition(".")[0].replace("_", "-")
    return f"{name} {importlib.metadata.version(name)}"


def receive(stream: BinaryIO) -> tuple[dict[str, Any], dict[str, str]] | None:
    """The tensors and metadata of one call; None where there are no more."""
    start = stream.read(LENGTH.size)
    if len(start) < LENGTH.size:
        return None
    body = stream.read(LENGTH.unpack(start)[0])
    end = LENGTH.size + LENGTH.unpack_from(body)[0]
    header = json.loads(body[LENGTH.size : end])
    said = header.pop("__metadata__", {})
    tensors = {}
    for name, each in header.items():
        first, last = each["data_offsets"]
        flat = np.frombuffer(body[end + first : end + last], DTYPES[each["dtype"]])
        tensors[name] = flat.reshape(each["shape"])
    return tensors, said


def send(stream: BinaryIO, tensors: dict[str, Any], said: dict[str, str]) -> None:
    """Writes one answer."""
    header: dict[str, Any] = {"__metadata__": said}
    at, parts = 0, []
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        code = CODES[array.dtype]
        offsets = [at, at + len(raw)]
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": offsets}
        at += len(raw)
        parts.append(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    body = b"".join([LENGTH.pack(len(text)), text, *parts])
    stream.write(LENGTH.pack(len(body)) + body)
    stream.flush()


def answer(file: File, tensors: dict[str, Any], said: dict[str, str]) -> tuple[Any, dict[str, str]]:
    """What is sent back for one call: its answer, or the error that it ended with."""
    try:
        outputs, seconds = file.ask(said["entry"], tensors)
    except Exception as error:
        return {}, {"error": f"{type(error).__name__}: {error}"}
    return outputs, {"seconds": repr(seconds), "peak": str(peak())}


def main(model: str, threads: int, module: str, path: list[str], warm: bool = True) -> None:
    """Loads the file, says what with, and answers until nobody asks any more."""
    # Native code prints where it likes: only answers may leave on stdout.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path[:] = [*path, *(each for each in sys.path if each not in path)]
    try:
        file = File(model, threads, module, warm)
    except (ImportError, MemoryError, OSError, RuntimeError, ValueError) as error:
        send(out, {}, {"error": f"{type(error).__name__}: {error}"})
        return
    said = {"runtime": version(module), "python": platform.python_version()}
    counted = {"delegated": file.delegated, "before": file.before, "peak": peak()}
    counts = {name: str(count) for name, count in counted.items()}
    send(out, {}, {**said, **counts, "seconds": repr(file.seconds)})
    while (call := receive(sys.stdin.buffer)) is not None:
        send(out, *answer(file, *call))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
