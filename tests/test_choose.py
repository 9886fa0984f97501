"""Several concrete targets behind one "auto": built, measured, and the best of them kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy_targets import pipeline, registry
from deploy_targets.errors import ConversionFailed, ToolMissing, UnsupportedModel
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.pipeline import Job
from deploy_targets.records import Built, Dialect
from deploy_targets.testing import zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

pytestmark = pytest.mark.usefixtures("first_target")


def built(tmp_path: Path, threads: Sequence[int]) -> pipeline.Outcome:
    """Here with so many threads each: 2 lacks a tool, 3 takes no ONNX."""
    here: Any = type(registry.load("here"))

    class Several(here):  # type: ignore[misc]
        def choices(self) -> Sequence[Any]:
            return tuple(self.model_copy(update={"threads": n}) for n in threads)

        @property
        def dialects(self) -> tuple[Dialect, ...]:
            return (Dialect.SAVED_MODEL,) if self.threads == 3 else (Dialect.ONNX,)

        def build(self, *arguments: Any) -> Built:
            if self.threads == 2:
                raise ToolMissing("no second thread", hint="buy one")
            made: Built = super().build(*arguments)
            return made

    spec = SourceSpec(source=str(zoo.convnet(tmp_path / "convnet.onnx")), base=tmp_path)
    job = Job(spec, Several(), tmp_path / "out")
    return pipeline.build(job, Workspace(tmp_path / "workspace"))


def test_the_choices_are_compared_and_one_that_passes_is_kept(tmp_path: Path) -> None:
    outcome = built(tmp_path, (1, 2, 3, 4))
    one, two, three, four = outcome.compared
    assert outcome.verdict is Verdict.PASS
    assert [c.options["threads"] for c in outcome.compared] == [1, 2, 3, 4]
    assert [c.chosen for c in outcome.compared].count(True) == 1
    fastest = min((one, four), key=lambda c: c.seconds or 0)
    assert fastest.chosen
    assert outcome.bundle.manifest.options["threads"] == fastest.options["threads"]
    assert (two.verdict, two.said) == (None, "no second thread")
    assert (three.verdict, three.said) == (None, "the model cannot be captured as saved_model")
    assert one.size == four.size > 0


def test_a_single_choice_says_what_it_lacks_itself(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="no second thread"):
        built(tmp_path, (2,))


def test_where_no_choice_can_be_captured_it_says_what_they_take(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="captured as onnx, and here takes saved_model"):
        built(tmp_path, (3, 3))


def test_one_choice_is_compared_with_nothing(tmp_path: Path) -> None:
    assert built(tmp_path, (1,)).compared == ()


def by_converters(tmp_path: Path, threads: Sequence[int]) -> pipeline.Outcome:
    """Here with a converter for each number: 2 is not installed, 3 breaks down."""
    here: Any = type(registry.load("here"))

    class Converting(here):  # type: ignore[misc]
        def converters(self, dialect: Dialect) -> Sequence[Any]:
            return tuple(self.model_copy(update={"threads": n}) for n in threads)

        def build(self, *arguments: Any) -> Built:
            if self.threads == 2:
                raise ToolMissing("no second converter", hint="install one")
            if self.threads == 3:
                raise ConversionFailed("it broke down", hint="take another")
            made: Built = super().build(*arguments)
            return made

    spec = SourceSpec(source=str(zoo.convnet(tmp_path / "convnet.onnx")), base=tmp_path)
    job = Job(spec, Converting(), tmp_path / "out")
    return pipeline.build(job, Workspace(tmp_path / "workspace"))


def test_the_next_converter_is_tried_where_one_is_missing_or_fails(tmp_path: Path) -> None:
    outcome = by_converters(tmp_path, (2, 3, 4, 1))
    assert outcome.verdict is Verdict.PASS
    assert outcome.bundle.manifest.options["threads"] == 4, "the first that works"
    assert outcome.tried == (
        "onnx by as given, 2: no second converter",
        "onnx by as given, 3: it broke down",
    )
    assert outcome.compared == (), "they are tried in turn, not compared"


def test_where_no_converter_is_installed_the_user_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="no second converter"):
        by_converters(tmp_path, (2,))
