"""The walls of the house: who may import whom, what costs nothing to import, and the public API."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import deploy_targets

PACKAGE = Path(deploy_targets.__file__).parent

FORBIDDEN = {
    "targets": (
        "pipeline",
        "choose",
        "registry",
        "parity",
        "frontends",
        "cli",
        "testing",
        "explaining",
    ),
    "parity": ("targets", "frontends", "pipeline", "cli", "integrations", "explaining"),
    "quantize": ("targets", "parity", "pipeline"),
    "frontends": ("targets", "parity", "pipeline", "registry", "cli", "explaining"),
    "integrations": ("targets", "parity", "frontends", "pipeline", "cli", "explaining"),
    "converters": ("targets", "parity", "pipeline", "cli", "explaining"),
    "graph": ("targets", "parity", "frontends", "pipeline", "cli", "explaining"),
    "stages": ("targets", "parity", "frontends", "pipeline", "choose", "cli", "explaining"),
    "phones": (
        "targets",
        "pipeline",
        "choose",
        "registry",
        "parity",
        "frontends",
        "cli",
        "testing",
        "explaining",
        "converters",
    ),
    "edge": (
        "pipeline",
        "choose",
        "registry",
        "parity",
        "frontends",
        "cli",
        "testing",
        "explaining",
        "converters",
        "targets.jetson",
        "targets.raspberrypi",
    ),
    "recognising": ("targets", "pipeline", "choose", "cli", "explaining"),
}
"""Room -> rooms that it must not know."""

PUBLIC = {"Outcome", "__version__", "answers", "build", "explain", "load", "verify"}

MAY_BE_LATE = ("torch", "onnxruntime", "tensorflow", "fastapi", "onnxscript")


def imports_of(file: Path) -> set[str]:
    """Every module that a file imports, at the top or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize(("room", "others"), FORBIDDEN.items())
def test_a_room_imports_only_those_it_may(room: str, others: tuple[str, ...]) -> None:
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert files
    for file in files:
        for other in others:
            forbidden = f"deploy_targets.{other}"
            crossed = [
                m for m in imports_of(file) if m == forbidden or m.startswith(f"{forbidden}.")
            ]
            assert not crossed, f"{file.relative_to(PACKAGE)} imports {crossed}"


def test_the_steps_that_travel_import_nothing_of_the_package() -> None:
    travels = {"numpy", "PIL", "soundfile", *sys.stdlib_module_names}
    for file in (PACKAGE / "stages" / "host").rglob("*.py"):
        roots = {module.partition(".")[0] for module in imports_of(file)}
        own = {path.stem for path in file.parent.glob("*.py")}
        assert roots <= travels | own, f"{file.name} imports {roots - travels - own}"


def test_the_core_names_no_target() -> None:
    names = {path.name for path in (PACKAGE / "targets").iterdir() if path.is_dir()}
    for file in PACKAGE.glob("*.py"):
        for name in names - {"__pycache__"}:
            assert f"targets.{name}" not in file.read_text(), file


def test_no_file_grows_past_reading() -> None:
    long = {
        str(file.relative_to(PACKAGE.parent)): count
        for root in (PACKAGE, PACKAGE.parent / "templates")
        for file in root.rglob("*.py")
        if (count := len(file.read_text().splitlines())) > 300
    }
    assert long == {}


def modules_after(statement: str) -> set[str]:
    """The modules loaded in a fresh interpreter after a statement."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_help_imports_no_framework_no_numpy_no_pydantic() -> None:
    loaded = modules_after("import deploy_targets.cli")
    heavy = {"numpy", "pydantic", "onnx", "rich.table", *MAY_BE_LATE}
    assert loaded & heavy == set()


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    loaded = {name for name in modules_after("import deploy_targets") if "deploy_targets" in name}
    assert loaded == {"deploy_targets"}


def test_the_public_names_are_there_and_no_others() -> None:
    assert set(deploy_targets.__all__) == PUBLIC
    for name in PUBLIC - {"__version__"}:
        assert getattr(deploy_targets, name).__doc__
    with pytest.raises(AttributeError):
        _ = deploy_targets.nothing_of_that_name
