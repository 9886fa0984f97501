"""An answer in words (host/words.py, or that of another language), read back into tensors.

In: what an artifact said, as JSON. Out: the tensors that it was said of, for the judge. Written
from the description of that answer, and not with the code that says it, so that a mistake there
cannot cancel itself out here. Whatever is said twice must agree: the label with the index,
the text with the tokens, the shares of a mask with its pixels. Whatever a tensor does not keep is
held to the description here: which keys there are, how a number is written, in which order classes
come.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from deploy_targets.records import Array, Stage, Tensors, TensorSpec


class Unreadable(Exception):
    """An answer that its description does not allow."""


_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def tensors_of(
    answer: Mapping[str, Any], gives: Sequence[TensorSpec], stages: Sequence[Stage]
) -> Tensors:
    """The answer's tensors, in the dtypes and with the axes of `gives`. Raises Unreadable."""
    labels = {stage.of: stage.options for stage in stages if stage.op == "label"}
    specs = {spec.name: spec for spec in gives}
    owners = {name: _owner(name, labels) for name in specs}
    if set(answer) != set(owners.values()):
        raise Unreadable(f"it answers {sorted(answer)}, expected {sorted(set(owners.values()))}")
    found: dict[str, Array] = {}
    for name in answer:
        own = [specs[tensor] for tensor, owner in owners.items() if owner == name]
        try:
            if name in labels:
                more = {stage.op: stage.options for stage in stages if stage.of == name}
                found |= _READ[labels[name]["says"]](answer[name], own, labels[name], more)
            else:
                found[name] = _plain(answer[name], own[0])
        except ValueError as error:
            raise Unreadable(f"the answer's {name!r} is not as described: {error}") from error
        except Exception as error:  # an answer can be anything, and so can the PNG in it
            raise Unreadable(f"the answer's {name!r} is not as described: {error!r}") from error
    _check_order(found, stages)
    return {spec.name: found[spec.name] for spec in gives}


def _check_order(tensors: Tensors, stages: Sequence[Stage]) -> None:
    """Boxes come best first, of equal ones the lower class; tensors of boxes are judged as sets."""
    for stage in stages:
        if stage.op == "label" and stage.options["says"] == "boxes":
            _, _, _, _, scores, classes = np.asarray(tensors[stage.of], np.float64).T
            if not _is_best_first(scores, classes.astype(int).tolist()):
                raise Unreadable(f"the answer's {stage.of!r} is not as described: not best first")


def _owner(name: str, labels: Mapping[str, Any]) -> str:
    """The output under which a tensor is said: `logits.scores` under `logits`."""
    head, _, tail = name.rpartition(".")
    return head if head in labels and tail in ("scores", "indices") else name


def _classes(said: Any, own: Sequence[TensorSpec], options: Any, more: Any) -> dict[str, Array]:
    rows = said if isinstance(said, list) and said and isinstance(said[0], list) else [said]
    read = [_row(row, own, options, more) for row in rows]
    if len(own) == 2:
        parts = {"scores": [scores for _, scores in read], "indices": [ids for ids, _ in read]}
        return {
            spec.name: np.array(parts[spec.name.rpartition(".")[2]], _dtype(spec)) for spec in own
        }
    tensor = np.zeros((len(rows), _size(own[0].shape[1])), _dtype(own[0]))
    for number, (indices, scores) in enumerate(read):
        tensor[number, indices] = scores
    return {own[0].name: tensor}


def _row(
    said: Any, own: Sequence[TensorSpec], options: Any, more: Mapping[str, Any]
) -> tuple[list[int], Array]:
    """Classes and scores of one item, as they must come: all, or the best few, or those above."""
    by = {spec.name.rpartition(".")[2] if len(own) == 2 else "scores": spec for spec in own}
    classes = _size(own[0].shape[1]) if len(own) == 1 else None
    entries = _entries(said, "index", {"index", "score"}, options["labels"], classes)
    indices = [entry["index"] for entry in entries]
    scores = _array([entry["score"] for entry in entries], by["scores"])
    if len(set(indices)) != len(indices):
        raise ValueError(f"a class is said twice: {indices}")
    if len(own) == 2:
        most = _size(own[0].shape[1])
        if len(indices) != most:
            raise ValueError(f"{len(indices)} classes, expected the best {most}")
    elif options["zeros"] and indices != list(range(classes or 0)):
        raise ValueError("classes are missing, or not in their order")
    if "threshold" in more and not np.all(scores > np.float32(more["threshold"]["at"])):
        raise ValueError(f"a score is not above the threshold of {more['threshold']['at']}")
    if (len(own) == 2 or not options["zeros"]) and not _is_best_first(scores, indices):
        raise ValueError("classes are not best first, of equal ones the lower")
    return indices, scores


def _boxes(said: Any, own: Sequence[TensorSpec], options: Any, more: Any) -> dict[str, Array]:
    entries = _entries(said, "class", {"class", "score", "box"}, options["labels"])
    for entry in entries:
        if not isinstance(entry["box"], list) or len(entry["box"]) != 4:
            raise ValueError(f"a box is [x1, y1, x2, y2], not {entry['box']!r}")
    rows = [[*entry["box"], entry["score"], entry["class"]] for entry in entries]
    return {own[0].name: _array(rows, own[0]).reshape(len(rows), 6)}


def _mask(said: Any, own: Sequence[TensorSpec], options: Any, more: Any) -> dict[str, Array]:
    several = said if isinstance(said, list) else [said]
    colours = more["palette"]["colours"]
    masks = [_pixels(one, options["labels"], colours) for one in several]
    return {own[0].name: np.stack(masks).astype(own[0].dtype)}


def _pixels(said: Any, labels: Sequence[str] | None, colours: Any) -> Array:
    """The PNG, which must be of the size, the colours and the shares that are said beside it."""
    from PIL import Image

    _check_keys(said, {"size", "png", "classes"})
    with Image.open(io.BytesIO(base64.b64decode(said["png"], validate=True))) as image:
        kind, pixels, levels = (image.format, image.mode), np.asarray(image), image.getpalette()
    declared = [level for colour in colours for level in colour]
    if kind != ("PNG", "P") or (levels or [])[: len(declared)] != declared:
        raise ValueError(f"it is a {kind[0]} in mode {kind[1]}, or of other colours than declared")
    if [_whole(side) for side in said["size"]] != list(pixels.shape):
        raise ValueError(f"its size is said to be {said['size']}, the PNG's is {pixels.shape}")
    entries = _entries(said["classes"], "index", {"index", "share"}, labels, len(colours))
    counts = np.bincount(pixels.ravel(), minlength=256)
    order = sorted(np.flatnonzero(counts).tolist(), key=lambda one: (-counts[one], one))
    if [entry["index"] for entry in entries] != order:
        raise ValueError(f"its classes are not {order}: those of the PNG, the largest first")
    for entry in entries:
        share, true = _number(entry["share"], "f"), counts[entry["index"]] / pixels.size
        if not abs(share - true) <= 1e-9:
            raise ValueError(f"class {entry['index']} has a share of {true}, not {share}")
    return pixels


def _text(said: Any, own: Sequence[TensorSpec], options: Any, more: Any) -> dict[str, Array]:
    labels = options["labels"]
    _check_keys(said, {"ids"} if labels is None else {"ids", "text"})
    ids = said["ids"]
    for token in ids:
        _check_class(token, None if labels is None else len(labels))
    if labels is not None:
        letters = "".join([labels[token] for token in ids])
        if options["space"]:
            letters = " ".join(letters.split(options["space"])).strip()
        if letters != said["text"]:
            raise ValueError(f"the text is {said['text']!r}, its tokens spell {letters!r}")
    return {own[0].name: _array(ids, own[0]).reshape(len(ids))}


_READ = {"classes": _classes, "boxes": _boxes, "mask": _mask, "text": _text}


def _entries(
    said: Any, key: str, keys: set[str], labels: Sequence[str] | None, classes: int | None = None
) -> list[dict[str, Any]]:
    """A list of objects with these keys; the class under `key`, and its label where it has one."""
    if not isinstance(said, list):
        raise ValueError(f"expected a list, got {said!r:.60}")
    for entry in said:
        _check_keys(entry, keys if labels is None else {*keys, "label"})
        _check_class(entry[key], classes if labels is None else len(labels))
        if labels is not None and entry["label"] != labels[entry[key]]:
            raise ValueError(f"class {entry[key]} is called {entry['label']!r}")
    return said


def _check_keys(said: Any, keys: set[str]) -> None:
    if not isinstance(said, dict) or set(said) != keys:
        raise ValueError(f"expected an object with {', '.join(sorted(keys))}, got {said!r:.200}")


def _check_class(said: Any, classes: int | None) -> None:
    if _whole(said) < 0 or (classes is not None and said >= classes):
        there = "" if classes is None else f"; there are {classes}, from 0"
        raise ValueError(f"there is no class {said}{there}")


def _is_best_first(scores: Iterable[Any], classes: Sequence[int]) -> bool:
    """Of equal scores the lower class is first; NaN is worth as little as minus infinity."""
    worth = [-math.inf if math.isnan(score) else float(score) for score in scores]
    keys = [(-score, one) for score, one in zip(worth, classes, strict=True)]
    return keys == sorted(keys)


def _plain(said: Any, spec: TensorSpec) -> Array:
    """Nested lists; where they are one deep too few, a leading axis of 1 was left out."""
    tensor = _array(said, spec)
    if tensor.size:
        return tensor[None] if tensor.ndim == len(spec.shape) - 1 else tensor
    # What holds nothing is cut short where the nothing is: the declared sizes say the rest.
    cut = _sizes(said)
    whole = ([*sizes, *map(_or_none, spec.shape[len(sizes) :])] for sizes in ([1, *cut], cut))
    return tensor.reshape(next(sizes for sizes in whole if _fits(sizes, spec)))


def _sizes(said: Any) -> list[int]:
    return [len(said), *(_sizes(said[0]) if said else [])]


def _or_none(dim: int | str) -> int:
    return 0 if isinstance(dim, str) else dim


def _fits(sizes: Sequence[int], spec: TensorSpec) -> bool:
    return len(sizes) == len(spec.shape) and all(
        isinstance(dim, str) or dim == size for dim, size in zip(spec.shape, sizes, strict=True)
    )


def _array(said: Any, spec: TensorSpec) -> Array:
    """The numbers in their dtype. Raises ValueError where one would become another there."""
    dtype = _dtype(spec)
    if dtype.kind in "biu":
        return _whole_array(_numbers(said, dtype.kind), dtype)
    wide = np.array(_numbers(said, "f"), np.float64)
    with np.errstate(over="ignore"):
        tensor = wide.astype(dtype)
    if not np.array_equal(np.isfinite(wide), np.isfinite(tensor)):
        raise ValueError(f"a number is too large for {spec.dtype}")
    return tensor


def _whole_array(numbers: Any, dtype: np.dtype[np.generic]) -> Array:
    try:
        return np.array(numbers, dtype)
    except OverflowError as error:
        raise ValueError(f"a number does not fit {dtype}") from error


def _numbers(said: Any, kind: str) -> Any:
    if isinstance(said, list):
        return [_numbers(part, kind) for part in said]
    return _number(said, kind)


def _number(said: Any, kind: str) -> Any:
    """One number of a dtype's kind ("b", "i", "u", or "f" for all floats), as JSON must have it."""
    if kind == "b":
        if type(said) is not bool:
            raise ValueError(f"expected true or false, got {said!r:.60}")
        return said
    if kind in "iu":
        return _whole(said)
    if type(said) is str and said in _WORDS:
        return _WORDS[said]
    if type(said) not in (int, float) or not math.isfinite(said):
        raise ValueError(f"expected a number, got {said!r:.60}")
    return said


def _whole(said: Any) -> int:
    if type(said) is not int:
        raise ValueError(f"expected a whole number, got {said!r:.60}")
    return said


def _size(dim: int | str) -> int:
    if isinstance(dim, str):
        raise ValueError(f"axis {dim!r} has no fixed size")
    return dim


def _dtype(spec: TensorSpec) -> np.dtype[np.generic]:
    if spec.dtype == "bfloat16":
        import ml_dtypes

        wide: np.dtype[np.generic] = np.dtype(ml_dtypes.bfloat16)
        return wide
    return np.dtype(spec.dtype)
