"""What the documentation says is there, and what is there is documented."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer

from deploy_targets import config, registry
from deploy_targets.cli import app

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language in a page."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def test_every_target_has_a_page_with_each_of_its_options() -> None:
    for name in registry.installed():
        if registry.installed()[name].value.startswith("deploy_targets."):
            page = (DOCS / f"{name}.md").read_text()
            for option in registry.target_class(name).model_fields:
                assert f"`{option}`" in page, f"docs/{name}.md says nothing of {option}"


def test_every_default_of_the_lambda_target_is_as_documented() -> None:
    page = (DOCS / "lambda.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| .* \| `?([\w.]+)`? \| .*\|$", page, re.MULTILINE)
    fields = registry.target_class("lambda").model_fields
    assert {name for name, _ in rows} == set(fields)
    for name, default in rows:
        assert str(fields[name].default) == default


def test_the_example_of_every_key_is_taken(tmp_path: Path) -> None:
    (block,) = blocks(DOCS / "config.md", "toml")
    settings = config.validate(tomllib.loads(block), tmp_path)
    documented = set(tomllib.loads(block))
    assert documented == {key for key in config.Settings.model_fields if key != "base"}
    registry.load("lambda", settings.targets["lambda"])


def test_the_readmes_deploy_toml_is_taken(tmp_path: Path) -> None:
    (block,) = blocks(ROOT / "README.md", "toml")
    settings = config.validate(tomllib.loads(block), tmp_path)
    registry.load("lambda", settings.targets["lambda"])


def test_the_readmes_python_names_what_there_is() -> None:
    import deploy_targets

    for block in blocks(ROOT / "README.md", "python"):
        for name in re.findall(r"deploy_targets\.(\w+)\(", block):
            assert name in deploy_targets.__all__


def test_every_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert len(commands) >= 7
    for name in commands:
        assert f"`{name}" in text


PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_that_a_page_shows_exists(page: Path) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    known = {
        name: {flag for option in command.params for flag in option.opts}
        for name, command in commands.items()
    }
    for name, rest in re.findall(rf"deploy-target ({'|'.join(known)})([^`#\n]*)", page.read_text()):
        shown = set(re.findall(r"(?<=\s)--?[a-z][\w-]*", rest))
        assert shown <= known[name], f"{page.name}: deploy-target {name}{rest}"
