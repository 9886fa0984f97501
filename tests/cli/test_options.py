"""What `--set OPTION=VALUE` hands to a target."""

from __future__ import annotations

import math
from typing import Any

import pytest

from deploy_targets.cli import options
from deploy_targets.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("arm64", "arm64"),
        ('"3.12"', "3.12"),
        ("'as it is: \\d'", "as it is: \\d"),
        ("9.5 kB", "9.5 kB"),
        ("a/b.txt # no comment", "a/b.txt # no comment"),
        ("", ""),
        ("2026-01-02", "2026-01-02"),
        ("16", 16),
        ("-1_000", -1000),
        ("1e5", 1e5),
        ("inf", math.inf),
        ("true", True),
        ("[1, 8]", [1, 8]),
        ('["a", "b"]', ["a", "b"]),
        ("{ time = 16 }", {"time": 16}),
        ("{time=16,mels=80}", {"time": 16, "mels": 80}),
        ('{"time": 16}', {"time": 16}),
        ("null", None),
        ("1\nother = 2", "1\nother = 2"),
    ],
)
def test_a_value_is_what_toml_or_else_json_makes_of_it(text: str, value: Any) -> None:
    found = options.target_options([f"it={text}"], "web")["it"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["{ time = 16", "[1, 8", '"arm64', "{ time: 16 }", "[a, b]"])
def test_brackets_and_quotes_that_are_no_value_are_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        options.target_options([f"sizes={text}"], "web")
    assert str(caught.value) == f"--set sizes: {text} is neither a TOML value nor JSON"
    assert "'sizes={ time = 16 }'" in caught.value.hint


def test_an_option_may_be_written_with_the_spaces_of_a_toml_file() -> None:
    written = ["sizes = { time = 16 }", "web.runtime = litert", "lambda.arch=arm64"]
    options.check_owners(written, ["web", "lambda"])
    assert options.target_options(written, "web") == {"sizes": {"time": 16}, "runtime": "litert"}
