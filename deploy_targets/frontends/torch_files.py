"""What a file is that PyTorch may have written, told from its bytes: nothing in it is unpickled.

In: a path. Out: whether it holds TorchScript, and else what it holds and what to do instead.
Pickles are read as the list of opcodes that they are: loading one runs whatever it names. To tell
one more kind of file apart: a line in `OF_ARCHIVES` for a zip, or in `told` for its first bytes.
"""

from __future__ import annotations

import io
import pickletools
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO

Told = tuple[str, str]
"""What a file is, and what to do instead."""

CALLABLE_HINT = (
    "write a function that builds the module, loads its weights and returns module.eval(), "
    "and give file.py:function"
)
AGAIN = "fetch or export it again"
SCRIPT_HINT = (
    "where it was made, torch.jit.script(module.eval()).save('x.pt') writes one; or give "
    "file.py:function, which returns the module"
)
PROGRAM = ("archive_format", "models/model.json", "serialized_exported_program.json")
"""Each is in the archives of some version of torch.export.save."""
OF_ARCHIVES: tuple[tuple[Callable[[str], bool], Told], ...] = (
    (lambda name: name in PROGRAM, ("an exported program", "name it x.pt2")),
    (
        lambda name: name == "bytecode.pkl",
        (
            "bytecode of PyTorch Mobile, without the code that it was made from",
            f"give the .pt that it was made from; {SCRIPT_HINT}",
        ),
    ),
    (
        lambda name: name == "model.json",
        ("TorchScript as PyTorch 1.0 wrote it", "torch.jit.load it there, and save it again"),
    ),
)
"""What the name of one file in a zip says of the whole, TorchScript left out."""
LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""How torch.save began files until PyTorch 1.6: three short pickles, then that of the object."""
# fmt: off
TRAINING = frozenset({
    "epoch", "epochs", "step", "global_step", "iteration", "optimizer", "optimizers",
    "optimizer_state", "optimizer_states", "optimizer_state_dict", "scheduler", "lr_scheduler",
    "lr_schedulers", "scaler", "loss", "best_loss", "best_fitness", "state_dict", "model_state",
    "model_state_dict", "model", "net", "ema", "callbacks", "hyper_parameters", "args", "cfg",
    "config", "train_args", "pytorch-lightning_version",
})
# fmt: on
"""Names under which training keeps weights and what it needs to go on."""
OF_WEIGHTS = ("collections", "torch", "numpy", "builtins", "__builtin__", "_codecs", "copyreg")
"""Packages that pickled tensors name. What else is named is somebody's class."""
MOST = 200_000
"""Opcodes that are looked at."""


def is_torchscript(path: Path) -> bool:
    """Whether it is an archive of torch.jit.save, or of PyTorch Mobile with its code beside."""
    inside = _inside(path)
    return "constants.pkl" in inside and any(name.startswith("code/") for name in inside)


def is_program(path: Path) -> bool:
    """Whether it is an archive of torch.export.save."""
    return not _inside(path).keys().isdisjoint(PROGRAM)


def told(path: Path) -> Told:
    """What a file is that holds no TorchScript."""
    with path.open("rb") as file:
        start = file.read(512)
        if start.startswith(b"PK"):
            return archive(path) or ("a zip archive that PyTorch did not write", SCRIPT_HINT)
        if start[4:8] == b"PTMF":
            return OF_ARCHIVES[1][1]
        if start[8:10] == b'{"':
            return "a file of safetensors: weights alone", CALLABLE_HINT
        if tarfile.is_tarfile(path):
            return "a file of PyTorch 0.1 (a tar)", f"load and save it again there; {CALLABLE_HINT}"
        file.seek(0)
        if start.startswith(b"\x80"):
            return _pickled(file, legacy=start.startswith(LEGACY))
    return "no file that PyTorch writes: weights, perhaps, without the code", CALLABLE_HINT


def archive(path: Path) -> Told | None:
    """What a zip is, by its files; None where PyTorch did not write it."""
    inside = _inside(path)
    if not inside and not zipfile.is_zipfile(path):
        return "a damaged zip archive", AGAIN
    if any(name.startswith("code/") for name in inside):
        return "a TorchScript archive", "name it x.pt"
    for tells, said in OF_ARCHIVES:
        if any(tells(name) for name in inside):
            return said
    if "data.pkl" not in inside:
        return None
    try:
        with zipfile.ZipFile(path) as opened:
            return _pickled(io.BytesIO(opened.read(inside["data.pkl"])))
    except (zipfile.BadZipFile, OSError):
        return "a damaged zip archive", AGAIN


def _inside(path: Path) -> dict[str, str]:
    """Names below the folder that PyTorch puts all into, and in full; none in what is no zip."""
    try:
        with zipfile.ZipFile(path) as opened:
            return {name.partition("/")[2]: name for name in opened.namelist()}
    except (zipfile.BadZipFile, OSError):
        return {}


def _pickled(file: IO[bytes], *, legacy: bool = False) -> Told:
    """What torch.save or pickle was given."""
    try:
        if legacy:
            for _ in range(3):
                _opcodes(file)
        opcodes = _opcodes(file)
    except (ValueError, IndexError, KeyError):
        return "a damaged file of torch.save or pickle", AGAIN
    words = {value for _, value in opcodes if isinstance(value, str)}
    holds_module = {"_parameters", "_buffers", "_modules"} <= words
    keys = list(_keys(opcodes))
    named = [key for key in keys if key in TRAINING]
    if named and not any(key.endswith((".weight", ".bias")) for key in keys):
        module = f", and a pickled module ({_class(opcodes)})" if holds_module else ""
        return (
            f"a training checkpoint: it holds {', '.join(named[:4])}{module}",
            f"{CALLABLE_HINT}; torch.load(…, weights_only=True) in it takes the weights out",
        )
    if holds_module:
        return (
            f"a pickled module ({_class(opcodes)}), which runs code when it is loaded",
            SCRIPT_HINT,
        )
    what = f"a state_dict ({', '.join(keys[:2])} …)" if keys else "a file of torch.save"
    return f"{what}: weights, and not the code that uses them", CALLABLE_HINT


def _opcodes(file: IO[bytes]) -> list[tuple[str, object]]:
    """Each with its argument; strings that are used again are there again, classes in one."""
    memo: dict[object, object] = {}
    found: list[tuple[str, object]] = []
    for op, value, _ in islice(pickletools.genops(file), MOST):
        if op.name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
            memo[len(memo) if value is None else value] = found[-1][1]
        elif op.name in ("BINGET", "LONG_BINGET"):
            found.append(("UNICODE", memo[value]))
        elif op.name == "STACK_GLOBAL":
            (_, module), (_, name) = found[-2:]
            found[-2:] = [("GLOBAL", f"{module} {name}")]
        elif op.name not in ("PROTO", "FRAME"):
            found.append((op.name, value))
    return found


def _keys(opcodes: list[tuple[str, object]]) -> Iterator[str]:
    """The keys of the outermost dictionary; none where the pickle is of something else."""
    depth = 0
    if opcodes[:1] not in ([("EMPTY_DICT", None)], [("GLOBAL", "collections OrderedDict")]):
        return
    for name, value in opcodes:
        if name == "MARK":
            depth += 1
        elif name in ("TUPLE", "LIST", "DICT", "SETITEMS", "APPENDS", "POP_MARK", "FROZENSET"):
            depth -= 1
        if depth == 0 and name in ("SETITEM", "SETITEMS"):
            return
        if depth <= 1 and isinstance(value, str) and "UNICODE" in name:
            yield value


def _class(opcodes: list[tuple[str, object]]) -> str:
    """The first class that is not PyTorch's own machinery for tensors, as package.module.Name."""
    found = [str(value).replace(" ", ".") for name, value in opcodes if name == "GLOBAL"]
    own = (name for name in found if name.partition(".")[0] not in OF_WEIGHTS)
    layers = (name for name in found if name.startswith("torch.nn.modules"))
    return next(own, None) or next(layers, "of no known class")
