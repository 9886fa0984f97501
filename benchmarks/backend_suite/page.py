"""The tables as text and as docs/onnx-suite.md. In: tallies by target. Out: Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version

from .tally import OUTCOMES, Tally, floors
from .trial import VERIFIED, Result

HEAD = """# The ONNX backend suite

Written by `python benchmarks/onnx_suite.py --page docs/onnx-suite.md`; do not edit it.

The `onnx` package brings its own tests of runtimes: models with inputs and the outputs that the
standard asks for. Each of them is given to `deploy-target` as a user would give it, the model as a
file and the inputs as samples, and goes the whole way of a build: the artifact is made and runs in
the target's real runtime. There are three ends:

- **verified**: the build says PASS, and what the artifact answered is what the suite expects, by
  the suite's own tolerance for the case;
- **refused**: the build says why it cannot take the model, or that the answers cannot be trusted:
  where the reference itself (ONNX Runtime without optimisation) is further from the suite's answer
  than the suite allows, the case counts as refused, too;
- **wrong**: the build says PASS and the answers are not those of the suite. There must be none.

A case that could not be run here (*not run*) or that ended in a stack trace (*defect*) fails the
benchmark as well.

A *float case* is one in which all that goes in or out is a dense tensor of float16, float32 or
float64, or beside those of int32, int64 or bool (shapes, indices, masks), with at least one of the
first three. Targets have a floor for these in `benchmarks/backend_suite/floors.toml`.

"""


def page(found: Mapping[str, Tally], stale: int) -> str:
    """The whole page. `stale`: how many results an earlier program gave; the page says so."""
    packages = f"onnx {version('onnx')}, ONNX Runtime {version('onnxruntime')}"
    old = f" {stale} of the results are those of an earlier state of this program." if stale else ""
    return f"{HEAD}Measured with {packages}.{old}\n\n{tables(found)}"


def tables(found: Mapping[str, Tally]) -> str:
    """Everything that was counted, target by target."""
    return "\n".join(_target(name, tally) for name, tally in found.items())


def _target(name: str, tally: Tally) -> str:
    floor = floors().get(name)
    demanded = f"; the floor is {floor:g} %" if floor is not None else ""
    share = f"{tally.outcomes(tally.floats)[VERIFIED]} of {len(tally.floats)} float cases verified"
    operators = {key: value for key, value in tally.operators().items() if key[0] != "("}
    return "\n".join(
        [
            f"## {name}\n",
            f"{share}: {tally.float_share:.2f} %{demanded}.{_missing(tally)}\n",
            _counts("kind", {**tally.kinds(), "all": tally.results}),
            "### Why cases are refused\n",
            _reasons(tally),
            "### By operator\n",
            "The node cases, an operator's expansion into others included.\n",
            _counts("operator", operators),
        ]
    )


def _missing(tally: Tally) -> str:
    asked = len(tally.results) + tally.missing
    if not tally.missing:
        return ""
    return f" **{tally.missing} of {asked} cases have no result yet and are in no table.**"


def _counts(of: str, groups: Mapping[str, Iterable[Result]]) -> str:
    head = (of, "cases", *OUTCOMES)
    lines = [f"| {' | '.join(head)} |", "|---" + "|---:" * (len(head) - 1) + "|"]
    for name, group in groups.items():
        results = list(group)
        by = [sum(r.outcome == outcome for r in results) for outcome in OUTCOMES]
        lines.append(f"| {' | '.join(map(str, (name, len(results), *by)))} |")
    return "\n".join(lines) + "\n"


def _reasons(tally: Tally) -> str:
    lines = ["| reason | cases | float cases | for example |", "|---|---:|---:|---|"]
    for name, group in tally.reasons().items():
        floats = sum(result.is_float for result in group)
        example = group[0].id.partition("/")[2]
        lines.append(f"| {name} | {len(group)} | {floats} | {example} |")
    return "\n".join(lines) + "\n"
