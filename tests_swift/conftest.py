"""These need a Swift compiler: the first fetches Debian's, 444 MB, and unpacks it (2.4 GB)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from deploy_targets.integrations import swift
from deploy_targets.workspace import Workspace

PACKAGE = Path(__file__).parents[1] / "mobile" / "ios"

Answers = Callable[[Sequence[str]], None]


@pytest.fixture(scope="session")
def compiler() -> swift.Swift:
    return swift.find(Workspace())


@pytest.fixture(scope="session")
def job(compiler: swift.Swift, tmp_path_factory: pytest.TempPathFactory) -> swift.Job:
    """The Swift package, built with its tests; its warnings are errors."""
    built = swift.Job(PACKAGE, tmp_path_factory.mktemp("swift"))
    compiler.run(swift.build("-Xswiftc", "-warnings-as-errors"), built)
    return built


@pytest.fixture
def answers(compiler: swift.Swift, job: swift.Job) -> Answers:
    """Asks the package's own program, whose files lie in the folder of what is built."""

    def ask(arguments: Sequence[str]) -> None:
        compiler.run([f"{swift.BUILD}/debug/Answers", *arguments], job)

    return ask
