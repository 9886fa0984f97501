"""TensorFlow, imported without its chatter and kept on the CPU. Out: the module, once for all.

What it is to print, and which arithmetic it is to use, must be said before it is imported.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any

from deploy_targets.errors import UnsupportedModel

SAID = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # oneDNN's kernels sum in another order on every kind of processor.
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_USE_LEGACY_KERAS": "0",
}
"""What is said to TensorFlow where the user has not said otherwise."""


def prepare() -> None:
    """What must be said before anybody imports TensorFlow; imports nothing."""
    if "tensorflow" not in sys.modules:
        for name, value in SAID.items():
            os.environ.setdefault(name, value)


def tensorflow() -> Any:
    """The module. Raises ModuleNotFoundError where it is not installed."""
    prepare()
    with quiet():
        import tensorflow as tf  # type: ignore[import-untyped,unused-ignore]

    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    # Too late where the user's code has computed already; then CPU:0 is asked for by name.
    with suppress(RuntimeError, ValueError):
        tf.config.set_visible_devices([], "GPU")
    return tf


def keras() -> Any:
    """Keras on TensorFlow. Raises UnsupportedModel where it was imported on another backend."""
    tensorflow()
    if "keras" not in sys.modules:
        # The user's settings may name another, and what is loaded here is TensorFlow's.
        os.environ["KERAS_BACKEND"] = "tensorflow"
    with quiet():
        import keras  # type: ignore[import-untyped,unused-ignore]

    if (backend := keras.config.backend()) != "tensorflow":
        raise UnsupportedModel(
            f"Keras runs on {backend} here, and is captured on TensorFlow alone",
            hint='set KERAS_BACKEND=tensorflow, or export the model: model.export("folder")',
        )
    return keras


@contextmanager
def quiet() -> Iterator[None]:
    """What TensorFlow and Keras print does not mix with our results; their warnings are theirs."""
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        yield
