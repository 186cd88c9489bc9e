"""What a primitive is: a forward function in numpy, and one vjp (vector-Jacobian product) for each operand.

`ops.py` is the table of primitives. A vjp is written once and runs on everything: on arrays in an ordinary reverse
pass, on floats for Values, on Tensors where the gradients are recorded themselves, and on symbols, which print it. This
works because a vjp consists of operators and of other primitives, and a primitive asks its arguments what they are.
"""

import functools
import inspect
import operator
from collections.abc import Callable, Sequence
from types import BuiltinFunctionType, FunctionType
from typing import Any, ClassVar

import numpy as np

Vjp = Callable[..., Any]
Axes = tuple[int, ...]
Shape = tuple[int, ...]
Recorder = Callable[..., Any]
# One vjp that a reverse pass runs: the place of its operand, the vjp, how many saved values it takes, and how to pick
# them (as a tuple, or the only one by itself). A plain tuple, which the reverse pass unpacks fastest.
Step = tuple[int, Vjp, int, Callable[[Any], Any]]

NUMBERS = (float, int, bool)


class Traced:
    """The base class of what records the operations applied to it: Tensor, Value, and the symbols of `derive`."""

    __slots__ = ()

    # recorder(primitive) is the function that applies it to operands, at least one of this class, and its parameters.
    recorder: Callable[["Primitive"], Recorder]
    node: Any = None  # of these three, only a Tensor has others; see tensor.py
    stored_node: Any = None
    base: Any = None


class Primitive:
    """One operation: its forward function, and a vjp for each operand that has a gradient.

    The keywords that remain, `**vjps`, are the operands in order, each with its vjp, or None for an operand without a
    gradient. The parameters of `forward` that follow the operands are the operation's parameters, such as `axes`.

    - `symbol`: how Python writes it between its operands, such as `+`, or what micrograd calls it.
    - `scalar` computes it for Python floats, where `forward` does not, or not as fast; `kernel` for arrays, where there
      is a faster way than `forward`.
    - `elementwise`: the operands are promoted to one dtype first; `floating`: to a floating dtype.
    - `views`: the result may share the memory of its operand.
    - `strided`: the result is laid out in memory as numpy does it. Elementwise primitives and views are so too. The
      results of all others are contiguous, as PyTorch's.
    - `residuals`: names of the intermediate results that `forward` returns after the result, for the vjps.
    - `joint_vjp`: one function that returns the gradients of all operands, where these share work.
    - `params`: given only by a primitive that takes any number of operands: the names of what follows them.

    `values` names all that a vjp can ask for, in the order in which the recorder has it: the result `y`, the residuals,
    the parameters, the operands, and the shapes of the operands in `shaped`.
    """

    # How a recorder is made, by the class that records. `tensor.py` and `value.py` enter theirs.
    recorders: ClassVar[dict[str, Callable[["Primitive"], Recorder]]] = {}

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        *,
        symbol: str = "",
        scalar: Callable[..., Any] | None = None,
        kernel: Callable[..., Any] | None = None,
        elementwise: bool = False,
        floating: bool = False,
        views: bool = False,
        strided: bool = False,
        params: tuple[str, ...] | None = None,
        residuals: tuple[str, ...] = (),
        joint_vjp: Vjp | None = None,
        **vjps: Vjp | None,
    ) -> None:
        self.name, self.forward, self.symbol = name, forward, symbol
        self.scalar, self.kernel = scalar, kernel or forward
        self.elementwise, self.floating, self.views = elementwise or floating, floating, views
        self.contiguous = not (self.elementwise or views or strided)
        self.operands, self.vjps, self.joint_vjp = tuple(vjps), tuple(vjps.values()), joint_vjp
        self.differentiable = tuple([name for name, vjp in vjps.items() if vjp or joint_vjp])
        self.residuals, self.variadic, self.is_unary = residuals, params is not None, len(vjps) == 1 and params is None
        self.params = parameter_names(forward)[len(vjps) :] if params is None else params
        wanted = {name for vjp in (joint_vjp, *vjps.values()) if vjp for name in parameter_names(vjp)}
        self.shaped = tuple([i for i, name in enumerate(vjps) if f"{name}_shape" in wanted])
        shapes = [f"{self.operands[i]}_shape" for i in self.shaped]
        self.values = ("y", *residuals, *self.params, *self.operands, *shapes)
        self.plans, self.value_plans = Plans(self), Plans(self, everything=True)

    def __call__(self, *arguments: Any) -> Any:
        """The result for operands of any kind, followed by the parameters; recorded if an operand is Traced."""
        if self.is_unary and type(arguments[0]) is np.ndarray:  # the most frequent case, for speed
            return self.kernel(*arguments)
        for x in arguments:
            if isinstance(x, Traced):
                return x.recorder(self)(*arguments)
        if self.scalar is not None and type(arguments[0]) in NUMBERS:
            operands = self.split(arguments)[0]
            if all(type(x) in NUMBERS for x in operands):
                return self.scalar(*arguments)
        return self.kernel(*arguments)

    def split(self, arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The operands and the parameters among the arguments."""
        count = len(arguments) - len(self.params)
        return arguments[:count], arguments[count:]

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    @functools.cached_property
    def on_tensors(self) -> Recorder:
        """Compute it for Tensors, and record it. `label` is what the recorded node calls itself, if not as this."""
        return self.recorders["Tensor"](self)

    @functools.cached_property
    def on_values(self) -> Recorder:
        """Compute it for Values, and record it."""
        return self.recorders["Value"](self)


class Plan:
    """What a primitive saves for the reverse pass, and which vjps run, if the operands in `needs` need a gradient.

    `saved` are the positions of what is saved in `Primitive.values`, and `save` picks these values. The arguments of
    the vjps are saved and nothing else, so that no array lives longer than it has to. (A Value has `everything` at
    hand, since numbers need not be saved.) `uses_saved` says whether the vjps have such arguments at all.

    `steps` has a step for each vjp. A joint vjp is the step `joint`, whose arguments are always picked as a tuple. It
    runs first, and the other steps pick from what it returns.

    `releases`: whether a backward pass lets go of the saved values, as PyTorch does: if an operand or the result is
    among them. `key` is the position of an index among them, which is released too if it holds arrays.
    """

    __slots__ = ("joint", "key", "primitive", "releases", "save", "saved", "steps", "uses_saved")

    def __init__(self, primitive: Primitive, needs: tuple[bool, ...], everything: bool) -> None:
        self.primitive = primitive
        vjps = {i: vjp for i, vjp in enumerate(primitive.vjps) if vjp and needs[i]}
        if primitive.joint_vjp:
            vjps = {0: primitive.joint_vjp}
        wanted = [parameter_names(vjp)[1:] for vjp in vjps.values()]
        names = [*dict.fromkeys(name for each in wanted for name in each)]
        if primitive.residuals:
            # For a second derivative the residuals are computed again, from all operands and parameters.
            names = [*dict.fromkeys([*names, *primitive.values[1:]])]
        if everything:
            names = [*primitive.values]
        self.saved = tuple([primitive.values.index(name) for name in names])
        self.save = picker(self.saved)
        picks: list[Any] = [operator.itemgetter(*map(names.index, each)) if each else tuple for each in wanted]
        steps = [(i, vjp, len(each), pick) for (i, vjp), each, pick in zip(vjps.items(), wanted, picks, strict=True)]
        self.uses_saved = any(wanted)
        self.joint: Step | None = None
        if primitive.joint_vjp:
            self.joint = (0, primitive.joint_vjp, 0, picker([*map(names.index, wanted[0])]))
            steps = [(i, _given, 1, operator.itemgetter(i)) for i, need in enumerate(needs) if need]
        self.steps = tuple(steps)
        arrays = {"y", "indices", *primitive.residuals, *primitive.operands}
        self.releases = not arrays.isdisjoint(names)
        self.key = names.index("key") if "key" in names else None


class Plans(dict[Any, Plan]):
    """The plans of a primitive, by which operands need a gradient. Each is made when it is first needed.

    `cat` takes any number of operands, so there is no end of its plans. Few are kept if they are long.
    """

    def __init__(self, primitive: Primitive, everything: bool = False) -> None:
        self.primitive, self.everything = primitive, everything

    def __missing__(self, needs: tuple[bool, ...]) -> Plan:
        if len(self) * len(needs) > 1000:
            self.clear()
        self[needs] = plan = Plan(self.primitive, needs, self.everything)
        return plan


def _given(g: Any, gradient: Any) -> Any:
    """The vjp of an operand whose gradient a joint vjp has computed already."""
    return gradient


def picker(places: Sequence[int]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that returns the items at `places` of a tuple, as a tuple."""
    if len(places) > 1:
        return operator.itemgetter(*places)
    return operator.itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


@functools.lru_cache(1000)
def parameter_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's parameters. Functions without Python code, such as ufuncs, have none."""
    if isinstance(function, np.ufunc | BuiltinFunctionType) or function is np.where:
        return ()
    if isinstance(function, FunctionType) and not vars(function):
        code = function.__code__
        if not code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
            # The signature would say the same and takes several times as long, for each primitive of the table.
            return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return tuple(inspect.signature(function).parameters)
