"""The root of a finished .tflite: what it says of its signatures, and one more thing it shall say.

In: the bytes of a file. Out: its signatures and subgraphs, or the file with another metadata entry.
A flatbuffer's tables point forwards, so a new root before the old bytes can take all of them over:
weights are neither read nor moved against each other, and stay where 16 bytes divide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy_targets.errors import ConversionFailed, ToolMissing

IDENTIFIER = b"TFL3"
ALIGNMENT = 16
"""Bytes; the schema asks it of each buffer. XNNPACK and the operators read them as they lie."""

_VERSION, _SUBGRAPHS, _BUFFERS, _METADATA, _SIGNATURES = 0, 2, 4, 6, 7
_KNOWN = 10
"""Fields that the schema's Model has. All but the first are offsets."""


@dataclass(frozen=True)
class Subgraph:
    """Its inputs and outputs, as indices of tensors, in its own order."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Signed:
    """A signature: its key, its subgraph, and the index of each tensor by name."""

    key: str
    subgraph: int
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


class Root:
    """The Model table of a file. Raises ConversionFailed where there is none."""

    def __init__(self, raw: bytes) -> None:
        if raw[4:8] != IDENTIFIER:
            raise ConversionFailed(
                "this is no .tflite: it does not begin as one", hint="convert the model again"
            )
        # Filled up to whole steps, so that what is put before it moves nothing off them.
        self._raw = raw + bytes(-len(raw) % ALIGNMENT)
        self._table = _table(self._raw, int.from_bytes(raw[:4], "little"))
        if any(_number(buffer, 1) > 1 for buffer in self._tables(_BUFFERS)):
            raise ConversionFailed(
                "its weights lie outside of the flatbuffer, as they do above 2 GB",
                hint="make the model smaller; no phone runs one of that size as a .tflite",
            )

    def subgraphs(self) -> tuple[Subgraph, ...]:
        """All of them, those of control flow too."""
        return tuple(Subgraph(_numbers(t, 1), _numbers(t, 2)) for t in self._tables(_SUBGRAPHS))

    def signatures(self) -> tuple[Signed, ...]:
        """In the order of the file."""
        return tuple(
            Signed(_text(t, 2), _number(t, 4), _tensors(t, 0), _tensors(t, 1))
            for t in self._tables(_SIGNATURES)
        )

    def metadata(self) -> Mapping[str, bytes]:
        """What the file holds besides the model, by name."""
        buffers = list(self._tables(_BUFFERS))
        return {_text(t, 0): _bytes(buffers[_number(t, 1)], 0) for t in self._tables(_METADATA)}

    def with_metadata(self, name: str, held: bytes) -> bytes:
        """The file that holds this under this name; what it held under it is not seen any more."""
        import flatbuffers  # type: ignore[import-untyped]

        builder = flatbuffers.Builder(len(self._raw) + len(held) + self._small())
        # The file lies where a builder leaves what it has written: at the end.
        builder.head = len(builder.Bytes) - len(self._raw)
        builder.Bytes[builder.head :] = self._raw
        kept = {_text(t, 0): self._end(t.Pos) for t in self._tables(_METADATA)}
        buffers = [self._end(table.Pos) for table in self._tables(_BUFFERS)]
        added = _written(builder, name, held, len(buffers))
        rows = [at for known, at in kept.items() if known != name]
        entries = _vector(builder, [*rows, added[1]])
        self._model(builder, {_BUFFERS: _vector(builder, [*buffers, added[0]]), _METADATA: entries})
        return bytes(builder.Output())

    def _model(self, builder: Any, changed: Mapping[int, int]) -> None:
        builder.StartObject(_KNOWN)
        builder.PrependUint32Slot(0, _number(self._table, _VERSION), 0)
        for slot in range(1, _KNOWN):
            at = _field(self._table, slot)
            found = self._end(self._table.Indirect(at)) if at else 0
            builder.PrependUOffsetTRelativeSlot(slot, changed.get(slot, found), 0)
        # It is filled up to whole steps of the widest alignment in it, which is that of buffers.
        builder.Finish(builder.EndObject(), IDENTIFIER)

    def _end(self, position: int) -> int:
        """As a builder counts: from the end of the file."""
        return len(self._raw) - position

    def _small(self) -> int:
        """Bytes that are enough for all but what is held."""
        return 4096 + 4 * sum(1 for slot in (_BUFFERS, _METADATA) for _ in self._tables(slot))

    def _tables(self, slot: int) -> Iterator[Any]:
        return _tables(self._table, slot)


def _written(builder: Any, name: str, held: bytes, buffer: int) -> tuple[int, int]:
    """The Buffer that holds it, and the Metadata that points there."""
    builder.StartVector(1, len(held), ALIGNMENT)
    builder.head -= len(held)
    builder.Bytes[builder.head : builder.head + len(held)] = held
    data = builder.EndVector()
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, data, 0)
    first = builder.EndObject()
    text = builder.CreateString(name)
    builder.StartObject(2)
    builder.PrependUOffsetTRelativeSlot(0, text, 0)
    builder.PrependUint32Slot(1, buffer, 0)
    return first, builder.EndObject()


def _vector(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _table(raw: bytes, position: int) -> Any:
    try:
        from flatbuffers.table import Table  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        raise ToolMissing(
            "flatbuffers is not installed", hint="pip install 'deploy-targets[tflite]'"
        ) from error
    return Table(raw, position)


def _field(table: Any, slot: int) -> int:
    """Where the field lies in the file; 0 where it has its default."""
    offset = table.Offset(4 + 2 * slot)
    return int(table.Pos + offset) if offset else 0


def _number(table: Any, slot: int) -> int:
    at = _field(table, slot)
    return int.from_bytes(table.Bytes[at : at + 4], "little") if at else 0


def _text(table: Any, slot: int) -> str:
    at = _field(table, slot)
    return table.String(at).decode("utf-8", "replace") if at else ""


def _bytes(table: Any, slot: int) -> bytes:
    at = _field(table, slot)
    if not at:
        return b""
    start, count = _span(table, at)
    return bytes(table.Bytes[start : start + count])


def _numbers(table: Any, slot: int) -> tuple[int, ...]:
    import numpy as np

    at = _field(table, slot)
    if not at:
        return ()
    start, count = _span(table, at)
    return tuple(np.frombuffer(table.Bytes, "<i4", count, start).tolist())


def _tables(table: Any, slot: int) -> Iterator[Any]:
    at = _field(table, slot)
    if at:
        start, count = _span(table, at)
        for index in range(count):
            yield _table(table.Bytes, table.Indirect(start + 4 * index))


def _tensors(table: Any, slot: int) -> dict[str, int]:
    return {_text(each, 0): _number(each, 1) for each in _tables(table, slot)}


def _span(table: Any, at: int) -> tuple[int, int]:
    """Where a vector's first element lies, and how many there are."""
    offset = at - table.Pos
    return int(table.Vector(offset)), int(table.VectorLen(offset))
