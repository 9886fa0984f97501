"""What a function sees on AWS Lambda, put together for bubblewrap, and what runs there.

In comes a `FunctionSpec`; out goes a `World`: Python at /var/lang, the runtime at /var/runtime, the
function at /var/task, all read-only; 512 MB of /tmp; Lambda's environment and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy_targets.errors import ConfigError
from deploy_targets.integrations import lambda_client, lambda_runtime
from deploy_targets.integrations.bubblewrap import Sandbox
from deploy_targets.integrations.lambda_python import LANG, System, system, this_architecture
from deploy_targets.workspace import Workspace

TASK = "/var/task"
TMP_BYTES = 512 << 20
_RUNTIME, _RAPID = lambda_runtime.RUNTIME_FOLDER, "/var/rapid"
_UID, _GID = 993, 990
_ETC = {
    "passwd": f"sbx_user1051:x:{_UID}:{_GID}::/home/sbx_user1051:/sbin/nologin\n",
    "group": f"sbx_user1051:x:{_GID}:\n",
    "hosts": "127.0.0.1 localhost\n",
}
_ADDRESSES = (lambda_client.ADDRESS, lambda_client.RUNTIME_API)
_DEFAULTS = {
    "PATH": f"{LANG}/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": f"{LANG}/lib:/lib64:/usr/lib64:{_RUNTIME}:{_RUNTIME}/lib:{TASK}:{TASK}/lib"
    ":/opt/lib",
    "PYTHONPATH": _RUNTIME,
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
}
"""What Lambda sets and a function's configuration may set too."""
RESERVED = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
        *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_ACCESS_KEY"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_RUNTIME_API"),
        *("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_INITIALIZATION_TYPE"),
        *("AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
    }
)
"""What AWS does not let a function's configuration set."""


@dataclass(frozen=True)
class FunctionSpec:
    """A function as it is configured on AWS."""

    task_root: Path
    """The unzipped artifact."""
    handler: str
    """ "module.function", as AWS has it."""
    arch: str
    """AWS's name: x86_64 or arm64."""
    python: str
    """The minor version: "3.13"."""
    memory_mb: int = 512
    timeout_s: int = 30
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """A function's world, ready to be started."""

    command: tuple[str, ...]
    where: str
    emulated: bool
    notes: tuple[str, ...]


def world(spec: FunctionSpec, workspace: Workspace, folder: Path) -> World:
    """Puts the function's world together; `folder` holds its small files while it runs.

    Raises NotRun and ToolMissing where this machine cannot run such a function, ConfigError where
    it is configured as Lambda would refuse it.
    """
    environment = _environment(spec)
    at = system(spec.python, spec.arch, workspace, folder)
    if at.emulated:
        # The caller's own patience is the limit then: here, the longest that AWS has.
        environment["AWS_LAMBDA_FUNCTION_TIMEOUT"] = "900"
    sandbox = Sandbox(
        files={**at.files, **_files(spec, workspace), **_etc(folder)},
        links=at.links,
        hidden=at.hidden,
        writable={"/tmp": TMP_BYTES},
        environment=environment,
        workdir=TASK,
        uid=_UID,
        gid=_GID,
        hostname="lambda",
    )
    return World(
        command=tuple(sandbox.command(_program(spec, at))),
        where=f"{_emulator_name()}, {at.where}",
        emulated=at.emulated,
        notes=(at.note,),
    )


def _files(spec: FunctionSpec, workspace: Workspace) -> Mapping[str, Path]:
    return {
        f"{_RAPID}/aws-lambda-rie": lambda_runtime.emulator(this_architecture(), workspace),
        f"{_RAPID}/client.py": Path(lambda_client.__file__),
        _RUNTIME: lambda_runtime.runtime_client(spec.python, spec.arch, workspace),
        TASK: spec.task_root.resolve(),
    }


def _etc(folder: Path) -> Mapping[str, Path]:
    for name, text in _ETC.items():
        (folder / name).write_text(text)
    return {f"/etc/{name}": folder / name for name in _ETC}


def _program(spec: FunctionSpec, at: System) -> list[str]:
    front, runtime = (f"{host}:{port}" for host, port in _ADDRESSES)
    return [
        # -I: the client is not to be moved by what the function's environment says to Python.
        *(*at.command, "-I", f"{_RAPID}/client.py", f"{_RAPID}/aws-lambda-rie"),
        *("--runtime-interface-emulator-address", front, "--runtime-api-address", runtime),
        *("--log-level", "error", *at.command, "-m", "awslambdaric", spec.handler),
    ]


def _environment(spec: FunctionSpec) -> dict[str, str]:
    if reserved := sorted(RESERVED & spec.environment.keys()):
        raise ConfigError(
            f"environment: {reserved[0]} is a name that AWS Lambda keeps to itself",
            hint=f"take {', '.join(reserved)} out of the function's environment",
        )
    region = "us-east-1"
    return {
        **_DEFAULTS,
        **spec.environment,
        **{name: _extended(name, spec.environment) for name in _DEFAULTS if name.endswith("PATH")},
        "_HANDLER": spec.handler,
        "LAMBDA_TASK_ROOT": TASK,
        "LAMBDA_RUNTIME_DIR": _RUNTIME,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{spec.python}",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(spec.timeout_s),
    }


def _extended(name: str, environment: Mapping[str, str]) -> str:
    # Ours stays behind the function's own: the runtime itself is found by it.
    return ":".join(filter(None, (environment.get(name), _DEFAULTS[name])))


def _emulator_name() -> str:
    versions = lambda_runtime.versions()
    return (
        f"AWS Lambda Runtime Interface Emulator (aws-sam-cli {versions['aws-sam-cli']}), "
        f"awslambdaric {versions['awslambdaric']}"
    )
