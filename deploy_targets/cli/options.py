"""Flags that say what deploy.toml says. In: the flags of `build`, `init`, `inspect`. Out: Settings.

--input 'image=float32[batch,3,224,224]'  --axis batch=1..8  --output logits:classifier
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy_targets.errors import ConfigError

if TYPE_CHECKING:
    from deploy_targets.config import Settings

Source = Annotated[
    str | None,
    typer.Argument(
        help="file.py:callable, package.module:callable, a .pt2, .onnx, .keras, .h5 or .joblib "
        "file, or the folder of a SavedModel. "
        "May be left out where a deploy.toml names it."
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="A deploy.toml, or a folder that holds one."),
]
Name = Annotated[str | None, typer.Option("--name", help="The model's name in its bundles.")]
Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", help="An input: 'image=float32[batch,3,224,224]'."),
]
Axes = Annotated[list[str] | None, typer.Option("--axis", help="A dynamic axis: 'batch=1..8'.")]
Outputs = Annotated[
    list[str] | None,
    typer.Option("--output", help="An output's name, and kind: 'logits:classifier'."),
]
SamplesOption = Annotated[
    Path | None,
    typer.Option(
        "--samples", help="A folder or file of .npz, .npy or .safetensors, one case each."
    ),
]
Budget = Annotated[
    float | None,
    typer.Option("--budget", help="Relative L2 allowed above the model's own noise."),
]
Precision = Annotated[
    str | None,
    typer.Option(
        "--precision", help="fp32 or fp16; `deploy-target targets NAME` lists a target's."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

_INPUT = re.compile(r"^(?P<name>[^=]+)=(?P<dtype>\w+)\[(?P<shape>[^\]]*)\]$")
_AXIS = re.compile(r"^(?P<name>[^=]+)=(?P<low>\d+)\.\.(?P<high>\d+)$")


@dataclass(frozen=True)
class Flags:
    """What was said on the command line about a model."""

    source: str | None = None
    config: Path | None = None
    name: str | None = None
    inputs: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    samples: Path | None = None
    budget: float | None = None
    precision: str | None = None


def settings_of(flags: Flags) -> Settings:
    """deploy.toml with the flags laid over it. Raises ConfigError."""
    from deploy_targets import config

    plain = _plain(flags)
    path = flags.config
    if path is None and flags.source is None:
        path = Path.cwd()
    if path is not None and path.is_dir():
        found = config.find(path)
        if found is None:
            raise ConfigError(
                f"no model was named, and {path} holds no {config.FILE}",
                hint="give SOURCE, or write a deploy.toml with `deploy-target init SOURCE`",
            )
        path = found
    if path is None:
        return config.validate(plain, Path.cwd())
    return config.read(path, _relative_to(path.parent, plain))


def _plain(flags: Flags) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "source": flags.source,
        "name": flags.name,
        "samples": str(flags.samples) if flags.samples else None,
        "budget": flags.budget,
        "precision": flags.precision,
        "inputs": dict(map(_input, flags.inputs)),
        "axes": dict(map(_axis, flags.axes)),
        "outputs": dict(map(_output, flags.outputs)),
    }
    return {key: value for key, value in plain.items() if value not in (None, {})}


def _relative_to(base: Path, plain: dict[str, Any]) -> dict[str, Any]:
    """Paths on the command line are relative to where the user stands, not to deploy.toml."""
    from deploy_targets.frontends.source import KINDS

    moved = dict(plain)
    if "samples" in moved:
        moved["samples"] = str(Path(moved["samples"]).absolute())
    if "source" in moved:
        path, colon, attribute = moved["source"].partition(":")
        if Path(path).suffix in (".py", *KINDS) or Path(path).is_dir():
            moved["source"] = f"{Path(path).absolute()}{colon}{attribute}"
    return moved


def _input(text: str) -> tuple[str, dict[str, Any]]:
    match = _INPUT.match(text)
    if not match:
        raise ConfigError(
            f"--input {text!r} is not of the form NAME=DTYPE[SIZES]",
            hint="write for example --input 'image=float32[batch,3,224,224]'",
        )
    dims = [dim.strip() for dim in match["shape"].split(",") if dim.strip()]
    shape = [int(dim) if dim.isdigit() else dim for dim in dims]
    return match["name"], {"dtype": match["dtype"], "shape": shape}


def _axis(text: str) -> tuple[str, list[int]]:
    match = _AXIS.match(text)
    if not match:
        raise ConfigError(
            f"--axis {text!r} is not of the form NAME=LEAST..LARGEST",
            hint="write for example --axis batch=1..8",
        )
    return match["name"], [int(match["low"]), int(match["high"])]


def _output(text: str) -> tuple[str, dict[str, str]]:
    name, colon, kind = text.partition(":")
    return name, {"kind": kind} if colon else {}


def check_owners(assignments: list[str], targets: list[str]) -> None:
    """Refuses an option that is of no target being built, or of none at all."""
    for assignment in assignments:
        key, equals, _ = assignment.partition("=")
        if not equals:
            raise ConfigError(
                f"--set {assignment!r} is not of the form OPTION=VALUE",
                hint="write for example --set arch=arm64",
            )
        owner, dot, _ = key.strip().rpartition(".")
        if dot and owner not in targets:
            raise ConfigError(
                f"--set {assignment!r}: {owner} is not being built",
                hint=f"being built: {', '.join(targets)}",
            )


def target_options(assignments: list[str], target: str) -> dict[str, Any]:
    """`--set arch=arm64` or `--set lambda.arch=arm64`: this target's share of them.

    Raises ConfigError for a value in brackets or quotes that is neither TOML nor JSON.
    """
    found: dict[str, Any] = {}
    for assignment in assignments:
        key, _, text = assignment.partition("=")
        owner, dot, option = key.strip().rpartition(".")
        if not dot or owner == target:
            found[option] = _value(option, text.strip())
    return found


def _value(option: str, text: str) -> Any:
    """As TOML has it, for deploy.toml says the same; else as JSON has it; else the text itself."""
    for read in (_toml, json.loads):
        with suppress(ValueError):
            return read(text)
    if text.startswith(("{", "[", '"', "'")):
        raise ConfigError(
            f"--set {option}: {text} is neither a TOML value nor JSON",
            hint="write it as in deploy.toml, and in quotes for the shell: "
            "--set 'sizes={ time = 16 }', --set 'batch_sizes=[1, 8]'",
        )
    return text


def _toml(text: str) -> Any:
    """Raises ValueError for what is no value, and for dates, which no option is: 2026-01-02."""
    import tomllib

    found = tomllib.loads(f"value = {text}")
    if set(found) != {"value"} or isinstance(found["value"], date | time):
        raise ValueError(text)
    return found["value"]
