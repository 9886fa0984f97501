"""How a bundle comes to lie where the user asked: by a rename, whole or not at all.

The work is done in a hidden folder beside the destination, so that the rename stays on one
file system; it is gone afterwards, whatever happens.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy_targets import bundle as bundles
from deploy_targets.errors import BundleCorrupt, ConfigError
from deploy_targets.records import Bundle
from deploy_targets.verdicts import Verdict


def check_out(out: Path) -> None:
    """Refuses to replace anything that is not a bundle. Raises ConfigError."""
    for place in (out, refused_path(out)):
        if place.is_dir() and not any(place.iterdir()):
            continue
        if place.exists() and not (place / bundles.MANIFEST).is_file():
            raise ConfigError(
                f"{place} exists and is no bundle, so it will not be replaced",
                hint="choose another --out, or remove it yourself",
            )
    parent = next(parent for parent in out.absolute().parents if parent.exists())
    if not os.access(parent, os.W_OK):
        raise ConfigError(f"cannot write to {parent}", hint="choose another --out")


@contextmanager
def workshop(out: Path) -> Iterator[Path]:
    """A folder to build in, on the file system of `out`. Raises ConfigError."""
    # Named before it is made, so that an interruption at any moment finds something to remove.
    folder = out.parent / f".{out.name}.{uuid.uuid4().hex[:8]}"
    try:
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise ConfigError(
                f"cannot write beside {out}: {error.strerror}", hint="choose another --out"
            ) from error
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def move(bundle: Bundle, out: Path) -> Bundle:
    """Publishes a bundle that lies on the same file system as `out`."""
    aside = bundle.path.parent / "replaced"
    try:
        if out.exists():
            out.rename(aside)
        bundle.path.rename(out)
    except OSError as error:
        raise ConfigError(
            f"{out} cannot be replaced: {error.strerror}",
            hint="see that no other build writes there at the same time",
        ) from error
    finally:
        # Interrupted between the two: the older bundle goes back, for the workshop is cleared.
        if aside.exists() and not out.exists():
            aside.rename(out)
    shutil.rmtree(refused_path(out), ignore_errors=True)
    return dataclasses.replace(bundle, path=out)


def copy(bundle: Bundle, out: Path) -> Bundle:
    """Publishes a copy, or leaves what is there if it is the same, every byte of it."""
    if _is_there(bundle, out):
        return dataclasses.replace(bundle, path=out)
    with workshop(out) as shop:
        shutil.copytree(bundle.path, shop / "copy")
        return move(dataclasses.replace(bundle, path=shop / "copy"), out)


def keep_refused(bundle: Bundle, out: Path) -> Path:
    """Keeps a bundle that failed, sealed, beside where it would have been published."""
    kept = refused_path(out)
    shutil.rmtree(kept, ignore_errors=True)
    bundle.path.rename(kept)
    return kept


def refused_path(out: Path) -> Path:
    """Where a refused bundle is kept."""
    return out.with_name(f"{out.name}.refused")


def _is_there(bundle: Bundle, out: Path) -> bool:
    if not (out / bundles.MANIFEST).is_file() or not (out / bundles.PARITY).is_file():
        return False
    try:
        there = bundles.open_bundle(out)
    except BundleCorrupt:
        return False
    report = bundles.read_report(there)
    failed = report is None or any(row.verdict is Verdict.FAIL for row in report.rows)
    return bundles.digest(there) == bundles.digest(bundle) and not failed
