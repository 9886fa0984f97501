from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets.integrations import wheels
from deploy_targets.integrations.interpreters import Interpreter
from deploy_targets.targets.aws_lambda import dependencies, strip
from deploy_targets.targets.aws_lambda.dependencies import Tree


@pytest.fixture(scope="module")
def whole(interpreter: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of a flavor and of all media, as their wheels have them."""
    folder = tmp_path_factory.mktemp("whole")
    flavor = dependencies.lock_of("fastapi")
    media = sorted((flavor.parent / "media").glob("*.txt"))
    assert [lock.stem for lock in media] == ["audio", "image"]
    for lock in (flavor, *media):
        wheels.install(
            lock,
            folder,
            platform=dependencies.PLATFORMS["x86_64"],
            python=interpreter.minor,
        )
    return folder


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_every_rule_still_finds_something(whole: Path) -> None:
    patterns = [pattern for rule in strip.RULES for pattern in rule.paths]
    assert [pattern for pattern in patterns if not strip.found_by(pattern, whole)] == []


def test_more_than_a_third_is_taken_out(whole: Path, packages: Tree) -> None:
    assert size(packages.folder) < 0.66 * size(whole)


def test_what_the_rules_find_is_gone_and_the_rest_is_untouched(tmp_path: Path) -> None:
    kept = ("numpy/__init__.py", "numpy-2.0.dist-info/METADATA", "a/tests.py")
    gone = ("numpy/random/mtrand.so", "a/tests/test_a.py", "a/b/c.pyi", "a/tests/tests/x.py")
    for name in (*kept, *gone):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    strip.strip(tmp_path)
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {tmp_path / name for name in kept}
    assert all(path.read_text() == path.relative_to(tmp_path).as_posix() for path in left)


def test_every_rule_says_why() -> None:
    assert all(len(rule.why) > 20 and rule.paths for rule in strip.RULES)
