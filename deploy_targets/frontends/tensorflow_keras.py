"""A Keras model, from a file or from the user's code. Out: a Loaded, in inference mode.

Names are Keras' own: those of dictionaries' keys, else of the layers that take and give the
tensors. Nothing that a file holds as code is run (`safe_mode`).
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Sequence
from typing import Any

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.frontends.call_user import described
from deploy_targets.frontends.source import Kind, SourceSpec, file_of, refuse_contents
from deploy_targets.frontends.tensorflow_quiet import keras, quiet, tensorflow
from deploy_targets.frontends.tensorflow_saved import Loaded
from deploy_targets.frontends.tensorflow_tensors import Given, cleaned

BUILT_BY = (
    "write a function that defines its custom code, loads the model and returns it, and give "
    "file.py:function"
)
UNKNOWN = re.compile(r"[Uu]nknown (?:layer|object)\W+(\w+)|locate class '([\w.>]+)'")
"""How Keras says that it does not know a class."""


def is_model(thing: object) -> bool:
    """Whether it is a Keras model; Keras is not imported to find out."""
    held = sys.modules.get("keras")
    return held is not None and hasattr(held, "Model") and isinstance(thing, held.Model)


def number_from_the_start() -> None:
    """Layers made from here on get the names that they have in a fresh process."""
    held = sys.modules.get("keras")
    if held is not None and hasattr(held, "utils"):
        with quiet():
            held.utils.clear_session(free_memory=False)


def load(spec: SourceSpec) -> Any:
    """The model in a .keras or .h5 file. Raises UnsupportedModel."""
    path = file_of(spec)
    assert path is not None, "a Keras model is a file"
    refuse_contents(path, Kind.KERAS)
    held = keras()
    try:
        with quiet(), tensorflow().device("CPU:0"):
            return held.saving.load_model(path, compile=False)
    except ModuleNotFoundError:
        raise
    except Exception as error:
        raise _refused(spec, error) from error


def _refused(spec: SourceSpec, error: Exception) -> UnsupportedModel:
    said = str(error)
    if match := UNKNOWN.search(said):
        name = next(group for group in match.groups() if group).rpartition(">")[2]
        return UnsupportedModel(
            f"{spec.source} holds a {name}, a class that Keras does not have", hint=BUILT_BY
        )
    if "safe_mode" in said or "unsafe" in said.lower():
        return UnsupportedModel(
            f"{spec.source} holds a Lambda, and loading it would run the code in it",
            hint=f"{BUILT_BY} (keras.saving.load_model(path, safe_mode=False)), if you trust it",
        )
    if "No model config" in said or "No model found" in said:
        return UnsupportedModel(
            f"{spec.source} holds weights, and not the model that uses them",
            hint="write a function that builds the model, calls model.load_weights(path) and "
            "returns it, and give file.py:function",
        )
    return UnsupportedModel(
        f"{spec.source} cannot be loaded by Keras {keras().__version__}: {described(error)}",
        hint=f"save it again with this version, or {BUILT_BY}",
    )


def loaded(spec: SourceSpec, model: Any) -> Loaded:
    """The model as something that answers. Raises ConfigError, UnsupportedModel."""
    held = keras()
    if stateful := [layer.name for layer in _layers(model) if getattr(layer, "stateful", False)]:
        raise UnsupportedModel(
            f"layer {stateful[0]} keeps a state between calls, which no target does",
            hint="build it with stateful=False, and hand the state in and out as tensors",
        )
    struct = _declared_inputs(model)
    given = _described(held, struct) if struct is not None else _as_declared(spec, model)
    takes = _taker(held, model, struct, given)
    ends = _ends(model)

    def call(tensors: Sequence[Any]) -> list[tuple[str, Any]]:
        said = takes(tensors)
        return _named(held, said, ends)

    return Loaded(given, call)


def _layers(model: Any) -> list[Any]:
    return list(model._flatten_layers()) if hasattr(model, "_flatten_layers") else model.layers


def _declared_inputs(model: Any) -> Any:
    """Keras' own description of what the model is called with; None where it has none."""
    struct = getattr(model, "_inputs_struct", None)
    inner = getattr(model, "_functional", None)
    if struct is None and inner is not None:
        struct = getattr(inner, "_inputs_struct", None)
    return struct if struct is not None else (getattr(model, "inputs", None) or None)


def _described(held: Any, struct: Any) -> tuple[Given, ...]:
    leaves = held.tree.flatten_with_path(struct)
    names = cleaned([_name(path, _maker(leaf)) for path, leaf in leaves])
    return tuple(
        Given(name, leaf.dtype, tuple(leaf.shape), _kind(leaf))
        for name, (_, leaf) in zip(names, leaves, strict=True)
    )


def _maker(tensor: Any) -> str:
    """The name of the layer that gives a symbolic tensor."""
    history = getattr(tensor, "_keras_history", None)
    return str(history.operation.name if history else tensor.name)


def _kind(tensor: Any) -> str:
    return next((kind for kind in ("sparse", "ragged") if getattr(tensor, kind, False)), "")


def _as_declared(spec: SourceSpec, model: Any) -> tuple[Given, ...]:
    """A model that is a class of its own does not say what it takes."""
    if not spec.inputs:
        raise ConfigError(
            f"{type(model).__name__} does not say what it is called with",
            hint='declare its inputs: [inputs.x] dtype = "float32" shape = ["batch", 4]',
        )
    return tuple(Given(each.name, each.dtype, None) for each in spec.inputs)


def _taker(held: Any, model: Any, struct: Any, given: Sequence[Given]) -> Any:
    """Calls the model with tensors in order."""
    if struct is not None:
        return lambda tensors: model(
            held.tree.pack_sequence_as(struct, list(tensors)), training=False
        )
    keywords = {"training": False} if _takes(model, "training") else {}
    if len(given) == 1:
        return lambda tensors: model(tensors[0], **keywords)
    names = [each.name for each in given]
    if not all(_takes(model, name) for name in names):
        raise ConfigError(
            f"{type(model).__name__}.call does not take {', '.join(names)}",
            hint="name the inputs as the parameters of call",
        )
    return lambda tensors: model(**dict(zip(names, tensors, strict=True)), **keywords)


def _takes(model: Any, name: str) -> bool:
    return name in inspect.signature(model.call).parameters


def _ends(model: Any) -> list[str]:
    """The layers that give the outputs, in order; empty where Keras does not know."""
    try:
        return [_maker(tensor) for tensor in model.outputs]
    except (AttributeError, TypeError):
        return []


def _named(held: Any, said: Any, ends: Sequence[str]) -> list[tuple[str, Any]]:
    leaves = [(path, leaf) for path, leaf in held.tree.flatten_with_path(said) if leaf is not None]
    known = len(ends) == len(leaves)
    names = [
        _name(path, ends[index] if known else f"output_{index}")
        for index, (path, _) in enumerate(leaves)
    ]
    return list(zip(cleaned(names), (leaf for _, leaf in leaves), strict=True))


def _name(path: Sequence[object], otherwise: str) -> str:
    """Keys make a name; places in a list do not."""
    if any(isinstance(key, str) for key in path):
        return "_".join(map(str, path))
    return otherwise
