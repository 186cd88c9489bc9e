"""Recording: a function runs once as it is, on marked arrays, and every step that depends on them becomes a Symbol."""

import functools
import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, NoReturn

import numpy as np

from minigrad.compiled.calls import CONTIGUOUS, ITEM, Call, called
from minigrad.compiled.changes import after_change, made_by
from minigrad.compiled.marks import Marked, plain, recording
from minigrad.core import ops
from minigrad.core.graph import hooks, saved_values
from minigrad.core.primitive import Primitive
from minigrad.core.record import Node
from minigrad.core.tensor import Tensor
from minigrad.core.versions import owner
from minigrad.debug.lines import calling_line
from minigrad.derive.sharing import symbols_in
from minigrad.derive.symbols import OUTPUT, Symbol
from minigrad.derive.trace import Symbols
from minigrad.grad_mode import Within
from minigrad.random import Generator, listening

# Functions that give a program numbers of Python's. What else reads a number is a check of an argument.
READINGS = {
    *("item", "tolist", "numpy", "equal", "allclose", "is_nonzero", "array_of"),
    *("__bool__", "__float__", "__int__", "__index__", "__array__", "__format__", "__contains__", "__repr__"),
}
# These have results whose shape depends on the numbers in their arguments.
OF_ANY_SHAPE = {
    *(np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.unique_values, np.compress, np.extract, np.bincount),
    *(np.ndarray.nonzero, np.ndarray.compress),
}


class Guard(NamedTuple):
    """A number that a check has read, and the Symbol that computes it anew."""

    symbol: Symbol
    value: Any


class Refused(RuntimeError):
    """What a function does that cannot be compiled."""


class Recording(Symbols):
    """One run of a function, with a Symbol for every array that depends on its inputs.

    `given` holds the Symbols of inputs, and of Tensors from outside of the function. `draws` are the calls of random
    generators, in order. `guards` are what checks of arguments have read. `constants` are arrays that depend on
    nothing, by the ids of their Symbols.
    """

    def __init__(self) -> None:
        super().__init__()
        self.given: list[tuple[Marked, Symbol]] = []
        self.draws: list[Symbol] = []
        self.sources: list[Generator] = []  # which the draws are from
        self.guards: list[Guard] = []
        self.constants: dict[int, np.ndarray] = {}
        self.arrays: dict[int, tuple[np.ndarray, Symbol]] = {}  # that are not marked, by id
        self.unknown: list[weakref.ref[Tensor]] = []  # Tensors that were met first as operands
        self.marked: list[weakref.ref[Marked]] = []
        self.memories: dict[int, tuple[Any, dict[Place, Symbol]]] = {}  # what marked arrays held, by id of the owner
        self.contiguous: set[int] = set()  # ids of Symbols of results that PyTorch lays out in rows
        self.kept: list[Any] = []  # what has an id above

    def run(self, function: Callable[..., Any], args: Any, keywords: Any) -> Any:
        """Call the function and listen."""
        token, heard = recording.set(self), listening.set(self._drawn)
        try:
            with Within(watch=self._watch, check=self._refuse_backward):
                return function(*args, **keywords)
        finally:
            recording.reset(token)
            listening.reset(heard)

    def refuse(self, what: str, remedy: str) -> NoReturn:
        """RuntimeError with the user's line."""
        raise Refused(f"compile: {what} cannot be compiled: {remedy} ({calling_line()})")

    def _refuse_backward(self, *_: Any) -> NoReturn:
        self.refuse("a backward pass within the function", "call backward() on what the function returns")

    # Arrays and their Symbols

    def give(self, array: np.ndarray, name: str) -> Marked:
        """Mark an array that a compiled call reads anew."""
        symbol = Symbol(name, array.shape, array.dtype)
        marked = self.mark(array, symbol)
        self.given.append((marked, symbol))
        return marked

    def mark(self, array: Any, symbol: Symbol) -> Marked:
        """The array as a marked one."""
        marked = np.asarray(plain(array)).view(Marked)
        marked.symbol = symbol
        self.marked.append(weakref.ref(marked))
        self.kept.append(symbol)
        self._held(marked)[_place(marked)] = symbol
        return marked

    def _held(self, array: np.ndarray) -> "dict[Place, Symbol]":
        """What is known of the arrays that share memory with this one."""
        memory = owner(array)
        if id(memory) not in self.memories:
            forget = functools.partial(self.memories.pop, id(memory))
            self.memories[id(memory)] = weakref.ref(memory, forget), {}
        return self.memories[id(memory)][1]

    def constant(self, array: np.ndarray) -> Symbol:
        """The Symbol of an array that is the same at every call."""
        array = np.asarray(plain(array))
        if array.ndim == 0 and array.dtype.kind == "f":
            return Symbol("", (), array.dtype, array[()])
        symbol = Symbol("constant", array.shape, array.dtype)
        symbol.array = array
        self.constants[id(symbol)] = array
        self.kept.append(symbol)
        return symbol

    def is_constant(self, x: Any) -> bool:
        """Whether a Symbol, or all Symbols among arguments, depend on nothing."""
        return all(symbol.value is not None or id(symbol) in self.constants for symbol in symbols_in((x,)))

    def symbolic(self, x: Any) -> Any:
        """An argument with Symbols in place of arrays."""
        if isinstance(x, Marked):
            return self._symbol_of(x)
        if isinstance(x, np.ndarray):
            if id(x) in self.arrays:
                return self.arrays[id(x)][1]
            symbol = self._of_base(x)
            if symbol is None:
                symbol = self.constant(x)
            self.arrays[id(x)] = x, symbol
            return symbol
        if isinstance(x, tuple | list):
            return tuple([self.symbolic(part) for part in x])
        return x

    def _symbol_of(self, x: Marked) -> Symbol:
        symbol = x.symbol
        if symbol is None:
            symbol = self._of_base(x)
        if symbol is None and not x.size:
            symbol = self.constant(x)
        if symbol is None:
            self.refuse("this use of an array after a change in place, or of a part of one", "compute a new tensor")
        return symbol

    def _of_base(self, x: np.ndarray) -> Symbol | None:
        """The Symbol of a marked array that is in the same memory and in the same layout; None if there is none."""
        _, places = self.memories.get(id(owner(x)), (None, {}))
        if places and x.size and _place(x) not in places:
            self.refuse("a part of an array, which numpy made,", "compute a new tensor")
        return places.get(_place(x))

    # What is heard

    def _watch(self, primitive: Primitive, operands: Any, params: Any, result: Any, residuals: Any) -> None:
        if not isinstance(result, Tensor):
            return
        symbols = [self._operand(x) for x in operands]
        settings = self.symbolic(params)
        array = plain(result.array)
        if self.is_constant((*symbols, *settings)):
            outputs = tuple([self.constant(x) for x in (array, *residuals)])
        else:
            self._check_shape(primitive, settings)
            outputs = self.apply(primitive, symbols, settings, array)
            if not isinstance(outputs[0], Symbol):
                outputs = (self.constant(array), *outputs[1:])
            if primitive.contiguous and array.flags.c_contiguous:
                self.contiguous.add(id(outputs[0]))
        if primitive is ops.pow and not isinstance(symbols[0], Symbol):  # its vjp has the logarithm in float64
            symbols = [self.constant(np.asarray(symbols[0], np.float64)), symbols[1]]
        if result.stored_node is not None:
            self.keep(result.stored_node, symbols, settings, outputs)
        result.array = self.mark(array, outputs[0])
        if primitive.views and result.base is None and owner(array) is owner(plain(operands[0].array)):
            result.base = operands[0].base_of_view(primitive, params)  # which is not seen in marked arrays
        if residuals:
            residuals[:] = [self.mark(x, symbol) for x, symbol in zip(residuals, outputs[1:], strict=True)]
        self.kept.append((outputs, result.stored_node))

    def _operand(self, x: Any) -> Any:
        if isinstance(x, Tensor):
            if not isinstance(x.array, Marked):
                symbol = self.symbolic(x.array)
                x.array = self.mark(x.array, symbol)
                if id(symbol) in self.constants:
                    self.unknown.append(weakref.ref(x))
            return self._symbol_of(x.array)
        return self.symbolic(x)

    def _check_shape(self, primitive: Primitive, params: Any) -> None:
        masks = [x for x in symbols_in(params) if x.dtype == bool and not self.is_constant(x)]
        if masks and primitive is ops.index:
            self.refuse("an index by a mask", "the shape depends on numbers; use torch.where(mask, x, 0.0)")

    def call(self, function: Callable[..., Any], args: Any, keywords: Any) -> Any:
        """Call a function of numpy's. The result, or each of several, is marked with what computes it."""
        result = function(*plain(args), **plain(keywords))
        given = (*self.symbolic(tuple(args)), *self.symbolic(tuple(keywords.values())))
        if self.is_constant(given):
            return result
        if function in SPELLED and isinstance(result, np.ndarray):
            symbol = SPELLED[function](given[0], result)
            self.kept.append(symbol)
            return self.mark(result, symbol)
        if function in OF_ANY_SHAPE:
            self.refuse(f"{function.__name__}", "the shape of its result depends on numbers")
        if not isinstance(result, np.ndarray | np.generic | tuple | list):
            return self._guarded(made_by(called(function, tuple(keywords)), given, np.zeros(())), result)
        return self._outputs(called(function, tuple(keywords)), given, result)

    def _outputs(self, primitive: Primitive, given: tuple[Any, ...], result: Any) -> Any:
        if not isinstance(result, tuple | list):
            step = made_by(primitive, given, result)
            self.kept.append(step)
            return self.mark(result, step)
        step = made_by(primitive, given, np.zeros(()))
        self.kept.append(step)
        parts = [self.mark(x, made_by(OUTPUT, (step, place), np.asarray(x))) for place, x in enumerate(result)]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)

    def item(self, x: Marked, key: tuple[Any, ...]) -> Any:
        """Index a marked array."""
        parts = self.symbolic(key)
        if any(part.dtype == bool and not self.is_constant(part) for part in symbols_in(parts)):
            self.refuse("an index by a mask", "the shape depends on numbers; use torch.where(mask, x, 0.0)")
        result = plain(x)[plain(key)]
        given = (self._symbol_of(x), parts)
        if self.is_constant(given):
            return result
        return self._outputs(called(ITEM), given, result)

    def set_item(self, x: Any, key: tuple[Any, ...], value: Any) -> None:
        """Assign to some places of a marked array."""
        before, parts, filling = self._symbol_of(x), self.symbolic(key), self.symbolic(value)
        is_all = len(parts) == 1 and (parts[0] is ... or (type(parts[0]) is slice and parts[0] == slice(None)))
        whole = is_all and isinstance(filling, Symbol) and _layout(plain(value)) == _layout(plain(x))
        symbol = filling if whole else made_by(ops.assign, (before, filling, parts), x)
        self._change(x, symbol, lambda: plain(x).__setitem__(plain(key), plain(value)))

    def write(self, target: Any, source: Any, **settings: Any) -> None:
        """Write an array into another, as `np.copyto` does."""
        if settings:
            self.refuse("np.copyto with settings", "use torch.where")
        before = self.symbolic(target)
        filling = self.symbolic(source)
        whole = isinstance(filling, Symbol) and _layout(plain(source)) == _layout(plain(target))
        symbol = filling if whole else made_by(ops.assign, (before, filling, (...,)), target)
        self._change(target, symbol, lambda: np.copyto(plain(target), plain(source)))

    def changed_at(self, function: Callable[..., Any], args: Any) -> None:
        """Change some places of an array, as `np.add.at` does."""
        changed = self.call(_at(function), args, {})
        self.write(args[0], changed)

    def _change(self, target: np.ndarray, symbol: Symbol, change: Callable[[], Any]) -> None:
        """Change an array in place, which holds what `symbol` says from then on."""
        now = self.symbolic(target)
        if id(now) in self.constants:  # which the steps so far have read
            now.array = self.constants[id(now)] = plain(target).copy()
        change()
        others = [other for reference in self.marked if (other := reference()) is not None and other.symbol is not None]
        others = [other for other in others if np.may_share_memory(plain(other), plain(target))]
        symbols = after_change(now, symbol, [other.symbol for other in others])
        symbol = symbols[id(now)]
        self.kept.append(symbol)
        if not isinstance(target, Marked):
            self.arrays[id(target)] = target, symbol
        held = {_place(target): symbol}
        for other in others:
            other.symbol = symbols.get(id(other.symbol), symbol if _place(other) == _place(target) else None)
            if other.symbol is not None:
                held[_place(other)] = other.symbol
            elif any(other is m for m, _ in self.given):
                self.refuse("this change in place of a part of a Tensor from outside", "change it as in x[0] = y")
        places = self._held(target)
        places.clear()
        places.update(held)

    def read(self, x: Marked, function: Callable[..., Any], args: Any) -> Any:
        """Read numbers. Only a check of arguments may do so, and the compiled function checks them too."""
        value = function(plain(x), *plain(args))
        symbol = self._symbol_of(x)
        if self.is_constant((symbol, self.symbolic(args))):
            return value
        reader = _reader()
        if reader in READINGS:
            self.refuse_reading(reader)
        step = symbol
        if args or function is np.ndarray.__contains__:
            step = made_by(called(function), (symbol, *self.symbolic(args)), np.zeros(()))
        self._guarded(step, value if function is np.ndarray.__bool__ or step is not symbol else plain(x))
        return value

    def refuse_reading(self, name: str) -> NoReturn:
        """Refuse that the user reads a number that depends on the inputs."""
        self.refuse(
            f"{name} of a Tensor that depends on the inputs",
            "the numbers differ from call to call; compute with Tensors alone, or read it outside of the function",
        )

    def _guarded(self, step: Symbol, value: Any) -> Any:
        self.kept.append(step)
        self.guards.append(Guard(step, value))
        return value

    def _drawn(self, draw: Callable[..., Any], source: Generator, args: Any, keywords: Any) -> Any:
        """A draw of random numbers, which a compiled call repeats."""
        if not draw.__name__.startswith(DRAWS):
            self.refuse(f"{draw.__name__} within the function", "set the state of a generator before the call")
        heard = listening.set(None)
        try:
            result = draw(source, *plain(args), **plain(keywords))
        finally:
            listening.reset(heard)
        primitive = Call(functools.partial(draw, source), tuple(keywords))
        primitive.name = draw.__name__
        marked = self._outputs(primitive, self.symbolic((*args, *keywords.values())), result)
        self.draws.append(marked.symbol)
        if source not in self.sources:
            self.sources.append(source)
        return marked

    # Afterwards

    def rewound(self) -> list[Generator]:
        """The generators, if a check reads what they draw: they have moved on when it fails."""
        draws, found, ahead = {*map(id, self.draws)}, set[int](), [guard.symbol for guard in self.guards]
        while ahead and draws.isdisjoint(found):
            symbol = ahead.pop()
            if id(symbol) not in found:
                found.add(id(symbol))
                ahead += symbols_in(symbol.arguments)
        return [] if draws.isdisjoint(found) else self.sources

    def check(self, known: Iterable[Any]) -> None:
        """Refuse what cannot be followed: Tensors that are not known, hooks, and gradients that results retain."""
        given = {id(x) for x in known}
        for reference in self.unknown:
            x = reference()
            if x is not None and id(x) not in given:
                self.refuse(
                    f"the use of a Tensor of shape {x.array.shape} that is kept elsewhere", "give it as an argument"
                )
        for node in self.symbols:
            if node in hooks:
                self.refuse("a hook on a result within the function", "return the result, and register it there")
            if node.retains_grad:
                self.refuse("retain_grad() within the function", "return the result, and call it there")

    def cut(self, stand_ins: dict[Any, Any]) -> None:
        """Let the recorded nodes hold ordinary arrays, and `stand_ins` in place of nodes from outside."""
        for node in self.symbols:
            node.inputs = tuple(
                [self._unmarked(stand_ins.get(x, x) if isinstance(x, Node) else x) for x in node.inputs]
            )
            node.params = plain(node.params)
            node.saved = None if node.saved is None else plain(tuple(node.saved))

    def saved(self, node: Any) -> tuple[Any, ...]:
        """The Symbols of the values that a node saved; refused if one was changed in place, as in any backward pass."""
        saved_values(node)
        return super().saved(node)

    @staticmethod
    def _unmarked(x: Any) -> Any:
        if isinstance(x, Tensor):
            x.array = plain(x.array)
        return plain(x)


def _reshaped(x: Symbol, result: np.ndarray) -> Any:
    return Symbol.record(ops.reshape, x, result.shape)


def _copied(x: Symbol, result: np.ndarray) -> Any:
    return Symbol.record(CONTIGUOUS, x) if result.ndim > 1 and result.flags.c_contiguous else x


# Functions of numpy that are primitives too, by their first operand and their result.
SPELLED: dict[Any, Callable[[Symbol, np.ndarray], Any]] = {
    **dict.fromkeys((np.ndarray.reshape, np.ndarray.ravel, np.ndarray.squeeze, np.reshape, np.expand_dims), _reshaped),
    np.ndarray.copy: _copied,
    np.broadcast_to: lambda x, result: Symbol.record(ops.expand, x, result.shape),
}
DRAWS = ("uniform", "normal", "exponential", "bernoulli", "integers", "permutation", "multinomial")


Place = tuple[Any, ...]


def _place(x: np.ndarray) -> Place:
    """Which part of memory an array is, in which layout."""
    return plain(x).__array_interface__["data"][0], *_layout(x)


def _layout(x: np.ndarray) -> Place:
    """How an array lies in memory."""
    return x.shape, x.dtype.char, *[n for n, size in zip(x.strides, x.shape, strict=True) if size > 1]


def _reader() -> str:
    """The function of minigrad's that the user called, which reads a number now."""
    frame, name = sys._getframe(2), ""
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("minigrad", "numpy"):
        name = frame.f_code.co_name
        frame = frame.f_back
    return name


@functools.lru_cache
def _at(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    def at(x: np.ndarray, *args: Any) -> np.ndarray:
        copy = x.copy()
        function(copy, *args)
        return copy

    at.__name__ = f"{function.__name__}_at"
    return at
