"""Python of today, as Python 3.6 reads it."""

from __future__ import annotations

import ast

from deploy_targets.edge.older_python import lowered

SOURCE = '''\
"""Says ümlaut."""

from __future__ import annotations

from typing import NamedTuple


class Pair(NamedTuple):
    """Two."""

    first: tuple[int, ...]
    second: "str" = ""


def joined(left: list[int], *rest: dict[str, int | None], far: int = 0) -> list[tuple[int, int]]:
    found: list[int] = [len("ü")]  # a comment stays
    pairs = zip(left, found, strict=True)
    return list(
        zip(
            left,
            left,
            strict=False,
        )
    )
'''


def test_annotations_become_strings_and_nothing_else_changes() -> None:
    made = lowered(SOURCE)
    assert "__future__" not in made
    assert "def joined(left: 'list[int]', *rest: 'dict[str, int | None]', far: 'int' = 0)" in made
    assert "-> 'list[tuple[int, int]]':" in made
    assert "found: 'list[int]' = [len(\"ü\")]  # a comment stays" in made
    assert 'second: "str" = ""' in made
    assert "pairs = zip(left, found)" in made
    assert "strict" not in made
    kept = [line for line in SOURCE.splitlines() if ":" not in line and "strict" not in line]
    assert [line for line in kept if line not in made and "__future__" not in line] == []


def test_what_was_lowered_answers_as_before() -> None:
    spaces: list[dict[str, object]] = []
    for text in (SOURCE, lowered(SOURCE)):
        space: dict[str, object] = {"__name__": "made"}
        exec(compile(ast.parse(text), "made", "exec"), space)
        spaces.append(space)
    before, after = (space["joined"]([5]) for space in spaces)  # type: ignore[operator]
    assert before == after == [(5, 5)]
