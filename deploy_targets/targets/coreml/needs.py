"""The host tools of the coreml target, for `doctor`."""

from __future__ import annotations

from deploy_targets.needs import Need, package


def needs() -> tuple[Need, ...]:
    """Found or not, with how to get each."""
    return (
        package("torch", "exports and traces the model", "coreml"),
        package("uv", "fetches coremltools, which writes the package", "coreml"),
    )
