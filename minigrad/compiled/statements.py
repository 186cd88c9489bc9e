"""The statements of a program: numpy text for each step, with a name for its result."""

import math
from typing import Any

import numpy as np

from minigrad.compiled.buffers import Buffers
from minigrad.compiled.calls import CONTIGUOUS, ITEM, Call
from minigrad.compiled.layout import Layout, Wanted
from minigrad.compiled.strides import REDUCTIONS
from minigrad.core import ops
from minigrad.core.primitive import Primitive, Shape
from minigrad.derive.copying import library_name
from minigrad.derive.expressions import number
from minigrad.derive.forms import word_for
from minigrad.derive.infix import COMPARISON, WHOLE
from minigrad.derive.naming import identifier, unused
from minigrad.derive.plain import dtype_text, ints_text, is_number, literal, plain
from minigrad.derive.symbols import OUTPUT, Symbol, is_mT

# Functions of arrays whose result has a shape that does not depend on numbers.
STEADY = {
    *("view", "argmax", "argmin", "argsort", "sort", "astype", "take", "sum", "prod", "min", "max", "any", "all"),
    *("mean", "std", "var", "cumsum", "cumprod", "clip", "round", "reduce", "accumulate", "transpose", "swapaxes"),
    *("item", "concatenate", "stack", "where"),
    *("uniform", "normal", "bernoulli", "integers", "permutation", "exponential"),
}

# Functions of numpy's that the source calls by their own names.
FUNCTIONS = {"copyto", *(name for name, thing in vars(np).items() if isinstance(thing, np.ufunc))}
COMPARISONS = {
    **{np.equal: "==", np.not_equal: "!=", np.less: "<", np.less_equal: "<=", np.greater: ">", np.greater_equal: ">="}
}


class Statements(Layout):
    """Statements for the steps of a program.

    `space` is what the source refers to by name: functions and constant arrays. `head` are the statements that make
    arrays, and views of them, once; `fixed` their names. `lines` are the statements of the pass that is being written,
    and `local` the names that it has assigned. `saved` are names of the forward pass that the backward pass reads.
    `imported` are the functions of numpy's that the source calls.
    """

    def __init__(self, wanted: Wanted, constants: dict[int, np.ndarray], contiguous: set[int]) -> None:
        super().__init__(wanted, constants, contiguous)
        self.space: dict[str, Any] = {"np": np, "same": same, "__name__": "minigrad.compiled.source"}
        self.taken = {"np", "math", "same", "make", "forward", "backward", "saved", "memory", *FUNCTIONS}
        self.imported: set[str] = set()
        self.bound: dict[int, str] = {}  # names in `space`, by the id of what they stand for
        self.known: dict[int, Any] = {}  # keeps alive what has an id in `bound`
        self.buffers = Buffers(self.order, self)
        self.head: list[str] = []
        self.lines: list[str] = []
        self.saved: list[str] = []
        self.local: set[str] = set()
        self.fixed: set[str] = set()
        self.turned: dict[int, str] = {}  # names of transposes of arrays that are made once
        self._constants: dict[Any, np.ndarray] = {}
        self._numbers: dict[Any, str] = {}
        self.shapes: dict[int, Shape] = {}  # of the arrays that are made once, by the id of the Symbol
        self.in_shape: dict[tuple[str, Shape], str] = {}  # names of arrays in another shape

    # Names

    def numpy(self, name: str) -> str:
        """The name by which the source calls a function of numpy's."""
        self.imported.add(name)
        return name

    def bind(self, thing: Any, wanted: str) -> str:
        """The name by which the source refers to a thing."""
        if id(thing) not in self.bound:
            name = unused(identifier(wanted), self.taken)
            self.taken.add(name)
            self.bound[id(thing)], self.space[name] = name, thing
            self.known[id(thing)] = thing
        return self.bound[id(thing)]

    def name(self, symbol: Symbol, wanted: str) -> str:
        """A new name for a result."""
        name = unused(identifier(wanted), self.taken)
        self.taken.add(name)
        self.texts[id(symbol)] = name, WHOLE
        return name

    def part(self, x: Any, least: int = COMPARISON) -> str:
        """The text of an operand."""
        x = self.canonical(x)
        if isinstance(x, Symbol):
            if x.value is not None:
                return self.bind(self._filled(x), "constant")
            if id(x) not in self.texts:
                self._declare(x)
            name = self.texts[id(x)][0]
            if name not in self.local and name not in self.space and name not in self.fixed:
                self.local.add(name)
                self.saved.append(name)
            return name
        return super().part(x, least)

    def _filled(self, x: Symbol) -> np.ndarray:
        key = (x.shape, x.dtype.str, np.asarray(x.value).tobytes())
        return self._constants.setdefault(key, np.full(x.shape, x.value, x.dtype))

    # Steps

    def _step(self, symbol: Symbol) -> None:
        """Write the statement of a step; none for a view, until it is asked for."""
        if symbol.primitive is None or symbol.value is not None or id(symbol) in self.texts:
            return
        if self.is_view(symbol):  # it gets a name where it is read
            return
        if id(symbol) in self.direct:
            self.lines += self._into(symbol, self.part(self.direct[id(symbol)]))
            return
        if id(symbol) in self.buffers.place:
            self.lines += self._into(symbol, self._array(symbol, symbol.shape))
            return
        text = self._value(symbol)
        name = self.name(symbol, self._word(symbol))
        self.local.add(name)
        self.lines.append(f"{name} = {text}")
        primitive = symbol.primitive
        is_steady = primitive.name in STEADY or not symbol.shape or id(symbol) in self.outputs
        if isinstance(primitive, Call) and not is_steady and self.ufunc_of(symbol) is None:
            self.lines += [f"if {name}.shape != {symbol.shape}:", "    return None"]

    def _declare(self, symbol: Symbol) -> None:
        """Give a name to a view: once for all calls, if it is one of an array that is made once."""
        assert symbol.primitive, symbol
        text = self._viewed(symbol)
        name = self.name(symbol, self._word(symbol))
        if self._is_fixed(symbol):
            self.fixed.add(name)
            self.head.append(f"{name} = {text}")
        else:
            self.local.add(name)
            self.lines.append(f"{name} = {text}")

    def _is_fixed(self, symbol: Any) -> bool:
        """Whether it is an array that is made once, or a view of one."""
        symbol = self.canonical(symbol)
        while isinstance(symbol, Symbol) and id(symbol) not in self.buffers.place:
            if symbol.primitive is None or not self.is_view(symbol):
                return False
            symbol = self.canonical(symbol.arguments[0])
        return isinstance(symbol, Symbol)

    def _array(self, symbol: Symbol, shape: Shape) -> str:
        """Declare the array that a step writes into."""
        self.shapes[id(symbol)] = shape
        name = self.name(symbol, self._word(symbol))
        self.fixed.add(name)
        place = self.buffers.place[id(symbol)]
        self.head.append(f"{name} = np.ndarray({ints_text(shape)}, {dtype_text(symbol.dtype)}, memory[{place}])")
        return name

    def _in_shape(self, x: Symbol, name: str, shape: Shape) -> str:
        """The name of an array that lies in rows, in another shape."""
        if shape == self.shapes.get(id(x), x.shape):
            return name
        if (name, shape) not in self.in_shape:
            other = self.in_shape[name, shape] = unused(f"{name}_in_rows", self.taken)
            self.taken.add(other)
            is_fixed = self._is_fixed(x)
            (self.fixed if is_fixed else self.local).add(other)
            (self.head if is_fixed else self.lines).append(f"{other} = {name}.reshape({ints_text(shape)})")
        return self.in_shape[name, shape]

    @staticmethod
    def _word(symbol: Symbol) -> str:
        primitive = symbol.primitive
        assert primitive
        if primitive is OUTPUT and not isinstance(symbol.arguments[0].primitive, Call):
            call, place = symbol.arguments
            return (f"{call.primitive.name}_of", *call.primitive.residuals)[place]
        word = {"getitem": "chosen"}.get(primitive.name, word_for(primitive))
        return f"{word}_of" if word in FUNCTIONS else word

    def _into(self, symbol: Symbol, name: str) -> list[str]:
        """Statements that write the result of a step into the array `name`."""
        primitive, arguments = symbol.primitive, symbol.arguments
        if primitive is ops.relu:
            return [
                f"{self.numpy('maximum')}({self.part(arguments[0])}, {self.fixed_number(0, symbol.dtype)}, out={name})"
            ]
        if primitive in (ops.linear, ops.linear_map):
            x, weight, *bias = arguments
            lines = [f"{self.numpy('matmul')}({self.part(x)}, {self._turned(weight)}, {name})"]
            return lines + [f"{self.numpy('add')}({name}, {self.part(each)}, {name})" for each in bias]
        if primitive is ops.matmul:
            return [f"{self.numpy('matmul')}({self.part(arguments[0])}, {self.part(arguments[1])}, {name})"]
        if primitive is ops.where:
            condition, a, b = arguments
            a, b = (self.operand(x, COMPARISON, symbol) for x in (a, b))
            copyto = self.numpy("copyto")
            return [f"{copyto}({name}, {b})", f"{copyto}({name}, {a}, where={self.part(condition)})"]
        if primitive is ops.put:
            x, key, _ = arguments
            places = ", ".join(map(self.index, key)) or "..."
            return [f"{name}.fill(0)", f"{name}[{places}] = {self.part(x)}"]
        if primitive is ops.reshape:
            before = self._in_shape(symbol, name, arguments[0].shape)
            return [f"{self.numpy('copyto')}({before}, {self.part(arguments[0])})"]
        if primitive is ops.softmax:  # as in `kernels.softmax`
            x, axes = self.part(arguments[0]), ints_text(arguments[1])
            greatest = f"{self.numpy('maximum')}.reduce({x}, {axes}, keepdims=True, initial=-np.inf)"
            sums = f"{self.numpy('add')}.reduce({name}, {axes}, np.float64, keepdims=True)"
            return [
                f"{self.numpy('subtract')}({x}, {greatest}, {name})",
                f"{self.numpy('exp')}({name}, {name})",
                f"{self.numpy('divide')}({name}, {sums}.astype({dtype_text(symbol.dtype)}), {name})",
            ]
        if primitive in REDUCTIONS:
            x, axes, keepdims, *_ = arguments
            lines = [self._reduced(primitive, x, axes, keepdims, name)]
            if primitive is ops.mean:
                count = self.fixed_number(math.prod(x.shape[axis] for axis in axes), symbol.dtype)
                lines.append(f"{self.numpy('divide')}({name}, {count}, {name})")
            return lines
        into = f"out={name}" if self.ufunc_of(symbol) in (np.maximum, np.minimum) else name  # which warn otherwise
        return [f"{self._applied(symbol)[:-1]}, {into})"]

    def _turned(self, weight: Any) -> str:
        """The transpose of a matrix."""
        weight = self.canonical(weight)
        if self._is_fixed(weight) and id(weight) not in self.turned:
            name = unused(f"{self.part(weight)}_T", self.taken)
            self.taken.add(name)
            self.head.append(f"{name} = {self.part(weight)}.T")
            self.turned[id(weight)] = name
        return self.turned.get(id(weight)) or f"{self.part(weight)}.T"

    def _reduced(self, primitive: Primitive, x: Any, axes: Any, keepdims: Any, into: str = "") -> str:
        name = f"{self.numpy(REDUCTIONS[primitive].__name__)}.reduce"
        axis = literal(axes[0]) if len(axes) == 1 else ints_text(axes)
        if into:
            return f"{name}({self.part(x)}, {axis}, None, {into}{', True' * bool(keepdims)})"
        return f"{name}({self.part(x)}, {axis}{', keepdims=True' * bool(keepdims)})"

    def _applied(self, symbol: Symbol) -> str:
        """A call of the ufunc that computes a step."""
        ufunc = self.ufunc_of(symbol)
        assert ufunc
        operands = [self.canonical(x) for x in symbol.arguments[: ufunc.nin]]
        if not symbol.shape and ufunc in COMPARISONS and all(map(self._is_scalar, operands)):
            a, b = map(self.part, operands)
            return f"{a} {COMPARISONS[ufunc]} {b}"
        dtypes = [*{x.dtype for x in operands if isinstance(x, Symbol)}]
        numbers = {i: self._fixed_number(x, dtypes[0], ufunc) for i, x in enumerate(operands) if len(dtypes) == 1}
        texts = [numbers.get(i) or self.operand(x, COMPARISON, symbol) for i, x in enumerate(operands)]
        name = library_name(ufunc).removeprefix("np.")
        return f"{self.numpy(name) if name else self.bind(ufunc, 'function')}({', '.join(texts)})"

    def _is_scalar(self, x: Any) -> bool:
        """Whether it is a number, or one of numpy's scalars, with which Python's own operators are fast."""
        if not isinstance(x, Symbol):
            return True
        is_picked = isinstance(x.primitive, Call) and x.primitive.function in (np.ndarray.take, ITEM)
        return is_picked and not x.shape and id(x) not in self.buffers.place

    def _fixed_number(self, x: Any, dtype: np.dtype[Any], ufunc: np.ufunc) -> str:
        """The name of a number that stands beside arrays of a dtype, if it has that dtype there."""
        fitting = int | float if dtype.kind == "f" else int
        if isinstance(x, bool) or not isinstance(x, fitting) or not dtype.isnative:
            return ""
        if not any(types.startswith(f"{dtype.char * 2}->") for types in ufunc.types):
            return ""
        try:
            with np.errstate(all="raise"):
                value = dtype.type(x)
        except (OverflowError, FloatingPointError):
            return ""
        return self.fixed_number(x, dtype) if isinstance(x, float) or value == x else ""

    def fixed_number(self, x: Any, dtype: np.dtype[Any], text: str = "") -> str:
        """The name of a number as an array that is made once: numpy would convert a number of Python's at each call."""
        key = dtype.str, np.asarray(x, dtype).tobytes()
        if key not in self._numbers:
            name = self._numbers[key] = unused("number", self.taken)
            self.taken.add(name)
            self.fixed.add(name)
            self.head.append(f"{name} = np.array({text or literal(plain(x))}, {dtype_text(dtype)})")
        return self._numbers[key]

    def number_beside(self, x: Symbol, least: int) -> str:
        """A number beside arrays of its dtype."""
        return self.fixed_number(x.value, x.dtype, number(x)[0])

    def is_written_within(self, x: Symbol) -> bool:
        """Whether no name has been given to an `expand` so far."""
        return id(x) not in self.texts

    def _without_leading_ones(self, x: Any, least: int) -> str:
        return self.part(x, least)

    def _value(self, symbol: Symbol) -> str:
        """The text of a step whose result is a new array."""
        primitive, arguments = symbol.primitive, symbol.arguments
        assert primitive
        if primitive is OUTPUT:
            return f"{self.part(arguments[0])}[{arguments[1]}]"
        if self.ufunc_of(symbol) is not None:
            text = self._applied(symbol)
            if symbol.in_place and not self.in_rows_for_certain(symbol):
                return f"{text[:-1]}, np.empty_like({self.part(arguments[0])}))"
            return self._as_operands(symbol, text)
        if isinstance(primitive, Call):
            return self._called(primitive, arguments, symbol)
        if self.is_view(symbol) or primitive is ops.reshape:
            return self._viewed(symbol)
        if primitive in REDUCTIONS and not self.is_long(symbol):
            x, axes, keepdims, *_ = arguments
            text = self._reduced(primitive, x, axes, keepdims)
            if primitive is ops.mean:
                text = f"{text} / {math.prod(x.shape[axis] for axis in axes)}"
            return self._as_operands(symbol, text)
        if primitive in (ops.matmul, ops.linear_map):
            a, b = arguments
            right = self.part(b) if primitive is ops.matmul else self._turned(b)
            return self._as_operands(symbol, f"{self.numpy('matmul')}({self.part(a)}, {right})")
        if primitive is ops.pow:
            base, exponent = (self.part(x, WHOLE) for x in arguments)
            if symbol.shape:
                return f"{base} ** {exponent}"
            is_array = isinstance(arguments[0], Symbol)  # numpy computes with 0-d arrays, and not with its scalars
            return f"np.asarray({base}) ** {exponent}" if is_array else f"{base} ** np.asarray({exponent})"
        if primitive is ops.relu:
            return f"{self.numpy('maximum')}({self.part(arguments[0])}, 0)"
        if primitive is ops.index:
            x, key = arguments
            if len(key) == 1 and isinstance(key[0], Symbol) and key[0].dtype == np.intp and math.prod(x.shape):
                return f"{self.part(x)}.take({self.part(key[0])}, 0)"
            if len(symbol.shape) == 1 and all(isinstance(part, Symbol | np.ndarray) and part.shape for part in key):
                return f"{self.part(x)}[{', '.join(map(self._argument, key))}]"
            name = self.bind(primitive.kernel, "index")
            return f"{name}({self.part(arguments[0])}, {self._argument(arguments[1])})"
        if primitive is ops.one_hot and (rows := self._one_hot(symbol)):
            return rows
        if primitive is ops.put and (counted := self._put(symbol)):
            return counted
        name = self.bind(primitive.kernel, primitive.name)
        text = f"{name}({', '.join(map(self._argument, arguments))})"
        if primitive.residuals:
            return text
        return text if primitive is CONTIGUOUS else self._in_rows(symbol, text)

    def _in_rows(self, symbol: Symbol, text: str) -> str:
        """The text of a result, which numpy may lay out in another way than it was recorded."""
        if not symbol.shape or id(symbol) not in self.in_rows:
            return text
        return f'np.asarray({text}, order="C")'

    def _as_operands(self, symbol: Symbol, text: str) -> str:
        """The same for a result that numpy lays out as the operands."""
        operands = [x for x in symbol.arguments if isinstance(x, Symbol)]
        return text if all(map(self.in_rows_for_certain, operands)) else self._in_rows(symbol, text)

    def _one_hot(self, symbol: Symbol) -> str:
        """Rows of an identity matrix that is made once, as in `kernels.one_hot_rows`."""
        indices, shape, axis, dtype = symbol.arguments
        if not isinstance(indices, Symbol) or axis < len(shape) - 1 or shape[axis] > 256 or indices.dtype != np.intp:
            return ""
        before = self.canonical(indices.arguments[0]) if indices.primitive is ops.reshape else None
        if isinstance(before, Symbol) and before.shape == indices.shape[:-1]:
            places = self.part(before)
        else:
            places = f"{self.part(indices)}.reshape({ints_text(indices.shape[:-1])})"
        return f"{self.bind(np.eye(shape[axis], dtype=dtype), 'identity')}.take({places}, 0)"

    def _put(self, symbol: Symbol) -> str:
        """A count over flat places, as in `kernels.put`, with a list of all places that is made once."""
        x, key, shape = symbol.arguments
        size = math.prod(x.shape)
        if len(key) != 1 or not isinstance(key[0], Symbol) or key[0].dtype != np.intp or len(shape) < 2:
            return ""
        if not 64 < size <= 2**14:
            return ""
        count = math.prod(shape)
        places = self.bind(np.arange(count).reshape(shape), "places")
        counted = f"np.bincount({places}.take({self.part(key[0])}, 0).ravel(), {self.part(x)}.ravel(), {count})"
        return f"{counted}.reshape({ints_text(shape)}).astype({dtype_text(symbol.dtype)})"

    def _called(self, primitive: Call, arguments: tuple[Any, ...], symbol: Symbol) -> str:
        function, count = primitive.function, len(arguments) - len(primitive.keywords)
        texts = [self._argument(x) for x in arguments]
        if function is ITEM:
            return f"{texts[0]}[{texts[1]}]"
        home = getattr(function, "__objclass__", None)
        name = f"np.ndarray.{function.__name__}" if home is np.ndarray else library_name(function)
        if not name:  # a function that tells arrays from the scalars that numpy makes of them
            name = self.bind(function, primitive.name)
            is_number = [isinstance(x, Symbol) and not x.shape for x in arguments]
            texts = [f"np.asarray({text})" if is_one else text for text, is_one in zip(texts, is_number, strict=True)]
        named = [f"{key}={text}" for key, text in zip(primitive.keywords, texts[count:], strict=True)]
        if home is np.ndarray and texts[0].isidentifier():
            return f"{texts[0]}.{function.__name__}({', '.join([*texts[1:count], *named])})"
        return f"{name}({', '.join([*texts[:count], *named])})"

    def _argument(self, x: Any) -> str:
        if isinstance(x, Symbol):
            return self.part(x)
        if isinstance(x, tuple):
            return f"({', '.join(map(self._argument, x))}{',' * (len(x) == 1)})"
        if isinstance(x, slice):
            return f"slice({', '.join(self._argument(end) for end in (x.start, x.stop, x.step))})"
        if x is None or x is ... or type(x) is bool:
            return str(x) if x is not ... else "..."
        if type(x) is int or (type(x) is float and math.isfinite(x)):
            return repr(x)
        if isinstance(x, type) and x in np.sctypeDict.values():
            x = np.dtype(x)
        if isinstance(x, np.dtype) and is_number(x):
            return dtype_text(x)
        return self.bind(x, "constant")

    def _viewed(self, symbol: Symbol) -> str:
        """A view of an array, by a method of numpy's."""
        x, *rest = symbol.arguments
        text = self.part(x)
        if symbol.primitive is ops.reshape:
            return f"{text}.reshape({ints_text(rest[0])})"
        if symbol.primitive is ops.permute:
            (axes,) = rest
            is_reversed = axes == tuple(reversed(range(len(axes))))
            return f"{text}.{'T' if is_reversed else 'mT' if is_mT(axes) else f'transpose({ints_text(axes)})'}"
        if symbol.primitive is ops.expand:
            return f"np.broadcast_to({text}, {ints_text(rest[0])})"
        return f"{text}[{', '.join(self.index(part) for part in rest[0]) or '()'}]"


def same(now: Any, then: Any) -> bool:
    """Whether a check of arguments reads what it read before."""
    return np.array_equal(now, then)
