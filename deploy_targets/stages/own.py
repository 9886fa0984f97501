"""[[inputs.NAME.preprocess.own]]: a user's own step, and where it stands among the declared ones.

In: what deploy.toml says of it. Out: a Stage, either of "own", a Python function with a counterpart
in every target's own language, or of "module", a torch module that becomes a graph in all of them.
The user's code is loaded in `frontends/own.py`; a target takes the files of its counterparts from
`files`.
"""

from __future__ import annotations

import ast
import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from deploy_targets import registry
from deploy_targets.errors import UnsupportedModel
from deploy_targets.records import Stage, Staging, TensorSpec

FUNCTION, MODULE = "own", "module"
"""The operations: a function on the host, a module in a graph."""
KEYS = ("after", "python", "module")


class Own(BaseModel):
    """One step. Keys besides those below are targets: each names its counterpart there."""

    model_config = ConfigDict(frozen=True, extra="allow")

    after: Literal["decode", "end"] = "end"
    python: str | None = None
    module: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Own:
        if (self.python is None) == (self.module is None):
            raise ValueError(
                'expected one of python = "file.py:function" and module = "file.py:callable"'
            )
        if self.module is not None and self.after == "decode":
            raise ValueError(
                'a module runs on the model\'s tensor; drop after = "decode", or make it a '
                "python function"
            )
        for name in self.counterparts:
            self._check(name)
        return self

    def _check(self, name: str) -> None:
        known = registry.installed()
        if name not in known:
            near = difflib.get_close_matches(name, (*KEYS, *known), 1)
            guess = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise ValueError(
                f"{name!r} is neither a key of a step nor an installed target; {guess}"
            )
        if self.module is not None:
            raise ValueError(f"a module is the same in every target; drop {name}")
        source = self.counterparts[name]
        if not isinstance(source, str) or not all(source.rpartition(":")):
            raise ValueError(f'{name} = {source!r}: expected "file:function"')

    @property
    def counterparts(self) -> Mapping[str, str]:
        """Target -> "file:function"."""
        return self.model_extra or {}

    @property
    def source(self) -> str:
        """What the reference runs."""
        return self.python or self.module or ""

    def stage(self, of: str, port: TensorSpec, target: str, keeps: bool) -> Stage:
        """As a record for one target. `port` goes in and comes out; `keeps`: in the same size."""
        if self.module is not None:
            return Stage(of, MODULE, {"source": self.module})
        return Stage(
            of,
            FUNCTION,
            {
                "name": self.source.rpartition(":")[2],
                "python": self.source,
                "counterpart": self.counterparts.get(target),
                "dtype": port.dtype,
                "shape": list(port.shape),
                "keeps": keeps,
            },
        )


def woven(
    own: Sequence[Own],
    stages: Sequence[Stage],
    ports: Sequence[TensorSpec],
    tensor: TensorSpec,
    target: str,
    keeps: bool,
) -> tuple[tuple[Stage, ...], tuple[TensorSpec, ...]]:
    """The declared steps of an input with the user's among them, and the tensor before each.

    What a decoder gives may change its size where nothing `keeps` it.
    """
    decoded = ports[1] if len(ports) > 1 else tensor
    made = {
        after: [
            (step.stage(tensor.name, port, target, keeps), port)
            for step in own
            if step.after == after
        ]
        for after, port in (("decode", decoded), ("end", tensor))
    }
    pairs = list(zip(stages, ports, strict=True))
    every = [*pairs[:1], *made["decode"], *pairs[1:], *made["end"]]
    return tuple(stage for stage, _ in every), tuple(port for _, port in every)


def files(staging: Staging, has: frozenset[str] = frozenset()) -> dict[str, Path]:
    """The files of the counterparts, by the names under which a target's code looks for them.

    A target whose code is Python copies them into own_steps/ in its copy of host/, and says what
    it `has` to import besides the standard library. Raises UnsupportedModel where that is not all.
    """
    found: dict[str, Path] = {}
    for stage in functions(staging):
        path = staging.files[stage.options["counterpart"]]
        if found.setdefault(path.name, path) != path:
            raise UnsupportedModel(
                f"two files of own steps are called {path.name}: {found[path.name]} and {path}",
                hint="rename one: they lie beside each other in the artifact",
            )
        if path.suffix == ".py" and (foreign := sorted(_imports(path) - has)):
            raise UnsupportedModel(
                f"{path} imports {', '.join(foreign)}, which the artifact does not have",
                hint=f"keep {stage.options['counterpart'].rpartition(':')[2]} in a file of its own "
                f"that imports {', '.join(sorted(has)) or 'nothing'} alone",
            )
    return found


def _imports(path: Path) -> set[str]:
    """Top-level packages that a file imports, but the standard library's; "." is a neighbour."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes(), path.name)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." if node.level else (node.module or "").partition(".")[0])
    return found - sys.stdlib_module_names


def key(stage: Stage) -> str:
    """What tells a step from the same source elsewhere: on another tensor it is another step."""
    return json.dumps([stage.of, dict(stage.options)], sort_keys=True)


def functions(staging: Staging) -> list[Stage]:
    """The steps that are functions."""
    return [stage for stage in staging.stages if stage.op == FUNCTION]


def refuse_missing(staging: Staging, target: str = "") -> None:
    """Raises UnsupportedModel where a step has no counterpart: it is never left out."""
    for stage in functions(staging):
        if stage.options["counterpart"] is None:
            raise UnsupportedModel(
                f"[inputs.{stage.of}.preprocess]: the step {stage.options['python']!r} is a "
                f"Python function, and {target or 'this target'} has no counterpart of it",
                hint=f'add {target or "TARGET"} = "FILE:FUNCTION" to that step, or make it a '
                "torch module (module = ...), which every target runs",
            )


def captured(stages: Sequence[Stage], files: Mapping[str, Path]) -> tuple[Stage, ...]:
    """The steps as graphs/ takes them: a module with the file of its graph."""
    return tuple(
        replace(stage, options={"file": str(files[key(stage)])}) if stage.op == MODULE else stage
        for stage in stages
    )
