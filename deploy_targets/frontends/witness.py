"""Recognises an unchanged model in well under a second, without importing its framework.

At a real load everything that was read is written down with its digest: a `Witness`. Later,
`recall` compares the disk with it. It fails closed: a stale weight called verified is the worst
bug this program could have. So a witness counts only if it is *complete*: the bytes of every
parameter and buffer must literally be found in a file that was written down. Readers in C++ or
Rust (safetensors, torch.jit.load) are invisible to Python, and weights that were drawn at random
or converted are nowhere on disk; then the model is loaded every time.

Blind spots, stated in docs: environment variables, the clock and the network read while loading,
a file whose mere existence is asked for, and files edited in place inside site-packages.
"""

from __future__ import annotations

import dataclasses
import json
import mmap
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from deploy_targets.errors import ConfigError
from deploy_targets.frontends.environment import environment
from deploy_targets.frontends.observe import Observed, is_installed, is_standard
from deploy_targets.frontends.source import SourceSpec, depended_on, file_of
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

KIND, FILE, SCHEMA = "witness", "witness.json", 1
ABSENT = ""
WEIGHTS = (
    "*.safetensors",
    "*.pt",
    "*.pth",
    "*.bin",
    "*.npz",
    "*.npy",
    "*.onnx",
    "*.h5",
    "*.hdf5",
    "*.keras",
    "*.gguf",
)
"""Files beside the source that are witnessed even if nobody was seen to open them."""
Stored = Iterable[tuple[str, Sequence[Callable[[], memoryview]]]]
"""Tensors that must be in a file: name, and the bytes in each order in which they may lie there."""
PROBE = 64
TRIES = 1000
_READ = mmap.ACCESS_READ


@dataclass(frozen=True)
class Witness:
    """What a load read, by absolute path, and whether that accounts for the weights."""

    digest: str
    """The model's."""
    incomplete: str
    """Why the shortcut must not be taken; empty where it may."""
    environment: str
    search: tuple[str, ...]
    """The folders on sys.path that are no installed packages'."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path -> SHA-256, or ABSENT where it was asked for and was not there."""
    folders: Mapping[str, str] = field(default_factory=dict)
    """Folders from which modules are imported -> digest of the names of what can be imported."""
    listed: Mapping[str, str] = field(default_factory=dict)
    """Folders that the user's code listed -> digest of all names in them."""
    depends: tuple[str, ...] = ()
    """What the globs in `depends` matched."""
    schema: int = SCHEMA

    @property
    def complete(self) -> bool:
        """Whether the files account for everything."""
        return not self.incomplete


def recall(spec: SourceSpec, workspace: Workspace) -> str | None:
    """The model's digest if nothing changed since it was last loaded; None where that is unsure."""
    home = workspace.find(KIND, _key(spec))
    if home is None:
        return None
    try:
        plain = json.loads((home / FILE).read_bytes())
        witness = Witness(**{**plain, "search": tuple(plain["search"])})
        unchanged = witness.complete and _holds(witness, spec)
    except (OSError, ValueError, KeyError, TypeError, ConfigError):
        # Unreadable, of another version, or the source itself is gone: loading will say what.
        return None
    return witness.digest if unchanged else None


def remember(spec: SourceSpec, workspace: Workspace, witness: Witness) -> None:
    """Keeps a witness for the next build of this source."""
    text = json.dumps(dataclasses.asdict(witness), sort_keys=True)

    def make(home: Path) -> None:
        (home / FILE).write_text(text, encoding="utf-8")

    workspace.replace(KIND, _key(spec), make)


def witness_files(spec: SourceSpec, digest: str, files: Iterable[Path]) -> Witness:
    """For a source that is its files and nothing else: .onnx and .pt2."""
    return Witness(
        digest,
        "",
        environment(),
        search=_search(),
        files=_digests(str(path.absolute()) for path in (*files, *depended_on(spec))),
        depends=_depends(spec),
    )


def witness_load(
    spec: SourceSpec,
    digest: str,
    observed: Observed,
    tensors: Stored,
    started: float,
) -> Witness:
    """For a source that is code. `started`: time.time() before the load."""
    data = sorted(path for path in observed.files if _counts(path))
    data += [str(path.absolute()) for path in (*depended_on(spec), *_beside(spec))]
    code = {*observed.code, *_python_beside(spec)}
    homes = {*_search(), *(os.path.dirname(path) for path in observed.code)}
    if (file := file_of(spec)) is not None:
        homes.add(str(file.parent.absolute()))
    return Witness(
        digest,
        _changed_since(started, (*data, *code)) or unaccounted(tensors, data),
        environment(),
        search=_search(),
        files=_digests([*data, *code]),
        folders={home: _importable(home) for home in sorted(homes)},
        listed={home: _names(home) for home in sorted(observed.folders) if not is_installed(home)},
        depends=_depends(spec),
    )


def unaccounted(tensors: Stored, files: Iterable[str]) -> str:
    """Why these files are not the source of these tensors; empty where each is found in one."""
    paths = [p for p in dict.fromkeys(files) if os.path.isfile(p) and os.path.getsize(p)]
    # A file transposes all its tensors of one kind alike, if any.
    usual: dict[int, int] = {}
    with ExitStack() as stack:
        haystacks = [stack.enter_context(closing(_Haystack(path))) for path in paths]
        for name, layouts in tensors:
            count = len(layouts)
            for index in sorted(range(count), key=lambda i: (i != usual.get(count, 0), i)):
                raw = layouts[index]()
                found = next((h for h in haystacks if raw.nbytes == 0 or h.holds(raw)), None)
                if raw.nbytes == 0 or found is not None:
                    break
            else:
                return f"{name} is in no file that was seen to be read"
            usual[count] = index
            # The next tensor is most likely in the same file.
            haystacks.sort(key=lambda haystack: haystack is not found)
    return ""


class _Haystack:
    def __init__(self, path: str) -> None:
        with open(path, "rb") as file:
            # bytes are searched many times faster, but must fit into memory.
            small = os.path.getsize(path) < 2**30
            self._map = file.read() if small else mmap.mmap(file.fileno(), 0, access=_READ)
        # Tensors come in the file's order more often than not: go on where the last one ended.
        self._at = 0

    def close(self) -> None:
        if isinstance(self._map, mmap.mmap):
            self._map.close()

    def holds(self, raw: memoryview) -> bool:
        """Whether these bytes, all of them and in this order, are in the file."""
        start = _telling(raw)
        needle = bytes(raw[start : start + PROBE])
        return self._search(raw, start, needle, self._at) or (
            self._at > 0 and self._search(raw, start, needle, 0)
        )

    def _search(self, raw: memoryview, start: int, needle: bytes, begin: int) -> bool:
        at = begin
        for _ in range(TRIES):
            at = self._map.find(needle, at)
            if at < 0:
                return False
            first = at - start
            if first >= 0 and self._map[first : first + raw.nbytes] == raw:
                self._at = first + raw.nbytes
                return True
            at += 1
        return False


def _telling(raw: memoryview) -> int:
    """Where the tensor's bytes vary, so that a search for them meets few false friends."""
    for start in range(0, min(raw.nbytes, 64 * PROBE), PROBE):
        if len(set(raw[start : start + PROBE])) >= PROBE // 4:
            return start
    return 0


def _holds(witness: Witness, spec: SourceSpec) -> bool:
    """Cheap questions first; the contents last."""
    return (
        witness.schema == SCHEMA
        and witness.search == _search()
        and tuple(witness.depends) == _depends(spec)
        and all(_importable(home) == names for home, names in witness.folders.items())
        and all(_names(home) == names for home, names in witness.listed.items())
        and witness.environment == environment()
        and _digests(witness.files) == witness.files
    )


def _key(spec: SourceSpec) -> str:
    plain = dataclasses.asdict(spec)
    return digest_of({**plain, "base": str(spec.base.absolute())})


def _digests(paths: Iterable[str]) -> dict[str, str]:
    return {path: digest_of_file(Path(path)) if os.path.isfile(path) else ABSENT for path in paths}


def _depends(spec: SourceSpec) -> tuple[str, ...]:
    return tuple(str(path.absolute()) for path in depended_on(spec))


def _search() -> tuple[str, ...]:
    folders = dict.fromkeys(os.path.abspath(path) for path in sys.path)
    return tuple(p for p in folders if os.path.isdir(p) and not is_installed(f"{p}{os.sep}x"))


def _importable(folder: str) -> str:
    """Digest of the names of modules and packages in a folder: a new one may hide another."""
    home = Path(folder)
    if not home.is_dir():
        return ABSENT
    names = [
        entry.name
        for entry in home.iterdir()
        if entry.suffix in (".py", ".pyc", ".so", ".pyd") or (entry / "__init__.py").is_file()
    ]
    return digest_of(sorted(names))


def _names(folder: str) -> str:
    return digest_of(sorted(os.listdir(folder))) if os.path.isdir(folder) else ABSENT


def _counts(path: str) -> bool:
    """Whether a file that was opened may be a part of the model."""
    if path.startswith(("/proc/", "/sys/", "/dev/")) or path.endswith(".pyc"):
        return False
    # What packages say of themselves is a part of the environment already.
    if ".dist-info" in path and is_installed(path):
        return False
    if os.path.exists(path) and not os.path.isfile(path):
        return False
    return not (is_standard(path) or (path.endswith(".py") and is_installed(path)))


def _beside(spec: SourceSpec) -> list[Path]:
    file = file_of(spec)
    return sorted(p for glob in WEIGHTS for p in file.parent.glob(glob)) if file else []


def _python_beside(spec: SourceSpec) -> list[str]:
    file = file_of(spec)
    return [str(p.absolute()) for p in sorted(file.parent.glob("*.py"))] if file else []


def _changed_since(started: float, paths: Iterable[str]) -> str:
    for path in paths:
        if os.path.isfile(path) and os.stat(path).st_mtime > started:
            return f"{path} changed while the model was loaded"
    return ""
