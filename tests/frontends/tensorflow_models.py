"""Small models of TensorFlow's for the tests beside this file, and a large one that others made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from deploy_targets.frontends.tensorflow_quiet import keras, quiet, tensorflow
from deploy_targets.integrations import wheels
from deploy_targets.workspace import Workspace, digest_of_file

LOCK = Path(__file__).with_name("basic_pitch.txt")
PITCH = "basic_pitch/saved_models/icassp_2022"


def pitch() -> Path:
    """The folder in which basic-pitch keeps its model as nmp/, nmp.onnx and nmp.tflite."""

    def fetch(home: Path) -> None:
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        wheels.install(LOCK, home, platform="x86_64-manylinux_2_28", python=python)

    return Workspace().cached("basic-pitch", digest_of_file(LOCK), fetch) / PITCH


def mixed(outputs: str = "dict") -> Any:
    """Two inputs, one of them a sequence; an LSTM, and layers that behave otherwise in training."""
    layers = keras().layers
    keras().utils.clear_session()
    keras().utils.set_random_seed(0)
    still, moving = keras().Input((4,), name="still"), keras().Input((None, 3), name="moving")
    hidden = layers.BatchNormalization()(layers.Dense(5, activation="relu")(still))
    state = layers.Dropout(0.5)(layers.LSTM(6, name="lstm")(moving))
    both = layers.Concatenate()([hidden, state])
    chances, score = (
        layers.Dense(2, activation="softmax", name="chances")(both),
        layers.Dense(1, name="score")(state),
    )
    ends = {"what": chances, "how_much": score} if outputs == "dict" else [chances, score]
    return keras().Model([still, moving], ends)


def photos() -> Any:
    """A convolutional network with a fixed size of its photos."""
    layers = keras().layers
    keras().utils.clear_session()
    keras().utils.set_random_seed(0)
    return keras().Sequential(
        [
            keras().Input((16, 16, 3), name="image"),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(3, padding="same", activation="swish"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax", name="probabilities"),
        ]
    )


def save(model: Any, path: Path) -> Path:
    """Written by Keras, by the suffix; a folder where there is none."""
    with quiet():
        if path.suffix:
            model.save(path)
        else:
            model.export(path, verbose=False)
    return path


def module(folder: Path, **signatures: Any) -> Path:
    """A SavedModel of plain functions: name -> (function, specs of what it takes)."""
    tf = tensorflow()
    held = tf.Module()
    held.factor = tf.Variable(3.0)
    traced = {
        name: tf.function(lambda *x, f=function: f(held.factor, *x)).get_concrete_function(*specs)
        for name, (function, *specs) in signatures.items()
    }
    with quiet():
        tf.saved_model.save(held, str(folder), signatures=traced)
    return folder
