"""The first call of a function: it runs as it is, and what it did is compiled."""

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad import walks
from minigrad.compiled.layout import Wanted
from minigrad.compiled.marks import Marked, plain
from minigrad.compiled.program import Program, eager_pass, plan_of, results_of
from minigrad.compiled.reach import PLAIN, Reach
from minigrad.compiled.recording import Recording
from minigrad.core.dtypes import dtype
from minigrad.core.record import Node
from minigrad.core.tensor import Tensor
from minigrad.core.versions import owner
from minigrad.derive.symbols import Symbol
from minigrad.random import Generator

ARRAY, NODE, REQUIRES_GRAD = map(operator.attrgetter, ("array", "stored_node", "requires_grad"))
Source = tuple[bool, int]  # whether it is an argument, and its place


class Entry:
    """One program of a compiled function, and how to call it.

    - `reads`: the arguments and the Tensors from outside of the function whose arrays the program takes, in order.
    - `outside`: these Tensors, and arrays, with their `kinds`, which must not change.
    - `leaves`: what gets a gradient. `changed`: what a call changes.
    - `needing`: the places of the results that need a gradient. `plan`: that of their node.
    - `rebuild(results, arguments)` puts the results together as the function does.
    - `error`: why every backward pass is refused. `draws`: whether a call draws random numbers. `rewound`: generators
      that go back to where they were if the program finds that the function itself has to run.
    """

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self.program: Program
        self.reads: list[int] = []
        self.outside: list[Any] = []
        self.kinds: list[Any] = []
        self.leaves: list[Source] = []
        self.changed: list[Source] = []
        self.needing: list[int] = []
        self.plan = plan_of(0)
        self.rebuild: Callable[[list[Tensor], list[Any]], Any]
        self.error: RuntimeError | None = None
        self.draws = False
        self.rewound: list[Generator] = []
        self.count = 0  # how many of `outside` the program takes; the others only get gradients

    def fits(self) -> bool:
        """Whether all that the program depends on beside its arguments is what it was."""
        arrays = [*map(ARRAY, self.tensors)]
        if not (
            all(map(operator.is_, arrays, self.arrays))
            and all(map(operator.is_, map(NODE, self.tensors), self.nodes))
            and all(map(REQUIRES_GRAD, self.needed))
            and not any(map(REQUIRES_GRAD, self.unneeded))
        ):
            if [kind_of(x) for x in self.outside] != self.kinds:
                return False
            self._note()
        return self.reach.is_unchanged()

    def _note(self) -> None:
        """Note what the Tensors from outside hold, so that they can be compared fast."""
        self.tensors = [x for x in self.outside if isinstance(x, Tensor)]
        self.arrays, self.nodes = [*map(ARRAY, self.tensors)], [*map(NODE, self.tensors)]
        self.read = [*map(_array_of, self.outside[: self.count])]
        self.statistics: list[Any] = []
        if not any(is_argument for is_argument, _ in self.changed):
            self.statistics = [_array_of(self.outside[place]) for _, place in self.changed]
        self.ends: tuple[Any, ...] = ()
        if not any(is_argument for is_argument, _ in self.leaves):
            self.ends = tuple([self.outside[place].node for _, place in self.leaves])
        nodes = [x.node for x in self.tensors if x.node is not None]
        self.needed = [node for node in nodes if node.requires_grad]
        self.unneeded = [node for node in nodes if not node.requires_grad]

    def given(self, arguments: list[Any]) -> list[Any]:
        """The arrays that the program takes, after `fits`."""
        return [_array_of(arguments[place]) for place in self.reads] + self.read

    def changed_arrays(self, arguments: list[Any]) -> list[Any]:
        """The arrays that a call changes, after `fits`."""
        return self.statistics or [_array_of(self.at(source, arguments)) for source in self.changed]

    def operands(self, arguments: list[Any]) -> tuple[Any, ...]:
        """The nodes that get gradients, after `fits`."""
        return self.ends or tuple([self.at(source, arguments).node for source in self.leaves])

    def at(self, source: Source, arguments: list[Any]) -> Any:
        """An argument, or what is outside."""
        is_argument, place = source
        return arguments[place] if is_argument else self.outside[place]


def _array_of(x: Any) -> Any:
    return x.array if isinstance(x, Tensor) else x


def kind_of(x: Any) -> Any:
    """What a program depends on, of a Tensor or an array."""
    if not isinstance(x, Tensor):
        return x.shape, x.strides, x.dtype.char
    array, node = x.array, x.stored_node if x.base is None else x.node
    return array.shape, array.strides, array.dtype.char, node is not None and node.requires_grad


class FirstCall:
    """A recorded call. `arguments` are the Tensors and arrays among the arguments; `program_of` makes the program."""

    def __init__(
        self, function: Any, args: Any, kwargs: Any, arguments: list[Any], program_of: Callable[..., Any]
    ) -> None:
        self.arguments, self.heard, self.program_of = arguments, Recording(), program_of
        self.reach = Reach([*_roots(function), *_roots(args), *_roots(kwargs)])
        names = _argument_names(function)
        self.inputs = [self._input(x, names[i] if i < len(names) else "x") for i, x in enumerate(arguments)]
        given = {id(x) for x in arguments}
        found = [*self.reach.tensors.values(), *self.reach.arrays.values()]
        self.outside: list[Any] = [x for x, _ in found if id(x) not in given]
        self.marked = [self._mark(x, name) for x, name in found if id(x) not in given]
        self.symbols = [symbol for _, symbol in self.heard.given]
        twins = iter(self.inputs)
        self.result = self._run(function, _replaced(args, twins), _replaced(kwargs, twins))

    def _input(self, x: Any, name: str) -> Any:
        """What stands for an argument: for a Tensor a leaf of its own class."""
        if not isinstance(x, Tensor):
            return self.heard.give(x, name)
        twin = type(x).__new__(type(x))
        twin.array, twin.stored_node, twin.base = self.heard.give(x.array, name), None, None
        if x.node is not None and x.node.requires_grad:
            twin.stored_node = Node(plain(x.array))
        return twin

    def _mark(self, x: Any, name: str) -> Marked:
        if isinstance(x, Tensor):
            return self.heard.give(x.array, name)
        marked = self.heard.give(x, name)
        self.heard.arrays[id(x)] = x, marked.symbol
        return marked

    def _run(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Call the function, while the Tensors from outside hold marked arrays."""
        held = [(x, x.array, m) for x, m in zip(self.outside, self.marked, strict=True) if isinstance(x, Tensor)]
        nodes = [(x, x.stored_node) for x in [*self.inputs, *(x for x, *_ in held)] if isinstance(x, Tensor)]
        for x, _, m in held:
            x.array = m
        try:
            result = self.heard.run(function, args, kwargs)
        finally:
            rebound = [x for x, _, m in held if x.array is not m]
            for x, before, m in held:
                x.array = before if x.array is m else plain(x.array)
        if rebound:
            self.heard.refuse("a new array for a Tensor from outside", "change it in place, as in x.copy_(y)")
        if any(x.stored_node is not node for x, node in nodes):
            self.heard.refuse(
                "a change in place, through which gradients flow, of a Tensor from outside",
                "change a .clone(), or change it within no_grad()",
            )
        if not self.reach.is_unchanged():
            self.heard.refuse(
                f"setting {self.reach.change()}, which is outside of the function,",
                "return the new value, or change a Tensor in place",
            )
        return result

    # What was recorded

    def compiled(self) -> tuple[Entry, Any]:
        """The program, and the result of the call."""
        heard, entry = self.heard, Entry(self.reach)
        entry.draws, entry.rewound = bool(heard.draws), heard.rewound()
        results: list[Tensor] = []
        template = self._taken_apart(self.result, results)
        self.result = None
        heard.check([*results, *self.outside, *self.inputs])
        outputs = [heard._operand(x) for x in results]
        entry.needing = [i for i, x in enumerate(results) if x.requires_grad]
        nodes = [results[i].node for i in entry.needing]
        if any(node not in heard.symbols for node in nodes):
            heard.refuse("a result that is a leaf of the function's own", "make it outside of the function")
        leaves, sources = self._leaves()
        stand_ins = {node: leaf for leaf, node in leaves.items()}
        heard.cut(stand_ins)
        arrays = [plain(x.array) for x in results]
        memories = [plain(m) for m, _ in heard.given]
        kept = [x for node in walks.ancestors(nodes) for x in node.saved or () if isinstance(x, np.ndarray)]
        saved = {id(owner(x)) for x in kept}
        held = zip([*outputs, *self.symbols], [*arrays, *memories], strict=True)
        wanted = Wanted(
            given=self.symbols,
            guards=[(guard.symbol, guard.value) for guard in heard.guards],
            draws=heard.draws,
            outputs=outputs,
            shared=[any(np.may_share_memory(x, memory) for memory in memories) for x in arrays],
            saved={id(symbol) for symbol, x in held if id(owner(x)) in saved},
            effects=[(old, m.symbol) for m, old in heard.given if m.symbol is not old],
            seeds=[Symbol(f"g{i}", x.shape, x.dtype) for i, x in enumerate([arrays[place] for place in entry.needing])],
            gradients=[],
            leaves=[],
            arguments=len(self.inputs),
        )
        reached = self._differentiated(entry, wanted, nodes, leaves)
        self._enter(entry, wanted, [sources[leaf] for leaf in reached])
        entry.rebuild = template
        operands = entry.operands(self.arguments)
        run = eager_pass(nodes, reached)
        return entry, template(results_of(arrays, entry.needing, entry.plan, operands, run, ()), self.arguments)

    def _leaves(self) -> tuple[dict[Any, Any], dict[Any, Source]]:
        """The nodes where the program's gradients end, by the nodes that stand for them in what was recorded.

        An argument's twin has a node of its own; a Tensor from outside gets one that stands for its node. So the hooks
        of the real nodes are called once, by the pass that runs the program.
        """
        leaves: dict[Any, Any] = {}
        sources: dict[Any, Source] = {}
        for place, x in enumerate([*self.inputs, *self.outside]):
            node = x.node if isinstance(x, Tensor) else None
            if node is None or not node.requires_grad or node in leaves.values():
                continue
            is_argument = place < len(self.inputs)
            leaf = node
            if not is_argument:
                leaf = Node(x.array)
                leaf.seq = node.seq  # so that a reverse pass comes to it after all that was computed from it
            elif node.plan is not None:  # changed in place
                continue
            leaves[leaf] = node
            sources[leaf] = is_argument, place if is_argument else place - len(self.inputs)
            self.heard.symbols[leaf] = self.symbols[place]
        return leaves, sources

    def _differentiated(self, entry: Entry, wanted: Wanted, nodes: list[Any], leaves: Any) -> list[Any]:
        """Run the reverse pass on Symbols, and return the leaves that get a gradient."""
        seeds = [*zip(nodes, wanted.seeds, strict=True)]
        try:
            found = dict(self.heard.reverse(seeds)) if seeds else {}
        except RuntimeError as error:  # a saved value was changed in place
            entry.error, found = error, {}
        except KeyError:  # a node that no primitive made
            self.heard.refuse(
                "a change in place of a part of a Tensor that requires a gradient", "compute a new tensor"
            )
        if entry.error is not None:
            return [*leaves]
        reached = [leaf for leaf in leaves if leaf in found]
        wanted.gradients.extend(found[leaf] for leaf in reached)
        wanted.leaves.extend(self.heard.symbols[leaf] for leaf in reached)
        return reached

    def _enter(self, entry: Entry, wanted: Wanted, leaves: list[Source]) -> None:
        """Compile the program, and note what it reads."""
        heard = self.heard
        in_rows = {*heard.contiguous}
        in_rows |= {id(symbol) for m, symbol in heard.given if plain(m).flags.c_contiguous}
        in_rows |= {key for key, array in heard.constants.items() if array.flags.c_contiguous}
        in_rows |= {id(seed) for seed in wanted.seeds}
        entry.program = self.program_of(wanted, heard.constants, in_rows)
        count = len(self.inputs)
        read = entry.program.reads
        entry.reads = [place for place in read if place < count]
        order = [place - count for place in read if place >= count]
        order += [place for is_argument, place in leaves if not is_argument and place not in order]
        entry.outside = [self.outside[place] for place in order]
        entry.kinds = [kind_of(x) for x in entry.outside]
        entry.leaves = [(yes, place if yes else order.index(place)) for yes, place in leaves]
        changed = [i for i, (m, old) in enumerate(heard.given) if m.symbol is not old]
        entry.changed = [(i < count, i if i < count else order.index(i - count)) for i in changed]
        entry.plan = plan_of(len(entry.leaves))
        entry.count = len(read) - len(entry.reads)
        entry._note()

    def _taken_apart(self, x: Any, results: list[Tensor]) -> Callable[[list[Tensor], list[Any]], Any]:
        """A function that puts together what the function returned; its own Tensors are added to `results`."""
        for place, twin in enumerate(self.inputs):
            if x is twin:
                return lambda made, arguments: arguments[place]
        if isinstance(x, Tensor):
            if any(x is other for other in self.outside):
                return lambda made, arguments: x
            places = [i for i, other in enumerate(results) if other is x]
            if not places:
                results.append(x)
            at = places[0] if places else len(results) - 1
            return lambda made, arguments: made[at]
        if isinstance(x, tuple | list):
            parts = [self._taken_apart(part, results) for part in x]
            kind: Any = (lambda made: type(x)(*made)) if hasattr(x, "_fields") else type(x)
            return lambda made, arguments: kind([part(made, arguments) for part in parts])
        if isinstance(x, dict):
            named = {name: self._taken_apart(part, results) for name, part in x.items()}
            return lambda made, arguments: {name: part(made, arguments) for name, part in named.items()}
        if isinstance(x, (*PLAIN, dtype)):
            return lambda made, arguments: x
        self.heard.refuse(f"a result of type {type(x).__name__}", "return Tensors, numbers, tuples, lists or dicts")


def _roots(x: Any) -> Iterator[tuple[str, Any]]:
    """What to look through for Tensors from outside."""
    if isinstance(x, tuple | list):
        for part in x:
            yield from _roots(part)
    elif isinstance(x, dict):
        yield from _roots([*x.values()])
    elif not isinstance(x, Tensor | np.ndarray):
        yield "", x


def _argument_names(function: Any) -> list[str]:
    """The names of a function's arguments, or those of a module's `forward`."""
    for each in (function, getattr(function, "__func__", None), getattr(type(function), "forward", None)):
        code = getattr(each, "__code__", None)
        if code is not None:
            names = [*code.co_varnames[: code.co_argcount]]
            return names[1:] if names[:1] == ["self"] else names
    return []


def _replaced(x: Any, twins: Iterator[Any]) -> Any:
    """Arguments with twins in place of Tensors and arrays."""
    if isinstance(x, Tensor | np.ndarray):
        return next(twins)
    if isinstance(x, tuple | list):
        parts = [_replaced(part, twins) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if isinstance(x, dict):
        return {name: _replaced(part, twins) for name, part in x.items()}
    return x
