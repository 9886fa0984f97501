"""The flatbuffer of TFLite metadata. In: an About and the file's root. Out: its bytes.

The numbers are those of the schema's fields, which never change; each function is a table of it.
To say more, add the field to its table here, and its version to PARSER where it needs one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deploy_targets.converters.tflite_root import Root, Signed, Subgraph
from deploy_targets.errors import ConversionFailed

if TYPE_CHECKING:
    from deploy_targets.converters.tflite_metadata import About, Tensor

IDENTIFIER = b"M001"
PARSER = "1.0.0"
"""The oldest reader that knows every field that is written here."""
_FEATURE, _IMAGE = 1, 2  # ContentProperties
_NORMALIZATION = 1  # ProcessUnitOptions
_AXIS_LABELS = 2  # AssociatedFileType
_COLOURS = {"rgb": 1, "grey": 2}  # ColorSpaceType

Field = tuple[int, int]  # its slot, and the offset of what it holds


def schema(about: About, root: Root) -> bytes:
    """A ModelMetadata with one SubGraphMetadata for each subgraph up to the last signature."""
    import flatbuffers  # type: ignore[import-untyped]

    builder = flatbuffers.Builder(4096)
    graphs, signed = root.subgraphs(), {each.subgraph: each for each in root.signatures()}
    parts = [
        _subgraph(builder, about, graphs[at], signed.get(at))
        for at in range(max(signed, default=-1) + 1)
    ]
    texts = {0: about.name, 1: about.description, 2: about.version, 7: PARSER}
    fields = [(3, _vector(builder, parts)), *_texts(builder, texts)]
    builder.Finish(_table(builder, fields), IDENTIFIER)
    return bytes(builder.Output())


def _subgraph(builder: Any, about: About, graph: Subgraph, signed: Signed | None) -> int:
    """Its tensors come in the order of the subgraph, which need not be the signature's."""
    if signed is None:
        return _table(builder, [])
    fields = []
    for slot, order, indices, tensors in (
        (2, graph.inputs, signed.inputs, about.inputs),
        (3, graph.outputs, signed.outputs, about.outputs),
    ):
        names = {index: name for name, index in indices.items()}
        known = {tensor.name: tensor for tensor in tensors}
        made = [_tensor(builder, _found(known, names[index])) for index in order]
        fields.append((slot, _vector(builder, made)))
    return _table(builder, [*fields, *_texts(builder, {0: signed.key})])


def _found(known: Mapping[str, Tensor], name: str) -> Tensor:
    if name not in known:
        raise ConversionFailed(
            f"the file has a tensor {name}, of which nothing is said; known are {sorted(known)}",
            hint="convert the model again",
        )
    return known[name]


def _tensor(builder: Any, tensor: Tensor) -> int:
    fields = _texts(builder, {0: tensor.name, 1: tensor.description})
    fields.append((3, _content(builder, tensor)))
    if tensor.mean:
        numbers = [(0, _floats(builder, tensor.mean)), (1, _floats(builder, tensor.std))]
        unit = _union(builder, _NORMALIZATION, _table(builder, numbers))
        fields.append((4, _vector(builder, [unit])))
    if tensor.low:
        bounds = [(0, _floats(builder, tensor.high)), (1, _floats(builder, tensor.low))]
        fields.append((5, _table(builder, bounds)))
    if tensor.labels:
        fields.append((6, _vector(builder, [_labels(builder, tensor)])))
    return _table(builder, fields)


def _content(builder: Any, tensor: Tensor) -> int:
    if not tensor.colours:
        return _union(builder, _FEATURE, _table(builder, []))
    builder.StartObject(2)
    builder.PrependInt8Slot(0, _COLOURS[tensor.colours], 0)
    return _union(builder, _IMAGE, builder.EndObject())


def _union(builder: Any, kind: int, held: int) -> int:
    """A table of a union alone: which of its kinds, and that."""
    builder.StartObject(2)
    builder.PrependUint8Slot(0, kind, 0)
    builder.PrependUOffsetTRelativeSlot(1, held, 0)
    return int(builder.EndObject())


def _labels(builder: Any, tensor: Tensor) -> int:
    said = {0: tensor.file, 1: f"The labels of {tensor.name}, one a line, in their order."}
    texts = _texts(builder, said)
    builder.StartObject(3)
    for slot, offset in texts:
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    builder.PrependInt8Slot(2, _AXIS_LABELS, 0)
    return int(builder.EndObject())


def _texts(builder: Any, texts: dict[int, str]) -> list[Field]:
    return [(slot, builder.CreateString(text)) for slot, text in texts.items() if text]


def _table(builder: Any, fields: Sequence[Field]) -> int:
    builder.StartObject(max((slot for slot, _ in fields), default=-1) + 1)
    for slot, offset in fields:
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return int(builder.EndObject())


def _vector(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _floats(builder: Any, numbers: Sequence[float]) -> int:
    builder.StartVector(4, len(numbers), 4)
    for number in reversed(numbers):
        builder.PrependFloat32(number)
    return int(builder.EndVector())
