"""Holds the project to what its files say of each other: pins, pages, the wheel, the Makefile."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy_targets import errors

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def tracked() -> list[Path]:
    """Every file that is, or is about to be, part of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def error_classes(
    base: type[errors.DeployError] = errors.DeployError,
) -> Iterator[type[errors.DeployError]]:
    yield base
    for child in base.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from error_classes(child)


def test_every_error_is_documented_with_its_code() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", (ROOT / "docs/errors.md").read_text(), re.M)
    assert {name: int(code) for code, name in rows} == {
        cls.__name__: cls.exit_code for cls in error_classes()
    }


def pins() -> dict[str, str]:
    text = (ROOT / "constraints.txt").read_text()
    return {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.M)
    }


def named_requirements() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    found = [Requirement(line) for line in lines]
    return [one for one in found if canonicalize_name(one.name) != PROJECT["name"]]


@pytest.mark.parametrize("wanted", named_requirements(), ids=str)
def test_every_dependency_is_pinned_within_its_range(wanted: Requirement) -> None:
    version = pins().get(canonicalize_name(wanted.name))
    assert version, f"{wanted.name} is not in constraints.txt: run make constraints"
    assert version in wanted.specifier, f"{wanted} is pinned at {version}: run make constraints"


def test_no_pin_names_a_build_that_only_one_index_has() -> None:
    assert [version for version in pins().values() if "+" in version] == []


def test_every_package_of_the_example_is_pinned_by_a_hash() -> None:
    folder = ROOT / "examples/efficientnet-lite0"
    wanted = re.findall(r"^[\w.-]+==\S+", (folder / "requirements.in").read_text(), re.M)
    entries = re.split(r"\n(?=\w)", (folder / "requirements.txt").read_text())
    assert sorted(entry.split()[0] for entry in entries) == sorted(wanted)
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, unpacked somewhere else."""
    folder = tmp_path_factory.mktemp("wheel")
    # In the checkout itself nothing is written.
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [built] = folder.glob("*.whl")
    zipfile.ZipFile(built).extractall(folder / "unpacked")
    return folder / "unpacked"


def test_an_installed_wheel_finds_its_templates(wheel: Path) -> None:
    script = "from deploy_targets.resources import resource; print(resource('templates', 'lambda'))"
    found = subprocess.run(
        [sys.executable, "-c", script],
        cwd=wheel,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert Path(found).is_relative_to(wheel), f"taken from the checkout: {found}"
    shipped = {path.relative_to(found) for path in Path(found).rglob("*") if path.is_file()}
    home = ROOT / "templates/lambda"
    assert shipped == {path.relative_to(home) for path in tracked() if path.is_relative_to(home)}


def test_the_wheel_has_no_tests_and_says_its_licence(wheel: Path) -> None:
    tops = {path.name for path in wheel.iterdir()}
    assert tops == {"deploy_targets", f"deploy_targets-{PROJECT['version']}.dist-info"}
    [licence] = wheel.glob("*.dist-info/licenses/LICENSE")
    assert licence.read_bytes() == (ROOT / "LICENSE").read_bytes()


# Written so that this file does not match itself.
OF_ONE_MACHINE = re.compile(r"/work[/]|/root[/]|pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)")


def test_no_file_speaks_of_one_machine_or_of_a_registry_host() -> None:
    found = []
    for path in tracked():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(lines, 1)
            if OF_ONE_MACHINE.search(line)
        ]
    assert found == []


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md" and "templates" not in path.parts]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    docs = ROOT / "docs"
    linked = set(re.findall(r"\]\(([^)#\s]+\.md)\)", (docs / "index.md").read_text()))
    there = {str(path.relative_to(docs)) for path in docs.rglob("*.md")} - {"index.md"}
    assert there - linked == set()


def test_make_help_names_every_target_of_the_makefile() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)) - {"help"}
    assert targets == set(re.findall(r"^make (\w+)", said.stdout, re.M))


def test_setup_without_a_python_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", ROOT / "scripts/setup.sh"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no Python 3.11 or newer was found; install one" in done.stderr


def test_setup_refuses_a_chosen_python_that_is_too_old(tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", ROOT / "scripts/setup.sh"],
        env={**os.environ, "PYTHON": str(old)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"PYTHON={old} is not a Python 3.11 or newer" in done.stderr
