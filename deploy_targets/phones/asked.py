"""Asks an artifact in the runtime that is installed beside it, call after call.

It is started as a file, `python asked.py '{"world": ..., "told": {...}}'`, by whatever Python has
the runtime: here, on an emulated ARM, in an old environment. So it imports the standard library
and numpy alone, and is plain enough for Python 3.9; so is the world, a file that knows the runtime:
its `load(told)` gives an object with `said`, a dict of what was loaded, and `ask(entry, tensors)`.
Calls come in on stdin and answers leave on stdout, each eight bytes of length and then a
safetensors file, whose metadata holds the entry, or what was measured, or the error. It ends where
stdin ends.
"""

from __future__ import annotations

import importlib.util
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


class Loaded:
    """An artifact in its runtime, and what it took to load it."""

    def __init__(self, world: str, told: dict[str, Any], warm: bool) -> None:
        module = imported(world)
        self._warm = warm
        self._asked: set[str] = set()
        self.before = peak()
        started = time.perf_counter()
        self._file = module.load(told)
        self.seconds = time.perf_counter() - started
        self.said: dict[str, str] = self._file.said

    def ask(self, entry: str, tensors: dict[str, Any]) -> tuple[dict[str, Any], float]:
        """The answer and the seconds that it took. Raises where the artifact takes other tensors.

        The first call of an entry is asked twice, and the second is measured.
        """
        if entry not in self._asked and self._warm:
            self._file.ask(entry, tensors)
        self._asked.add(entry)
        started = time.perf_counter()
        answer = self._file.ask(entry, tensors)
        return answer, time.perf_counter() - started


def imported(path: str) -> Any:
    """The module that lies there."""
    spec = importlib.util.spec_from_file_location("world", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def peak() -> int:
    """Bytes of resident memory at their peak so far; 0 where the system does not say."""
    # Not getrusage: what that says begins with the peak of the process that started this one.
    try:
        with open("/proc/self/status") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["VmHWM"].split()[0]) * 1024
    except (OSError, KeyError):
        return 0


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


def answer(
    file: Loaded, tensors: dict[str, Any], said: dict[str, str]
) -> tuple[Any, dict[str, str]]:
    """What is sent back for one call: its answer, or the error that it ended with."""
    try:
        outputs, seconds = file.ask(said["entry"], tensors)
    except Exception as error:
        return {}, {"error": f"{type(error).__name__}: {error}"}
    return outputs, {"seconds": repr(seconds), "peak": str(peak())}


def main(world: str, told: dict[str, Any], path: list[str], warm: bool = True) -> None:
    """Loads the artifact, says what with, and answers until nobody asks any more."""
    # Native code prints where it likes: only answers may leave on stdout.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path[:] = [*path, *(each for each in sys.path if each not in path)]
    try:
        file = Loaded(world, told, warm)
    except (ImportError, MemoryError, OSError, RuntimeError, ValueError) as error:
        send(out, {}, {"error": f"{type(error).__name__}: {error}"})
        return
    counted = {"before": str(file.before), "peak": str(peak()), "seconds": repr(file.seconds)}
    send(out, {}, {"python": platform.python_version(), **file.said, **counted})
    for call in iter(lambda: receive(sys.stdin.buffer), None):
        send(out, *answer(file, *call))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
