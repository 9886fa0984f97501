"""Python of today in a syntax that Python 3.6 reads: what a JetPack 4 has.

In: source text. Out: the same text, but for annotations, which become strings (what 3.6 would
evaluate it need not understand), the import of `annotations`, which it does not know, and
`strict=` of zip. Nothing else is rewritten: a module that travels keeps to what 3.6 has, and a test
runs them all in one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple


class _Edit(NamedTuple):
    """Bytes of the source from `start` to `end`, and what takes their place."""

    start: int
    end: int
    text: bytes


def lowered(source: str) -> str:
    """The source for Python 3.6. Raises SyntaxError where it is no Python at all."""
    tree, body = ast.parse(source), source.encode()
    lines = [0]
    for line in body.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    for edit in sorted(_edits(tree, body, lines), reverse=True):
        body = body[: edit.start] + edit.text + body[edit.end :]
    return body.decode()


def _edits(tree: ast.AST, body: bytes, lines: list[int]) -> Iterator[_Edit]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            yield _Edit(*_span(node, lines), b"")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "zip":
            yield from (_without(word, body, lines) for word in node.keywords)
        for annotation in _annotations(node):
            if not isinstance(annotation, ast.Constant):
                start, end = _span(annotation, lines)
                yield _Edit(start, end, repr(" ".join(body[start:end].decode().split())).encode())


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
        yield node.annotation
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
        yield node.returns


def _without(word: ast.keyword, body: bytes, lines: list[int]) -> _Edit:
    """A keyword and the comma before it; of a call over several lines the comma behind stays."""
    start, end = _span(word, lines)
    return _Edit(body.rindex(b",", 0, start), end, b"")


def _span(node: ast.stmt | ast.expr | ast.keyword, lines: list[int]) -> tuple[int, int]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = lines[node.lineno - 1] + node.col_offset
    return start, lines[node.end_lineno - 1] + node.end_col_offset
