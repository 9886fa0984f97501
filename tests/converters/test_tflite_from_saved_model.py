"""TensorFlow's converter on Keras models; what it wrote is asked through LiteRT itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy_targets.converters import tflite, tflite_from_saved_model
from deploy_targets.converters.tflite import Order
from deploy_targets.errors import DeployError
from deploy_targets.integrations import worker
from deploy_targets.records import Dialect, DynamicAxis, Graph, Signature, TensorSpec
from deploy_targets.workspace import Workspace

F = "float32"
BATCH = (DynamicAxis("batch", 1, 8),)
SIGNATURES = {
    "lstm": Signature(
        (TensorSpec("x", F, ("batch", 8, 3)),),
        (TensorSpec("y", F, ("batch", 8, 2)),),
        BATCH,
        "batch",
    ),
    "photo": Signature(
        (TensorSpec("image", F, ("batch", 6, 8, 3)),),
        (TensorSpec("y", F, ("batch", 9_000)),),
        BATCH,
        "batch",
    ),
    # Most of these are no names of Python's, nor of TensorFlow's.
    "mixed": Signature(
        (TensorSpec("b/x", F, ("batch", 4)), TensorSpec("class", "int64", ("batch", 5))),
        (TensorSpec("o ne", F, ("batch", 3)), TensorSpec("def", "int64", ("batch", 5))),
        BATCH,
        "batch",
    ),
    "svd": Signature(
        (TensorSpec("x", F, ("batch", 4, 4)),),
        (TensorSpec("y", F, ("batch", 4, 4)),),
        BATCH,
        "batch",
    ),
}
ORDERS: dict[str, tuple[str, dict[str, tuple[int, ...]], bool]] = {
    "lstm": ("lstm", {}, False),
    "photo": ("photo", {}, False),
    "halved": ("photo", {"image": (0, 3, 1, 2)}, True),
    "mixed": ("mixed", {}, False),
    "svd": ("svd", {}, False),
}


def models() -> dict[str, Any]:
    """The models, by name. In a function, for it needs TensorFlow."""
    from deploy_targets.frontends.tensorflow_quiet import keras, tensorflow

    k, tf = keras(), tensorflow()
    k.utils.set_random_seed(0)
    layers = k.layers

    class Odd(layers.Layer):  # type: ignore[misc,name-defined,unused-ignore]
        def call(self, x: Any) -> Any:
            return tf.linalg.svd(x)[1] * tf.math.bessel_i0(x)

    x, image, square = k.Input((8, 3)), k.Input((6, 8, 3)), k.Input((4, 4))
    rows, tokens = k.Input((4,)), k.Input((5,), dtype="int64")
    seen = layers.GlobalAveragePooling2D()(layers.Conv2D(64, 3, activation="relu")(image))
    both = layers.Concatenate()([layers.Flatten()(layers.Embedding(10, 4)(tokens)), rows])
    return {
        "lstm": k.Model(x, layers.Dense(2)(layers.LSTM(6, return_sequences=True)(x))),
        "photo": k.Model(image, layers.Dense(9_000)(seen)),
        "mixed": k.Model([rows, tokens], [layers.Dense(3)(both), tokens + 1]),
        "svd": k.Model(square, Odd(name="odd")(square)),
    }


def convert_many(home: str) -> dict[str, Any]:
    """The child, one for all. What was wrong or, per entry, the relative error of each output."""
    made = models()
    for name, model in made.items():
        _captured(model, SIGNATURES[name], Path(home, name))
    said: dict[str, Any] = {}
    for key, (name, layouts, half) in ORDERS.items():
        signature, folder = SIGNATURES[name], Path(home, f"{key}.made")
        folder.mkdir()
        graph = Graph(Dialect.SAVED_MODEL, Path(home, name), name, "tensorflow")
        entries = tflite.fixed(signature, (1, 8))
        order = tflite.packed(Order(graph, signature, entries, layouts, half))
        try:
            tflite_from_saved_model.export(order, str(folder))
            said[key] = _asked(made[name], signature, folder)
        except DeployError as error:
            said[key] = f"{type(error).__name__}: {error}"
    return said


def _captured(model: Any, signature: Signature, folder: Path) -> None:
    from deploy_targets.frontends.tensorflow_frozen import freeze, write
    from deploy_targets.frontends.tensorflow_saved import Loaded

    def call(tensors: Any) -> list[tuple[str, Any]]:
        answers = model(tensors if len(tensors) > 1 else tensors[0])
        every = answers if isinstance(answers, (list, tuple)) else [answers]
        return [(spec.name, one) for spec, one in zip(signature.outputs, every, strict=True)]

    folder.mkdir()
    write(freeze(Loaded((), call), signature.inputs, folder.name), signature, folder)


def _asked(model: Any, signature: Signature, folder: Path) -> dict[str, list[float]]:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    from deploy_targets.frontends.signature import probe

    errors: dict[str, list[float]] = {}
    interpreter = Interpreter(str(folder / tflite.FILE))
    for entry in tflite.read(folder).entries:
        arrays = probe(signature.inputs, {"batch": int(entry.inputs[0].spec.shape[0])})
        said = model(list(arrays.values()) if len(arrays) > 1 else next(iter(arrays.values())))
        want = [np.array(one) for one in (said if isinstance(said, (list, tuple)) else [said])]
        given = {
            port.spec.name: np.ascontiguousarray(
                arrays[port.of].transpose(port.axes or range(arrays[port.of].ndim))
            )
            for port in entry.inputs
        }
        got = interpreter.get_signature_runner(entry.name)(**given)
        errors[entry.name] = [
            float(np.linalg.norm(got[port.spec.name] - one) / np.linalg.norm(one))
            for port, one in zip(entry.outputs, want, strict=True)
        ]
    return errors


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved_models")


@pytest.fixture(scope="module")
def said(home: Path) -> Mapping[str, Any]:
    path = tflite.path(tflite_from_saved_model.LOCK, Workspace())
    function = f"{__name__}:convert_many"
    answers: Mapping[str, Any] = worker.call(function, {"home": str(home)}, who="TF", path=path)
    return answers


@pytest.mark.parametrize("name", ["lstm", "photo", "mixed"])
def test_every_size_of_the_batch_answers_as_keras_does(said: Mapping[str, Any], name: str) -> None:
    assert set(said[name]) == {"b1", "b8"}
    assert all(error <= 2e-6 for errors in said[name].values() for error in errors)


def test_names_and_integers_of_64_bits_are_the_models_own(
    said: Mapping[str, Any], home: Path
) -> None:
    assert said
    entry = tflite.read(home / "mixed.made").entries[0]
    ports = (*entry.inputs, *entry.outputs)
    assert [(p.spec.name, p.spec.dtype) for p in ports] == [
        ("b/x", F),
        ("class", "int64"),
        ("o ne", F),
        ("def", "int64"),
    ]


def test_sizes_of_the_batch_share_the_weights(said: Mapping[str, Any], home: Path) -> None:
    assert said
    once = 4 * 64 * 9_000
    assert once < (home / "photo.made" / tflite.FILE).stat().st_size < 1.1 * once


def test_halved_weights_and_another_layout(said: Mapping[str, Any], home: Path) -> None:
    assert all(1e-6 < error < 1e-3 for errors in said["halved"].values() for error in errors)
    whole, half = (home / f"{n}.made" / tflite.FILE for n in ("photo", "halved"))
    assert half.stat().st_size < 0.55 * whole.stat().st_size
    (port,) = tflite.read(home / "halved.made").entries[0].inputs
    assert (port.spec.dtype, port.spec.shape, port.axes) == (F, (1, 3, 6, 8), (0, 3, 1, 2))


def test_operators_that_tflite_lacks_are_named_with_their_layer(said: Mapping[str, Any]) -> None:
    assert said["svd"].startswith("UnsupportedModel: TensorFlow Lite has no form of ")
    assert "Svd (in " in said["svd"]
    assert "BesselI0 (in " in said["svd"]
    assert "/odd" in said["svd"]
