"""The code before a derived function: imports, and copies of the Python functions that compute its primitives.

A function is copied together with the functions and constants of its module that it uses. What cannot be copied
truthfully, such as a lambda, a closure or a decorated function, is refused.
"""

import ast
import builtins
import importlib
import inspect
import math
import re
import symtable
import sys
import textwrap
from collections.abc import Collection, Iterator, Mapping
from types import BuiltinMethodType, FunctionType, ModuleType
from typing import Any

import numpy as np

from minigrad.core.primitive import Primitive
from minigrad.derive.naming import identifier, unused
from minigrad.derive.plain import array_text, is_number, literal, plain

LARGEST = 1000  # elements of an array that is written out
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...), tuple, list, set, dict)


class _NotCopyable(Exception):
    """Why something cannot be written in front of the source."""


class Helpers:
    """The names in front of a derived function, what they stand for, and their source.

    `taken` are the names that mean something else within the function; `reserved` are names, not to be given to
    variables, of functions that may be copied. `numbers` says that primitives compute floats.
    """

    def __init__(self, taken: set[str], reserved: Mapping[str, Any], numbers: bool) -> None:
        self.taken, self.reserved, self.numbers = taken, reserved, numbers
        # All names of the module; those of builtins are there because the derived function calls them.
        self.things: dict[str, Any] = {"np": np, "math": math, "step": object()}
        self.things |= {"max": max, "range": range, "slice": slice}
        self.imports: list[str] = []
        self.sources: list[str] = []
        self._called: dict[int, str] = {}  # what the derived function itself calls, by id

    def name_of(self, function: Any, wanted: str, primitive: Primitive) -> str:
        """The name by which the derived function calls `function`. ValueError if it cannot be called there."""
        if id(function) not in self._called:
            try:
                self._called[id(function)] = self._define(function, wanted, self.taken - self.reserved.keys())
            except _NotCopyable as error:
                computes = f"computes it{' for Values' * self.numbers}"
                raise ValueError(
                    f"derive: {primitive.name}: the source cannot contain the function that {computes}: {error}; give "
                    "the primitive a numpy function, or a named one from the top level of a file, that uses numpy, "
                    "math, and functions and constants beside it"
                ) from None
            self.taken.add(self._called[id(function)])
        return self._called[id(function)]

    def _define(self, thing: Any, wanted: str, taken: Collection[str] = ()) -> str:
        """Make a thing known in front of the function; its name there."""
        if isinstance(thing, Primitive):
            thing = (thing.scalar if self.numbers else None) or thing.forward
        if library_name(thing):
            return library_name(thing)
        name = self._name_for(thing, identifier(wanted), taken)
        if name in self.things:
            return name
        self.things[name] = thing
        if isinstance(thing, ModuleType):
            self._import(thing, name)
        elif (home := _home(thing)) is not None:
            if home != ("builtins", name):
                self.imports.append(f"from {home[0]} import {home[1]}{f' as {name}' * (home[1] != name)}")
        elif isinstance(thing, FunctionType):
            self.sources.append(self._copy(thing, name))
        else:
            self.sources.append(f"{name} = {_literal(thing)}")
        return name

    def _name_for(self, thing: Any, wanted: str, taken: Collection[str]) -> str:
        """The name that a thing has, or the first that is free."""
        others = {name for name, other in self.things.items() if other is not thing}
        if self.reserved.get(wanted, thing) is not thing:
            others.add(wanted)
        return unused(wanted, {*taken, *others})

    def _import(self, module: ModuleType, name: str) -> None:
        home = _text(module, "__name__")
        if not _is_importable(home):
            raise _NotCopyable(f"it uses the module {home}, which the source is to run without")
        self.imports.append(f"import {home}{f' as {name}' * (home != name)}")

    def _copy(self, function: FunctionType, name: str) -> str:
        """The source of a function under another name, after that of all it uses, without annotations."""
        tree = _tree(function)
        scopes = [*_scopes(symtable.symtable(ast.unparse(tree), function.__name__, "exec"))]
        renames = {}
        for used in sorted({symbol.get_name() for scope in scopes for symbol in _globals_in(scope)}):
            if used in function.__globals__:
                thing = function.__globals__[used]
            elif hasattr(builtins, used):
                thing = getattr(builtins, used)
            elif used != function.__name__:
                raise _NotCopyable(f"{function.__name__} uses {used}, which is not defined")
            else:
                thing = function
            new = name if thing is function else self._define(thing, used)
            if new != used:
                renames[used] = new
        for scope in scopes[1:]:
            for symbol in scope.get_symbols():
                if symbol.is_local() and symbol.get_name() in {*renames, *renames.values()}:
                    raise _NotCopyable(
                        f"{function.__name__} calls a variable {symbol.get_name()}, as something else is"
                    )
        tree.name = name
        return _formatted(_Renamed(renames).visit(tree))


def library_name(thing: Any) -> str:
    """What numpy or math calls a thing, such as "np.arctan" or "np.linalg.inv"; empty if it is neither's."""
    name, home = _text(thing, "__name__"), _text(thing, "__module__")
    for module, prefix in ((math, "math"), (np, "np")):
        if thing is module:
            return prefix
        if name and getattr(module, name, None) is thing:
            return f"{prefix}.{name}"
    if isinstance(thing, BuiltinMethodType) and isinstance(thing.__self__, np.ufunc) and library_name(thing.__self__):
        return f"{library_name(thing.__self__)}.{name}"  # such as np.add.accumulate
    if home.startswith("numpy.") and "._" not in home and _found(home, name) is thing:
        return f"np.{home.removeprefix('numpy.')}.{name}"
    return ""


def is_copied(function: Any) -> bool:
    """Whether a function is one of Python's that has a name, and so can perhaps be copied."""
    return isinstance(function, FunctionType) and function.__name__ != "<lambda>" and not library_name(function)


def _home(thing: Any) -> tuple[str, str] | None:
    """The module to import a function or class from, and its name there; None for what is to be copied."""
    module, name = _text(thing, "__module__"), _text(thing, "__qualname__")
    if not _is_importable(module):
        return None
    if isinstance(thing, FunctionType) and module.partition(".")[0] not in sys.stdlib_module_names:
        return None
    return (module, name) if name == identifier(name) and _found(module, name) is thing else None


def _text(thing: Any, attribute: str) -> str:
    """A text that a thing has, as a plain one; empty if it has none."""
    text = plain(getattr(thing, attribute, ""))
    return text if isinstance(text, str) else ""


def _is_importable(module: str) -> bool:
    """Whether the source may import a module of this name, and the name is one that Python can read."""
    words = module.split(".")
    return words[0] not in ("__main__", "minigrad") and words == [*map(identifier, words)]


def _found(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


def _tree(function: FunctionType) -> ast.FunctionDef:
    """The syntax tree of a function, without annotations. Refused if it does not say all that the function does."""
    name = function.__name__
    if name == "<lambda>":
        raise _NotCopyable("it is a lambda")
    if function.__closure__:
        raise _NotCopyable(f"{name} uses variables of the function around it")
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError):
        raise _NotCopyable(f"{name} has no source that can be read") from None
    if not isinstance(tree, ast.FunctionDef) or tree.name != name:
        raise _NotCopyable(f"{name} is not defined by a `def` of that name")
    if tree.decorator_list or hasattr(function, "__wrapped__"):
        raise _NotCopyable(f"{name} has a decorator")
    if any(isinstance(node, ast.Global) for node in ast.walk(tree)):
        raise _NotCopyable(f"{name} changes variables of its module")
    plain: ast.FunctionDef = _Plain().visit(tree)
    return plain


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def _globals_in(scope: symtable.SymbolTable) -> list[symtable.Symbol]:
    """The names that a scope looks up in its module. In the outermost scope, those are the names in default values."""
    if scope.get_type() == "module":
        return [symbol for symbol in scope.get_symbols() if symbol.is_referenced() and not symbol.is_assigned()]
    return [symbol for symbol in scope.get_symbols() if symbol.is_global()]


class _Plain(ast.NodeTransformer):
    """Drop annotations."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)


class _Renamed(ast.NodeTransformer):
    """Use other names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.names.get(node.id, node.id)
        return node


def _formatted(tree: ast.AST) -> str:
    """The source of a tree as `ruff format` would have it, if that means the same."""
    plain = ast.unparse(ast.fix_missing_locations(tree))
    pretty = re.sub(r"(\w+) \*\* (\w+)", r"\1**\2", plain.replace("'", '"'))
    try:
        same = ast.dump(ast.parse(pretty)) == ast.dump(ast.parse(plain))
    except SyntaxError:
        same = False
    return pretty if same else plain


def _is_plain(x: Any) -> bool:
    """Whether a constant, and all that it contains, is of Python's own classes. Others have any `repr`."""
    parts = [*x, *x.values()] if type(x) is dict else x if type(x) in (tuple, list, set) else ()
    return type(x) in PLAIN and all(map(_is_plain, parts))


def _literal(x: Any) -> str:
    """A constant of a module, as source."""
    if type(x) is np.ndarray and is_number(x.dtype) and x.size <= LARGEST:
        return array_text(x)
    if isinstance(x, np.generic) and is_number(x.dtype) and type(x) is x.dtype.type:
        return literal(x)
    if type(x) is float and not math.isfinite(x):
        return {math.inf: "math.inf", -math.inf: "-math.inf"}.get(x, "math.nan")
    try:
        if _is_plain(x) and ast.literal_eval(repr(x)) == x:
            return repr(x)
    except (ValueError, SyntaxError):
        pass
    raise _NotCopyable(f"it is, or uses, a {type(x).__name__} that has no source")
