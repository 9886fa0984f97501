"""The host tools of the pytorch_mobile target, for `doctor`."""

from __future__ import annotations

import shutil

from deploy_targets.needs import Need, package


def needs() -> tuple[Need, ...]:
    """Found or not, with how to get each."""
    return (
        package("torch", "writes the .ptl, and asks it in its lite interpreter", "torch"),
        Need(
            tool="java",
            found=shutil.which("java"),
            purpose="runs the app's Kotlin around the file, for declared steps",
            hint="install a JDK (Debian, Ubuntu: apt-get install openjdk-17-jre-headless)",
        ),
    )
