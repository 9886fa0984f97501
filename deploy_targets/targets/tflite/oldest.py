"""The oldest runtime that a .tflite says it needs, by the versions of the operators in it.

In: a file. Out: the version of TensorFlow Lite that its converter wrote into it. What an old
runtime really answers is another question: the lane tflite-2.14 asks it, and parity.json says.
"""

from __future__ import annotations

from pathlib import Path

from deploy_targets.converters.tflite_root import Root

KEY = "min_runtime_version"
"""The metadata under which TensorFlow's converter, and all that are built on it, write it."""


def minimum_runtime(model: Path) -> str | None:
    """ "2.2.0"; None where the converter wrote none. Raises ConversionFailed for another file."""
    held = Root(model.read_bytes()).metadata().get(KEY, b"")
    return held.rstrip(b"\0").decode("ascii", "replace") or None
