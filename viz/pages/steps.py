"""The steps of a page: the forward pass in the order of execution, then the backward pass in that of the engine.

Each step says in a sentence what happens, and has the formula, the arrays that it shows and a question to ask before.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad import Tensor, Value
from minigrad.core import ops
from minigrad.core.graph import unbroadcast
from minigrad.debug.cmp import compared
from minigrad.derive.formula import formula, gradients
from minigrad.derive.naming import Key, key
from minigrad.derive.symbols import Symbol, is_mT

from ..text import number
from ..walk import indices
from . import mathml
from .lineage import sources
from .passes import Part, Passes, Visit

Step = dict[str, Any]

MOST_LINKED = 150  # visits: a larger page does not say which cells came from which


class Steps:
    """The steps of both passes, as JSON has them: `written`. Arrays go into `arrays`, and nodes have their `number`."""

    def __init__(
        self,
        passes: Passes | None,
        things: list[Any],
        number: Mapping[Key, int],
        called: Mapping[Key, str],
        arrays: Any,
    ) -> None:
        self.passes, self.number, self.called, self.arrays = passes, number, called, arrays
        self.written: list[Step] = []
        self.counts: dict[int, int] = {}  # the contributions to the gradient of each node, so far
        operations = [thing for thing in things if getattr(thing, "plan", None) is not None]
        self._add("start", None, "The inputs and the parameters are given. Each step forward computes one result.")
        for place, node in enumerate(operations, 1):
            self._forward(node, f"Forward {place} of {len(operations)}")
        for visit in passes.visits if passes else ():
            if key(visit.node) in number:
                self._visit(visit)
        done = "Both passes are done: every parameter has its gradient."
        none = "There is no backward pass: the result does not require a gradient, so no operation was recorded."
        self._add("end", None, done if passes and passes.visits else none)

    def data(self, thing: Any) -> np.ndarray | None:
        """Return the data of a thing, if it is known."""
        if isinstance(thing, Tensor | np.ndarray):
            return thing.array if isinstance(thing, Tensor) else thing
        if self.passes is not None:
            return self.passes.arrays.get(thing)
        return np.asarray(thing.data) if isinstance(thing, Value) else thing.value

    def _add(self, kind: str, node: Any, say: str, **others: Any) -> Step:
        place = None if node is None else self.number[key(node)]
        self.written.append({"kind": kind, "node": place, "say": say} | others)
        return self.written[-1]

    def _name(self, thing: Any) -> str:
        return self.called.get(key(thing), "")

    def _gradient_name(self, thing: Any) -> str:
        name = self._name(thing)
        return f"d{name}" if name.isidentifier() else f"d({name})"

    def _map(self, label: str, array: np.ndarray, **others: Any) -> dict[str, Any]:
        return {"label": label, "array": self.arrays.add(array)} | others

    # Forward

    def _forward(self, node: Any, when: str) -> None:
        operands = [x for x in (*node.inputs, *indices(node)) if key(x) in self.called]
        names, y = self._symbols(node), self._name(node)
        symbol, data = Symbol(""), self.data(node)
        symbol.primitive = node.plan.primitive
        symbol.arguments = (*(names.get(i, x) for i, x in enumerate(node.inputs)), *node.params)
        symbol.array = np.broadcast_to(np.zeros((), getattr(node, "dtype", float)), _shape(node))
        result = f"of shape {_times(_shape(node))}" if _shape(node) else f"= {number(_item(data))}" * (data is not None)
        arrays = {self._name(x): array for x in operands if (array := self.data(x)) is not None}
        maps = [self._map(name, array) for name, array in arrays.items()]
        left = mathml.name(y, _shape(node)) + mathml.sign("=")
        step = self._add(
            "forward",
            node,
            f"{when}: {y} = {formula(symbol, self.called)}{',' * bool(_shape(node))} {result}.",
            math=mathml.math(left, mathml.expression(symbol, names=self.called)),
            maps=[*maps, *([self._map(y, data)] if data is not None else [])],
            operands=[self.number[key(x)] for x in operands if key(x) in self.number],
        )
        if data is not None and self._all_small([*arrays.values(), data]):
            values = mathml.expression(symbol, arrays, self.called)
            step["numbers"] = mathml.math(values, mathml.sign("="), mathml.numbers(data))
        if data is not None and np.isfinite(data).all():
            step["ask"] = self._ask(f"{y} = {formula(symbol, self.called)}", data, [-data, *arrays.values()])

    def _symbols(self, node: Any) -> dict[int, Symbol]:
        """Return Symbols for the operands that have a name, by their places."""
        return {
            i: Symbol(self._name(x), _shape(x), getattr(x, "dtype", float))
            for i, x in enumerate(node.inputs)
            if key(x) in self.called
        }

    # Backward

    def _visit(self, visit: Visit) -> None:
        node, g = visit.node, visit.g
        name, count = self._name(node), self.counts.get(id(node), 0)
        what = f"{self._gradient_name(node)}{f' = {number(_item(g))}' if not _shape(node) else ''}"
        if not count:
            everywhere = " is 1 everywhere" * bool(_shape(node))
            say = f"The backward pass starts: {what}{everywhere}, the derivative of {name} with respect to itself."
        else:
            rest = f"{count} parts have been added up" if count > 1 else f"nothing else was computed from {name}"
            say = f"{what} is complete: {rest}." + f" It goes to {name}.grad." * (node.plan is None)
        value = [mathml.sign("="), mathml.numbers(g)] if self._all_small([g]) else []
        self._add(
            "arrive" if count else "seed",
            node,
            say,
            grads=[[self.number[key(node)], self.arrays.add(g)]],
            maps=[self._map(self._gradient_name(node), g)],
            math=mathml.math(mathml.name(self._gradient_name(node), _shape(node)), *value),
        )
        parts = [part for part in visit.parts if key(part.operand) in self.number]
        if parts:
            symbols = self._rules(node)
            for part in parts:
                self._part(visit, part, symbols)

    def _rules(self, node: Any) -> dict[int, Any]:
        """Return the rule of each operand as an expression in the learner's names."""
        primitive = node.plan.primitive
        names = primitive.operands
        if len(names) != len(node.inputs):
            names = tuple([f"x{place}" for place in range(len(node.inputs))])
        called = {name: self._name(x) for name, x in zip(names, node.inputs, strict=True) if self._name(x)}
        called |= {"y": self._name(node), "g": self._gradient_name(node)}
        known = [np.asarray(x).item() if key(x) is None else x for x in node.inputs]
        return gradients(node.plan, known, node.params, _shape(node), getattr(node, "dtype", float), called)

    def _part(self, visit: Visit, part: Part, symbols: dict[int, Any]) -> None:
        """Add the steps for what one vjp makes: the rule, then unbroadcasting and adding up, if there are any."""
        node, operand = visit.node, part.operand
        dx, rule = self._gradient_name(operand), symbols.get(part.position)
        self.counts[id(operand)] = self.counts.get(id(operand), 0) + 1
        ends = {"operand": self.number[key(operand)]}
        grads = [[ends["operand"], self.arrays.add(part.after)]]
        is_broadcast, is_second = part.raw.shape != part.part.shape, part.before is not None
        known = self._known(visit)
        whole = "part of " * is_second + dx
        what = "result" if is_broadcast else whole
        says = f"{node.plan.primitive.name} passes {self._gradient_name(node)} on to {self._name(operand)}: {what}"
        value = f" = {number(_item(part.raw))}" if not part.raw.ndim else f", of shape {_times(part.raw.shape)}"
        says += f" = {formula(rule, self.called)}"
        step = self._add("rule", node, f"{says}{value}.", **ends)
        if not is_broadcast and not is_second:
            step["grads"] = grads
        step["maps"] = self._factors(visit, part, what)
        left = mathml.name(what, part.raw.shape) + mathml.sign("=")
        step["math"] = mathml.math(left, mathml.expression(rule, names=self.called))
        read: dict[str, Any] = {name: known.get(name) for name in _names_in(rule)}
        if self._all_small([*read.values(), part.raw]):
            values, result = mathml.expression(rule, read, self.called), mathml.numbers(part.raw)
            step["numbers"] = mathml.math(*[values, mathml.sign("=")] * (values != result), result)
        if np.isfinite(part.after).all():
            step["ask"] = self._ask_rule(visit, part, rule, symbols)
        if is_broadcast:
            self._unbroadcast(node, part, whole, ends, {} if is_second else {"grads": grads})
        if is_second:
            self._accumulate(node, part, ends | {"grads": grads})

    def _known(self, visit: Visit) -> dict[str, np.ndarray]:
        """Return the arrays that stand for the names in a rule."""
        things = [visit.node, *visit.node.inputs]
        arrays = {self._name(x): self.data(x) for x in things if self._name(x)}
        return {name: x for name, x in arrays.items() if x is not None} | {self._gradient_name(visit.node): visit.g}

    def _factors(self, visit: Visit, part: Part, what: str) -> list[dict[str, Any]]:
        """Return the maps of everything that a rule read, and of its result with the cells that it came from."""
        assert self.passes
        node, saved = visit.node, self.passes.saved_of(visit.node)
        rule = self.passes.rule(node, part.position)
        names = [node.plan.primitive.values[i] for i in node.plan.saved]
        operands = dict(zip(node.plan.primitive.operands, node.inputs, strict=False)) | {"y": node}
        read = [names.index(name) for name in self.passes.reads(node, part.position)]
        maps = [self._map(self._gradient_name(node), visit.g)]
        links = [self._sources(lambda g: rule(g, *saved), visit.g, part.raw)]
        for place in read:
            if not isinstance(saved[place], np.ndarray) or not saved[place].ndim:
                continue

            def replaced(x: np.ndarray, place: int = place) -> Any:
                return rule(visit.g, *saved[:place], x, *saved[place + 1 :])

            found = self._sources(replaced, saved[place], part.raw)
            if found and not any(found["sets"]):  # a rule for several operands need not read it for this one
                continue
            maps.append(self._map(self._name(operands.get(names[place])) or names[place], saved[place]))
            links.append(found)
        return [*maps, self._map(what, part.raw, sources=links)]

    def _sources(self, rule: Any, given: np.ndarray, result: np.ndarray) -> Any:
        assert self.passes
        if given.size * result.size == 1 or len(self.passes.visits) > MOST_LINKED:
            return None
        found = sources(rule, given, result, self.arrays.window)
        return found and found._asdict()

    def _unbroadcast(self, node: Any, part: Part, dx: str, ends: dict[str, Any], grads: dict[str, Any]) -> None:
        """Add the step that sums over the dims in which broadcasting repeated an operand."""
        operand, before, after = part.operand, part.raw.shape, part.part.shape
        extra = len(before) - len(after)
        axes = tuple([i for i in range(len(before)) if i < extra or (after[i - extra] == 1 and before[i] > 1)])
        name = self._name(operand)
        link = self._sources(lambda x: unbroadcast(x, operand, node.plan.primitive), part.raw, part.part)
        total = mathml.total(axes) + mathml.name("result", before)
        self._add(
            "unbroadcast",
            node,
            f"{name}, {f'of shape {_times(after)}' if after else 'a scalar'}, was repeated to fit {_times(before)}. "
            f"So its gradient is the sum over {mathml.dims(axes)}, where it was repeated.",
            **ends,
            **grads,
            math=mathml.math(mathml.name(dx, after), mathml.sign("="), total),
            maps=[self._map("result", part.raw), self._map(dx, part.part, sources=[link])],
            ask=self._ask_shape(f"{name} was repeated to fit {_times(before)}: {dx}", part.part, part.raw),
        )

    def _accumulate(self, node: Any, part: Part, others: dict[str, Any]) -> None:
        """Add the step that adds a part to the gradient so far."""
        name, dx = self._name(part.operand), self._gradient_name(part.operand)
        assert part.before is not None
        numbers = (part.before, part.part, part.after)
        values = ""
        if not part.after.ndim:
            before, added, after = (number(_item(x)) for x in numbers)
            values = f", {before} + {f'({added})' if added.startswith('-') else added} = {after}"
        step = self._add(
            "accumulate",
            node,
            f"{name} was used more than once. Its gradient is the sum over all uses: {dx} += this part{values}.",
            **others,
            math=mathml.math(
                mathml.name(dx, part.after.shape), mathml.sign("+="), mathml.name("this part", part.part.shape)
            ),
        )
        sums = [self._sources(lambda x: x, x, part.after) for x in numbers[:2]]
        labels = ("so far", "this part")
        maps = [self._map(label, x) for label, x in zip(labels, numbers, strict=False)]
        step["maps"] = [*maps, self._map("sum", part.after, sources=sums)]
        if self._all_small([*numbers]):
            first, second, both = (mathml.numbers(x) for x in numbers)
            step["numbers"] = mathml.math(first, mathml.sign("+"), second, mathml.sign("="), both)
        if np.isfinite(part.after).all():
            step["ask"] = self._ask(f"{dx} after this part", part.after, [part.part, part.before])

    @staticmethod
    def _all_small(arrays: list[Any]) -> bool:
        """Whether all arrays are known, and can stand in a formula as numbers."""
        return all(x is not None and mathml.is_small(x) and x.dtype.kind in "fiu" for x in arrays)

    # Questions

    def _ask(self, what: str, right: np.ndarray, mistakes: list[np.ndarray]) -> dict[str, Any]:
        """Ask for a number, or for the shape of an array."""
        if right.ndim:
            return self._ask_shape(what, right, *mistakes)
        numbers = [x for x in mistakes if x.ndim == 0 and not compared("", x, right)]
        wrong = {number(_item(x)): _note(x, right) for x in numbers}
        return {"kind": "number", "text": f"{what}: which number?", "right": _item(right), "wrong": wrong}

    def _ask_shape(self, what: str, right: np.ndarray, *mistakes: np.ndarray) -> dict[str, Any]:
        wrong = {_times(x.shape): compared("", x, right).note for x in mistakes if x.shape != right.shape}
        return {"kind": "shape", "text": f"{what}: which shape?", "right": _times(right.shape), "wrong": wrong}

    def _ask_rule(self, visit: Visit, part: Part, rule: Any, symbols: dict[int, Any]) -> dict[str, Any] | None:
        """Ask for the number that a rule makes, or which of several expressions it is."""
        if rule is None:
            return None
        what = f"What {visit.node.plan.primitive.name} passes on to {self._name(part.operand)}"
        others = [other for other in visit.parts if other.position != part.position]
        mistakes = [(-part.raw, -rule)] if isinstance(rule, Symbol) else []
        mistakes += [(visit.g, Symbol(self._gradient_name(visit.node), visit.g.shape))]
        mistakes += [(other.raw, symbols[other.position]) for other in others if other.position in symbols]
        if part.raw.ndim == 0:
            return self._ask(what, part.raw, [x for x, _ in mistakes])
        turned = _turned(rule)
        if turned is not None:
            mistakes.insert(0, (part.raw.swapaxes(-1, -2), turned))
        options = {mathml.expression(rule, names=self.called): ""}
        for x, symbol in mistakes:
            note = compared("", x, part.raw)
            if not note and len(options) < 4:
                options.setdefault(mathml.expression(symbol, names=self.called), note.note)
        if len(options) == 1:
            return None
        shift = len(self.written) % len(options)  # so that the right one is not always the first
        listed = [{"math": mathml.math(text), "reply": reply} for text, reply in options.items()]
        return {"kind": "choice", "text": f"{what}: which expression?", "options": listed[shift:] + listed[:shift]}


def _shape(thing: Any) -> tuple[int, ...]:
    return tuple(getattr(thing, "shape", ()))


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "scalar"


def _item(array: Any) -> float:
    return float(np.asarray(array).item())


def _note(x: np.ndarray, right: np.ndarray) -> str:
    """Say as `cmp` what is wrong with a number, with the digits that the page shows."""
    guess = compared("", x, right).note.removeprefix(f"it is {x[()]} instead of {right[()]}")
    return f"it is {number(_item(x))} instead of {number(_item(right))}{guess}"


def _names_in(x: Any) -> set[str]:
    """Return the names in an expression."""
    found, open_ends = set(), [x]
    while open_ends:
        each = open_ends.pop()
        if isinstance(each, Symbol):
            found |= {each.name} if each.primitive is None and each.value is None else set()
            open_ends += each.arguments
    return found


def _turned(rule: Any) -> Any:
    """Return the transpose of a product of two matrices, as a product; None for anything else."""
    if not isinstance(rule, Symbol) or rule.primitive is not ops.matmul:
        return None
    left, right = (
        x.arguments[0] if x.primitive is ops.permute and is_mT(x.arguments[1]) else x.mT for x in rule.arguments
    )
    return right @ left
