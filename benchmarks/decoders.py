"""How far other decoders' pixels are from Pillow's, and what that does to an answer.

    .venv/bin/python benchmarks/decoders.py
    .venv/bin/python benchmarks/decoders.py --only Chromium

It takes Chromium and Java 17 from the machine, and the packages in decoding/requirements.txt from
the index (400 MB on disk, once, in an environment of their own). What is missing is "not run".
The last table needs what examples/efficientnet-lite0/README.md sets up. Two minutes on two cores.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

import numpy as np
from decoding import answers, away, readers
from decoding.files import PHOTOS, Named, all_files

COUNTED = "| decoder | files | samples that differ | by 1 | by 2 | by 3 or more | largest |"
ANSWERED = (
    "| pixels of the 20 photos | same best class | relative L2, median | largest "
    "| largest, in moves at random by a level |"
)
SEEDS = 3
"""Moves at random of each photo, whose mean is the unit of the last column."""
SHAPED = (
    "| decoder, on the 20 photos | mean | rms | red, green, blue differ | red with blue "
    "| with the right neighbour | rms once resized | squares at chroma edges |"
)
Kinds = dict[str, Named]
Decoded = dict[str, dict[str, np.ndarray]]
"""Decoder -> file -> pixels."""


def main() -> int:
    """Prints the tables. Returns the exit status: 1 where a decoder was not run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", help="decoders whose name contains this")
    only = parser.parse_args().only
    kinds = all_files()
    files = {name: data for several in kinds.values() for name, data in several.items()}
    base = readers.pillow(files)
    found, missing = decoded(files, only)
    show(versions(), "")
    counted(kinds, base, found)
    photos = {name: base[name] for name in kinds[PHOTOS]}
    shaped(photos, found)
    missing |= answered(photos, found)
    show("", *(f"not run: {name}: {why}" for name, why in missing.items()))
    return 1 if missing else 0


def decoded(files: Named, only: str) -> tuple[Decoded, dict[str, str]]:
    """What each decoder made of the files, and why others were not run."""
    found: Decoded = {}
    missing: dict[str, str] = {}
    for name, reader in readers.READERS.items():
        if only not in name:
            continue
        sys.stderr.write(f"{name}\n")
        try:
            found[name] = reader(files)
        except readers.NotRun as error:
            missing[name] = str(error)
    return found, missing


def counted(kinds: Kinds, base: dict[str, np.ndarray], found: Decoded) -> None:
    """One row per decoder and kind of file that differs; the others are told in one line."""
    alike: dict[str, list[str]] = {}
    unread: dict[str, list[str]] = {}
    show(COUNTED, "|---|---|---:|---:|---:|---:|---:|")
    for decoder, pixels in found.items():
        for kind, files in kinds.items():
            if not all(name in pixels for name in files):
                unread.setdefault(decoder, []).append(kind)
                continue
            count = away.count((base[name], pixels[name]) for name in files)
            if count.differ:
                parts = (count.differ, count.by_one, count.by_two, count.by_more)
                cells = " | ".join(share(part, count.samples) for part in parts)
                show(f"| {decoder} | {kind} | {cells} | {count.largest} |")
            else:
                alike.setdefault(decoder, []).append(kind)
    show("", "The same as Pillow in every sample:", "")
    show(*(f"- {decoder}: {'; '.join(several)}" for decoder, several in alike.items()))
    if unread:
        show("", "Cannot be read:", "")
        show(*(f"- {decoder}: {'; '.join(several)}" for decoder, several in unread.items()))


def shaped(photos: dict[str, np.ndarray], found: Decoded) -> None:
    """What the differences are like, beside a move of every sample at random."""
    show("", SHAPED, "|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, pixels in (*found.items(), *at_random(photos).items()):
        pairs = [(photos[one], pixels[one]) for one in photos if one in pixels]
        if not pairs or not away.count(pairs).differ:
            continue
        of = away.shape(pairs)
        colours = ", ".join(f"{one:.0%}" for one in of.channels)
        numbers = f"{of.together:.2f} | {of.beside:.2f} | {of.resized:.2f} | {of.edges:.0%}"
        show(f"| {name} | {of.bias:+.3f} | {of.rms:.2f} | {colours} | {numbers} |")


def answered(photos: dict[str, np.ndarray], found: Decoded) -> dict[str, str]:
    """What the pixels do to EfficientNet-Lite0's answers; says why where it cannot be asked."""
    try:
        classify = answers.classifier()
    except ImportError as error:
        return {"EfficientNet-Lite0": f"{error}; see examples/efficientnet-lite0/README.md"}
    base = [classify(pixels) for pixels in photos.values()]
    noise = [
        float(np.mean([answers.relative_l2(right, classify(one)) for one in moves(pixels)]))
        for right, pixels in zip(base, photos.values(), strict=True)
    ]
    show("", ANSWERED, "|---|---:|---:|---:|---:|")
    for name, pixels in (*found.items(), *at_random(photos).items()):
        if not all(one in pixels for one in photos):
            continue
        of = answers.change(base, [classify(pixels[one]) for one in photos], noise)
        away_by = f"{of.middle:.1e} | {of.largest:.1e} | {of.times:.1f}"
        show(f"| {name} | {of.same} of {of.photos} | {away_by} |")
    return {}


def at_random(photos: dict[str, np.ndarray]) -> Decoded:
    """Photos as a verdict moves them for a target that declares so many levels."""
    return {
        f"moved at random, levels = {levels}": {
            name: away.at_random(pixels, levels, seed)
            for seed, (name, pixels) in enumerate(photos.items())
        }
        for levels in (1, 2)
    }


def moves(pixels: np.ndarray) -> list[np.ndarray]:
    """One photo, moved by a level at random, several times; not as `at_random` moves it."""
    return [away.at_random(pixels, 1, 1000 + seed) for seed in range(SEEDS)]


def share(part: int, whole: int) -> str:
    """In percent, with 0 said only of none."""
    return "0" if not part else f"{part / whole:.2%}" if part / whole >= 5e-5 else "<0.01%"


def versions() -> str:
    """Of what is the base, and of what is taken from the machine."""
    import PIL
    from PIL import features

    base = f"Pillow {PIL.__version__} with libjpeg-turbo {features.version('libjpeg_turbo')}"
    return "; ".join([base, *readers.versions()])


def show(*lines: Iterable[str]) -> None:
    """To stdout, at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
