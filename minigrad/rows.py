"""What a row of the table is: an operation, its derivatives, and how they run on Tensors, on arrays and on floats.

`ops.py` holds the rows. A rule is written once, and runs in three ways: on Tensors and symbols, where the rows that it
calls record, see `recording.py`; on arrays, and on floats, where they need not look at what they are given and are mere
functions.
"""

import functools
import inspect
import operator
from collections.abc import Callable, Sequence
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from minigrad.value import Value

Rule = Callable[..., Any]
Axes = tuple[int, ...]
Shape = tuple[int, ...]

NUMBERS = (float, int, bool)


class Recorded:
    """Whatever records the operations applied to it: a Tensor, a Value, a symbol."""

    __slots__ = ()

    own_node: Any = None  # of a Tensor alone
    origin: Any = None

    @staticmethod
    def recorder(row: "Row", /) -> Callable[..., Any]:
        """The function that applies `row` to operands, one of which is of this kind, followed by its parameters."""
        raise NotImplementedError


class Row:
    """One operation: its forward function, and a rule for each operand that has a gradient.

    `number` computes it for floats, where that differs, and `arrays` for arrays, where another way is quicker. An
    `elementwise` row's operands are brought to one dtype first, a `floating` one's to a floating dtype. What a row that
    `views` returns may share its operand's memory. In a fused row the gradients share work: its forward returns, after
    the result, the intermediate results that `extras` names, and one `joint` rule may give the gradients of all
    operands. `table` is the module of the row, whose other rows its functions call. A row that takes any number of
    operands, under one name, says what `params` follow them, and has a joint rule.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        *,
        number: Callable[..., Any] | None = None,
        arrays: Callable[..., Any] | None = None,
        elementwise: bool = False,
        floating: bool = False,
        views: bool = False,
        params: tuple[str, ...] | None = None,
        extras: tuple[str, ...] = (),
        joint: Rule | None = None,
        table: dict[str, Any] | None = None,
        **rules: Rule | None,
    ) -> None:
        self.name, self.forward, self.number, self.arrays = name, forward, number or forward, arrays or forward
        self.elementwise, self.floating = elementwise or floating, floating
        self.operands, self.rules, self.joint = tuple(rules), tuple(rules.values()), joint
        self.differentiable = tuple([name for name, rule in rules.items() if rule or joint])
        self.extras, self.views, self.table = extras, views, table
        self.variadic = params is not None
        self.params = names_of(forward)[len(rules) :] if params is None else params
        self.names = ("y", *self.extras, *self.params, *self.operands)
        self.plans, self.number_plans = Plans(self), Plans(self, numbers=True)

    def __call__(self, *arguments: Any) -> Any:
        """The result for operands of any kind, followed by the parameters; recorded if an operand records."""
        numbers = self.number is not self.forward
        for operand in self.split(arguments)[0]:
            if isinstance(operand, Recorded):
                return operand.recorder(self)(*arguments)
            numbers = numbers and type(operand) in NUMBERS
        return (self.number if numbers else self.forward)(*arguments)

    def split(self, arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The operands, of which some rows take any number, and the parameters."""
        count = len(arguments) - len(self.params)
        return arguments[:count], arguments[count:]

    def __repr__(self) -> str:
        return f"<row {self.name}>"

    @functools.cached_property
    def on_tensors(self) -> Callable[..., Any]:
        """What computes it for Tensors, and records it. It takes `grad_fn`, where PyTorch's is not named as the row."""
        from minigrad import recording  # which is made of Tensors itself

        return recording.on_tensors(self)

    @functools.cached_property
    def on_values(self) -> Callable[..., "Value"]:
        """What computes it for Values, and records it."""
        from minigrad import recording

        return recording.on_values(self)

    @functools.cached_property
    def on_arrays(self) -> Callable[..., Any]:
        """What computes it for arrays."""
        return bound(self.arrays, "arrays", self.table)


class Step(NamedTuple):
    """One rule to run: for which operand, and where its arguments lie (see `Plan`)."""

    operand: int
    rule: Rule
    arguments: tuple[int, ...]


class Plan:
    """What a row does when the operands marked in `wanted` need a gradient: what it keeps, and which rules then run.

    `kept` are positions in a row's values, laid out as `Row.names` says, and `keep` picks those. A step's arguments are
    positions among the kept values; a negative one, `~i`, stands for the shape of operand `i`. A backward pass
    `releases` the kept values if there are operands or results among them; or if the kept `key` has arrays in it.

    `run(g, node)` runs the rules where they are not to be recorded: it gives the operands that get a gradient, each
    with its part. A Tensor's node has `saved` what was kept; a Value, if the plan is for `numbers`, has all of it.
    """

    __slots__ = ("keep", "kept", "key", "releases", "row", "run", "steps")

    def __init__(self, row: Row, wanted: tuple[bool, ...], numbers: bool) -> None:
        rules = {0: row.joint} if row.joint else {i: rule for i, rule in enumerate(row.rules) if rule and wanted[i]}
        needed = {name for rule in rules.values() for name in names_of(rule)}
        # To differentiate again, a fused row's extras are computed anew from all operands and parameters.
        kept = [i for i, name in enumerate(row.names) if name in needed or (row.extras and name != "y")]
        place = {row.names[i]: position for position, i in enumerate(kept)}
        place |= {f"{name}_shape": ~i for i, name in enumerate(row.operands)}
        names = [row.names[i] for i in kept]
        self.row, self.kept, self.keep = row, tuple(kept), picker(kept)
        self.steps = tuple([Step(i, rule, tuple(place[n] for n in names_of(rule)[1:])) for i, rule in rules.items()])
        self.releases = any(name not in row.params or name == "indices" for name in names)
        self.key = names.index("key") if "key" in names else None
        self.run = self._run(wanted, numbers)

    def _run(self, wanted: tuple[bool, ...], numbers: bool) -> Callable[[Any, Any], Any]:
        """All rules in one function, of which the text is put together here, and not in a loop at every node."""
        row, first = self.row, len(self.row.names) - len(self.row.operands)
        values = [f"node.saved[{position}]" for position in range(len(self.kept))]
        if numbers:
            operands = [f"node.inputs[{i}]{'.data' * needs}" for i, needs in enumerate(wanted)]
            own = ["node.data", *(f"node.params[{i}]" for i in range(first - 1)), *operands]
            values = [own[i] for i in self.kept]
        calls = []
        for operand, _, arguments in self.steps:
            found = [values[i] if i >= 0 else f"node.inputs[{~i}].shape" for i in arguments]
            calls.append(f"rule_{operand}({', '.join(['g', *found])})")
        pairs = [f"(node.inputs[{step.operand}], {call})" for step, call in zip(self.steps, calls, strict=True)]
        text = f"zip(those(node.inputs), those({calls[0]}), strict=True)" if row.joint else f"[{', '.join(pairs)}]"
        names = {f"rule_{i}": bound(rule, "number" if numbers else "arrays", row.table) for i, rule, _ in self.steps}
        those = picker([i for i, needs in enumerate(wanted) if needs])
        return eval(f"lambda g, node: {text}", {**names, "those": those})


class Plans(dict[Any, Plan]):
    """The plans of a row, each made when it is first asked for, by which operands need a gradient."""

    def __init__(self, row: Row, numbers: bool = False) -> None:
        self.row, self.numbers = row, numbers

    def __missing__(self, wanted: tuple[bool, ...]) -> Plan:
        self[wanted] = plan = Plan(self.row, wanted, self.numbers)
        return plan


def picker(places: Sequence[int]) -> Callable[[Any], tuple[Any, ...]]:
    """What picks some places of a tuple, as a tuple."""
    if len(places) > 1:
        return operator.itemgetter(*places)
    return operator.itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


@functools.cache
def names_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's parameters; none of what is not written in Python, such as a ufunc's."""
    if isinstance(function, np.ufunc | BuiltinFunctionType):
        return ()
    if isinstance(function, FunctionType) and not vars(function):
        code = function.__code__
        if not code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
            # What its signature says, which takes several times as long, for each row of the table.
            return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return tuple(inspect.signature(function).parameters)


# The same text on arrays and on floats

_worlds: dict[tuple[str, int], dict[str, Any]] = {}


def bound(function: Callable[..., Any], kind: str, table: dict[str, Any] | None) -> Callable[..., Any]:
    """A function of a table's module, for which the rows are mere functions: of "arrays", or of floats ("number").

    It is the same text with other meanings for its names. A function of any other module stays as it is.
    """
    if table is None or not isinstance(function, FunctionType) or function.__globals__ is not table:
        return function
    return _with_names(function, _world(kind, table))


def _world(kind: str, table: dict[str, Any]) -> dict[str, Any]:
    """What the names of a table's module mean there: its rows what they are for that kind, its functions bound too.

    It is made once, when it is first needed: a row that is put into the module later is not in it.
    """
    if (kind, id(table)) not in _worlds:
        names: dict[str, Any] = {}
        for name, thing in table.items():
            function = getattr(thing, kind) if isinstance(thing, Row) else thing
            own = isinstance(function, FunctionType) and function.__globals__ is table
            names[name] = _with_names(function, names) if own else function
        _worlds[kind, id(table)] = names  # when it is whole, for other threads
    return _worlds[kind, id(table)]


def _with_names(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    return FunctionType(function.__code__, names, function.__name__, function.__defaults__)
