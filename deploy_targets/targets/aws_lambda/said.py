"""The answer that the function gives in words, read back into the tensors that it was said of.

Written from the description of that answer, and not with the code that says it, so that a mistake
there cannot cancel itself out here. Whatever is said twice must agree: the label with the index,
the text with the tokens, the shares of a mask with its pixels.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deploy_targets.records import Array, Stage, Tensors, TensorSpec
from deploy_targets.targets.aws_lambda.calls import Refused

_WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def tensors_of(
    answer: Mapping[str, Any], gives: Sequence[TensorSpec], stages: Sequence[Stage]
) -> Tensors:
    """The answer's tensors, in the dtypes and with the axes of `gives`. Raises Refused."""
    labels = {stage.of: stage.options for stage in stages if stage.op == "label"}
    specs = {spec.name: spec for spec in gives}
    owners = {name: _owner(name, labels) for name in specs}
    if set(answer) != set(owners.values()):
        raise Refused(f"it answers {sorted(answer)}, expected {sorted(set(owners.values()))}")
    found: dict[str, Array] = {}
    try:
        for name in answer:
            own = [specs[tensor] for tensor, owner in owners.items() if owner == name]
            if name in labels:
                colours = _colours(name, stages)
                found |= _READ[labels[name]["says"]](answer[name], own, labels[name], colours)
            else:
                found[name] = _plain(answer[name], own[0])
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        OSError,
        StopIteration,
    ) as error:
        raise Refused(f"the answer's {name!r} is not as described: {error!r}") from error
    return {spec.name: found[spec.name] for spec in gives}


def _owner(name: str, labels: Mapping[str, Any]) -> str:
    """The output under which a tensor is said: `logits.scores` under `logits`."""
    head, _, tail = name.rpartition(".")
    return head if head in labels and tail in ("scores", "indices") else name


def _classes(said: Any, own: Sequence[TensorSpec], options: Any, colours: Any) -> dict[str, Array]:
    rows = said if said and isinstance(said[0], list) else [said]
    for entry in (entry for row in rows for entry in row):
        _agree(entry, entry["index"], options["labels"])
    if len(own) == 2:
        shape = (len(rows), _size(own[0].shape[1]))
        parts = {"scores": "score", "indices": "index"}
        return {
            spec.name: _array(
                [[e[parts[spec.name.rpartition(".")[2]]] for e in row] for row in rows], spec
            ).reshape(shape)
            for spec in own
        }
    tensor = np.zeros((len(rows), *map(_size, own[0].shape[1:])), _dtype(own[0]))
    for number, row in enumerate(rows):
        if options["zeros"] and [entry["index"] for entry in row] != list(range(tensor.shape[1])):
            raise ValueError("classes are missing, or not in their order")
        for entry in row:
            tensor[number, entry["index"]] = _number(entry["score"])
    return {own[0].name: tensor}


def _boxes(said: Any, own: Sequence[TensorSpec], options: Any, colours: Any) -> dict[str, Array]:
    for entry in said:
        _agree(entry, entry["class"], options["labels"])
    rows = [[*entry["box"], entry["score"], entry["class"]] for entry in said]
    return {own[0].name: _array(rows, own[0]).reshape(len(rows), 6)}


def _mask(said: Any, own: Sequence[TensorSpec], options: Any, colours: Any) -> dict[str, Array]:
    several = said if isinstance(said, list) else [said]
    masks = [_pixels(one, options["labels"], colours) for one in several]
    return {own[0].name: np.stack(masks).astype(own[0].dtype)}


def _pixels(said: Any, labels: Sequence[str] | None, colours: Any) -> Array:
    """The PNG, which must be of the size, the colours and the shares that are said beside it."""
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(said["png"]))) as image:
        pixels, levels = np.asarray(image), image.getpalette() or []
    declared = [level for colour in colours for level in colour]
    if list(pixels.shape) != said["size"] or levels[: 3 * len(colours)] != declared:
        raise ValueError(f"the PNG is {pixels.shape}, or of other colours than declared")
    shares = {entry["index"]: entry["share"] for entry in said["classes"]}
    for entry in said["classes"]:
        _agree(entry, entry["index"], labels)
    true = {int(kind): float(np.mean(pixels == kind)) for kind in np.unique(pixels)}
    if shares.keys() != true.keys() or any(abs(true[k] - shares[k]) > 1e-9 for k in true):
        raise ValueError(f"the shares said are {shares}, those of the PNG {true}")
    return pixels


def _text(said: Any, own: Sequence[TensorSpec], options: Any, colours: Any) -> dict[str, Array]:
    ids, labels = said["ids"], options["labels"]
    if labels is not None:
        letters = "".join([labels[token] for token in ids])
        if options["space"]:
            letters = " ".join(letters.split(options["space"])).strip()
        if letters != said["text"]:
            raise ValueError(f"the text is {said['text']!r}, its tokens spell {letters!r}")
    return {own[0].name: _array(ids, own[0]).reshape(len(ids))}


_READ = {"classes": _classes, "boxes": _boxes, "mask": _mask, "text": _text}


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
    return np.array(_numbers(said), _dtype(spec))


def _numbers(said: Any) -> Any:
    return [_numbers(part) for part in said] if isinstance(said, list) else _number(said)


def _number(said: Any) -> Any:
    return _WORDS[said] if isinstance(said, str) else said


def _agree(entry: Mapping[str, Any], index: int, labels: Sequence[str] | None) -> None:
    if entry.get("label") != (None if labels is None else labels[index]):
        raise ValueError(f"class {index} is called {entry.get('label')!r}")


def _colours(of: str, stages: Sequence[Stage]) -> Any:
    return next((s.options["colours"] for s in stages if (s.of, s.op) == (of, "palette")), None)


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
