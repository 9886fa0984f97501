from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import pytest

from deploy_targets.integrations import wheels
from deploy_targets.integrations.interpreters import Interpreter
from deploy_targets.targets.aws_lambda import dependencies, licences
from deploy_targets.targets.aws_lambda.dependencies import Tree


def package_of(folder: Path, name: str, about: str, files: dict[str, str]) -> None:
    info = folder / f"{name}-1.0.dist-info"
    texts = {f"{info.name}/METADATA": f"Name: {name}\nVersion: 1.0\n{about}\n", **files}
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in texts))


@pytest.fixture(scope="module")
def text(packages: Tree) -> str:
    return (packages.folder / licences.FILE_NAME).read_text(encoding="utf-8")


def test_every_package_of_a_function_is_there_with_version_and_licence(
    packages: Tree, text: str
) -> None:
    titles = [line for line in text.splitlines() if line.partition(":")[0].count(" ") == 1]
    for name, version in packages.packages.items():
        (title,) = [line for line in titles if line.startswith(f"{name} {version}: ")]
        assert not title.endswith("see below"), title


def test_every_package_of_a_function_brings_a_text(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    wheels.install(
        dependencies.lock_of("fastapi"),
        tmp_path,
        platform=dependencies.PLATFORMS["arm64"],
        python=interpreter.minor,
    )
    found = list(distributions(path=[str(tmp_path)]))
    assert len(found) > 10
    assert [package.name for package in found if not licences.texts_of(package)] == []


@pytest.mark.parametrize(
    "phrase",
    [
        "--- onnxruntime/ThirdPartyNotices.txt",
        "google/flatbuffers",
        "OpenBLAS",
        "GCC RUNTIME LIBRARY EXCEPTION",
        "Name: libquadmath",
        "--- compiled in, by pydantic_core",
        "regex-automata ",
    ],
)
def test_what_packages_have_compiled_into_them_is_there_too(text: str, phrase: str) -> None:
    assert phrase in text


def test_the_text_is_the_same_in_whatever_folder(tmp_path: Path) -> None:
    for folder in (tmp_path / "one", tmp_path / "deeper" / "two"):
        package_of(folder, "b", "License-Expression: MIT", {"b/LICENSE.txt": "be kind"})
        package_of(folder, "A", "License: BSD", {"A-1.0.dist-info/licenses/NOTICE": "hello"})
    one, two = (licences.collect(tmp_path / name) for name in ("one", "deeper/two"))
    assert one == two
    assert one.index("A 1.0: BSD") < one.index("hello") < one.index("b 1.0: MIT")


def test_a_licence_that_stands_in_its_field_in_full_is_named_by_its_class(tmp_path: Path) -> None:
    about = "License: Permission is\n granted\nClassifier: License :: OSI Approved :: MIT License"
    package_of(tmp_path, "a", about, {})
    assert "a 1.0: MIT License\n" in licences.collect(tmp_path)


def test_code_about_licences_is_not_taken_for_one(tmp_path: Path) -> None:
    package_of(tmp_path, "a", "", {"a/licenses.py": "x = 1", "a/license_of.pyc": ""})
    assert "licens" not in licences.collect(tmp_path).partition("a 1.0")[2]
