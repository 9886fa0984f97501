"""Loops over tensors whose sizes change from call to call.

ExecuTorch 1.5.1 writes a scan as a loop of instructions, whose state and whose stacked answers have
the sizes that were planned: the largest. Its copies into them refuse any other. `resizing` makes it
write, before each loop, two kinds of instruction more, which give those tensors the sizes of the
call: the state those of its first value, the answers those of the sequence (their last axis aside).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def resizing() -> Iterator[None]:
    """While this is open, programs are written so."""
    from executorch.exir.emit._emitter import (  # type: ignore[import-not-found,unused-ignore]
        _Emitter,
    )

    plain = _Emitter._emit_scan

    def emit(self: Any, args: Any, outs: list[Any]) -> Any:
        _, first, sequences, _ = args
        for begin, state in zip(first, outs, strict=False):
            _call(self, "aten::copy", "out", begin, begin, _constant(self, False), state, state)
        stacked = list(zip(outs[len(first) :], self.node.meta["spec"][len(first) :], strict=True))
        for answers, spec in stacked if _alike(args, self.node) else []:
            width = [_constant(self, each) for each in (2, 0, int(spec.shape[-1]), 1)]
            _call(self, "aten::slice_copy", "Tensor_out", sequences[0], *width, answers, answers)
        return plain(self, args, outs)

    _Emitter._emit_scan = emit
    try:
        yield
    finally:
        _Emitter._emit_scan = plain


def _alike(args: Any, node: Any) -> bool:
    """Whether the answers are the first sequence but for a last axis that is no longer."""
    sequence = node.args[2][0].meta["val"]
    answers = node.meta["val"][len(args[1]) :]
    return bool(sequence.dim() == 3) and all(
        each.dim() == 3
        and each.shape[:2] == sequence.shape[:2]
        and isinstance(each.shape[2], int)
        and each.shape[2] <= sequence.shape[2]
        and each.dtype == sequence.dtype
        for each in answers
    )


def _call(emitter: Any, name: str, overload: str, *values: Any) -> None:
    """One more instruction."""
    from executorch.exir.schema import (  # type: ignore[import-not-found,unused-ignore]
        Instruction,
        KernelCall,
    )

    index, _ = emitter._get_operator(name=name, overload=overload)
    call = KernelCall(op_index=index, args=[value.id for value in values])
    emitter.chain.instructions.append(Instruction(call))


def _constant(emitter: Any, value: bool | int) -> Any:
    from executorch.exir.schema import (  # type: ignore[import-not-found,unused-ignore]
        Bool,
        EValue,
        Int,
    )

    return emitter._emit_evalue(EValue(Bool(value) if isinstance(value, bool) else Int(value)))
