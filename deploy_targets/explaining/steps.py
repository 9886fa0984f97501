"""Which declared step an artifact does otherwise, where its model is right and its answers from
raw bytes are not.

In: the calls that failed. Out: an Explanation. The usual mistakes (stages/variants.py) are made on
purpose: the tensors that they lead to are asked of the artifact's own model, and the mistake whose
answers are those that the artifact gave is the one that was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deploy_targets import choose
from deploy_targets.binding import NotCovered, encode, in_model_terms
from deploy_targets.errors import DeployError, NotRun
from deploy_targets.explaining.question import Question
from deploy_targets.integrations import onnx_runtime
from deploy_targets.parity.compare import relative_l2
from deploy_targets.parity.finding import Explanation
from deploy_targets.parity.finding import Stage as Where
from deploy_targets.parity.verify import Recorded
from deploy_targets.records import TENSORS, Array, Bundle, Call, Case, Stage, Tensors
from deploy_targets.runtime import Session
from deploy_targets.stages import compose
from deploy_targets.stages.host import Refused, words
from deploy_targets.stages.own import FUNCTION
from deploy_targets.stages.variants import Variant, variants
from deploy_targets.workspace import Workspace, digest_of

CALLS = 4
"""How many of the failed calls a mistake must explain: a grey photo cannot tell BGR from RGB."""
SAME = 1e-3
"""Relative L2 up to which two answers count as the same, where the fault is larger than that."""
ALIKE = 3.0
"""Mistakes that explain the answers so much worse than the best are not named beside it."""

Ask = Callable[[Tensors], Tensors]
DECLARED = Variant("declared", "", "", ())


@dataclass(frozen=True)
class Failed:
    """One failed call: the raw bytes, what the artifact said; None where it refused them."""

    inputs: Tensors
    came: Tensors | None
    refusal: str = ""


def explain(
    asked: Sequence[Question], recorded: Recorded | None, workspace: Workspace
) -> Explanation:
    """Names the mistake that gives the artifact's answers, or says that none of the usual does."""
    first = asked[0]
    found = Explanation(str(first.bundle.path), Where.STEPS, "", first.lane, first.check.call.name)
    with _world(first, recorded, workspace) as (session, ask):
        failed = [_failed(question, session) for question in asked[:CALLS]]
        tried = _tried(first.bundle, failed, _once(ask))
    distances = {variant.name: far for variant, far in tried}
    best = [v for v, far in sorted(tried, key=lambda one: one[1]) if far <= SAME]
    if not best:
        return _unknown(found, len(tried), first.bundle, failed)
    least = max(distances[best[0].name], 1e-7)
    named = [v for v in best if distances[v.name] <= ALIKE * least]
    if any(variant is DECLARED for variant in named):
        return _as_declared(found, len(tried))
    said = " or ".join(dict.fromkeys(variant.said for variant in named))
    where = " or ".join(dict.fromkeys(variant.of for variant in named))
    return replace(
        found,
        said=f"{where}: the artifact {_does(failed)} as if {said}",
        steps=tuple(variant.name for variant in named),
        runs=len(tried),
    )


def _tried(bundle: Bundle, failed: Sequence[Failed], ask: Ask) -> list[tuple[Variant, float]]:
    """Each mistake and how far its answers are from those given, in the worst call."""
    stages = bundle.manifest.stages
    found = []
    for variant in (DECLARED, *variants(stages)):
        steps = stages if variant is DECLARED else variant.stages
        far = 0.0
        for one in failed:
            far = max(far, _apart(one.came, _answer(steps, one.inputs, ask)))
            if not far <= SAME:
                break
        found.append((variant, far))
    return found


def _answer(steps: Sequence[Stage], inputs: Tensors, ask: Ask) -> Tensors:
    """What the artifact's model leads to with these steps around it; empty where they fail, or
    come to what cannot be said in words: a class without a label."""
    before = [stage for stage in steps if stage.side == "before"]
    after = tuple(stage for stage in steps if stage.side == "after")
    tensors, frames = dict(inputs), compose.Frames()
    try:
        for name in dict.fromkeys(stage.of for stage in before):
            own = tuple(stage for stage in before if stage.of == name)
            frame = frames.setdefault(name, {})
            tensors[name] = compose.before(own, inputs[name].tobytes(), frame)
        answer = compose.after(after, ask(tensors), frames)
        words.say([compose.plain(stage) for stage in after], answer, {}, single=True)
    except (Refused, ValueError, IndexError, KeyError, TypeError):
        # With a step left out, what comes next may not fit.
        return {}
    return answer


def _apart(came: Tensors | None, answer: Tensors) -> float:
    if came is None:
        # The artifact answered nothing: so does who fails where it did.
        return float("inf") if answer else 0.0
    worst = 0.0
    for name, array in came.items():
        other = answer.get(name)
        if other is None or other.shape != array.shape:
            return float("inf")
        exact = array.dtype.kind in "iub"
        far = float((array != other).mean()) if exact and array.size else 0.0
        worst = max(worst, far if exact else relative_l2(array, other))
    return worst if np.isfinite(worst) else float("inf")


@contextmanager
def _world(
    first: Question, recorded: Recorded | None, workspace: Workspace
) -> Iterator[tuple[Session, Ask]]:
    """The session whose answers are explained, and the artifact's own model.

    Answers written elsewhere are explained by the artifact's graph, here.
    """
    with ExitStack() as stack:
        if recorded is None:
            runner = stack.enter_context(choose.world(first.target, workspace))
            session = stack.enter_context(runner.open(first.bundle, first.lane))
            yield session, lambda tensors: _ask(session, first.bundle, tensors)
        else:
            folder = stack.enter_context(workspace.scratch())
            graph = first.target.graph(first.bundle, folder)
            if graph is None:
                raise NotRun(
                    f"{first.bundle.path} holds no graph that can be run here",
                    hint="explain it on a machine that has its runtime, without --actual",
                )
            yield (
                stack.enter_context(recorded.open(first.bundle, first.lane)),
                lambda tensors: _run(graph, tensors),
            )


def _run(graph: Path, tensors: Tensors) -> Tensors:
    import onnx

    model = onnx.load(graph, load_external_data=False)
    return onnx_runtime.run(model, tensors, optimised=True, beside=graph.parent)


def _ask(session: Session, bundle: Bundle, tensors: Tensors) -> Tensors:
    """What the artifact answers to the model's own tensors, in one call."""
    manifest = bundle.manifest
    entries = {entry.name: entry for entry in manifest.entries}
    case = Case("explained", "", tensors, {})
    try:
        check, *_ = encode(manifest.signature, manifest.entries, case, TENSORS)
    except NotCovered:
        return {}
    answered = _answered(session, check.call)
    return in_model_terms(answered, entries[check.call.entry]) if isinstance(answered, dict) else {}


def _answered(session: Session, call: Call) -> dict[str, Array] | str:
    """What it answers; as a text, why it does not. Raises DeployError of what it cannot help."""
    try:
        return dict(session.run(call).outputs)
    except DeployError:
        raise
    except Exception as refused:
        # Every runtime has its own way to say that it does not take this.
        return f"{type(refused).__name__}: {refused}"


def _once(ask: Ask) -> Ask:
    """The same answer to the same tensors: a mistake behind the model asks it nothing new."""
    known: dict[str, Tensors] = {}

    def asked(tensors: Tensors) -> Tensors:
        key = digest_of(
            [[n, str(a.dtype), a.shape, a.tobytes().hex()] for n, a in sorted(tensors.items())]
        )
        if key not in known:
            known[key] = ask(tensors)
        return known[key]

    return asked


def _failed(question: Question, session: Session) -> Failed:
    answered = _answered(session, question.check.call)
    if isinstance(answered, str):
        return Failed(question.inputs, None, answered)
    return Failed(question.inputs, in_model_terms(answered, question.entry))


def _does(failed: Sequence[Failed]) -> str:
    return "refuses" if all(one.came is None for one in failed) else "answers"


def _unknown(
    found: Explanation, runs: int, bundle: Bundle, failed: Sequence[Failed]
) -> Explanation:
    own = [
        f"{stage.options['counterpart']} does as {stage.options['python']}"
        for stage in bundle.manifest.stages
        if stage.op == FUNCTION
    ]
    return replace(
        found,
        said="the artifact's model is right, and what stands before or after it is not: none of "
        "the usual mistakes explains its answers",
        runs=runs,
        untold=(
            *dict.fromkeys(f"why it said {one.refusal}" for one in failed if one.refusal),
            *(f"whether your own step {one}: the bundle has but one of them" for one in own),
            "which step: `deploy-target inspect BUNDLE` lists them, and where each runs",
        ),
    )


def _as_declared(found: Explanation, runs: int) -> Explanation:
    return replace(
        found,
        said="the artifact does what deploy.toml declares; it is the original's own preprocessing "
        "that does otherwise",
        runs=runs,
        untold=("what it does: compare `reference` with the declared steps",),
    )
