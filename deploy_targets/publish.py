"""How a bundle comes to lie where the user asked: by a rename, whole or not at all.

The work is done in a hidden folder beside the destination, so that the rename stays on one
file system; it is gone afterwards, whatever happens.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy_targets import bundle as bundles
from deploy_targets.errors import BundleCorrupt, ConfigError
from deploy_targets.records import Bundle


def check_out(out: Path) -> None:
    """Refuses to replace anything that is not a bundle. Raises ConfigError."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() and not (out / bundles.MANIFEST).is_file():
        raise ConfigError(
            f"{out} exists and is no bundle, so it will not be replaced",
            hint="choose another --out, or remove it yourself",
        )


@contextmanager
def workshop(out: Path) -> Iterator[Path]:
    """A folder to build in, on the file system of `out`. Raises ConfigError."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise ConfigError(
            f"cannot write beside {out}: {error.strerror}", hint="choose another --out"
        ) from error
    # mkdtemp makes it private; what is renamed out of it keeps its own mode.
    try:
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
    return (
        bundles.digest(there) == bundles.digest(bundle) and bundles.read_report(there) is not None
    )
