from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.targets.aws_lambda import native
from deploy_targets.targets.aws_lambda.dependencies import Tree

X86_64 = b"\x7fELF" + bytes(14) + b"\x3e\0"


def test_the_packages_can_be_loaded_by_lambda(packages: Tree) -> None:
    native.check_loadable(packages.folder, "x86_64", "3.13")


def test_the_packages_could_not_be_loaded_by_an_older_system(
    packages: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    amazon_linux_2 = {"GLIBC": (2, 26), "GLIBCXX": (3, 4, 24), "CXXABI": (1, 3, 11)}
    monkeypatch.setitem(native.RUNTIMES, "3.11", amazon_linux_2)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedModel, match=r"onnxruntime_pybind11_state.* needs GLIBC_2\.2"):
        native.check_loadable(packages.folder, "x86_64", "3.11")


def test_packages_for_another_processor_are_refused(packages: Tree) -> None:
    with pytest.raises(UnsupportedModel, match=r"providers_shared\.so is not for arm64"):
        native.check_loadable(packages.folder, "arm64", "3.13")


def test_the_newest_version_of_each_library_is_found() -> None:
    elf = X86_64 + b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBCXX_3.4.21\0GLIBC_2.99 is text\0"
    assert native.needed_versions(elf) == {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 21)}


def test_a_file_that_needs_a_newer_system_is_named(tmp_path: Path) -> None:
    (tmp_path / "new.so").write_bytes(X86_64 + b"\0GLIBC_2.35\0")
    with pytest.raises(UnsupportedModel, match=r"new\.so needs GLIBC_2\.35") as refused:
        native.check_loadable(tmp_path, "x86_64", "3.12")
    assert "manylinux_2_28" in refused.value.hint


@pytest.mark.parametrize(
    ("python", "why"), [("3.11", "Amazon Linux 2"), ("2.7", "no such runtime"), ("", "no such")]
)
def test_a_python_that_cannot_be_used_is_refused_with_those_that_can(python: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as refused:
        native.system_of(python)
    assert refused.value.hint.startswith('choose python = "3.14"')
