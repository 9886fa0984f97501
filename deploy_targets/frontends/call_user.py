"""Calls the user's function and hands back what it gave, or says in one line why it could not.

In: "file.py:callable" or "package.module:callable". Out: any object. Errors show the exception's
type, its message and the user's own line; no trace of ours.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import linecache
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from deploy_targets.errors import ConfigError
from deploy_targets.frontends.observe import FreshSource, Observed, is_installed
from deploy_targets.frontends.source import SourceSpec, file_of, split

T = TypeVar("T")


def call_user(spec: SourceSpec, observed: Observed, *, as_is: Callable[[object], bool]) -> object:
    """What the callable returns; an attribute that is a model `as_is` is not called."""
    file = file_of(spec)
    place, name = split(spec)
    # What user code prints must not mix with our results on stdout.
    with redirect_stdout(sys.stderr):
        module = guarded(place, lambda: _module(place, file, observed))
        thing = _attribute(module, spec.source, name)
        if as_is(thing):
            return thing
        return guarded(spec.source, _takes_nothing(spec.source, thing))


def attribute(spec: SourceSpec, observed: Observed) -> object:
    """What the source names, as it is. Raises ConfigError."""
    place, name = split(spec)
    with redirect_stdout(sys.stderr):
        module = guarded(place, lambda: _module(place, file_of(spec), observed))
        return _attribute(module, spec.source, name)


def guarded(what: str, call: Callable[[], T]) -> T:
    """The call's value; whatever it raises becomes a ConfigError that shows the user's line."""
    try:
        return call()
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{what} raised {described(error)}", hint=_hint(error)) from error


def described(error: BaseException) -> str:
    """Type, message and the user's own line of an exception, without a trace."""
    first = str(error).strip().partition("\n")[0]
    said = f"{type(error).__name__}: {first}" if first else type(error).__name__
    line = _own_line(error)
    return f"{said} ({line})" if line else said


def _own_line(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        place = (error.filename, error.lineno)
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [(f.filename, f.lineno or 0) for f in frames if not _foreign(f.filename)]
        if not own:
            return ""
        place = own[-1]
    code = linecache.getline(*place).strip()
    return f"{Path(place[0]).name}, line {place[1]}: {code}".rstrip(": ")


def _foreign(file: str) -> bool:
    return file.startswith("<") or is_installed(file)


def _hint(error: BaseException) -> str:
    if isinstance(error, ImportError) and "relative import" in str(error):
        return "give it as package.module:callable, from the folder that holds the package"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"install {error.name} in this environment, or correct the import"
    if isinstance(error, FileNotFoundError):
        return "paths in your code are relative to where you run it: start them at __file__"
    return "correct it there; calling it from a Python prompt shows the whole trace"


def _module(place: str, file: Path | None, observed: Observed) -> ModuleType:
    if file is None:
        module = importlib.import_module(place)
        if isinstance(module.__loader__, SourceFileLoader) and module.__file__:
            # Also where it is an installed package's: this one is the model's own code.
            observed.note(place, module.__file__, Path(module.__file__).read_bytes())
        return module
    name = file.stem
    if name in sys.stdlib_module_names or name in sys.modules:
        raise ConfigError(
            f"{file.name} hides the module {name} that others import",
            hint=f"rename it, for example to my_{name}.py",
        )
    loader = FreshSource(name, str(file.absolute()), observed)
    found = importlib.util.spec_from_file_location(name, file.absolute(), loader=loader)
    assert found is not None, "a loader was given"
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _attribute(module: ModuleType, source: str, name: str) -> object:
    if hasattr(module, name):
        return getattr(module, name)
    named = {key: value for key, value in vars(module).items() if not key.startswith("_")}
    public = [key for key, value in named.items() if callable(value)]
    near = difflib.get_close_matches(name, public, 1)
    own = [key for key in public if getattr(named[key], "__module__", "") == module.__name__]
    known = f"there are {', '.join(own)}" if own else "it defines no function and no class"
    raise ConfigError(
        f"{source}: there is no {name!r} in it",
        hint=f"did you mean {near[0]!r}?" if near else known,
    )


def _takes_nothing(source: str, thing: object) -> Callable[[], object]:
    """The thing, if it can be called without arguments."""
    if not callable(thing):
        raise ConfigError(
            f"{source} is a {type(thing).__name__}, neither a module nor a function",
            hint="name a function that returns the model",
        )
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return thing
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in variadic]
    if needed:
        raise ConfigError(
            f"{source} needs arguments: {', '.join(needed)}",
            hint="name a function without arguments, which passes them itself",
        )
    return thing
