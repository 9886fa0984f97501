"""Several .tflite of one model, each for its sizes, as one file whose tensors have their names.

In: files, what their signatures and tensors are called, and what they shall be. Out: one file
whose subgraphs share operators and weights. It runs in a child process that has LiteRT, whose
generated schema it uses. Metadata of the files stay behind: what onnx2tf says there would let
devices compute in float16.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy_targets.converters.tflite import Named
from deploy_targets.converters.tflite_root import ALIGNMENT, IDENTIFIER, Signed
from deploy_targets.errors import ConversionFailed, UnsupportedModel

FLOW = {
    "IfOptionsT": ("thenSubgraphIndex", "elseSubgraphIndex"),
    "WhileOptionsT": ("condSubgraphIndex", "bodySubgraphIndex"),
    "CallOnceOptionsT": ("initSubgraphIndex",),
}
"""What names a subgraph by its number."""


def join(
    files: Mapping[Path, Mapping[str, str]], numbered: Named, names: Named, into: Path, who: str
) -> None:
    """Writes one file with all signatures of the files.

    `files`: of each, the keys of its signatures, and what they shall be. `numbered`: what their
    tensors are called, `names`: what they shall be. Raises ConversionFailed where one is missing,
    which `who` left out.
    """
    import flatbuffers  # type: ignore[import-untyped]
    from ai_edge_litert import (  # type: ignore[import-not-found,unused-ignore]
        schema_py_generated as schema,
    )

    whole = _Whole(schema, sum(map(len, files.values())) > 1)
    for file, keys in files.items():
        part = schema.ModelT.InitFromPackedBuf(file.read_bytes(), 0)
        signed = {each.signatureKey.decode(): each for each in part.signatureDefs}
        found = {new: _signed(signed[old], numbered, names, who) for old, new in keys.items()}
        whole.add(part, found)
    _check_operators(whole.model, who)
    _check_order(whole.model, who)
    builder = flatbuffers.Builder(sum(file.stat().st_size for file in files) + 4096)
    builder.Finish(whole.model.Pack(builder), IDENTIFIER)
    into.write_bytes(builder.Output())


def _check_operators(model: Any, who: str) -> None:
    """Raises UnsupportedModel where there are operators that no runtime has."""
    custom = {i: c.customCode.decode() for i, c in enumerate(model.operatorCodes) if c.customCode}
    found = {
        f"{custom[operator.opcodeIndex]}, which makes {_text(graph, operator.outputs[0])}"
        for graph in model.subgraphs
        for operator in graph.operators or []
        if operator.opcodeIndex in custom
    }
    if found:
        raise UnsupportedModel(
            f"LiteRT cannot run {'; '.join(sorted(found))}, to which {who} turned a part of the "
            "model",
            hint="write it with other operators, or use a runtime that takes ONNX",
        )


def _text(graph: Any, index: int) -> str:
    return str(graph.tensors[index].name.decode())


def _check_order(model: Any, who: str) -> None:
    """Raises ConversionFailed where an operator is given what nothing has made before it."""
    for graph in model.subgraphs:
        there = {*graph.inputs, -1, *_held(graph)}
        for operator in graph.operators or []:
            for index in operator.inputs if operator.inputs is not None else ():
                if index not in there:
                    raise ConversionFailed(
                        f"{who} wrote a file in which nothing makes {_text(graph, index)}",
                        hint="try another converter; it is a mistake of this one",
                    )
            there.update(operator.outputs if operator.outputs is not None else ())


def _held(graph: Any) -> Iterator[int]:
    """Constants and variables. The first of all buffers is that of what holds nothing."""
    for index, tensor in enumerate(graph.tensors):
        if tensor.isVariable or tensor.buffer:
            yield index


def _signed(found: Any, numbered: Named, names: Named, who: str) -> Signed:
    inputs = _indices(found.inputs, numbered.inputs, names.inputs, who)
    outputs = _indices(found.outputs, numbered.outputs, names.outputs, who)
    return Signed(found.signatureKey.decode(), found.subgraphIndex, inputs, outputs)


def _indices(
    found: Sequence[Any] | None, numbered: Sequence[str], names: Sequence[str], who: str
) -> dict[str, int]:
    at = {each.name.decode(): each.tensorIndex for each in found or ()}
    pairs = list(zip(numbered, names, strict=True))
    if missing := [name for old, name in pairs if old not in at]:
        raise ConversionFailed(
            f"{who} left out {', '.join(missing)}",
            hint="let the model return every output, each once, and use every input",
        )
    return {name: at[old] for old, name in pairs}


class _Whole:
    """The file that becomes of the parts."""

    def __init__(self, schema: Any, several: bool) -> None:
        """`several`: whether it will have more than one signature."""
        self._schema, self._several = schema, several
        self._buffers, self._codes = dict[bytes, int](), dict[object, int]()
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.operatorCodes, self.model.subgraphs, self.model.signatureDefs = [], [], []
        self.model.buffers = [schema.BufferT()]

    def add(self, part: Any, signed: Mapping[str, Signed]) -> None:
        """Appends the part's subgraphs, and its signatures under new keys."""
        start = len(self.model.subgraphs)
        buffers = [self._buffer(each) for each in part.buffers]
        codes = [self._code(each) for each in part.operatorCodes]
        for graph in part.subgraphs:
            for tensor in graph.tensors:
                tensor.buffer = buffers[tensor.buffer]
            for operator in graph.operators or []:
                operator.opcodeIndex = codes[operator.opcodeIndex]
                self._shift(operator.builtinOptions, start)
        for key, each in signed.items():
            graph = part.subgraphs[each.subgraph]
            for name, index in (*each.inputs.items(), *each.outputs.items()):
                graph.tensors[index].name = name.encode()
            graph.name = key.encode()
            if self._several:
                # What works on whole files asks that each name is there once.
                for tensor in graph.tensors:
                    tensor.name = f"{key}/".encode() + tensor.name
            self.model.signatureDefs.append(self._signature(key, each, start + each.subgraph))
        self.model.subgraphs.extend(part.subgraphs)

    def _buffer(self, buffer: Any) -> int:
        """What is empty is the first of all; what is alike is one."""
        if buffer.data is None or not len(buffer.data):
            return 0
        raw = bytes(buffer.data)
        key = hashlib.sha256(raw).digest()
        if key not in self._buffers:
            self._buffers[key] = len(self.model.buffers)
            self.model.buffers.append(_aligned(self._schema, raw))
        return self._buffers[key]

    def _code(self, code: Any) -> int:
        key = (code.builtinCode, code.deprecatedBuiltinCode, code.customCode, code.version)
        if key not in self._codes:
            self._codes[key] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(code)
        return self._codes[key]

    def _shift(self, options: Any, start: int) -> None:
        for field in FLOW.get(type(options).__name__, ()):
            setattr(options, field, getattr(options, field) + start)

    def _signature(self, key: str, signed: Signed, subgraph: int) -> Any:
        made = self._schema.SignatureDefT()
        made.signatureKey, made.subgraphIndex = key, subgraph
        made.inputs = [self._named(*each) for each in signed.inputs.items()]
        made.outputs = [self._named(*each) for each in signed.outputs.items()]
        return made

    def _named(self, name: str, index: int) -> Any:
        made = self._schema.TensorMapT()
        made.name, made.tensorIndex = name, index
        return made


def _aligned(schema: Any, raw: bytes) -> Any:
    """A buffer that lies as the schema asks, which its generated code does not see to."""

    class Aligned(schema.BufferT):  # type: ignore[misc,unused-ignore]
        def Pack(self, builder: Any) -> int:
            builder.StartVector(1, len(raw), ALIGNMENT)
            builder.head -= len(raw)
            builder.Bytes[builder.head : builder.head + len(raw)] = raw
            data = builder.EndVector()
            schema.BufferStart(builder)
            schema.BufferAddData(builder, data)
            return int(schema.BufferEnd(builder))

    return Aligned()
