"""Which of several converters counts, where some are wrong in a lane that is not required."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from deploy_targets import pipeline, registry, turns
from deploy_targets.errors import (
    ConfigError,
    ConversionFailed,
    DeployError,
    ParityFailed,
    ToolMissing,
    UnsupportedModel,
)
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.pipeline import Job
from deploy_targets.records import Answer, Array, Built, Call, Dialect, Lane, Prepared
from deploy_targets.testing import zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

pytestmark = pytest.mark.usefixtures("first_target")

ELSEWHERE = "elsewhere"
MADE: dict[str, list[str]] = {}
"""What was really built, by the folder of the test."""


@dataclass(frozen=True)
class Wrongly:
    """ONNX Runtime, and then another answer."""

    inner: Any
    where: str = "ONNX Runtime, on another machine"
    notes: tuple[str, ...] = ()

    def run(self, call: Call) -> Answer:
        answer = self.inner.run(call)
        return replace(answer, outputs={name: _moved(a) for name, a in answer.outputs.items()})


def _moved(array: Array) -> Array:
    moved: Array = np.asarray(array + np.float32(1))
    return moved


@dataclass(frozen=True)
class Twofold:
    """`here` in both lanes; how it is elsewhere is in the converter's name."""

    inner: Any

    @contextmanager
    def open(self, bundle: Any, lane: str) -> Iterator[Any]:
        how = bundle.manifest.options["converter"]
        if lane == ELSEWHERE and how == "not-loaded":
            raise RuntimeError("this runtime does not know the operator")
        with self.inner.open(bundle, "cpu") as session:
            wrong = how == "wrong" or (lane == ELSEWHERE and how.startswith("wrong-elsewhere"))
            yield Wrongly(session) if wrong else session


Way = Literal[
    "right", "wrong", "wrong-elsewhere", "wrong-elsewhere-too", "not-loaded", "broken", "missing"
]


def build(tmp_path: Path, *converters: Way) -> pipeline.Outcome:
    """A bundle by the first of these converters that is right, in two lanes."""
    here: Any = type(registry.load("here"))

    class Converting(here):  # type: ignore[misc]
        converter: str = "auto"

        def converters(self, dialect: Dialect) -> Sequence[Any]:
            return tuple(self.model_copy(update={"converter": name}) for name in converters)

        def build(self, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
            MADE.setdefault(str(tmp_path), []).append(self.converter)
            if self.converter == "broken":
                raise ConversionFailed("it broke down", hint="take another")
            if self.converter == "missing":
                raise ToolMissing("flatbuffers is missing", hint="pip install flatbuffers")
            made: Built = super().build(prepared, folder, workspace)
            spare = Lane(ELSEWHERE, prepared.recipe.name, required=False)
            return replace(made, lanes=(*made.lanes, spare))

        def runner(self, workspace: Workspace) -> Any:
            with super().runner(workspace) as inner:
                return nullcontext(Twofold(inner))

    spec = SourceSpec(source=str(zoo.convnet(tmp_path / "convnet.onnx")), base=tmp_path)
    return pipeline.build(Job(spec, Converting(), tmp_path / "out"), Workspace(tmp_path / "kept"))


def made(tmp_path: Path) -> list[str]:
    return MADE[str(tmp_path)]


def test_one_that_is_wrong_elsewhere_gives_way_to_one_that_is_right_everywhere(
    tmp_path: Path,
) -> None:
    outcome = build(tmp_path, "wrong-elsewhere", "right")
    assert outcome.bundle.manifest.options["converter"] == "right"
    assert {row.verdict for row in outcome.report.rows} == {Verdict.PASS}
    (said,) = outcome.tried
    assert said.startswith("onnx by as given, wrong-elsewhere: elsewhere: ")
    notes = " ".join(outcome.bundle.manifest.notes)
    assert "wrong-elsewhere was tried before and is wrong in elsewhere" in notes


@pytest.mark.parametrize("other", ["wrong-elsewhere-too", "wrong", "not-loaded"])
def test_where_the_next_is_no_better_the_first_is_taken_and_nothing_more_is_tried(
    tmp_path: Path, other: Way
) -> None:
    outcome = build(tmp_path, "wrong-elsewhere", other, "right")
    assert outcome.bundle.manifest.options["converter"] == "wrong-elsewhere"
    assert outcome.verdict is Verdict.PASS, "the lane is not required"
    assert made(tmp_path) == ["wrong-elsewhere", other]
    assert f"{other}: no better, so the one before it is taken: " in outcome.tried[-1]


def test_a_converter_that_breaks_down_is_not_the_one_more_that_is_judged(tmp_path: Path) -> None:
    outcome = build(tmp_path, "wrong-elsewhere", "broken", "missing", "right")
    assert outcome.bundle.manifest.options["converter"] == "right"


def test_where_the_others_break_down_the_second_best_is_published(tmp_path: Path) -> None:
    outcome = build(tmp_path, "wrong-elsewhere", "broken", "missing")
    assert outcome.bundle.manifest.options["converter"] == "wrong-elsewhere"
    assert len(outcome.tried) == 3


@pytest.mark.parametrize("first", ["not-loaded", "wrong-elsewhere"])
def test_no_time_is_spent_where_another_converter_would_not_help(
    tmp_path: Path, first: Way
) -> None:
    others: list[Way] = ["right"] if first == "not-loaded" else []
    outcome = build(tmp_path, first, *others)
    assert outcome.bundle.manifest.options["converter"] == first
    assert made(tmp_path) == [first]
    assert outcome.tried == ()


def test_what_a_required_lane_refuses_is_never_second_best(tmp_path: Path) -> None:
    with pytest.raises(ParityFailed):
        build(tmp_path, "wrong", "wrong")


def test_the_hint_of_a_tool_that_is_missing_survives_what_the_others_say(tmp_path: Path) -> None:
    with pytest.raises(ConversionFailed) as caught:
        build(tmp_path, "missing", "broken")
    assert caught.value.hint == "pip install flatbuffers; or take another"


@pytest.mark.parametrize("first", ["wrong", "broken"])
def test_a_tool_that_is_missing_last_hides_nothing(tmp_path: Path, first: Way) -> None:
    with pytest.raises(DeployError) as caught:
        build(tmp_path, first, "missing")
    assert f"{first}: " in str(caught.value)
    assert "flatbuffers is missing" in str(caught.value)
    assert "pip install flatbuffers" in caught.value.hint


def refusing(tmp_path: Path, error: DeployError | None) -> tuple[DeployError, list[bool]]:
    """What a target says that refuses every way; and whether there was a graph by then."""
    here: Any = type(registry.load("here"))
    seen: list[bool] = []

    class Careful(here):  # type: ignore[misc]
        def check(self, prepared: Prepared) -> tuple[str, ...]:
            seen.append(prepared.graph.folder.is_dir())
            if error:
                raise error
            return ("y is complex64", "no size is said for time")

    spec = zoo.write(tmp_path / "project")
    job = Job(spec, Careful(), tmp_path / "out")
    with pytest.raises(DeployError) as caught:
        pipeline.build(job, Workspace(tmp_path / "kept"))
    return caught.value, seen


def test_what_shows_without_a_graph_is_said_once_and_nothing_is_captured(tmp_path: Path) -> None:
    error, seen = refusing(tmp_path, None)
    assert str(error).endswith("y is complex64; no size is said for time")
    assert str(error).count("complex64") == 1
    assert len(seen) > 1, "each way"
    assert not any(seen)


def test_what_is_the_same_in_several_ways_is_said_once_with_all_their_names() -> None:
    said = [
        ("onnx by dynamo", "too large"),
        ("exported", "no form"),
        ("onnx by legacy", "too large"),
    ]
    assert turns.told(said) == ("onnx by dynamo; onnx by legacy: too large", "exported: no form")
    assert turns.told([("", "over the budget")]) == ("over the budget",)


def test_an_option_that_is_wrong_ends_the_build_before_anything_is_captured(tmp_path: Path) -> None:
    error, seen = refusing(tmp_path, ConfigError("no axis 'tim'", hint="name another"))
    assert (str(error), seen) == ("no axis 'tim'", [False])


def test_a_target_that_looks_into_the_graph_is_asked_again_when_there_is_one(
    tmp_path: Path,
) -> None:
    here: Any = type(registry.load("here"))

    class Looking(here):  # type: ignore[misc]
        def check(self, prepared: Prepared) -> tuple[str, ...]:
            size = (prepared.graph.folder / "model.onnx").stat().st_size
            return (f"it has {size} bytes",)

    spec = SourceSpec(source=str(zoo.convnet(tmp_path / "convnet.onnx")), base=tmp_path)
    with pytest.raises(UnsupportedModel, match=r"it has \d+ bytes"):
        pipeline.build(Job(spec, Looking(), tmp_path / "out"), Workspace(tmp_path / "kept"))


def test_an_option_that_excludes_what_the_model_can_be_captured_as_is_named(
    tmp_path: Path,
) -> None:
    here: Any = type(registry.load("here"))

    class Picky(here):  # type: ignore[misc]
        converter: str = "auto"
        other: str = "auto"

        @property
        def dialects(self) -> tuple[Dialect, ...]:
            return (Dialect.ONNX,) if self.converter == "auto" else (Dialect.SAVED_MODEL,)

    spec = SourceSpec(source=str(zoo.convnet(tmp_path / "convnet.onnx")), base=tmp_path)
    target = Picky(converter="tensorflow", other="tensorflow")
    with pytest.raises(UnsupportedModel) as caught:
        pipeline.build(Job(spec, target, tmp_path / "out"), Workspace(tmp_path / "kept"))
    said = 'captured as onnx, and here with converter = "tensorflow" takes saved_model'
    assert str(caught.value).endswith(said)
    assert caught.value.hint.startswith("leave converter out")
