"""Whether the steps of an image end in the tensor that a model takes, and in which layout.

In: what they end in, and the tensor. Out: nothing, or a ValueError that says what would fit.
"""

from __future__ import annotations

from dataclasses import dataclass

from deploy_targets.records import Dim, TensorSpec

LAYOUTS = ("nchw", "nhwc", "chw", "hwc")
FLOATS = ("float32", "float16")
SLACK = 0.05
"""Of a declared range, which is often written with one digit."""


@dataclass(frozen=True)
class Ending:
    """What declared steps end in."""

    colour: str
    channels: int
    size: tuple[int, int] | None
    """Height and width, or None where they follow from the photo's."""
    layout: str | None
    scaled: bool
    whole: bool
    """The levels are whole numbers until they are scaled."""
    low: float
    high: float
    """The least and the largest value of a float tensor."""


def dtype(ending: Ending, tensor: TensorSpec) -> None:
    """Floats, or levels as they are."""
    if tensor.dtype in FLOATS:
        return
    if tensor.dtype != "uint8":
        kinds = " or ".join(FLOATS)
        raise ValueError(f"an image can become uint8, {kinds}, and not {shown(tensor)}")
    if ending.scaled:
        raise ValueError(
            f"{shown(tensor)} takes the levels as they are: leave out scale, mean and std"
        )
    if not ending.whole:
        raise ValueError(
            f"{shown(tensor)} takes whole levels, and only Pillow's arithmetic rounds to them: "
            'write antialias = "pil"'
        )


def layout(ending: Ending, tensor: TensorSpec) -> str:
    """The layout, declared or the only one that has the channels where the tensor has them."""
    fits = [order for order in LAYOUTS if _has_channels(ending, tensor, order)]
    if ending.layout in fits:
        return ending.layout
    if ending.layout is None and len(fits) == 1:
        return fits[0]
    if ending.layout is None and fits:
        names = " and ".join(fits)
        raise ValueError(f'{names} both fit {shown(tensor)}; say which: layout = "{fits[0]}"')
    given = f'layout = "{ending.layout}"' if ending.layout else "no layout"
    advice = f'write layout = "{fits[0]}"' if fits else "correct colour, or the shape"
    raise ValueError(
        f'{given} fits {shown(tensor)}: colour = "{ending.colour}" makes {ending.channels} '
        f"channels, as [n, c, h, w], [n, h, w, c], [c, h, w] or [h, w, c]; {advice}"
    )


def size(ending: Ending, tensor: TensorSpec) -> None:
    """One image, of the height and width that the model takes."""
    dims = dict(zip(layout(ending, tensor), tensor.shape, strict=True))
    height, width = dims["h"], dims["w"]
    if not _may_be(dims.get("n", 1), 1):
        raise ValueError(f"one image is a batch of 1, and the model takes {shown(tensor)}")
    if ending.size is None:
        if not (isinstance(height, str) and isinstance(width, str) and height != width):
            sides = [side if isinstance(side, int) else 224 for side in (height, width)]
            raise ValueError(
                f"the steps leave the size as it comes, and the model takes {shown(tensor)}: "
                f"write resize = {{ to = {sides} }}, or crop = {sides}"
            )
    elif not (_may_be(height, ending.size[0]) and _may_be(width, ending.size[1])):
        raise ValueError(
            f"the steps end in {list(ending.size)}, as [height, width], and the model takes "
            f"{[height, width]}: {shown(tensor)}"
        )


def range_of_values(ending: Ending, tensor: TensorSpec) -> None:
    """Within the range that is declared for the tensor, if one is."""
    if tensor.range is None or tensor.dtype not in FLOATS:
        return
    least, most = tensor.range
    slack = SLACK * (most - least)
    if not (least - slack <= ending.low and ending.high <= most + slack):
        raise ValueError(
            f"the steps give {ending.low:.4g} to {ending.high:.4g}, and the range declared for "
            f"{tensor.name} is {least:g} to {most:g}: correct scale, mean and std, or the range"
        )


def shown(tensor: TensorSpec) -> str:
    """As in image float32[1, 3, 224, 224]."""
    return f"{tensor.name} {tensor.dtype}[{', '.join(map(str, tensor.shape))}]"


def _has_channels(ending: Ending, tensor: TensorSpec, order: str) -> bool:
    if len(tensor.shape) != len(order):
        return False
    dim = tensor.shape[order.index("c")]
    # An axis of free size can be the channels only by the user's own word.
    return dim == ending.channels or (isinstance(dim, str) and order == ending.layout)


def _may_be(dim: Dim, side: int) -> bool:
    return isinstance(dim, str) or dim == side
