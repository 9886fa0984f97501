"""Faults that a graph of ai.onnx.ml can have, and the injector's have no place for.

Each takes a graph and a random generator, changes the graph, and says whether it found a place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, helper, numpy_helper

Random = np.random.Generator
Fault = Callable[[ModelProto, Random], bool]

LEAVES = ("class_weights", "target_weights")
COEFFICIENTS = ("coefficients",)
OFFSETS = ("intercepts", "rho", "base_values")


def leaf_changed(model: ModelProto, draw: Random) -> bool:
    """One leaf of one tree gives a tenth more than it learned."""
    for held, _ in _drawn(model, LEAVES, draw):
        held.floats[draw.choice(np.flatnonzero(held.floats))] *= 1.1
        return True
    return False


def tree_dropped(model: ModelProto, draw: Random) -> bool:
    """One tree of many is left out."""
    for held, node in _drawn(model, LEAVES, draw):
        kind = "class" if any(a.name == "class_treeids" for a in node.attribute) else "target"
        trees = np.array(_ints(node, f"{kind}_treeids"))
        dropped = trees == draw.choice(np.unique(trees))
        held.floats[:] = np.where(dropped, 0, held.floats).tolist()
        return len(np.unique(trees)) > 1
    return False


def threshold_moved(model: ModelProto, draw: Random) -> bool:
    """One threshold of one tree is a quarter off."""
    for held, node in _drawn(model, ("nodes_values",), draw):
        inner = [i for i, mode in enumerate(_of(node, "nodes_modes").strings) if mode != b"LEAF"]
        held.floats[draw.choice([i for i in inner if held.floats[i]])] *= 1.25
        return True
    return False


def columns_exchanged(model: ModelProto, draw: Random) -> bool:
    """Two classes are exchanged in the probabilities, and not in the labels."""
    for output in model.graph.output:
        node = next(n for n in model.graph.node if output.name in n.output)
        count = _width(model, node)
        if output.type.tensor_type.elem_type == 1 and count > 1:
            order = np.arange(count)
            order[:2] = 1, 0
            node.output[list(node.output).index(output.name)] = f"{output.name}_honest"
            model.graph.initializer.append(numpy_helper.from_array(order, "exchanged"))
            given = [f"{output.name}_honest", "exchanged"]
            model.graph.node.append(helper.make_node("Gather", given, [output.name], axis=1))
            return True
    return False


def labels_exchanged(model: ModelProto, draw: Random) -> bool:
    """Two classes are exchanged in the labels, and not in the probabilities."""
    for output in model.graph.output:
        if output.type.tensor_type.elem_type == 7:
            node = next(n for n in model.graph.node if output.name in n.output)
            node.output[list(node.output).index(output.name)] = "honest_label"
            for name, value in (("zero", 0), ("one", 1)):
                array = numpy_helper.from_array(np.array(value, np.int64), f"class_{name}")
                model.graph.initializer.append(array)
            make = helper.make_node
            model.graph.node.extend(
                [
                    make("Equal", ["honest_label", "class_zero"], ["is_zero"]),
                    make("Equal", ["honest_label", "class_one"], ["is_one"]),
                    make("Where", ["is_one", "class_zero", "honest_label"], ["half_exchanged"]),
                    make("Where", ["is_zero", "class_one", "half_exchanged"], [output.name]),
                ]
            )
            return True
    return False


def mean_dropped(model: ModelProto, draw: Random) -> bool:
    """A scaler forgets the mean that it learned."""
    for held, _ in _drawn(model, ("offset",), draw):
        held.floats[:] = [0.0] * len(held.floats)
        return True
    return False


def deviation_dropped(model: ModelProto, draw: Random) -> bool:
    """A scaler forgets the deviation of one column."""
    for held, _ in _drawn(model, ("scale",), draw):
        held.floats[draw.integers(len(held.floats))] = 1
        return True
    return False


def coefficient_scaled(model: ModelProto, draw: Random) -> bool:
    """The largest coefficient of a linear model or a support vector is one per cent larger."""
    for held, _ in _drawn(model, COEFFICIENTS, draw):
        held.floats[np.abs(held.floats).argmax()] *= 1.01
        return True
    return False


def intercept_dropped(model: ModelProto, draw: Random) -> bool:
    """A linear model, an ensemble or a support vector machine loses what it adds in the end."""
    for held, _ in _drawn(model, OFFSETS, draw):
        held.floats[:] = [0.0] * len(held.floats)
        return True
    return False


def answer_learned_wrongly(model: ModelProto, draw: Random) -> bool:
    """One row of the neighbours that are kept has another label."""
    held = [t for t in model.graph.initializer if t.data_type in (6, 7) and np.prod(t.dims) > 64]
    for tensor in held:
        array = np.array(numpy_helper.to_array(tensor))
        array.flat[draw.integers(array.size)] += 1 if array.min() == 0 else -1
        tensor.CopyFrom(numpy_helper.from_array(array % (array.max() + 1), tensor.name))
        return True
    return False


def one_neighbour_less(model: ModelProto, draw: Random) -> bool:
    """The nearest k - 1 rows are asked instead of k."""
    for node in model.graph.node:
        if node.op_type == "TopK":
            for tensor in model.graph.initializer:
                if tensor.name == node.input[1]:
                    array = numpy_helper.to_array(tensor)
                    tensor.CopyFrom(numpy_helper.from_array(array - 1, tensor.name))
                    return bool(array.max() > 1)
    return False


FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (
        leaf_changed,
        tree_dropped,
        threshold_moved,
        columns_exchanged,
        labels_exchanged,
        mean_dropped,
        deviation_dropped,
        coefficient_scaled,
        intercept_dropped,
        answer_learned_wrongly,
        one_neighbour_less,
    )
}


def _drawn(model: ModelProto, names: tuple[str, ...], draw: Random) -> Iterator[tuple[Any, Any]]:
    """An attribute of such a name that is not all zeros, and its node; nothing where none is."""
    held = [
        (attribute, node)
        for node in model.graph.node
        for attribute in node.attribute
        if attribute.name in names and any(attribute.floats)
    ]
    if held:
        yield held[draw.integers(len(held))]


def _of(node: Any, name: str) -> Any:
    return next(a for a in node.attribute if a.name == name)


def _ints(node: Any, name: str) -> list[int]:
    return list(_of(node, name).ints)


def _width(model: ModelProto, node: Any) -> int:
    """How many columns a node gives that reshapes to them; 0 where it does not."""
    for tensor in model.graph.initializer:
        if node.op_type == "Reshape" and tensor.name == node.input[1]:
            sizes = numpy_helper.to_array(tensor)
            return int(sizes[1]) if len(sizes) == 2 else 0
    return 0
