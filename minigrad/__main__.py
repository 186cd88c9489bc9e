"""Run a program that was written for PyTorch or micrograd with minigrad in its place.

usage: python -m minigrad program.py [arguments]
       python -m minigrad -m module [arguments]
       python -m minigrad -c code [arguments]

The program runs as Python runs it, after `import minigrad.as_torch`: `import torch` imports minigrad. With `-` the
program is read from the standard input.
"""

import builtins
import importlib.util
import linecache
import os
import sys
from importlib.abc import InspectLoader
from types import ModuleType
from typing import Any, NoReturn

import minigrad.as_torch


def main() -> None:
    """Find the program that the command line names, and run it."""
    arguments = sys.argv[1:]
    match arguments:
        case ["-h" | "--help", *_]:
            print(__doc__)
        case ["-m", name, *rest]:
            _run_module(name, rest)
        case ["-c", code, *rest]:
            if sys.version_info >= (3, 13):  # a traceback shows the lines of such code
                linecache.cache["<string>"] = (len(code), None, code.splitlines(keepends=True), "<string>")
            _run(code, "<string>", ["-c", *rest], "")
        case ["-", *_]:
            _run(sys.stdin.buffer.read(), "<stdin>", arguments, "", __file__="<stdin>", __cached__=None)
        case [path, *_] if not path.startswith("-"):
            _run_file(path, arguments)
        case _:
            _fail(f"expected a program, got {' '.join(arguments) or 'nothing'}; see python -m minigrad --help", 2)


def _run_file(path: str, arguments: list[str]) -> None:
    whole = os.path.abspath(path)
    try:
        with open(whole, "rb") as file:
            source = file.read()
    except OSError as error:
        _fail(f"can't open file {whole!r}: [Errno {error.errno}] {error.strerror}", 2)
    _run(source, whole, arguments, os.path.dirname(os.path.realpath(path)), __file__=whole, __cached__=None)


def _run_module(name: str, arguments: list[str]) -> None:
    try:
        spec = importlib.util.find_spec(name)
        if spec and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ModuleNotFoundError as error:
        _fail(f"Error while finding module specification for {name!r} ({type(error).__name__}: {error})", 1)
    source = spec.loader.get_source(spec.name) if spec and isinstance(spec.loader, InspectLoader) else None
    if spec is None or source is None:
        _fail(f"No module named {name}", 1)
    path = spec.origin or name
    names = {"__spec__": spec, "__loader__": spec.loader, "__package__": spec.parent, "__cached__": spec.cached}
    _run(source, path, [path, *arguments], os.getcwd(), __file__=path, **names)


def _run(source: str | bytes, name: str, arguments: list[str], folder: str, **names: Any) -> None:
    """Run source text as the module `__main__`, which has these `names` too. `folder` goes to the front of sys.path."""
    program = ModuleType("__main__")
    vars(program).update(__builtins__=builtins, __annotations__={}, **names)
    sys.modules["__main__"] = program
    sys.argv = arguments
    if not sys.flags.safe_path:
        # `-m` put the current folder there. Where minigrad was found in it, it must be found after the change too.
        sys.path += [each for each in sys.path[:1] if each == os.path.dirname(minigrad.__path__[0])]
        sys.path[0] = folder
    try:
        exec(compile(source, name, "exec", dont_inherit=True), vars(program))
    except SystemExit:
        raise
    except BaseException as error:
        # The traceback starts with the frame of this function. Python would put the frames of its callers before it.
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        sys.excepthook(type(error), error, error.__traceback__)
        sys.excepthook = lambda *_: None
        raise


def _fail(message: str, status: int) -> NoReturn:
    print(f"python -m minigrad: {message}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
