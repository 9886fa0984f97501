"""Asks several .tflite of one model in turn, on one thread. LiteRT lies in the folder BESIDE.

In: a folder with question.npz (the model's own inputs, in order, and its answers), and files. Out:
a JSON line: per file the seconds of each round and the relative L2 of each output, or why not.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

WARM_UP = 5


class Asked:
    """One file, loaded, with the question in its own order and layout."""

    def __init__(self, file: str, inputs: list[Any]) -> None:
        sys.path.append(os.environ["BESIDE"])
        from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found]

        self.interpreter = Interpreter(file, num_threads=1)
        details = self.interpreter.get_input_details()
        # Where a plain converter left an axis open, its size is -1 here.
        order = fitting([tuple(map(int, d["shape_signature"])) for d in details], inputs)
        for detail, array in zip(details, order, strict=True):
            if tuple(detail["shape"]) != array.shape:
                self.interpreter.resize_tensor_input(detail["index"], array.shape)
        self.interpreter.allocate_tensors()
        for detail, array in zip(details, order, strict=True):
            self.interpreter.set_tensor(detail["index"], array.astype(detail["dtype"]))
        self.seconds: list[float] = []

    def ask(self) -> None:
        began = time.perf_counter()
        self.interpreter.invoke()
        self.seconds.append(time.perf_counter() - began)

    def answers(self) -> list[Any]:
        details = self.interpreter.get_output_details()
        return [self.interpreter.get_tensor(detail["index"]) for detail in details]


def fitting(shapes: list[tuple[int, ...]], arrays: list[Any]) -> list[Any]:
    """The arrays in the order, and with the axes, that these shapes ask for.

    Plain converters rename and reorder; where shapes leave it open, the order given counts.
    """
    for order in itertools.permutations(arrays):
        found = [as_shaped(shape, array) for shape, array in zip(shapes, order, strict=True)]
        if all(array is not None for array in found):
            return found
    raise ValueError(f"it takes {shapes}, and the model {[a.shape for a in arrays]}")


def as_shaped(shape: tuple[int, ...], array: Any) -> Any:
    if agrees(shape, array.shape):
        return array
    if array.ndim < 3:
        return None
    turned = (np.moveaxis(array, 1, -1), np.moveaxis(array, -1, 1))
    return next((np.ascontiguousarray(one) for one in turned if agrees(shape, one.shape)), None)


def agrees(shape: tuple[int, ...], found: tuple[int, ...]) -> bool:
    """Whether an array of that shape fits; -1 is any size."""
    return len(shape) == len(found) and all(a in (-1, b) for a, b in zip(shape, found, strict=True))


def far(want: list[Any], got: list[Any]) -> float:
    """The largest relative L2 of the outputs; infinite where they are others."""
    try:
        found = fitting([array.shape for array in want], got)
    except ValueError:
        return float("inf")
    apart = [
        float(np.linalg.norm((w.astype("f8") - g).ravel()) / (np.linalg.norm(w.ravel()) or 1))
        for w, g in zip(want, found, strict=True)
    ]
    return max(one if one == one else float("inf") for one in apart)


def main(folder: Path, rounds: int, files: list[str]) -> None:
    """Prints what was found."""
    with np.load(folder / "question.npz") as held:
        inputs = [held[name] for name in sorted(held) if name.startswith("in")]
        wanted = [held[name] for name in sorted(held) if name.startswith("out")]
    said: dict[str, Any] = {}
    asked: dict[str, Asked] = {}
    for file in files:
        try:
            one = Asked(file, inputs)
            for _ in range(WARM_UP):
                one.ask()
            asked[file], said[file] = one, {"error": far(wanted, one.answers())}
        except (ValueError, RuntimeError) as error:
            said[file] = {"refused": str(error).strip().partition("\n")[0]}
    for turn in range(rounds):
        order = list(asked.values())[:: 1 if turn % 2 else -1]
        for one in order:
            one.ask()
    for file, one in asked.items():
        said[file]["seconds"] = one.seconds[WARM_UP:]
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
