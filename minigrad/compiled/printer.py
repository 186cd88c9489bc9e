"""The second printer of derive's Symbols: a statement for each, and results that go into arrays made once.

`minigrad.derive` writes for people: expressions within expressions. Here every step is a statement of its own, so that
numpy can write its result into memory that is used again at every call: `multiply(a, b, product)`.

The source has one function, `make`, which makes these arrays, and returns the forward and the backward pass that use
them. Values from the forward pass that are in no such array are handed over as `saved`.
"""

from typing import Any

from minigrad.compiled.loops import Loops
from minigrad.compiled.strides import VIEWS
from minigrad.core import ops
from minigrad.derive.infix import WHOLE
from minigrad.derive.naming import unused
from minigrad.derive.plain import literal
from minigrad.derive.sharing import symbols_in
from minigrad.derive.symbols import Symbol


class Printer(Loops):
    """The source of a program."""

    def write(self) -> str:
        """The source."""
        wanted = self.wanted
        given = []
        for symbol in [wanted.given[i] for i in self.reads]:
            given.append(self.name(symbol, symbol.name.replace(".", "_") or "x"))
            self.local.add(given[-1])
        for symbol in self.order[0] + self.order[1]:
            if id(symbol) in self.constants:
                self.texts[id(symbol)] = self.bind(self.constants[id(symbol)], "constant"), WHOLE
        guards: dict[int, list[Any]] = {}
        for symbol, value in wanted.guards:
            guards.setdefault(id(self.canonical(symbol)), []).append(value)
        for symbol in self.order[0]:
            self._step(symbol)
            for value in guards.get(id(symbol), ()):
                self.lines += [self._guard(symbol, value), "    return None"]
        fresh = {id(x) for x in self.order[0] if x.primitive is not None and id(x) not in self.constants}
        guarded = self.roots_of(x for x in wanted.outputs if id(x) in wanted.saved)
        fresh -= self._read_later() - guarded  # the user may change the result before the backward pass
        pairs = [*zip(wanted.outputs, wanted.shared, strict=True)]
        views = [self._view_of_changed(x) if is_shared else [] for x, is_shared in pairs]
        outputs = ["" if steps else self._output(*pair, fresh) for pair, steps in zip(pairs, views, strict=True)]
        effects = [(old, new) for old, new in wanted.effects if id(self.canonical(new)) not in self.direct]
        changed = [(self.part(old), self._new(new)) for old, new in effects]
        self._keep_what_may_change()
        self.lines += [f"np.copyto({old}, {new})" for old, new in _late(changed)]
        outputs = [text or self._seen_anew(steps) for text, steps in zip(outputs, views, strict=True)]
        forward, self.lines = self.lines, []
        before, self.local = self.local, set()
        self.in_shape.clear()
        seeds = []
        for symbol in wanted.seeds:
            seeds.append(self.name(self.canonical(symbol), symbol.name))
            self.local.add(seeds[-1])
        for symbol in self.order[1]:
            self._step(symbol)
        fresh = {id(x) for x in self.order[1] if x.primitive is not None and id(x) not in self.constants}
        gradients = [self._output(x, False, fresh) for x in wanted.gradients]
        backward = self.lines
        saved = [*dict.fromkeys(self.saved)]
        assert {*saved} <= before, {*saved} - before
        text = ["import numpy as np"]
        text += [f"from numpy import {', '.join(sorted(self.imported))}"] * bool(self.imported)
        text += ["", "", "def make():"]
        text += [f"    {line}" for line in [*self.buffers.lines(), *self.head]]
        text += ["", f"    def forward({', '.join(given)}):"]
        text += [f"        {line}" for line in forward]
        text += [f"        return {_tuple(outputs)}, {_tuple(saved)}"]
        text += ["", f"    def backward({', '.join([*seeds, 'saved'])}):"]
        text += [f"        {_tuple(saved)} = saved"] if saved else []
        text += [f"        {line}" for line in backward]
        text += [f"        return {_tuple(gradients)}", "", "    return forward, backward", ""]
        return "\n".join(text)

    def _keep_what_may_change(self) -> None:
        """Copy what the backward pass reads as it was, if the forward pass changes it or the user may do so."""
        read, changed = self._read_later(), {id(old) for old, _ in self.wanted.effects}
        for given in self.wanted.given:
            if id(given) in read and (id(given) in changed or id(given) not in self.wanted.saved):
                self.texts[id(given)] = self._assigned("before", f"{self.part(given)}.copy('K')"), WHOLE
                for symbol in self.order[0]:
                    if symbol is not given and self.root_of(symbol) == id(given) and self.is_view(symbol):
                        self.texts.pop(id(symbol), None)

    def _read_later(self) -> set[int]:
        """The roots of what the backward pass reads."""
        return self.roots_of(x for symbol in self.order[1] for x in symbols_in(symbol.arguments))

    def _new(self, symbol: Any) -> str:
        return self.part(symbol) if isinstance(symbol, Symbol) else literal(symbol)

    def _guard(self, symbol: Symbol, value: Any) -> str:
        name = self.part(symbol)
        if type(value) is bool:
            return f"if {'not ' * value}{name}:"
        if isinstance(value, int | float):
            return f"if not {name} == {literal(value)}:"
        return f"if not same({name}, {self.bind(value, 'expected')}):"

    def _output(self, symbol: Symbol, is_shared: bool, fresh: set[int]) -> str:
        """A result that is given away. It is copied, unless its memory is one of those that are `fresh`."""
        root, name = self.root_of(symbol), self.part(symbol)
        if not symbol.shape and name not in self.fixed:  # numpy may have made a scalar of it
            return self._assigned("result", f"np.{'asarray' if is_shared else 'array'}({name})")
        if root not in fresh and not is_shared:
            return self._assigned("result", f"{name}.copy('K')")
        fresh.discard(root)
        return name

    def _view_of_changed(self, symbol: Symbol) -> list[Symbol]:
        """What is given and changed, and the steps that make a view of it; none if a Symbol is no such view.

        The result that was recorded shares memory with what is given. So all steps make views.
        """
        changed = {id(self.canonical(new)): old for old, new in self.wanted.effects}
        steps = [self.canonical(symbol)]
        while id(steps[0]) not in changed and steps[0].primitive in (*VIEWS, ops.index):
            steps.insert(0, self.canonical(steps[0].arguments[0]))
        old = changed.get(id(steps[0]))
        return [] if old is None else [old, *steps[1:]]

    def _seen_anew(self, steps: list[Symbol]) -> str:
        """A view of what has been changed."""
        name = self.part(steps[0])
        for step in steps[1:]:
            x = self.canonical(step.arguments[0])
            before = self.texts.get(id(x))
            self.texts[id(x)] = name, WHOLE
            name = self._assigned("view", self._viewed(step))
            self.texts.pop(id(x))
            if before is not None:
                self.texts[id(x)] = before
        return name

    def _assigned(self, wanted: str, text: str) -> str:
        """Write an assignment to a new name, and return the name."""
        name = unused(wanted, self.taken)
        self.taken.add(name)
        self.local.add(name)
        self.lines.append(f"{name} = {text}")
        return name


def _late(changed: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Changes in an order in which none reads what another has changed. ValueError if there is no such order."""
    ordered: list[tuple[str, str]] = []
    while changed:
        ready = [pair for pair in changed if all(pair[0] != new for old, new in changed if old != pair[0])]
        if not ready:
            raise ValueError("compile: Tensors from outside that exchange their values cannot be compiled")
        ordered += ready
        changed = [pair for pair in changed if pair not in ready]
    return ordered


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' * (len(names) == 1)})"
