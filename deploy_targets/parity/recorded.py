"""Answers that were written elsewhere. In: a safetensors file. Out: a runner that replays it.

The same code then judges them as judges any runtime. What cannot be of this bundle is refused
here, before anything is written; what is of it and wrong fails. Answers that no other runtime
could give are the expected ones, copied: they prove nothing, and count as not run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from deploy_targets import bundle as bundles
from deploy_targets.errors import BundleCorrupt, ConfigError
from deploy_targets.parity.compare import rounding
from deploy_targets.parity.verify import Recorded, check_lanes
from deploy_targets.records import Answer, Array, Bundle, Check

NEEDED = ("manifest", "lane", "runtime", "device")
"""What the metadata of a recording must say."""

IDENTICAL = "identical"
"""Metadata in which a recording may say why it is right to be bit-identical to golden."""

COPIED = "bit-identical to golden in every element: were the expected answers copied?"

ENOUGH, ULPS = 64, 4
"""So many elements, each of which strays in the original itself by more than so many units in the
last place, are not all equal by chance: docs/parity.md says how that was measured."""


def recording(actual: Path, bundle: Bundle) -> Recorded:
    """A runner that replays a file of answers. Raises ConfigError where it is of other bytes."""
    tensors, said = _read(actual)
    digest = bundles.digest(bundle)
    if said.get("manifest") != digest:
        raise ConfigError(
            f"--actual {actual} was not written for this bundle",
            hint=f"its metadata must say manifest = {digest}",
        )
    if missing := [name for name in NEEDED if not said.get(name)]:
        raise ConfigError(
            f"--actual {actual} does not say its {missing[0]}",
            hint=f"its metadata must hold {', '.join(NEEDED[:-1])} and {NEEDED[-1]}",
        )
    check_lanes(bundle, [said["lane"]])
    checks = list(bundles.read_golden(bundle))
    if not checks:
        raise ConfigError(
            f"no question travels in {bundle.path}, so answers to them prove nothing",
            hint='build it with golden = "synthetic", or "samples"',
        )
    answers = by_call(actual, tensors, checks)
    where = f"{said['runtime']} on {said['device']} (recorded)"
    if not _copied(checks, answers) or _same_framework(bundle.manifest.capture, said["runtime"]):
        return Recorded(where, said["lane"], answers)
    if why := said.get(IDENTICAL):
        note = f"bit-identical to golden in every element; the recording says why: {why}"
        return Recorded(where, said["lane"], answers, (note,))
    doubt = COPIED if _telling(checks) >= ENOUGH else ""
    return Recorded(where, said["lane"], answers, (COPIED,), doubt)


def _read(actual: Path) -> tuple[Mapping[str, Array], Mapping[str, str]]:
    from safetensors import safe_open

    try:
        tensors = bundles.read_tensors(actual)
        with safe_open(actual, "numpy") as file:
            return tensors, file.metadata() or {}
    except (BundleCorrupt, OSError) as error:
        raise ConfigError(
            f"--actual {actual}: {error}", hint="write it with safetensors"
        ) from error


def by_call(
    actual: Path, tensors: Mapping[str, Array], checks: Sequence[Check]
) -> dict[str, Answer]:
    """ENTRY/CALL -> answer. Outputs that the artifact does not have stay: the judge names them.

    A tensor is called CALL/OUTPUT; where both lines of a verdict have the call and the output, it
    belongs to both, unless it is called GOLDEN/CALL/OUTPUT.
    """
    found: dict[str, dict[str, Array]] = {}
    # Plain names first, so that the longer ones replace them.
    for key, array in sorted(tensors.items(), key=lambda item: _is_long(item[0], checks)):
        asked, output = _asked(key, checks)
        if not asked:
            names = sorted({check.call.name for check in checks})
            raise ConfigError(
                f"--actual {actual} holds {key!r}, which is an answer to no call of this bundle",
                hint=f"name it CALL/OUTPUT; there are {len(names)} calls, such as {names[0]!r}",
            )
        for check in asked:
            found.setdefault(_key(check), {})[output] = array
    if not found:
        raise ConfigError(
            f"--actual {actual} holds no answers",
            hint=f"write one tensor per call and output: {checks[0].call.name}/OUTPUT",
        )
    return {call: Answer(outputs) for call, outputs in found.items()}


def _key(check: Check) -> str:
    return f"{check.call.entry}/{check.call.name}"


def _is_long(key: str, checks: Sequence[Check]) -> bool:
    return any(key.startswith(_heads(check)[0]) for check in checks)


def _asked(key: str, checks: Sequence[Check]) -> tuple[list[Check], str]:
    """Which questions a tensor answers, and the output's name."""
    heads = {head for check in checks for head in _heads(check) if key.startswith(head)}
    if not heads:
        return [], key
    # Outputs may have slashes in their names, and so may calls: the longest that fits.
    longest = max(heads, key=len)
    output = key.removeprefix(longest)
    asked = [check for check in checks if longest in _heads(check)]
    return [check for check in asked if output in check.expected] or asked, output


def _heads(check: Check) -> tuple[str, str]:
    return f"{check.golden}/{check.call.name}/", f"{check.call.name}/"


def _copied(checks: Sequence[Check], answers: Mapping[str, Answer]) -> bool:
    """Whether every float that golden expects was recorded, bit for bit; false if it has none."""
    pairs = [
        (want, answers[_key(check)].outputs.get(name) if _key(check) in answers else None)
        for check in checks
        for name, want in check.expected.items()
        if want.dtype.kind in "fV" and want.size
    ]
    return bool(pairs) and all(got is not None and _same_bits(w, got) for w, got in pairs)


def _same_bits(want: Array, got: Array) -> bool:
    same = want.dtype == got.dtype and want.shape == got.shape
    return bool(same and want.tobytes() == got.tobytes())


def _telling(checks: Sequence[Check]) -> int:
    """Elements in which an honest runtime would hardly hit the original's very bits."""
    return sum(
        _rounded(want, check.noise[name])
        for check in checks
        for name, want in check.expected.items()
        if name in check.noise and want.dtype in (np.float32, np.float64)
    )


def _rounded(want: Array, noise: Array) -> int:
    """Elements that the original rounds otherwise at will, and that no coarser float holds."""
    if not want.size:
        return 0
    wide = np.where(np.isfinite(want), want, 0).astype(np.float64)
    with np.errstate(all="ignore"):
        full = np.isfinite(want) & (want.astype(np.float16) != want)
        size = np.asarray(np.sqrt(np.mean(wide**2)))
    # Noise is never less than what is usual around an element, so that a small one which was only
    # copied from a table may seem to have much of it: an ulp of a usual element counts, too.
    ulp = np.maximum(rounding(want), rounding(size))
    return int(np.count_nonzero(full & (noise > ULPS * ulp)))


def _same_framework(capture: str, runtime: str) -> bool:
    """Whether a recording's runtime is that of the original, and so may answer with its bits."""
    dialect, _, how = capture.partition(" by ")
    given = dialect == "onnx" and how not in ("dynamo", "legacy")
    # ExecuTorch, for one, is another runtime: the name must be a word.
    name = r"\bonnx[ _-]?runtime\b" if given else r"\b(py|lib)?torch\b"
    if dialect == "saved_model" or how == "tf2onnx":
        # TensorFlow Lite has kernels of its own.
        name = r"\btensorflow\b(?! lite)"
    return bool(re.search(name, runtime, re.IGNORECASE))
