"""One form for a frozen graph, whatever process made it. In: a GraphDef, changed in place.

Nodes come in the order in which the outputs need them, functions and their arguments under
numbers, and the boundary under the model's own names. What names the machine or the lines of
somebody's code is taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

VALID = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
"""What TensorFlow takes as the name of a node."""


def canonical(
    graph: Any, ends: Sequence[str], inputs: Sequence[str], outputs: Sequence[str]
) -> list[str]:
    """The tensors at the boundary, renamed. `ends`: the inputs' and outputs' names so far."""
    order(graph, ends)
    _strip(graph)
    _number_functions(graph)
    for function in graph.library.function:
        _number_arguments(function)
    return _rename(graph, ends, [*inputs, *outputs])


def raw(message: Any) -> bytes:
    """The bytes of a protocol buffer, the same for the same contents."""
    data: bytes = message.SerializeToString(deterministic=True)
    return data


def order(graph: Any, ends: Sequence[str]) -> None:
    """Each node behind all that it needs; what no end needs is left out."""
    held = {node.name: node for node in graph.node}
    done: dict[str, Any] = {}
    left = [_node_of(end) for end in reversed(ends)]
    while left:
        name = left[-1]
        needs = [n for n in map(_node_of, held[name].input) if n not in done]
        if name in done or not needs:
            done.setdefault(name, held[name])
            left.pop()
        else:
            left.extend(reversed(needs))
    copies = [type(node).FromString(raw(node)) for node in done.values()]
    del graph.node[:]
    graph.node.extend(copies)


def _node_of(tensor: str) -> str:
    return tensor.removeprefix("^").partition(":")[0]


def _strip(graph: Any) -> None:
    graph.ClearField("debug_info")
    del graph.library.gradient[:]
    for node in _nodes(graph):
        node.device = ""
        node.ClearField("experimental_debug_info")
        for key in [key for key in node.attr if key.startswith("_")]:
            del node.attr[key]
    for function in graph.library.function:
        function.attr.clear()
        function.arg_attr.clear()


def _number_functions(graph: Any) -> None:
    """Those that are called, in the order of the calls."""
    held = {function.signature.name: function for function in graph.library.function}
    names = {name: f"function_{index}" for index, name in enumerate(_called(graph, held))}
    for name, new in names.items():
        held[name].signature.name = new
    for node in _nodes(graph):
        for value in node.attr.values():
            for called in _functions(value):
                called.name = names.get(called.name, called.name)
    copies = [type(held[name]).FromString(raw(held[name])) for name in names]
    del graph.library.function[:]
    graph.library.function.extend(copies)


def _number_arguments(function: Any) -> None:
    """TensorFlow names some after a counter of the process."""
    taken = {node.name for node in function.node_def}
    names: dict[str, str] = {}
    for index, argument in enumerate(function.signature.input_arg):
        new = f"argument_{index}"
        names[argument.name] = argument.name if new in taken else new
        argument.name = names[argument.name]
    for node in function.node_def:
        node.input[:] = [names.get(each, each) for each in node.input]
    # A map of protocol buffers must not change while it is walked.
    for key, value in dict(function.ret).items():
        function.ret[key] = names.get(value, value)


def _called(graph: Any, held: Mapping[str, Any]) -> list[str]:
    found: dict[str, None] = {}

    def walk(nodes: Sequence[Any]) -> None:
        for node in nodes:
            for key in sorted(node.attr):
                for called in _functions(node.attr[key]):
                    if called.name in held and called.name not in found:
                        found[called.name] = None
                        walk(held[called.name].node_def)

    walk(graph.node)
    return list(found)


def _functions(value: Any) -> list[Any]:
    return [value.func] if value.WhichOneof("value") == "func" else list(value.list.func)


def _nodes(graph: Any) -> Iterator[Any]:
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


def _rename(graph: Any, ends: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The ends under the names that are wanted, where a node can have them."""
    olds = [_node_of(end) for end in ends]
    others = {node.name for node in graph.node} - set(olds)
    names = dict(zip(olds, olds, strict=True))
    for old, new in zip(olds, wanted, strict=True):
        if VALID.fullmatch(new) and new not in others and new not in names.values():
            names[old] = new
    for node in graph.node:
        node.name = names.get(node.name, node.name)
        node.input[:] = [_renamed(each, names) for each in node.input]
    return [_renamed(end, names) for end in ends]


def _renamed(tensor: str, names: Mapping[str, str]) -> str:
    node = _node_of(tensor)
    mark, rest = "^" if tensor.startswith("^") else "", tensor.removeprefix("^")[len(node) :]
    return f"{mark}{names.get(node, node)}{rest}"
