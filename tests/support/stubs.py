"""The stubs that type checkers and editors read: written from the package, so that no list is kept by hand.

`python -m tests.support.stubs` writes them anew, which is needed after a public function or method was added.
"""

import ast
import builtins
import collections.abc
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

import minigrad
import minigrad.api.arguments
import minigrad.api.device
import minigrad.core.dtypes
import minigrad.core.record
import minigrad.core.tensor
import minigrad.random
from minigrad.core.methods import Methods
from tests.support import ROOT

HEADER = '"""{}\n\nWritten by `python -m tests.support.stubs`."""\n\n'
MODULES = (
    *(typing, collections.abc, minigrad.api.arguments, minigrad.api.device, minigrad.core.dtypes),
    *(minigrad.core.record, minigrad.core.tensor, minigrad.random),
)
DECORATORS = """
from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
Extension = TypeVar("Extension", bound=type)

def method(function: Function) -> Function: ...
def methods(extension: Extension) -> Extension: ...

"""
UNTYPED = {"__getattr__"}  # with this a type checker would accept any attribute


def methods_stub() -> str:
    """The stub of `minigrad/core/methods.py`: all methods of Tensor that the core itself does not define."""
    needed: set[str] = set()
    body: list[str] = []
    for name, member in vars(Methods).items():
        if name in UNTYPED or (not callable(member) and not isinstance(member, property)):
            continue
        if isinstance(member, property):
            assert member.fget
            body.append("@property\n" + _definition(name, member.fget, needed))
            if member.fset:
                body.append(f"@{name}.setter\n" + _definition(name, member.fset, needed))
        elif inspect.isfunction(member):
            body.append(_definition(name, member, needed))
    imports = "".join(f"{line}\n" for line in sorted(needed))
    text = HEADER.format("The methods of Tensor that come from `gradients.py` and `api/`.")
    text += f"import builtins\n{imports}{DECORATORS}class Methods:\n    __slots__ = ()\n"
    return text + textwrap.indent("\n".join(body), "    ")


def package_stub() -> str:
    """The stub of `minigrad/__init__.py`: where each public name comes from."""
    lines = {_import(name, getattr(minigrad, name)) for name in minigrad.__all__}
    lines |= {f"from minigrad import {name} as {name}" for name in minigrad._BESIDE} | {"import builtins"}
    return HEADER.format("What `minigrad` offers.") + "".join(
        f"{line}\n" for line in sorted(lines, key=lambda line: (not line.startswith(("from", "import")), line))
    )


def second_names() -> dict[str, str]:
    """The stubs in `minigrad/nn/`, `minigrad/optim/` and `minigrad/viz/`: what the modules beside minigrad offer.

    A type checker reads these modules where they are, as `nn` and `viz`.
    """
    texts = {}
    for name in minigrad._BESIDE:
        package = getattr(minigrad, name)
        names = [module.name for module in pkgutil.iter_modules(getattr(package, "__path__", []))]
        modules = {each: importlib.import_module(f"minigrad.{name}.{each}") for each in names}
        for stub, module in ({"__init__": package} | modules).items():
            lines = sorted({_import(public, thing) for public, thing in _offered(module)})
            lines = [re.sub(r"^from minigrad\.(nn|viz)\b", r"from \1", line) for line in lines]
            text = HEADER.format(f"What `{module.__name__}` offers.") + "".join(f"{line}\n" for line in lines)
            texts[f"minigrad/{name}/{stub}.pyi"] = text
    return texts


def _offered(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    """The public names of a module that are not imports: those of `__all__`, or those that it or a part defines."""
    for name in getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")]):
        thing = getattr(module, name)
        home = thing.__name__ if isinstance(thing, types.ModuleType) else getattr(thing, "__module__", "")
        if hasattr(module, "__all__") or f"{home}.".startswith(f"{module.__name__}."):
            yield name, thing


def _import(name: str, thing: Any) -> str:
    if isinstance(thing, types.ModuleType):
        package, _, module = thing.__name__.rpartition(".")
        return f"from {package} import {module} as {name}" if package else f"import {module} as {name}"
    if isinstance(thing, minigrad.dtype):
        source = next(key for key, value in vars(minigrad.core.dtypes).items() if value is thing)
        return f"from minigrad.core.dtypes import {source} as {name}"
    if thing is None or isinstance(thing, float | str):
        return f"{name}: {f'builtins.{type(thing).__name__}' if thing is not None else None}"
    return f"from {thing.__module__} import {thing.__name__} as {name}"


def _definition(name: str, function: Callable[..., Any], needed: set[str]) -> str:
    """The head of a function as a method, with the first line of its documentation; `needed` gets its imports."""
    function = inspect.unwrap(function)
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(tree, ast.FunctionDef)
    arguments = tree.args
    first = [*arguments.posonlyargs, *arguments.args][0]
    if first.arg in ("self", "input", "tensor"):
        first.arg, first.annotation = "self", None
    if "_numpy_spelling" in [decorator.id for decorator in tree.decorator_list if isinstance(decorator, ast.Name)]:
        arguments.kwonlyargs += [ast.arg("axis", ast.Name("Any")), ast.arg("keepdims", ast.Name("bool"))]
        arguments.kw_defaults += [ast.Constant(...), ast.Constant(...)]
    for annotation in _annotations(tree):
        for node in ast.walk(annotation):
            if isinstance(node, ast.Name):
                _qualify(node, function, needed)
    returns = ast.unparse(tree.returns).strip("'") if tree.returns else "Any"
    summary = (function.__doc__ or "").strip().split("\n")[0].replace("\\", "\\\\")
    head = f"def {name}({ast.unparse(arguments)}) -> {returns}:"
    return f'{head}\n    """{summary}"""\n' if summary else f"{head} ...\n"


def _annotations(tree: ast.FunctionDef) -> Iterator[ast.expr]:
    arguments = tree.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    yield from (argument.annotation for argument in every if argument and argument.annotation)
    if tree.returns:
        yield tree.returns


def _qualify(node: ast.Name, function: Callable[..., Any], needed: set[str]) -> None:
    """Make the name in an annotation mean the same in the stub, where `int` is a method."""
    thing = function.__globals__.get(node.id, getattr(builtins, node.id, getattr(typing, node.id, None)))
    if node.id == "np":
        needed.add("import numpy as np")
    elif getattr(builtins, node.id, None) is not None and isinstance(getattr(builtins, node.id), type):
        node.id = f"builtins.{node.id}"
    elif node.id != "builtins":
        found = (each.__name__ for each in MODULES if vars(each).get(node.id, each) is thing)
        needed.add(f"from {next(found, function.__module__)} import {node.id}")


def _formatted(text: str, path: str) -> str:
    for command in (["check", "--quiet", "--select", "I,UP037", "--fix"], ["format", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", path, "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


def stubs() -> dict[str, str]:
    """The stubs by their paths from the root of the project."""
    texts = {"minigrad/core/methods.pyi": methods_stub(), "minigrad/__init__.pyi": package_stub(), **second_names()}
    return {path: _formatted(text, path) for path, text in texts.items()}


def written() -> set[str]:
    """The paths of the stubs that are there."""
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / "minigrad").rglob("*.pyi")}


if __name__ == "__main__":
    for path in written() - stubs().keys():
        (ROOT / path).unlink()
    for path, text in stubs().items():
        (ROOT / path).write_text(text, encoding="utf-8")
