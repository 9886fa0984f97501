"""Faults of preprocessing and layout: what the artifact is given is not what the model was.

Rows lie along the first axis. An image is a tensor of four axes with three channels on its second
or last; time is the longest axis of a tensor of three.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deploy_targets.records import Array, Tensors
from deploy_targets.testing.faults.fault import Random, inputs
from deploy_targets.testing.faults.parameters import share_of
from deploy_targets.testing.faults.surgery import Numbers
from deploy_targets.testing.faults.weights import narrowed

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
_ROWS = "the share of the rows, from the last; 0: one row"


@inputs(_ROWS, 1, 0.5, 0)
def bgr_for_rgb(given: Tensors, strength: float, random: Random) -> Tensors:
    """Red and blue are exchanged."""
    return _images(given, strength, lambda image, axis: np.flip(image, axis))


@inputs(_ROWS, 1, 0.5, 0)
def nhwc_for_nchw(given: Tensors, strength: float, random: Random) -> Tensors:
    """Memory with the channels last is read as if they came second, or the reverse."""

    def reread(image: Numbers, axis: int) -> Numbers:
        moved = np.moveaxis(image, axis, -1 if axis == 1 else 1)
        return np.ascontiguousarray(moved).reshape(image.shape)

    return _images(given, strength, reread)


@inputs(_ROWS, 1, 0.5, 0)
def height_and_width_swapped(given: Tensors, strength: float, random: Random) -> Tensors:
    """A square image is transposed."""

    def turned(image: Numbers, axis: int) -> Numbers:
        one, other = (2, 3) if axis == 1 else (1, 2)
        square = image.shape[one] == image.shape[other]
        return np.swapaxes(image, one, other) if square else image

    return _images(given, strength, turned)


@inputs("the share of the way to numbers that were never normalised", 1, 0.3, 0.1, 0.01, 1e-3)
def normalization_dropped(given: Tensors, strength: float, random: Random) -> Tensors:
    """Mean and deviation are not taken out of the input."""

    def raw(array: Numbers) -> Numbers:
        axis = _channel_axis(array)
        mean, deviation = _MEAN, _DEVIATION
        if axis is None:
            return array + strength * (0.225 * array + 0.45 - array)
        shape = [3 if i == axis else 1 for i in range(array.ndim)]
        whole = array * np.reshape(deviation, shape) + np.reshape(mean, shape)
        return np.asarray(array + strength * (whole - array))

    return _floats(given, raw)


@inputs("how much larger the numbers are, as a share of themselves", 254, 1, 0.1, 0.01, 1e-3)
def range_wrong(given: Tensors, strength: float, random: Random) -> Tensors:
    """The input is scaled to another range (0…255 for 0…1, the grossest)."""
    return _floats(given, lambda array: array * (1 + strength))


@inputs("how far, in standard deviations of the input", 1, 0.1, 0.01, 1e-3)
def offset_wrong(given: Tensors, strength: float, random: Random) -> Tensors:
    """The mean that is taken out is another one."""
    return _floats(given, lambda array: array + strength * array.std())


@inputs("how many pixels (of any last axis); parts are interpolated", 3, 1, 0.1, 0.01)
def shifted_by_pixels(given: Tensors, strength: float, random: Random) -> Tensors:
    """The input lies some pixels further on: a stride began elsewhere."""

    def shifted(array: Numbers) -> Numbers:
        axis = 2 if array.ndim == 4 and _channel_axis(array) == 3 else array.ndim - 1
        if array.ndim < 3 or array.shape[axis] < 2:
            return array
        whole, part = divmod(strength, 1)
        # A whole turn of a small input would be no move at all.
        moved = np.roll(array, min(int(whole), array.shape[axis] - 1), axis)
        return moved + part * (np.roll(moved, 1, axis) - moved)

    return _floats(given, shifted)


@inputs("how much of each pixel comes from its neighbour", 1, 0.3, 0.1, 0.01)
def interpolated_otherwise(given: Tensors, strength: float, random: Random) -> Tensors:
    """An image was resized with another kernel: it is a little softer."""

    def softer(image: Numbers, axis: int) -> Numbers:
        for side in (2, 3) if axis == 1 else (1, 2):
            beside = (np.roll(image, 1, side) + np.roll(image, -1, side)) / 2
            image = image + strength / 2 * (beside - image)
        return image

    return _images(given, 1, lambda i, axis: softer(i, axis) if i.dtype.kind == "f" else i)


@inputs("the share of the frames, from the last, that are missing; 0: one", 0.5, 0.1, 0)
def last_frame_missing(given: Tensors, strength: float, random: Random) -> Tensors:
    """The last frames of a sequence are zeros."""

    def cut_short(array: Numbers) -> Numbers:
        frames = np.moveaxis(np.array(array), _time(array), 0)
        frames[len(frames) - share_of(len(frames), strength) :] = 0
        return np.moveaxis(frames, 0, _time(array))

    return _sequences(given, cut_short)


@inputs("the share of the frames, from the last, that run backwards", 1, 0.3, 0)
def time_reversed(given: Tensors, strength: float, random: Random) -> Tensors:
    """A sequence runs backwards."""

    def backwards(array: Numbers) -> Numbers:
        frames = np.moveaxis(np.array(array), _time(array), 0)
        part = max(2, round(strength * len(frames)))
        frames[-part:] = frames[-part:][::-1].copy()
        return np.moveaxis(frames, 0, _time(array))

    return _sequences(given, backwards)


@inputs(_ROWS, 1, 0.5, 0)
def inputs_exchanged(given: Tensors, strength: float, random: Random) -> Tensors:
    """Two inputs of equal shape and type are exchanged."""
    names = sorted(given)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            here, there = given[one], given[other]
            if (here.shape, here.dtype) == (there.shape, there.dtype):
                swap = {one: _late(here, there, strength), other: _late(there, here, strength)}
                return {**given, **swap}
    return given


@inputs("the bits kept of the fraction: 7 is bfloat16, 10 is float16", 3, 7, 10, 14)
def input_narrowed(given: Tensors, strength: float, random: Random) -> Tensors:
    """Float inputs were narrowed on their way."""
    return _floats(given, lambda array: narrowed(array, strength))


@inputs("the levels between the smallest and the largest number", 15, 255, 4095)
def input_quantized(given: Tensors, strength: float, random: Random) -> Tensors:
    """Float inputs were rounded to a few levels on their way, as an 8-bit image is."""

    def rounded(array: Numbers) -> Numbers:
        step = (array.max() - array.min()) / strength
        return np.round((array - array.min()) / step) * step + array.min() if step > 0 else array

    return _floats(given, rounded)


@inputs("the share of the numbers; 0: one", 1, 0.1, 0)
def index_one_off(given: Tensors, strength: float, random: Random) -> Tensors:
    """Whole numbers (tokens, indices) are one too small."""

    def lower(array: Numbers) -> Numbers:
        changed = np.array(array)
        order = random.permutation(array.size)
        # Never below the smallest that was there, so that a table still has the row.
        positive = [place for place in order if array.flat[place] > 0]
        changed.flat[positive[: share_of(max(1, len(positive)), strength)]] -= 1
        return changed

    return {name: lower(a) if a.dtype.kind in "iu" else a for name, a in given.items()}


@inputs("the bits of a whole number that a float keeps: 8 is bfloat16, 11 float16", 4, 8, 11, 24)
def integers_through_float(given: Tensors, strength: float, random: Random) -> Tensors:
    """Whole numbers were carried as floats and lost their last digits."""

    def carried(array: Numbers) -> Numbers:
        lost = np.maximum(1, 2.0 ** (np.frexp(np.abs(array) + 0.5)[1] - strength))
        return (np.trunc(array / lost) * lost).astype(array.dtype)

    return {name: carried(a) if a.dtype.kind in "iu" else a for name, a in given.items()}


@inputs("the share of the elements; 0: one", 1, 0.1, 0)
def mask_inverted(given: Tensors, strength: float, random: Random) -> Tensors:
    """A mask says yes where it means no."""

    def inverted(array: Numbers) -> Numbers:
        changed = np.array(array)
        order = random.permutation(array.size)[: share_of(array.size, strength)]
        changed.flat[order] = ~changed.flat[order]
        return changed

    return {name: inverted(a) if a.dtype == np.bool_ else a for name, a in given.items()}


@inputs("the share of the rows, from the last, that change places; 0: two rows", 1, 0.5, 0)
def rows_of_another_request(given: Tensors, strength: float, random: Random) -> Tensors:
    """One input's rows belong to other requests than the rows of the other inputs."""
    first = min(given, default="")
    if len(given) < 2 or given[first].ndim == 0 or len(given[first]) < 2:
        return given
    array = given[first]
    part = max(2, round(strength * len(array)))
    return {**given, first: np.concatenate([array[:-part], np.roll(array[-part:], 1, axis=0)])}


def _images(given: Tensors, share: float, change: Callable[[Numbers, int], Numbers]) -> Tensors:
    """Changes the last rows of every image; `change` takes the axis of the channels, too."""

    def changed(array: Numbers) -> Numbers:
        axis = _channel_axis(array)
        if axis is None or not len(array):
            return array
        return _late(array, change(array, axis).astype(array.dtype), share)

    return {name: changed(array) for name, array in given.items()}


def _channel_axis(array: Numbers) -> int | None:
    if array.ndim != 4 or 0 in array.shape:
        return None
    return 1 if array.shape[1] == 3 else 3 if array.shape[3] == 3 else None


def _floats(given: Tensors, change: Callable[[Numbers], Numbers]) -> Tensors:
    return {
        name: change(array).astype(array.dtype) if array.dtype.kind == "f" and array.size else array
        for name, array in given.items()
    }


def _sequences(given: Tensors, change: Callable[[Numbers], Numbers]) -> Tensors:
    long = {n: a for n, a in given.items() if a.ndim == 3 and a.size and a.shape[_time(a)] > 1}
    return {name: change(array) if name in long else array for name, array in given.items()}


def _time(array: Numbers) -> int:
    return 1 + int(np.argmax(array.shape[1:]))


def _late(honest: Array, wrong: Array, share: float) -> Array:
    """The honest rows, and then the wrong ones: a share of all and at least one."""
    if honest.ndim == 0 or not len(honest):
        return wrong
    part = share_of(len(honest), share)
    return np.concatenate([honest[: len(honest) - part], wrong[len(honest) - part :]])
