"""Pickles of plain data, written and read without Python's `pickle`, which would run any code that a file names.

A pickle is a program for a machine with a stack. This machine knows the instructions that build numbers, texts and
containers, and looks every function up in a table of its caller's. `pickletools` has the names of the instructions.
"""

import io
import pickle
import pickletools
import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from minigrad.serialization.contents import check_key


class Global(NamedTuple):
    """A function or class, by its module and its name."""

    module: str
    name: str


class Call(NamedTuple):
    """A call of a function with arguments."""

    function: Global
    arguments: tuple[Any, ...]


class Outside(NamedTuple):
    """What the pickle refers to by a key, and does not hold itself."""

    key: tuple[Any, ...]


# Writing


def dumps(obj: Any) -> bytes:
    """Return a pickle (protocol 2) of an object of dicts, lists, tuples, numbers, texts, Globals, Calls and Outsides.

    A Call that is there several times is one object when it is loaded.
    """
    out = io.BytesIO()
    out.write(pickle.PROTO + b"\2")
    _write(obj, out, {})
    out.write(pickle.STOP)
    return out.getvalue()


def _write(x: Any, out: io.BytesIO, memo: dict[int, int]) -> None:
    def several(first: bytes, parts: Any, last: bytes) -> None:
        out.write(first + pickle.MARK)
        for part in parts:
            _write(part, out, memo)
        out.write(last)

    match x:
        case Global():
            out.write(pickle.GLOBAL + f"{x.module}\n{x.name}\n".encode())
        case Outside():
            _write(x.key, out, memo)
            out.write(pickle.BINPERSID)
        case Call() if id(x) in memo:
            out.write(pickle.LONG_BINGET + struct.pack("<I", memo[id(x)]))
        case Call():
            _write(x.function, out, memo)
            _write(x.arguments, out, memo)
            memo[id(x)] = len(memo)
            out.write(pickle.REDUCE + pickle.LONG_BINPUT + struct.pack("<I", memo[id(x)]))
        case dict():
            several(pickle.EMPTY_DICT, (part for pair in x.items() for part in pair), pickle.SETITEMS)
        case list():
            several(pickle.EMPTY_LIST, x, pickle.APPENDS)
        case tuple():
            several(b"", x, pickle.TUPLE)
        case None:
            out.write(pickle.NONE)
        case bool():
            out.write(pickle.NEWTRUE if x else pickle.NEWFALSE)
        case int():
            data = pickle.encode_long(x)
            out.write(pickle.LONG1 + bytes([len(data)]) + data)
        case float():
            out.write(pickle.BINFLOAT + struct.pack(">d", x))
        case str():
            data = x.encode("utf-8", "surrogatepass")
            out.write(pickle.BINUNICODE + struct.pack("<I", len(data)) + data)


# Reading


def loads(
    data: bytes,
    functions: Mapping[Global, Callable[..., Any]],
    constant: Callable[[Global], Any],
    outside: Callable[[Any], Any],
) -> Any:
    """Return the object that a pickle builds.

    A pickle may call `functions`, and no other. `constant` returns what stands for any other global, and `outside`
    what a key refers to; both raise an error for what they do not know. Raises a ValueError for an instruction that
    plain data does not need.
    """
    machine = _Machine(functions, constant, outside)
    for instruction, argument, _ in pickletools.genops(data):
        if instruction.name not in INSTRUCTIONS:
            raise ValueError(f"the pickle has the instruction {instruction.name}, which plain data does not need")
        INSTRUCTIONS[instruction.name](machine, argument)
    return machine.take(1)[0]


class _Machine:
    """A stack of objects, the stacks below it from before the marks, and a memo of objects by number."""

    def __init__(self, functions: Any, constant: Any, outside: Any) -> None:
        self.functions, self.constant, self.outside = functions, constant, outside
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def push(self, x: Any) -> None:
        """Put an object on the stack."""
        self.stack.append(x)

    def take(self, count: int) -> list[Any]:
        """Take the last objects off the stack."""
        if count > len(self.stack):
            raise ValueError("the pickle takes more off its stack than there is")
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    def mark(self) -> None:
        """Begin a stack of its own for the parts of a container."""
        self.below.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        """Take all objects since the last mark."""
        if not self.below:
            raise ValueError("the pickle goes back to a mark that is not there")
        taken, self.stack = self.stack, self.below.pop()
        return taken

    def last(self, kind: type = object) -> Any:
        """Return the last object on the stack, which must be of a kind."""
        if not self.stack or kind not in (object, type(self.stack[-1])):
            raise ValueError(f"the pickle needs a {kind.__name__} where there is none")
        return self.stack[-1]

    def refer(self, module: Any, name: Any) -> None:
        """Push what a global means."""
        if type(module) is not str or type(name) is not str:
            raise ValueError("the pickle has a global whose name is no text")
        found = Global(module, name)
        self.push(_Function(self.functions[found]) if found in self.functions else self.constant(found))

    def reduce(self) -> None:
        """Call a function with the arguments behind it on the stack."""
        function, arguments = self.take(2)
        if type(function) is not _Function or type(arguments) is not tuple:
            raise ValueError("the pickle calls what is no function")
        self.push(function.call(*arguments))

    def build(self) -> None:
        """Drop the attributes of a dict, such as the `_metadata` of a state dict."""
        self.take(1)
        self.last(dict)

    def set_items(self, parts: list[Any]) -> None:
        """Add keys and values to a dict."""
        for key in parts[::2]:
            check_key(key)
        self.last(dict).update(zip(parts[::2], parts[1::2], strict=True))

    def extend(self, parts: list[Any]) -> None:
        """Add objects to a list."""
        self.last(list).extend(parts)

    def memoize(self, number: int) -> None:
        """Note the last object on the stack by a number."""
        self.memo[number] = self.last()

    def recall(self, number: int) -> None:
        """Push the object with a number."""
        if number not in self.memo:
            raise ValueError(f"the pickle refers to an object {number} that is not there")
        self.push(self.memo[number])


class _Function(NamedTuple):
    """A function on the stack, which may be called."""

    call: Callable[..., Any]


INSTRUCTIONS: dict[str, Callable[[_Machine, Any], Any]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda machine, x: None),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"), _Machine.push),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _Machine.push),
    "NONE": lambda machine, x: machine.push(None),
    "NEWTRUE": lambda machine, x: machine.push(True),
    "NEWFALSE": lambda machine, x: machine.push(False),
    "EMPTY_DICT": lambda machine, x: machine.push({}),
    "EMPTY_LIST": lambda machine, x: machine.push([]),
    "EMPTY_TUPLE": lambda machine, x: machine.push(()),
    "MARK": lambda machine, x: machine.mark(),
    "TUPLE": lambda machine, x: machine.push(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, x: machine.push(tuple(machine.take(1))),
    "TUPLE2": lambda machine, x: machine.push(tuple(machine.take(2))),
    "TUPLE3": lambda machine, x: machine.push(tuple(machine.take(3))),
    "SETITEM": lambda machine, x: machine.set_items(machine.take(2)),
    "SETITEMS": lambda machine, x: machine.set_items(machine.since_mark()),
    "APPEND": lambda machine, x: machine.extend(machine.take(1)),
    "APPENDS": lambda machine, x: machine.extend(machine.since_mark()),
    "GLOBAL": lambda machine, x: machine.refer(*x.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, x: machine.refer(*machine.take(2)),
    "REDUCE": lambda machine, x: machine.reduce(),
    "BUILD": lambda machine, x: machine.build(),
    "BINPERSID": lambda machine, x: machine.push(machine.outside(machine.take(1)[0])),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), _Machine.memoize),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _Machine.recall),
    "MEMOIZE": lambda machine, x: machine.memoize(len(machine.memo)),
}
