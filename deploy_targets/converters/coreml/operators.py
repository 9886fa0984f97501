"""What coremltools carries wrongly or not at all, mended.

In: nothing. Out: its table of operators, completed; and its passes, without those that would change
the numbers of a model. To add an operator: a function that takes its context and node, and its line
in `register`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deploy_targets.converters.coreml.constants import Step


def register() -> None:
    """Completes the table of this process."""
    from coremltools.converters.mil.frontend.torch.torch_op_registry import (  # type: ignore[import-not-found,unused-ignore]
        _TORCH_OPS_REGISTRY,
        register_torch_op,
    )

    theirs = {name: _TORCH_OPS_REGISTRY.get_func(name) for name in ("prelu", "int")}

    def prelu(context: Any, node: Any) -> None:
        if not _prelu_of_rows(context, node):
            theirs["prelu"](context, node)

    def _int(context: Any, node: Any) -> None:
        if not _int_of_one(context, node):
            theirs["int"](context, node)

    register_torch_op(prelu, override=True)
    register_torch_op(_int, torch_alias=["int"], override=True)
    register_torch_op(_alias, torch_alias=["alias"], override=True)


def passes(given: Any) -> Any:
    """The passes to run over a program or a module."""
    import coremltools as ct  # type: ignore[import-not-found,unused-ignore]

    from deploy_targets.converters.coreml import steps

    chosen = ct.PassPipeline.DEFAULT
    if any(map(_in_groups, steps.of(given)[1])):
        # They take the channels of one group for those of another.
        chosen.remove_passes({"common::fuse_conv_batchnorm", "common::fuse_conv_scale"})
    return chosen


def _in_groups(step: Step) -> bool:
    """A transposed convolution of several groups."""
    if step.op in ("convolution", "_convolution"):
        return bool(step.arguments[6]) and int(step.arguments[8]) > 1
    groups = step.arguments[6:7] if step.op.startswith("conv_transpose") else [1]
    return bool(groups) and int(groups[0]) > 1


def _prelu_of_rows(context: Any, node: Any) -> bool:
    """prelu with a slope for each column of a matrix, which Core ML has for images alone."""
    import numpy as np
    from coremltools.converters.mil import (  # type: ignore[import-not-found,unused-ignore]
        Builder as mb,
    )

    rows, slopes = (context[name] for name in node.inputs[:2])
    if rows.rank != 2 or slopes.val is None:
        return False
    every = np.broadcast_to(slopes.val, (rows.shape[1],)).astype(np.float32)
    image = mb.expand_dims(x=rows, axes=[2, 3])
    context.add(mb.squeeze(x=mb.prelu(x=image, alpha=every), axes=[2, 3], name=node.name))
    return True


def _int_of_one(context: Any, node: Any) -> bool:
    """The number in an array that holds one: numpy refuses to make a number of it by itself."""
    import numpy as np
    from coremltools.converters.mil import (  # type: ignore[import-not-found,unused-ignore]
        Builder as mb,
    )

    known = context[node.inputs[0]]
    value = None if known is None else known.val
    if not isinstance(value, np.ndarray) or value.ndim == 0 or value.size != 1:
        return False
    context.add(mb.const(val=np.int32(value.item()), name=node.name), node.name)
    return True


def _alias(context: Any, node: Any) -> None:
    """A tensor of its own, where theirs is the one that goes in: an output may need it."""
    from coremltools.converters.mil import (  # type: ignore[import-not-found,unused-ignore]
        Builder as mb,
    )

    context.add(mb.identity(x=context[node.inputs[0]], name=node.name), node.name)
