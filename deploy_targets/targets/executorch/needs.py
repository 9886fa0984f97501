"""The host tools of the executorch target, for `doctor`."""

from __future__ import annotations

import shutil

from deploy_targets.needs import Need, package


def needs() -> tuple[Need, ...]:
    """Found or not, with how to get each."""
    return (
        package("torch", "exports the model, and carries ExecuTorch's runtime", "executorch"),
        package("uv", "fetches ExecuTorch, which brings its converter and runtime", "executorch"),
        Need(
            tool="java",
            found=shutil.which("java"),
            purpose="runs the app's Kotlin around the file, for declared steps",
            hint="install a JDK (Debian, Ubuntu: apt-get install openjdk-17-jre-headless)",
        ),
    )
