"""A SavedModel, loaded. In: its folder, and the signature that the user named. Out: a Loaded.

`tf.saved_model.load` brings the objects back to life. Where it cannot (folders of older versions),
TensorFlow 1's loader takes the graph as it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.frontends.call_user import described
from deploy_targets.frontends.source import Kind, SourceSpec, file_of, refuse_contents, signature_of
from deploy_targets.frontends.tensorflow_quiet import quiet, tensorflow
from deploy_targets.frontends.tensorflow_tensors import Given, cleaned
from deploy_targets.records import Array

DEFAULT, SERVE = "serving_default", "serve"
OWN = "__saved_model"
"""What signatures begin with that TensorFlow writes for itself."""
NONE_HINT = (
    'write it again with one: model.export("folder") in Keras, or tf.saved_model.save(model, '
    '"folder", signatures=model.call.get_concrete_function(tf.TensorSpec([None, 4], tf.float32)))'
)


@dataclass(frozen=True)
class Loaded:
    """Something of TensorFlow's that answers."""

    inputs: tuple[Given, ...]
    call: Callable[[Sequence[Any]], list[tuple[str, Any]]]
    """From tensors in the order of `inputs` to named tensors. Can be traced."""
    answer: Callable[[Sequence[Array]], dict[str, Any]] | None = None
    """The answers of the original where `call` is not it."""


def load(spec: SourceSpec) -> Loaded:
    """What the folder holds. Raises ConfigError, UnsupportedModel."""
    path = file_of(spec)
    assert path is not None, "a SavedModel is a folder"
    refuse_contents(path, Kind.SAVED_MODEL)
    meta = _meta_graph(path)
    name = _chosen(spec, [key for key in meta.signature_def if not key.startswith(OWN)])
    signature = meta.signature_def[name]
    _refuse_lost_variables(meta, path.parent)
    try:
        function = _by_objects(path.parent, list(meta.meta_info_def.tags), name)
    except Exception as error:
        return _by_graph(path.parent, meta, signature, error)
    return _of_function(function, signature)


def _meta_graph(path: Path) -> Any:
    tensorflow()
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]
    from tensorflow.core.protobuf import saved_model_pb2  # type: ignore[import-untyped,unused-ignore]

    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise _no_saved_model(path) from error
    if not saved.meta_graphs:
        raise _no_saved_model(path)
    for meta in saved.meta_graphs:
        if SERVE in meta.meta_info_def.tags:
            return meta
    if len(saved.meta_graphs) > 1:
        tags = ", ".join(str(list(meta.meta_info_def.tags)) for meta in saved.meta_graphs)
        raise UnsupportedModel(
            f"{path.parent} holds graphs tagged {tags}, and none for serving",
            hint="write it with tf.saved_model.save, which tags it for serving",
        )
    return saved.meta_graphs[0]


def _no_saved_model(path: Path) -> UnsupportedModel:
    return UnsupportedModel(
        f"{path} is no SavedModel",
        hint='write the folder again: model.export("folder"), or tf.saved_model.save(...)',
    )


def _chosen(spec: SourceSpec, known: Sequence[str]) -> str:
    wanted = signature_of(spec)
    place = spec.source.removesuffix(f":{wanted}") if wanted else spec.source
    if not known:
        raise UnsupportedModel(f"{place} has no signatures, so nothing to call", hint=NONE_HINT)
    names = ", ".join(sorted(known))
    if wanted and wanted not in known:
        near = difflib.get_close_matches(wanted, known, 1)
        raise ConfigError(
            f"{place} has no signature {wanted!r}",
            hint=f"did you mean {place}:{near[0]}?" if near else f"it has {names}",
        )
    if wanted or len(known) == 1 or DEFAULT in known:
        return wanted or (known[0] if len(known) == 1 else DEFAULT)
    raise ConfigError(
        f"{place} has several signatures ({names}), and none is {DEFAULT}",
        hint=f"say which: source = {place}:{sorted(known)[0]}",
    )


def _refuse_lost_variables(meta: Any, folder: Path) -> None:
    kept = (*meta.graph_def.node, *(n for f in meta.graph_def.library.function for n in f.node_def))
    has = any(node.op in ("VarHandleOp", "VariableV2", "Variable") for node in kept)
    if has and not (folder / "variables" / "variables.index").is_file():
        raise UnsupportedModel(
            f"{folder} has variables, and variables/variables.index is not in it",
            hint="copy the whole folder, variables/ included",
        )


def _by_objects(folder: Path, tags: list[str], name: str) -> Any:
    tf = tensorflow()
    with quiet(), tf.device("CPU:0"):
        loaded = tf.saved_model.load(str(folder), tags=tags)
        function = loaded.signatures[name]
    # The variables live as long as what was loaded does.
    function._deploy_target_loaded = loaded
    return function


def _of_function(function: Any, signature: Any) -> Loaded:
    ins, outs = sorted(signature.inputs), sorted(signature.outputs)

    def call(tensors: Sequence[Any]) -> list[tuple[str, Any]]:
        said = function(**dict(zip(ins, tensors, strict=True)))
        return list(zip(cleaned(outs), (said[key] for key in outs), strict=True))

    return Loaded(_given(signature, ins), call)


def _given(signature: Any, keys: Sequence[str]) -> tuple[Given, ...]:
    tf = tensorflow()
    found = []
    for key, name in zip(keys, cleaned(keys), strict=True):
        info = signature.inputs[key]
        encoding = info.WhichOneof("encoding")
        kind = {"coo_sparse": "sparse", "composite_tensor": "ragged"}.get(encoding, "")
        dims = tuple(None if d.size < 0 else int(d.size) for d in info.tensor_shape.dim)
        shape = None if info.tensor_shape.unknown_rank else dims
        found.append(Given(name, tf.dtypes.as_dtype(info.dtype).name, shape, kind))
    return tuple(found)


def _by_graph(folder: Path, meta: Any, signature: Any, first: Exception) -> Loaded:
    """By TensorFlow 1's loader. Raises UnsupportedModel where that fails, too."""
    tf = tensorflow()
    v1 = tf.compat.v1
    session = v1.Session(graph=tf.Graph(), config=_on_cpu(tf))
    try:
        with quiet(), session.graph.as_default(), tf.device("CPU:0"):
            v1.saved_model.load(session, list(meta.meta_info_def.tags), str(folder))
    except Exception as second:
        raise UnsupportedModel(
            f"{folder} cannot be loaded: tf.saved_model.load says {described(first)}; "
            f"tf.compat.v1.saved_model.load says {described(second)}",
            hint="write it again with the version of TensorFlow that is here",
        ) from second
    ins, outs = sorted(signature.inputs), sorted(signature.outputs)
    feeds = [signature.inputs[key].name for key in ins]
    fetches = [signature.outputs[key].name for key in outs]
    names = cleaned(outs)

    def answer(arrays: Sequence[Array]) -> dict[str, Any]:
        said = session.run(fetches, dict(zip(feeds, arrays, strict=True)))
        return dict(zip(names, said, strict=True))

    pruned: list[Any] = []

    def call(tensors: Sequence[Any]) -> list[tuple[str, Any]]:
        if not pruned:
            pruned.append(_as_function(session, feeds, fetches))
        return list(zip(names, pruned[0](*tensors), strict=True))

    return Loaded(_given(signature, ins), call, answer)


def _as_function(session: Any, feeds: Sequence[str], fetches: Sequence[str]) -> Any:
    """The session's graph with its variables as constants, callable by position."""
    tf = tensorflow()
    nodes = sorted({name.partition(":")[0] for name in fetches})
    with quiet():
        graph = tf.compat.v1.graph_util.convert_variables_to_constants(
            session, session.graph.as_graph_def(), nodes
        )
        imported = tf.compat.v1.wrap_function(
            lambda: tf.graph_util.import_graph_def(graph, name=""), []
        )
    tensors = [imported.graph.get_tensor_by_name(name) for name in (*feeds, *fetches)]
    return imported.prune(tensors[: len(feeds)], tensors[len(feeds) :])


def _on_cpu(tf: Any) -> Any:
    return tf.compat.v1.ConfigProto(device_count={"GPU": 0})
