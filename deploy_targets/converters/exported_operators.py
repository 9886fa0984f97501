"""Which operators of an exported PyTorch program have no form elsewhere, and where they come from.

In: a program (.pt2), whose nodes carry the module and the lines that made them. Out: one sentence
for each operator, naming both, so that the user knows what to change.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node

_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in \S+\n(?P<code>[^\n]*)')
_SPECTRA = {"aten.fft_rfft.default", "aten._fft_r2c.default"}
_LENGTHS = {"aten.abs.default"}
"""All that a .tflite makes of complex numbers: the lengths of a real signal's spectrum."""


def complex_numbers(program: ExportedProgram) -> list[str]:
    """Operators that make complex numbers, unless only the lengths of a spectrum are used."""
    found = [node for node in _calls(program) if _is_complex(node)]
    plain = [n for n in found if str(n.target) in _SPECTRA and {*_takers(n)} <= _LENGTHS]
    return _listed("computes with complex numbers", (n for n in found if n not in plain))


def not_lowered(program: ExportedProgram, known: Callable[[Any], bool]) -> list[str]:
    """Operators of which `known` says no. The program must be decomposed as the tool would."""
    import operator

    rest = (node for node in _calls(program) if node.target is not operator.getitem)
    return _listed("has no TensorFlow Lite form", (node for node in rest if not known(node.target)))


def origin(node: Node) -> str:
    """ "in block.attention, model.py:12 `x = torch.fft.fft(x)`", as far as the node knows."""
    stack = node.meta.get("nn_module_stack") or {}
    # Of a wrapper around the user's model every path has a first part that the user never wrote.
    path = str([("", ""), *stack.values()][-1][0]).removeprefix("model").removeprefix(".")
    said = [part for part in (path, _line(node.meta.get("stack_trace") or "")) if part]
    return f"in {', '.join(said)}" if said else ""


def _calls(program: ExportedProgram) -> Iterator[Node]:
    return (node for node in program.graph.nodes if node.op == "call_function")


def _is_complex(node: Node) -> bool:
    value = node.meta.get("val")
    return any(
        getattr(getattr(each, "dtype", None), "is_complex", False)
        for each in (value if isinstance(value, (list, tuple)) else (value,))
    )


def _takers(node: Node) -> Iterator[str]:
    return (str(user.target) for user in node.users)


def _listed(what: str, nodes: Iterable[Node]) -> list[str]:
    """Each operator at each place once."""
    return [*dict.fromkeys(f"{_name(node)} {what} {origin(node)}".strip() for node in nodes)]


def _name(node: Node) -> str:
    return str(node.target).removesuffix(".default")


def _line(trace: str) -> str:
    """The innermost line that is no library's."""
    frames = [found for found in _FRAME.finditer(trace) if "site-packages" not in found["file"]]
    if not frames:
        return ""
    file, line, code = frames[-1].group("file", "line", "code")
    here = Path(file).is_relative_to(Path.cwd())
    return f"{os.path.relpath(file) if here else file}:{line} `{code.strip()}`"
