"""Locks what Lambda functions are made of: `.venv/bin/python scripts/lock_lambda.py [--upgrade]`.

In come templates/lambda/locks/**/*.in, out go the .txt files beside them, which builds install
from: one for each flavor, and in media/ what inputs of a kind need besides.
One lock serves both processors and every Python of the list in targets/aws_lambda/native.py.
`--upgrade` moves the packages that no .in file pins.
"""

from __future__ import annotations

import sys
from pathlib import Path

from deploy_targets.integrations import wheels
from deploy_targets.targets.aws_lambda.native import RUNTIMES

LOCKS = Path(__file__).resolve().parent.parent / "templates" / "lambda" / "locks"
COMMAND = ".venv/bin/python scripts/lock_lambda.py"

# ONNX Runtime asks for them, but only its tools for quantizing and converting import them.
NOT_FOR_INFERENCE = ("flatbuffers", "packaging", "protobuf")
# cffi asks for the first to compile what soundfile has compiled; the other comes with each flavor.
NOT_FOR_MEDIA = ("pycparser", "numpy")


def main(arguments: list[str]) -> None:
    """Writes every lock anew."""
    oldest = min(RUNTIMES, key=lambda python: tuple(map(int, python.split("."))))
    for requirements in sorted(LOCKS.rglob("*.in")):
        wheels.lock(
            requirements,
            requirements.with_suffix(".txt"),
            python=oldest,
            without=NOT_FOR_MEDIA if requirements.parent.name == "media" else NOT_FOR_INFERENCE,
            command=COMMAND,
            upgrade="--upgrade" in arguments,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
