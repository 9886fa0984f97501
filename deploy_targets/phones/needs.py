"""The host tools by which an emulated ARM is asked, for `doctor`."""

from __future__ import annotations

import shutil

from deploy_targets.errors import DeployError
from deploy_targets.integrations import qemu
from deploy_targets.needs import Need


def emulator() -> Need:
    """QEMU for 64-bit ARM."""
    try:
        found, hint = qemu.find(), ""
    except DeployError as error:
        found, hint = None, error.hint
    return Need(
        tool="qemu-aarch64",
        found=f"{found.version} ({found.path})" if found else None,
        purpose="asks the model on an emulated ARM (Linux)",
        hint=hint,
    )


def apt() -> Need:
    """What puts the emulated system together."""
    tools = [shutil.which(name) for name in ("apt-get", "dpkg-deb")]
    return Need(
        tool="apt-get and dpkg-deb",
        found=", ".join(path for path in tools if path) if all(tools) else None,
        purpose="put the emulated ARM's system together, without root (Debian, Ubuntu)",
        hint="verify on Debian or Ubuntu, or on the device (verify --actual)",
    )
