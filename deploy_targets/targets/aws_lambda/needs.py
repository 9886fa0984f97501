"""The host tools of the Lambda target, for `doctor`."""

from __future__ import annotations

from deploy_targets.errors import DeployError
from deploy_targets.integrations import bubblewrap, interpreters, qemu
from deploy_targets.needs import Need, package
from deploy_targets.targets.aws_lambda import native


def needs() -> tuple[Need, ...]:
    """Found or not, with how to get each."""
    return (
        _python(),
        package("uv", "fetches the function's packages for Lambda's platform", "lambda"),
        package("fastapi", "writes the description of the lean flavor's API", "lambda"),
        _bubblewrap(),
        _qemu(),
    )


def _python() -> Need:
    found = interpreters.newest(native.RUNTIMES)
    newest = next(iter(native.RUNTIMES))
    return Need(
        tool=f"Python {' or '.join(native.RUNTIMES)}",
        found=f"{found.version} ({found.executable})" if found else None,
        purpose="compiles the function ahead, and runs it in the sandbox",
        hint=f"uv python install {newest}",
    )


def _bubblewrap() -> Need:
    try:
        path, hint = str(bubblewrap.find()), ""
    except DeployError as error:
        path, hint = "", error.hint
    return Need(
        tool="bubblewrap",
        found=path or None,
        purpose="the sandbox for verify and serve (Linux)",
        hint=hint,
    )


def _qemu() -> Need:
    try:
        emulator, hint = qemu.find(), ""
    except DeployError as error:
        emulator, hint = None, error.hint
    return Need(
        tool="qemu-aarch64",
        found=f"{emulator.version} ({emulator.path})" if emulator else None,
        purpose='verifies arch = "arm64" on x86_64 (Linux)',
        hint=hint,
    )
