from __future__ import annotations

import os
import random
import zipfile
from pathlib import Path

import pytest

from deploy_targets.errors import OverBudget
from deploy_targets.targets.aws_lambda import archive
from deploy_targets.targets.aws_lambda.archive import Share


def folder_of(parent: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        (parent / name).parent.mkdir(parents=True, exist_ok=True)
        (parent / name).write_bytes(name.encode() * 500)
    return parent


def sparse(path: Path, size: int) -> Path:
    """A file of that size that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)
    return path


def test_the_same_files_give_the_same_bytes_whatever_folder_order_date_and_mode(
    tmp_path: Path,
) -> None:
    names = ("b/c.py", "a.py", "b/a.so")
    one = folder_of(tmp_path / "one", names)
    two = folder_of(tmp_path / "deeper" / "two", names[::-1])
    for path in (path for path in two.rglob("*") if path.is_file()):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    archive.write_zip(archive.contents_of(one), tmp_path / "1.zip")
    archive.write_zip(dict(reversed(archive.contents_of(two).items())), tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_another_byte_in_a_file_gives_other_bytes(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f", ("a.py",))
    archive.write_zip(archive.contents_of(folder), tmp_path / "1.zip")
    (folder / "a.py").write_bytes(b"b" + (folder / "a.py").read_bytes()[1:])
    archive.write_zip(archive.contents_of(folder), tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() != (tmp_path / "2.zip").read_bytes()


def test_whoever_unpacks_it_others_can_read_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f", ("a.py", "b.so", "libc.so.1"))
    folder.joinpath("a.py").chmod(0o600)
    archive.write_zip(archive.contents_of(folder), tmp_path / "f.zip")
    with zipfile.ZipFile(tmp_path / "f.zip") as opened:
        modes = [info.external_attr >> 16 for info in opened.infolist()]
    assert modes == [0o100644, 0o100755, 0o100755]


def test_a_zip_to_start_from_is_taken_over_as_it_is(tmp_path: Path) -> None:
    packages = folder_of(tmp_path / "p", ("numpy/a.py", "z.py"))
    archive.write_zip(archive.contents_of(packages), tmp_path / "packages.zip")
    before = (tmp_path / "packages.zip").read_bytes()
    app = archive.contents_of(folder_of(tmp_path / "app", ("model.onnx", "app.py")))
    archive.write_zip(app, tmp_path / "1.zip", onto=tmp_path / "packages.zip")
    archive.write_zip(app, tmp_path / "2.zip", onto=tmp_path / "packages.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert (tmp_path / "packages.zip").read_bytes() == before
    with zipfile.ZipFile(tmp_path / "1.zip") as opened:
        assert opened.testzip() is None
        assert opened.namelist() == ["numpy/a.py", "z.py", "app.py", "model.onnx"]
        assert opened.read("model.onnx") == b"model.onnx" * 500


def test_a_path_that_the_packages_have_too_is_refused(tmp_path: Path) -> None:
    contents = archive.contents_of(folder_of(tmp_path / "p", ("numpy/a.py",)))
    archive.write_zip(contents, tmp_path / "packages.zip")
    with pytest.raises(ValueError, match=r"numpy/a\.py"):
        archive.write_zip(contents, tmp_path / "1.zip", onto=tmp_path / "packages.zip")


def test_a_file_that_compressing_does_not_shrink_is_stored(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(random.Random(0).randbytes(3_000_000))
    (tmp_path / "zeros").write_bytes(bytes(3_000_000))
    contents = {name: tmp_path / name for name in ("weights", "zeros")}
    archive.write_zip(contents, tmp_path / "f.zip")
    with zipfile.ZipFile(tmp_path / "f.zip") as opened:
        how = {info.filename: info.compress_type for info in opened.infolist()}
    assert how == {"weights": zipfile.ZIP_STORED, "zeros": zipfile.ZIP_DEFLATED}


def test_a_function_larger_than_lambda_allows_is_refused_with_what_takes_the_room(
    tmp_path: Path,
) -> None:
    packages = folder_of(tmp_path / "p", ("numpy/a.py", "numpy.libs/b.so"))
    archive.write_zip(archive.contents_of(packages), tmp_path / "packages.zip")
    model = {"model.onnx": sparse(tmp_path / "model", archive.UNZIPPED_LIMIT)}
    with pytest.raises(OverBudget, match="262,144,000") as refused:
        archive.write_zip(model, tmp_path / "f.zip", onto=tmp_path / "packages.zip")
    lines = str(refused.value).splitlines()
    assert [line.split()[-1] for line in lines[2:]] == ["model.onnx", "numpy", "all"]
    assert refused.value.hint.startswith("model.onnx takes the most, 262.1 MB")
    assert not (tmp_path / "f.zip").exists()


def test_a_function_of_just_the_size_that_lambda_allows_is_taken(tmp_path: Path) -> None:
    model = {"model.onnx": sparse(tmp_path / "model", archive.UNZIPPED_LIMIT)}
    archive.write_zip(model, tmp_path / "f.zip")
    assert archive.measure(tmp_path / "f.zip")[0].unzipped == archive.UNZIPPED_LIMIT


def test_what_takes_the_room_is_gathered_by_package(tmp_path: Path) -> None:
    names = ("numpy/a.py", "numpy.libs/b.so", "numpy-2.0.dist-info/METADATA", "app.py")
    archive.write_zip(archive.contents_of(folder_of(tmp_path / "p", names)), tmp_path / "f.zip")
    numpy, app = archive.measure(tmp_path / "f.zip")
    assert (numpy.name, numpy.unzipped) == ("numpy", 500 * sum(map(len, names[:3])))
    assert app.name == "app.py"
    assert 0 < app.zipped < app.unzipped


def test_the_table_ends_with_the_sum_of_all() -> None:
    shares = [Share(name, 2_000_000, 1_000_000) for name in "abcd"]
    assert archive.table(shares, rows=3).splitlines()[1:] == [
        "    2.0 MB     1.0 MB  a",
        "    2.0 MB     1.0 MB  b",
        "    2.0 MB     1.0 MB  c",
        "    2.0 MB     1.0 MB  1 others",
        "    8.0 MB     4.0 MB  in all",
    ]


def test_a_zip_too_large_for_a_direct_upload_is_said_to_be(tmp_path: Path) -> None:
    assert archive.notes(sparse(tmp_path / "a", archive.DIRECT_UPLOAD_LIMIT)) == ()
    (note,) = archive.notes(sparse(tmp_path / "b", archive.DIRECT_UPLOAD_LIMIT + 1))
    assert "no direct upload" in note
    assert "S3" in note
