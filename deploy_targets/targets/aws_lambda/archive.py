"""The zip that Lambda takes: the same bytes for the same files, and never more than it accepts.

In come files by the path that they will have below /var/task, and perhaps a zip to start from; out
goes a zip whose bytes do not depend on folders, dates, users or order. (They do depend on the
version of zlib, so the last bit of sameness holds between machines of one kind.)
"""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy_targets.errors import OverBudget

UNZIPPED_LIMIT = 262_144_000
"""Bytes that a function may take when unpacked, layers included."""
DIRECT_UPLOAD_LIMIT = 52_428_800
"""Bytes of a zip that can be handed to Lambda itself; larger ones go through S3."""

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_SAMPLE = 1 << 20


@dataclass(frozen=True)
class Share:
    """What one package (or file) of a function takes, in bytes."""

    name: str
    unzipped: int
    zipped: int


def contents_of(folder: Path) -> dict[str, Path]:
    """All files below a folder, by their path in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in files}


def write_zip(contents: Mapping[str, Path], path: Path, *, onto: Path | None = None) -> None:
    """Writes the zip of `contents`; with `onto`, of what that zip holds and `contents`.

    What comes from `onto` is not compressed again. Raises OverBudget before anything is written
    where Lambda would refuse the function, and ValueError where both hold the same path.
    """
    given = measure(onto) if onto else ()
    _check_unzipped([*given, *(Share(n, p.stat().st_size, 0) for n, p in contents.items())])
    if onto:
        shutil.copyfile(onto, path)
    with zipfile.ZipFile(path, "a" if onto else "w") as archive:
        if both := set(contents).intersection(archive.namelist()):
            raise ValueError(f"already in {onto}: {', '.join(sorted(both))}")
        for name in sorted(contents):
            _add(archive, name, contents[name])


def measure(path: Path) -> tuple[Share, ...]:
    """What takes the room in a zip: by package or top-level file, the largest first."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    return _gathered(Share(info.filename, info.file_size, info.compress_size) for info in infos)


def notes(path: Path) -> tuple[str, ...]:
    """What whoever deploys the zip must know of its size."""
    size = path.stat().st_size
    if size <= DIRECT_UPLOAD_LIMIT:
        return ()
    return (
        f"{size / 1e6:.1f} MB zipped: no direct upload (limit {DIRECT_UPLOAD_LIMIT / 1e6:.1f} MB); "
        "it goes through S3",
    )


def table(shares: Iterable[Share], rows: int = 10) -> str:
    """The largest shares, a line each, and their sum."""
    shares = tuple(shares)
    rest = shares[rows:]
    shown = [*shares[:rows], *([_sum(f"{len(rest)} others", rest)] if rest else [])]
    lines = [("unzipped", "zipped", ""), *map(_cells, [*shown, _sum("in all", shares)])]
    return "\n".join(f"{unzipped:>10} {zipped:>10}  {name}" for unzipped, zipped, name in lines)


def _check_unzipped(shares: Iterable[Share]) -> None:
    gathered = _gathered(shares)
    total = _sum("in all", gathered).unzipped
    if total > UNZIPPED_LIMIT:
        largest = gathered[0]
        raise OverBudget(
            f"the function takes {total:,} bytes unzipped and Lambda allows {UNZIPPED_LIMIT:,}:\n"
            + table(gathered),
            hint=f"{largest.name} takes the most, {largest.unzipped / 1e6:.1f} MB; a smaller model "
            'or recipe helps, and flavor = "lean" takes 9 MB less than "fastapi"',
        )


def _gathered(shares: Iterable[Share]) -> tuple[Share, ...]:
    unzipped: Counter[str] = Counter()
    zipped: Counter[str] = Counter()
    for share in shares:
        unzipped[_owner(share.name)] += share.unzipped
        zipped[_owner(share.name)] += share.zipped
    # Names settle ties, so that the table is the same every time.
    order = sorted(unzipped, key=lambda name: (-unzipped[name], name))
    return tuple(Share(name, unzipped[name], zipped[name]) for name in order)


def _owner(path: str) -> str:
    """numpy for numpy/…, numpy.libs/… and numpy-2.4.6.dist-info/…; a file for itself."""
    top, _, below = path.partition("/")
    return re.split(r"[.-]", top, maxsplit=1)[0] if below else top


def _sum(name: str, shares: Iterable[Share]) -> Share:
    shares = tuple(shares)
    return Share(name, sum(s.unzipped for s in shares), sum(s.zipped for s in shares))


def _cells(share: Share) -> tuple[str, str, str]:
    zipped = f"{share.zipped / 1e6:.1f} MB" if share.zipped else "-"
    return f"{share.unzipped / 1e6:.1f} MB", zipped, share.name


def _add(archive: zipfile.ZipFile, name: str, file: Path) -> None:
    info = zipfile.ZipInfo(name, date_time=_LONG_AGO)
    info.create_system = _UNIX
    # Another user than the one who unpacks it reads it.
    info.external_attr = (0o100755 if ".so" in file.suffixes else 0o100644) << 16
    # At zlib's default level; the highest makes the packages 0.6 % smaller in twice the time.
    info.compress_type = zipfile.ZIP_DEFLATED if _shrinks(file) else zipfile.ZIP_STORED
    info.file_size = file.stat().st_size
    with file.open("rb") as source, archive.open(info, "w") as target:
        shutil.copyfileobj(source, target, _SAMPLE)


def _shrinks(file: Path) -> bool:
    """Whether compressing is worth it, from a sample out of the middle."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        opened.seek(max(0, (size - _SAMPLE) // 2))
        sample = opened.read(_SAMPLE)
    return len(zlib.compress(sample)) < 0.99 * len(sample)
