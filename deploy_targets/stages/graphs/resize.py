"""An image of another size as a graph, from the sizes that arrive. See host/resize.py.

The Resize of ONNX strays by up to 22 levels from Pillow where it antialiases, so the weights are
computed here: [new, old] for each side, and two matrix products. Where no more than four old
rows make a new one, those are gathered instead.

"pil" is Pillow to the bit: its weights are integers of 22 bits, sums of their products with levels
are below 2**53, and so float64 holds each of them exactly, in whatever order it is summed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deploy_targets.records import Array
from deploy_targets.stages.graphs.sketch import Sketch

_BITS = 22
_SUPPORT = {"area": 0.5, "bilinear": 1.0, "bicubic": 2.0}


def resize(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """[height, width, channels] to the new size: uint8 for "pil", else float32, not rounded."""
    new = _new_sides(sketch, value, options)
    if options["antialias"] == "pil" and options["interpolation"] != "nearest":
        passes = options.get("passes", "width")
        return _pil(sketch, value, new, options["interpolation"], passes)
    side = _side_of(options["interpolation"], options["antialias"])
    # Height first, since rows of a large photo are taken faster than columns.
    value = side(sketch, value, new[0])
    value = sketch.add("Transpose", value, perm=[1, 0, 2])
    value = side(sketch, value, new[1])
    value = sketch.add("Transpose", value, perm=[1, 0, 2])
    return value if options["antialias"] == "pil" else sketch.cast(value, "float32")


_Side = Callable[[Sketch, str, str], str]
"""(sketch, [old, n, channels], new) -> [new, n, channels]"""


def _side_of(interpolation: str, antialias: str) -> _Side:
    if interpolation == "nearest":
        return _nearest_pil if antialias == "pil" else _nearest_torch
    if interpolation == "area":
        return _area_torch
    if antialias == "torch":
        return lambda sketch, value, new: _antialiased(sketch, value, new, interpolation)
    return _linear if interpolation == "bilinear" else _cubic


def _new_sides(sketch: Sketch, value: str, options: Mapping[str, Any]) -> tuple[str, str]:
    """Height and width afterwards, int64 scalars."""
    if options["to"] is not None:
        return sketch.constant(int(options["to"][0])), sketch.constant(int(options["to"][1]))
    shorter = options["shorter"] is not None
    side = options["shorter"] if shorter else options["longer"]
    height, width = _size(sketch, value, 0), _size(sketch, value, 1)
    against = sketch.add("Min" if shorter else "Max", height, width)

    def scaled(old: str) -> str:
        return sketch.add("Max", sketch.add("Div", sketch.add("Mul", old, side), against), 1)

    return scaled(height), scaled(width)


def _pil(sketch: Sketch, value: str, new: tuple[str, str], interpolation: str, passes: str) -> str:
    """In the order of `passes`, since there is rounding in between, so the order can be seen."""
    old = _size(sketch, value, 0), _size(sketch, value, 1)
    rows = _whole_weights(sketch, old[0], new[0], interpolation)
    columns = _whole_weights(sketch, old[1], new[1], interpolation)
    columns = sketch.add("Transpose", columns)

    def planes_of() -> str:
        # In the branch that wants them: made outside, they would outlast it, eight times the photo.
        return sketch.cast(sketch.add("Transpose", value, perm=[2, 0, 1]), "float64")

    def width_first() -> str:
        planes = planes_of()
        planes = _level(sketch, sketch.add("MatMul", planes, columns))
        return _level(sketch, sketch.add("MatMul", rows, planes))

    def height_first() -> str:
        planes = planes_of()
        planes = _level(sketch, sketch.add("MatMul", rows, planes))
        return _level(sketch, sketch.add("MatMul", planes, columns))

    if passes == "width":
        planes = width_first()
    else:
        tall = _tall(sketch, old, new, passes)
        planes = sketch.choose(tall, height_first, width_first, "float64")
    return sketch.cast(sketch.add("Transpose", planes, perm=[1, 2, 0]), "uint8")


def _tall(sketch: Sketch, old: tuple[str, str], new: tuple[str, str], passes: str) -> str:
    """Whether Pillow begins with the height; see host/resize.py."""
    lost = [sketch.add("Sub", old[axis], new[axis]) for axis in (0, 1)]
    if passes == "12.2":
        over = sketch.add("Greater", old[0], sketch.add("Mul", old[1], 100))
    else:
        over = sketch.add("Greater", lost[0], sketch.add("Mul", lost[1], 2))
    return sketch.add("And", sketch.add("Greater", lost[0], 0), over)


def _whole_weights(sketch: Sketch, old: str, new: str, interpolation: str) -> str:
    """Whole numbers, of which 2**22 is 1; halves away from zero."""
    weights = _weights(sketch, old, new, interpolation, np.float64)
    size = sketch.add("Mul", sketch.add("Abs", weights), np.float64(2**_BITS))
    size = sketch.add("Floor", sketch.add("Add", size, np.float64(0.5)))
    return sketch.add("Mul", size, sketch.add("Sign", weights))


def _level(sketch: Sketch, summed: str) -> str:
    summed = sketch.add("Add", summed, np.float64(2 ** (_BITS - 1)))
    level = sketch.add("Floor", sketch.add("Mul", summed, np.float64(2.0**-_BITS)))
    return sketch.add("Clip", level, np.float64(0), np.float64(255))


def _antialiased(sketch: Sketch, value: str, new: str, interpolation: str) -> str:
    weights = _weights(sketch, _size(sketch, value, 0), new, interpolation, np.float32)
    return _product(sketch, weights, sketch.cast(value, "float32"))


def _weights(sketch: Sketch, old: str, new: str, interpolation: str, number: type) -> str:
    """[new, old]: the kernel as wide as what a new row covers, each row's sum 1."""
    one, half = number(1), number(0.5)
    scale = _scale(sketch, old, new, number)
    spread = sketch.add("Max", scale, one)
    support = sketch.add("Mul", spread, number(_SUPPORT[interpolation]))
    centre = sketch.add("Mul", sketch.add("Add", _range(sketch, new, number), half), scale)
    first = sketch.add("Floor", sketch.add("Add", sketch.add("Sub", centre, support), half))
    end = sketch.add("Floor", sketch.add("Add", sketch.add("Add", centre, support), half))
    rows = _range(sketch, old, number)
    away = sketch.add("Add", sketch.add("Sub", rows, _column(sketch, centre)), half)
    away = sketch.add("Mul", away, sketch.add("Div", one, spread))
    inside = sketch.add(
        "And",
        sketch.add("GreaterOrEqual", rows, _column(sketch, first)),
        sketch.add("Less", rows, _column(sketch, end)),
    )
    kernel = _kernel(sketch, away, interpolation, -0.5, number)
    kept = sketch.add("Mul", kernel, sketch.cast(inside, np.dtype(number).name))
    return sketch.add("Div", kept, sketch.add("ReduceSum", kept, _axis(1)))


def _kernel(sketch: Sketch, away: str, interpolation: str, a: float, number: type) -> str:
    name = np.dtype(number).name
    if interpolation == "area":
        above = sketch.add("Greater", away, number(-0.5))
        return sketch.cast(
            sketch.add("And", above, sketch.add("LessOrEqual", away, number(0.5))), name
        )
    x = sketch.add("Abs", away)
    if interpolation == "bilinear":
        return sketch.add("Max", sketch.add("Sub", number(1), x), number(0))
    near = _polynomial(sketch, x, [a + 2, -(a + 3), 0, 1], number)
    far = _polynomial(sketch, x, [a, -5 * a, 8 * a, -4 * a], number)
    is_near, is_far = sketch.add("Less", x, number(1)), sketch.add("Less", x, number(2))
    only_far = sketch.add("And", is_far, sketch.add("Not", is_near))
    return sketch.add(
        "Add",
        sketch.add("Mul", near, sketch.cast(is_near, name)),
        sketch.add("Mul", far, sketch.cast(only_far, name)),
    )


def _polynomial(sketch: Sketch, x: str, factors: list[float], number: type) -> str:
    made = sketch.constant(np.asarray(factors[0], number))
    for factor in factors[1:]:
        made = sketch.add("Add", sketch.add("Mul", made, x), number(factor))
    return made


def _product(sketch: Sketch, weights: str, value: str) -> str:
    """[new, old] times [old, n, channels]."""
    flat = sketch.add("MatMul", weights, sketch.add("Reshape", value, np.asarray([0, -1])))
    rest = sketch.add("Shape", value, start=1)
    return sketch.add("Reshape", flat, sketch.add("Concat", _axis(-1), rest, axis=0))


def _area_torch(sketch: Sketch, value: str, new: str) -> str:
    """The mean of all old rows that a new one touches, each counted in full."""
    old = _size(sketch, value, 0)
    i = sketch.add("Range", 0, new, 1)
    first = sketch.add("Div", sketch.add("Mul", i, old), new)
    beyond = sketch.add("Mul", sketch.add("Add", i, 1), old)
    end = sketch.add("Div", sketch.add("Add", beyond, sketch.add("Sub", new, 1)), new)
    rows = sketch.add("Range", 0, old, 1)
    inside = sketch.add(
        "And",
        sketch.add("GreaterOrEqual", rows, _column(sketch, first)),
        sketch.add("Less", rows, _column(sketch, end)),
    )
    kept = sketch.cast(inside, "float32")
    weights = sketch.add("Div", kept, sketch.add("ReduceSum", kept, _axis(1)))
    return _product(sketch, weights, sketch.cast(value, "float32"))


def _nearest_pil(sketch: Sketch, value: str, new: str) -> str:
    """Pillow steps from centre to centre, and its rounding with it."""
    scale = _scale(sketch, _size(sketch, value, 0), new, np.float64)
    more = sketch.add("Unsqueeze", sketch.add("Sub", new, 1), _axis(0))
    start = sketch.add("Unsqueeze", sketch.add("Mul", scale, np.float64(0.5)), _axis(0))
    steps = sketch.add("Concat", start, sketch.add("Expand", scale, more), axis=0)
    return _row(sketch, value, sketch.add("CumSum", steps, 0))


def _nearest_torch(sketch: Sketch, value: str, new: str) -> str:
    scale = _scale(sketch, _size(sketch, value, 0), new, np.float32)
    return _row(sketch, value, sketch.add("Mul", _range(sketch, new, np.float32), scale))


def _row(sketch: Sketch, value: str, place: str) -> str:
    row = sketch.cast(sketch.add("Floor", place), "int64")
    last = sketch.add("Sub", _size(sketch, value, 0), 1)
    return sketch.add("Gather", value, sketch.add("Min", row, last), axis=0)


def _linear(sketch: Sketch, value: str, new: str) -> str:
    place = sketch.add("Max", _places(sketch, value, new), 0.0)
    return _gathered(sketch, value, place, [0, 1], "bilinear")


def _cubic(sketch: Sketch, value: str, new: str) -> str:
    return _gathered(sketch, value, _places(sketch, value, new), [-1, 0, 1, 2], "bicubic")


def _gathered(
    sketch: Sketch, value: str, place: str, offsets: list[int], interpolation: str
) -> str:
    """Each new row from the old ones at these offsets; beyond the edge, the edge."""
    whole = sketch.add("Floor", place)
    share = sketch.add("Sub", _column(sketch, place), _column(sketch, whole))
    away = sketch.add("Sub", share, np.asarray([offsets], np.float32))
    weights = _kernel(sketch, away, interpolation, -0.75, np.float32)
    rows = sketch.add("Add", _column(sketch, sketch.cast(whole, "int64")), np.asarray([offsets]))
    last = sketch.add("Sub", _size(sketch, value, 0), 1)
    rows = sketch.add("Max", sketch.add("Min", rows, last), 0)
    taken = sketch.cast(sketch.add("Gather", value, rows, axis=0), "float32")
    weighed = sketch.add("Mul", taken, sketch.add("Unsqueeze", weights, np.asarray([2, 3])))
    return sketch.add("ReduceSum", weighed, _axis(1), keepdims=0)


def _places(sketch: Sketch, value: str, new: str) -> str:
    """Where the centre of each new row lies, in old rows. Rounded once, at the end."""
    half = np.float64(0.5)
    scale = _scale(sketch, _size(sketch, value, 0), new, np.float32)
    centres = sketch.add("Add", _range(sketch, new, np.float64), half)
    places = sketch.add("Mul", sketch.cast(scale, "float64"), centres)
    return sketch.cast(sketch.add("Sub", places, half), "float32")


def _scale(sketch: Sketch, old: str, new: str, number: type) -> str:
    name = np.dtype(number).name
    return sketch.add("Div", sketch.cast(old, name), sketch.cast(new, name))


def _range(sketch: Sketch, count: str, number: type) -> str:
    return sketch.cast(sketch.add("Range", 0, count, 1), np.dtype(number).name)


def _size(sketch: Sketch, value: str, axis: int) -> str:
    return sketch.add("Gather", sketch.add("Shape", value), axis)


def _column(sketch: Sketch, value: str) -> str:
    return sketch.add("Unsqueeze", value, _axis(1))


def _axis(axis: int) -> Array:
    return np.asarray([axis], np.int64)
