"""The host tools of the boards' targets, for `doctor`."""

from __future__ import annotations

from deploy_targets.needs import Need, package
from deploy_targets.phones.needs import apt, emulator


def needs() -> tuple[Need, ...]:
    """Found or not, with how to get each."""
    return (
        package("uv", "fetches the board's ONNX Runtime", "lambda"),
        package("onnx", "lowers the graph to what the board reads", "onnx"),
        emulator(),
        apt(),
    )
