"""The answer in words, as an HTTP client reads it: labels and scores, boxes, a mask, a text.

In: the steps of all outputs and the tensors that they end in. Out: what can be written as JSON, or
a mask as a PNG. A step "label" says what an output is, and "palette" the colours of a mask; neither
changes a tensor. Each number comes back bit for bit when it is read as the tensor's dtype.
"""

from __future__ import annotations

import base64
import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Tensors = dict[str, Any]
    Steps = list[dict[str, Any]]
    Names = list[str] | None


def say(steps: Steps, tensors: Tensors, frame: Any, single: bool) -> dict[str, Any]:
    """The answer by output. `single`: one request is one item, and a leading axis of 1 is left out.

    Tensors that no step "label" speaks of are nested lists.
    """
    left, said = dict(tensors), {}
    for step in steps:
        if step["op"] == "label":
            of, options = step["of"], step["options"]
            said[of] = _SAYS[options["says"]](left, of, options, _colours(steps, of), single)
    return said | {name: _nested(tensor, single) for name, tensor in left.items()}


def media(steps: Steps) -> tuple[str, ...]:
    """The content types in which the answer can be had, the most usual first."""
    png = ("image/png",) if len(_masks(steps)) == 1 else ()
    return ("application/json", *png)


def picture(steps: Steps, tensors: Tensors) -> bytes:
    """The only mask of an answer as a PNG."""
    (of,) = _masks(steps)
    return png_of(tensors[of][0], _colours(steps, of))


def png_of(mask: Any, colours: list[list[int]]) -> bytes:
    """A PNG with a palette; the values of its pixels are the classes. `mask` is uint8 [h, w]."""
    from PIL import Image

    image, file = Image.fromarray(np.ascontiguousarray(mask)), io.BytesIO()
    image.putpalette([level for colour in colours for level in colour])
    image.save(file, "PNG")
    return file.getvalue()


def _classes(left: Tensors, of: str, options: Any, colours: Any, single: bool) -> Any:
    names = options["labels"]
    if f"{of}.indices" in left:
        best = zip(left.pop(f"{of}.indices"), left.pop(f"{of}.scores"), strict=True)
        rows = [list(zip(indices.tolist(), scores, strict=True)) for indices, scores in best]
    else:
        rows = [list(enumerate(scores)) for scores in left.pop(of)]
    if not options["zeros"]:
        # A stable sort: of equal scores the lower class is first.
        rows = [sorted((one for one in row if one[1]), key=lambda one: -one[1]) for row in rows]
    said = [
        [{**_name(names, index), "index": index, "score": _number(score)} for index, score in row]
        for row in rows
    ]
    return _one(said, single)


def _boxes(left: Tensors, of: str, options: Any, colours: Any, single: bool) -> Any:
    names = options["labels"]
    return [
        {
            **_name(names, int(row[5])),
            "class": int(row[5]),
            "score": _number(row[4]),
            "box": [_number(corner) for corner in row[:4]],
        }
        for row in left.pop(of)
    ]


def _mask(left: Tensors, of: str, options: Any, colours: Any, single: bool) -> Any:
    return _one([_drawn(mask, options["labels"], colours) for mask in left.pop(of)], single)


def _drawn(mask: Any, names: Names, colours: Any) -> dict[str, Any]:
    # Row by row, since counting takes eight bytes for each pixel.
    counts = np.sum([np.bincount(row, minlength=256) for row in mask], 0)
    found = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)].tolist()
    return {
        "size": list(mask.shape),
        "png": base64.b64encode(png_of(mask, colours)).decode(),
        "classes": [
            {**_name(names, kind), "index": kind, "share": int(counts[kind]) / mask.size}
            for kind in found
        ],
    }


def _text(left: Tensors, of: str, options: Any, colours: Any, single: bool) -> Any:
    ids, names, space = left.pop(of).tolist(), options["labels"], options["space"]
    if names is None:
        return {"ids": ids}
    text = "".join(names[one] for one in ids)
    return {"text": text.replace(space, " ").strip() if space else text, "ids": ids}


_SAYS = {"classes": _classes, "boxes": _boxes, "mask": _mask, "text": _text}


def _name(names: Names, index: int) -> dict[str, str]:
    return {} if names is None else {"label": names[index]}


def _one(rows: list[Any], single: bool) -> Any:
    return rows[0] if single and len(rows) == 1 else rows


def _number(value: Any) -> float | str:
    """The shortest number that is the same in the value's dtype; a string where not finite."""
    plain = float(value)
    if not math.isfinite(plain):
        return "NaN" if math.isnan(plain) else "Infinity" if plain > 0 else "-Infinity"
    short = float(str(value))
    return short if value.dtype.type(short) == value else plain


def _nested(tensor: Any, single: bool) -> Any:
    if single and tensor.ndim and tensor.shape[0] == 1:
        tensor = tensor[0]
    if tensor.dtype.kind in "biu":
        return tensor.tolist()
    wide = tensor.astype(np.float64)
    return wide.tolist() if np.isfinite(wide).all() else _odd(wide)


def _odd(wide: Any) -> Any:
    return [_odd(part) for part in wide] if wide.ndim else _number(wide[()])


def _masks(steps: Steps) -> list[str]:
    return [step["of"] for step in steps if step["op"] == "palette"]


def _colours(steps: Steps, of: str) -> Any:
    found = (s["options"]["colours"] for s in steps if (s["op"], s["of"]) == ("palette", of))
    return next(found, None)
