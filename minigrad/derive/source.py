"""Numpy source for Symbols, statement by statement.

A result that has a name, or is used more than once, becomes a statement. Every other stands within another expression.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.core import ops
from minigrad.derive import forms
from minigrad.derive.copying import Helpers
from minigrad.derive.expressions import Expressions, Text, dtype_of, number
from minigrad.derive.infix import COMPARISON, WHOLE
from minigrad.derive.naming import identifier, unused
from minigrad.derive.plain import ints_text
from minigrad.derive.sharing import symbols_in
from minigrad.derive.symbols import OUTPUT, Symbol

WIDTH = 120  # of a line
MOST = 100  # characters behind a name
LONGEST = 76  # characters of an expression that stands within another
FEW, MANY = 64, 2**14  # elements: `kernels.put` adds so few in their dtype, and many rows in an order of its own


class Writer(Expressions):
    """Statements for Symbols, in the order in which they are asked for.

    `names` are the names that Symbols are to be assigned to, by the id of the Symbol. `taken` are names that mean
    something else. `numbers` says that Symbols stand for floats, not for arrays.
    """

    def __init__(self, outputs: Iterable[Any], names: Mapping[int, str], taken: Iterable[str], numbers: bool) -> None:
        self.taken = {*taken, *names.values()}
        super().__init__(Helpers(self.taken, forms.RESERVED, numbers), numbers)
        self.lines: list[str] = []
        self.places: dict[int, list[int]] = {}  # of the lines with the statements for Symbols, by the Symbol's id
        self.hints: dict[int, str] = {}  # names for Symbols that no variable holds, should they need one
        self.returned: set[int] = set()  # Symbols that must not share their memory
        self.lent: set[int] = set()  # Symbols whose memory a result shares, and nothing else from then on
        for output in outputs:
            self.add(output)
        for each, name in names.items():
            if each in self.first:
                self.names.setdefault(id(self.first[each]), name)

    def hint(self, symbol: Any, word: str) -> None:
        """What to call a result, if it has no name and needs one."""
        self.hints.setdefault(id(self.canonical(symbol)), word)

    def text(self, symbol: Symbol) -> Text:
        """How a step is written."""
        return forms.text(self, symbol)

    # Statements

    def visit(self, symbol: Any, comment: str = "", total: bool = False) -> None:
        """Write all statements that a Symbol needs, operands first. `total` allows for `+=` in its own."""
        wanted = self.canonical(symbol)
        open_ends = [(wanted, False)]
        while open_ends:
            each, done = open_ends.pop()
            if not isinstance(each, Symbol) or id(each) in self.texts:
                continue
            if done:
                self._finish(each, comment if each is wanted else "", total and each is wanted)
            else:
                open_ends.append((each, True))
                open_ends += [(self.canonical(part), False) for part in reversed([*symbols_in(each.arguments)])]

    def _finish(self, symbol: Symbol, comment: str, total: bool) -> None:
        """Write the text of a Symbol, or a statement for it. Its operands have their texts already."""
        primitive = symbol.primitive
        if primitive is None:
            self.texts[id(symbol)] = (symbol.name, WHOLE) if symbol.value is None else number(symbol)
        elif primitive.residuals:
            self._unpack(symbol)
        elif primitive is ops.put and self._are_different(symbol.arguments[1]):
            x, key, shape = symbol.arguments
            self._assign(symbol, f"np.zeros({ints_text(shape)}, {dtype_of(symbol)})", comment)
            self._fill(symbol, key, x)
        elif primitive is ops.put and (len(symbol.arguments[1]) > 1 or len(symbol.shape) < 2 or _size(symbol) <= MANY):
            self._add_at(symbol, comment)
        elif primitive is ops.assign:
            _, value, key = symbol.arguments
            self._assign(symbol, self.text(symbol)[0], comment)
            self._fill(symbol, key, value)
        elif not (total and self._added(symbol, comment)):
            self._write(symbol, comment)

    def _write(self, symbol: Symbol, comment: str) -> None:
        """The text of a Symbol; a statement if it has a name, is used more than once, or is long."""
        text = self.text(symbol)
        while len(text[0]) > MOST and (longest := self._longest_in(symbol)) is not None:
            self._assign(longest, self.texts[id(longest)][0], "")
            text = self.text(symbol)
        if id(symbol) in self.names or self.uses[id(symbol)] > 1 or len(text[0]) > LONGEST:
            self._assign(symbol, text[0], comment)
        else:
            self.texts[id(symbol)] = text

    def _unpack(self, call: Symbol) -> None:
        """Write the call of a fused primitive, with a name for each output that is needed: `y, _, scale = f(x)`."""
        assert call.primitive
        names = ["_"] * (1 + len(call.primitive.residuals))
        for place, output in self.outputs[id(call)].items():
            if id(output) in self.returned:
                self.names.pop(id(output), None)  # it may share memory: `result` returns a copy
            names[place] = self.names.get(id(output)) or self._fresh_name(output)
            self.texts[id(output)] = names[place], WHOLE
        self.texts[id(call)] = "", WHOLE  # written
        self._line(f"{', '.join(names)} = {self.text(call)[0]}", "", call, *self.outputs[id(call)].values())

    def _fill(self, symbol: Symbol, key: tuple[Any, ...], value: Any) -> None:
        """Write an assignment to some places of an array."""
        self._line(f"{self.texts[id(symbol)][0]}[{self.key(key)}] = {self.filling(value)}", "", symbol)

    def _add_at(self, symbol: Symbol, comment: str) -> None:
        """Write sums over places that an index names more than once, in float64 as the engine computes them."""
        assert symbol.primitive
        x, key, shape = symbol.arguments
        is_wide = _size(symbol) > FEW and symbol.dtype != np.float64
        places = self.argument(key[0] if len(key) == 1 else key, symbol.primitive)
        if not is_wide:
            self._assign(symbol, f"np.zeros({ints_text(shape)}, {dtype_of(symbol)})", comment)
            self._line(f"np.add.at({self.texts[id(symbol)][0]}, {places}, {self.filling(x)})", "", symbol)
            return
        sums = unused("sums", self.taken)
        self.taken.add(sums)
        self._line(f"{sums} = np.zeros({ints_text(shape)})", "", symbol)
        self._line(f"np.add.at({sums}, {places}, {self.part(x, WHOLE)}.astype(np.float64))", "", symbol)
        self._assign(symbol, f"{sums}.astype({dtype_of(symbol)})", comment)

    def _assign(self, symbol: Symbol, text: str, comment: str) -> None:
        """Write `name = text`. From here on, the name is the text of the Symbol."""
        name = self.names.get(id(symbol)) or self._fresh_name(symbol)
        if id(symbol) in self.returned and not self._owns_memory(symbol) and not self._lends_memory(symbol):
            text = f"{text}.copy()"
        self._line(f"{name} = {text}", comment, symbol)
        self.texts[id(symbol)] = (name, WHOLE)

    def _line(self, statement: str, comment: str, *symbols: Symbol) -> None:
        """Add a statement for Symbols, with a comment behind it, or above it if there is no room."""
        if comment and len(statement) + len(comment) + 8 > WIDTH:
            self.lines.append(f"# {comment}")
            comment = ""
        for symbol in symbols:
            self.places.setdefault(id(symbol), []).append(len(self.lines))
        self.lines.append(statement + (f"  # {comment}" if comment else ""))

    def lines_of(self) -> dict[int, list[int]]:
        """Where each Symbol is computed, by its id: in its own statement, or in those that it stands within."""
        found = {each: [*places] for each, places in self.places.items()}
        for symbol in reversed([*self.shared()]):  # results before their operands
            for part in map(self.canonical, symbols_in(symbol.arguments)):
                if part.primitive is not None and id(part) not in self.places:
                    found.setdefault(id(part), []).extend(found.get(id(symbol), ()))
        return {each: sorted(set(places)) for each, places in found.items()}

    def _longest_in(self, symbol: Symbol) -> Symbol | None:
        """The operand with the longest text that can become a statement."""
        operands = [self.canonical(part) for part in symbols_in(symbol.arguments)]
        written = [
            x
            for x in operands
            if x.primitive is not None and x.value is None and not self.texts[id(x)][0].isidentifier()
        ]
        return max(written, key=lambda x: len(self.texts[id(x)][0]), default=None)

    def _fresh_name(self, symbol: Symbol) -> str:
        """A name for a result that no variable holds: a hint, or else a word for its primitive."""
        assert symbol.primitive
        if symbol.primitive is OUTPUT:
            call, place = symbol.arguments
            word = (f"{call.primitive.name}_of", *call.primitive.residuals)[place]
        else:
            word = forms.word_for(symbol.primitive)
        name = unused(identifier(self.hints.get(id(symbol)) or word), self.taken)
        self.taken.add(name)
        return name

    def _added(self, symbol: Symbol, comment: str) -> bool:
        """Write a sum as `dx = first` and `dx += second`, if nothing else needs the array of the first."""
        if symbol.primitive is not ops.add or id(symbol) not in self.names or self.numbers:
            return False
        first, second = (self.canonical(part) for part in symbol.arguments)
        if not self._is_inner(first) or not self._owns_memory(first):
            return False
        if (first.shape, first.dtype) != (symbol.shape, symbol.dtype):
            return False
        self._assign(symbol, self.texts[id(first)][0], comment)
        self._line(f"{self.names[id(symbol)]} += {self.operand(second, COMPARISON, symbol)}", "", symbol)
        return True

    def _is_inner(self, symbol: Any) -> bool:
        """Whether a Symbol stands within one other expression, and has no name."""
        return (
            self.uses[id(symbol)] == 1 and id(symbol) not in self.names and not self.texts[id(symbol)][0].isidentifier()
        )

    def _owns_memory(self, symbol: Any) -> bool:
        """Whether no other name refers to the memory of a Symbol's array."""
        if not isinstance(symbol, Symbol) or symbol.primitive in (None, ops.expand, OUTPUT):
            return False
        if not symbol.primitive.views:
            return True
        viewed = self.canonical(symbol.arguments[0])
        return (
            isinstance(viewed, Symbol)
            and viewed.primitive is not None
            and self._is_inner(viewed)
            and self._owns_memory(viewed)
        )

    def _lends_memory(self, symbol: Symbol) -> bool:
        """Whether a result may stay a view: no other result shares the memory. From now on, this one does."""
        viewed = self.canonical(symbol.arguments[0])
        if (
            not (symbol.primitive and symbol.primitive.views and isinstance(viewed, Symbol) and viewed.primitive)
            or viewed.primitive.views
        ):
            return False
        if not self._owns_memory(viewed) or id(viewed) in self.returned | self.lent:
            return False
        self.lent.add(id(viewed))
        return True

    def _are_different(self, key: tuple[Any, ...]) -> bool:
        """Whether a key names no place twice: it has no lists, or lists of one shape, and one of them counts up."""
        lists = [part for part in key if isinstance(part, Symbol | np.ndarray) and part.dtype != bool]
        counting = any("range(" in self.index(part) for part in lists)
        return not lists or (counting and len({part.shape for part in lists}) == 1)

    def result(self, symbol: Any, name: str) -> str:
        """The name of a result. A result that has another name already is copied."""
        symbol = self.canonical(symbol)
        if self.names.get(id(symbol)) != name:
            copied = isinstance(symbol, Symbol) and symbol.value is None and not self.numbers
            text = f"{self.part(symbol, WHOLE)}.copy()" if copied else self.part(symbol, COMPARISON)
            self._line(f"{name} = {text}", "", *[symbol] * isinstance(symbol, Symbol))
        return name


def _size(put: Symbol) -> int:
    """The number of elements that are added."""
    return math.prod(put.arguments[0].shape)
