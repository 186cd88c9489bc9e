"""Grades a learner's backward pass, one gradient at a time, for `backprop_ninja.py --check`.

The learner's file runs in a process of its own, the child, with a time limit. The child gets the variables of the
forward pass as plain numbers, and not the gradients that it is asked for. It sends each gradient back as bytes. The
parent compares them with the engine's, so nothing that the file does in the child can change a grade. If a gradient was
wrong, the child then gets the right numbers, and cannot send the same gradient again.
"""

from command_line import FAILURE, BadInputError, reason
from signals import SIGNALS

import ast
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from threadpoolctl import threadpool_limits

import minigrad
from minigrad import Tensor, cmp
from minigrad.core import graph
from minigrad.debug.cmp import numbers_of

LONGEST = 1_000_000  # bytes of a learner's file
LARGEST = 100_000_000  # bytes of a gradient
STARTING = 60  # seconds for the child's imports
NUMERIC = "biuf"  # kinds of dtypes


# The learner's file


def read(path: Path) -> bytes:
    """The text of a learner's file. BadInputError if it cannot be read, or is no Python."""
    try:
        with path.open("rb") as file:
            source = file.read(LONGEST + 1)
    except OSError as error:
        raise BadInputError(f"--check {reason(error)}") from None
    if len(source) > LONGEST:
        raise BadInputError(f"--check {path}: more than {LONGEST} bytes; this is no exercise")
    try:
        ast.parse(source, str(path))
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise BadInputError(f"{path}{line}: this is no Python: {error.msg}") from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise BadInputError(f"{path}: this is no Python: {error}") from None
    return source


def last_changes(program: Sequence[ast.stmt]) -> dict[str, ast.stmt]:
    """The last of the statements that change each name."""
    return {name: statement for statement in program for name in changed_by(statement)}


def changed_by(statement: ast.stmt) -> set[str]:
    """The names that a statement changes: `x = ...`, `x[...] += ...`, `x.add_(...)`, `np.add.at(x, ...)`."""
    changed = set()
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                changed.add(name)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                changed.add(name)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner), args=arguments)):
                changed |= {x.id for x in (owner, *arguments[:1]) if isinstance(x, ast.Name)}
    return changed


# The conversation


class Broken(Exception):
    """The other side has sent what makes no sense."""


class Closed(Broken):
    """The other side has closed the connection, or has ended."""


class Channel:
    """Messages over a socket: the length of a JSON text, the text, and the array whose dtype and shape it has, if any.

    Nothing that is received is run or unpickled. After `deadline`, by `time.monotonic`, it raises TimeoutError.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.deadline = math.inf

    def send(self, message: Mapping[str, Any], array: np.ndarray | None = None) -> None:
        """Send a message, and an array."""
        layout = {} if array is None else {"dtype": array.dtype.str, "shape": array.shape}
        text = json.dumps({**message, **layout}).encode()
        try:
            self._limit_time()
            self.connection.sendall(len(text).to_bytes(8) + text + (b"" if array is None else array.tobytes()))
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed(str(error)) from None

    def receive(self) -> tuple[dict[str, Any], np.ndarray | None]:
        """The next message, and its array or None."""
        try:
            message = json.loads(self._bytes(int.from_bytes(self._bytes(8))))
            if not isinstance(message, dict):
                raise Broken("a message that is no object")
            if "dtype" not in message:
                return message, None
            dtype, shape = np.dtype(message["dtype"]), tuple(map(int, message["shape"]))
            if dtype.kind not in NUMERIC or min(shape, default=0) < 0:
                raise Broken(f"no numbers: {dtype} {shape}")
            data = self._bytes(math.prod(shape) * dtype.itemsize)
            return message, np.frombuffer(data, dtype).reshape(shape).copy()
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed(str(error)) from None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise Broken(str(error)) from None

    def _bytes(self, number: int) -> bytes:
        if number > LARGEST:
            raise Broken(f"a message of {number} bytes")
        data = bytearray()
        while len(data) < number:
            self._limit_time()
            part = self.connection.recv(min(number - len(data), 1 << 20))
            if not part:
                raise Closed("it is closed")
            data += part
        return bytes(data)

    def _limit_time(self) -> None:
        if self.deadline < math.inf:
            self.connection.settimeout(max(self.deadline - time.monotonic(), 1e-6))


# The parent


class Report(NamedTuple):
    """The names of the variables whose gradients are right, and what keeps the file from having passed, or None."""

    right: list[str]
    problem: str | None


@contextmanager
def child_process() -> Iterator[tuple[subprocess.Popen[bytes], Channel]]:
    """A process that runs this file as a program. It has ended when the block ends, and what it started with it."""
    if os.name != "posix":
        raise BadInputError("--check: it takes a POSIX system, such as Linux, macOS or WSL, to run a file apart")
    mine, other = socket.socketpair()
    with mine, other:
        command = [sys.executable, "-u", __file__, str(other.fileno())]
        child = subprocess.Popen(command, pass_fds=[other.fileno()], start_new_session=True)
        try:
            other.close()
            yield child, Channel(mine)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def graded(
    source: bytes, path: Path, given: Mapping[str, Any], expected: Mapping[str, Tensor], time_limit: float
) -> Report:
    """Run a learner's file on the variables `given`, and print a grade for the gradient of each one in `expected`.

    A gradient is graded after the last statement that changes it. What is not right, or missing, is replaced.
    """
    asked = last_changes(ast.parse(source, str(path)).body)
    missing = [name for name in expected if f"d{name}" not in asked]
    waiting = [name for name in expected if f"d{name}" in asked]
    right: list[str] = []
    problem, line = None, 0
    sys.stdout.flush()
    with child_process() as (child, channel):
        try:
            channel.deadline = time.monotonic() + STARTING
            channel.receive()  # it has imported what it needs
            channel.deadline = time.monotonic() + time_limit
            head = {"path": str(path), "asked": waiting, "time_limit": time_limit}
            channel.send(head, np.frombuffer(source, np.uint8))
            send_variables(channel, given, {f"d{name}": gradient(expected[name]) for name in missing})
            while True:
                sys.stdout.flush()
                message, array = channel.receive()
                match message:
                    case {"line": int(line)}:
                        pass
                    case {"error": str(what), "exits": bool(exits), "at": int(at), "names": list(names)}:
                        print(f"{', '.join(map(str, names)):15s} | {path}, line {at}: {what}")
                        if exits:
                            problem = f"{path}, line {at}: the file ends the program here; take that out"
                    case {"gradient": str(name), "type": str(kind)} if name in waiting:
                        waiting.remove(name)
                        if is_right(name, kind, array, expected[name]):
                            right.append(name)
                            channel.send({})
                        else:
                            channel.send({}, gradient(expected[name]))
                    case {"changed": list(changed)}:
                        break
                    case _:
                        raise Broken(f"a message of {', '.join(message)}")
        except TimeoutError:
            return Report(right, f"{path}, line {line}: no end after {time_limit:g} seconds (see --time-limit)")
        except Broken as error:
            return Report(right, f"{path}, line {line}: {ending(child, error)}")
    for name in missing:
        print(f"{name:15s} | missing: nothing is called d{name}")
    for name in right:
        if name in changed:
            print(f"{name:15s} | wrong: it was right, but a later line changed it in place; begin there with .clone()")
    return Report([name for name in right if name not in changed], problem)


def send_variables(channel: Channel, given: Mapping[str, Any], gradients: dict[str, np.ndarray]) -> None:
    """Send the child the variables of the forward pass, and the gradients that the file leaves out."""
    arrays = {name: x.detach().numpy() for name, x in given.items() if isinstance(x, Tensor)} | gradients
    numbers = {name: x for name, x in given.items() if not isinstance(x, Tensor)}
    channel.send({"numbers": numbers, "arrays": len(arrays)})
    for name, array in arrays.items():
        channel.send({"name": name}, array)


def gradient(variable: Tensor) -> np.ndarray:
    """The gradient that the engine has found."""
    assert variable.grad is not None
    return variable.grad.numpy()


def is_right(name: str, kind: str, array: np.ndarray | None, expected: Tensor) -> bool:
    """Compare one gradient, of which the child told the type, and print how it compares."""
    if array is not None:
        with np.errstate(all="ignore"):  # infinity is wrong, and no reason to warn
            return bool(cmp(name, array, expected))
    if kind == "NoneType":
        print(f"{name:15s} | your turn: it is None")
    elif kind:  # else the statement has raised an exception, which has been told
        print(f"{name:15s} | wrong: it is a {kind}, neither a Tensor nor an array of numbers")
    return False


def ending(child: subprocess.Popen[bytes], error: Broken) -> str:
    """Say how a child ended that did not come to the end of the file."""
    try:
        code = child.wait(1 if isinstance(error, Closed) else 0)
    except subprocess.TimeoutExpired:
        return f"the file has broken the connection to the grading: {error}"
    how = f"with the exit code {code}" if code >= 0 else f"by the signal {signal.Signals(-code).name}"
    return f"the process ended here, {how}, before the end of the file"


# The child


def run(channel: Channel) -> None:
    """Run the statements of the file that the parent sends, and send the gradients that they compute."""
    channel.send({"ready": True})
    head, source = channel.receive()
    assert source is not None
    path, asked = head["path"], head["asked"]
    signal.setitimer(signal.ITIMER_REAL, head["time_limit"] + 1)  # ends this process if the parent was killed
    program = ast.parse(source.tobytes(), path).body
    variables, _ = channel.receive()
    space: dict[str, Any] = {"__name__": Path(path).stem, "__file__": path, **variables["numbers"]}
    for _ in range(variables["arrays"]):
        variable, array = channel.receive()
        space[variable["name"]] = minigrad.tensor(array)
    last = last_changes(program)
    sent: dict[str, np.ndarray] = {}
    for statement in program:
        channel.send({"line": statement.lineno})
        failed = fails(statement, path, space, asked, channel)
        for name in asked:
            if last[f"d{name}"] is statement:
                value = None if failed else space.get(f"d{name}")
                array = plain(value)
                channel.send({"gradient": name, "type": "" if failed else type(value).__name__}, array)
                answer = channel.receive()[1]
                if answer is not None:
                    space[f"d{name}"] = minigrad.tensor(answer)
                elif array is not None:
                    sent[name] = array.copy()
    channel.send({"changed": [name for name, array in sent.items() if is_changed(space.get(f"d{name}"), array)]})


def fails(statement: ast.stmt, path: str, space: dict[str, Any], asked: Sequence[str], channel: Channel) -> bool:
    """Run a statement. If it raises, send the error and the line."""
    try:
        exec(compile(ast.Module([statement], []), path, "exec"), space)
    except BaseException as error:  # SystemExit and KeyboardInterrupt too
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        names = [name for name in asked if f"d{name}" in changed_by(statement)]
        what = f"{type(error).__name__}: {error}".splitlines()[0][:1000]
        at = lines[-1] if lines else statement.lineno
        channel.send({"error": what, "exits": isinstance(error, SystemExit), "at": at, "names": names})
        return True
    return False


def plain(value: Any) -> np.ndarray | None:
    """The numbers of a Tensor, a Value, an array, a list or a number; None for anything else."""
    try:
        array = numbers_of(value)
    except Exception:  # an object of the learner's can raise anything
        return None
    return array if array.dtype.kind in NUMERIC and array.nbytes <= LARGEST else None


def is_changed(value: Any, sent: np.ndarray) -> bool:
    """Whether a value is no longer what was sent."""
    array = plain(value)
    return array is None or not np.array_equal(array, sent, equal_nan=True)


def refuse_autograd() -> None:
    """Switch the engine's backward pass off in this process: the learner is to work the gradients out by hand."""

    def refused(*arguments: Any, **options: Any) -> NoReturn:
        raise RuntimeError("the engine's own backward pass is switched off here: work the gradient out by hand")

    minigrad.set_grad_enabled(False)
    switches: list[tuple[Any, str]] = [(graph, "reverse")]  # by which all others work
    switches += [(Tensor, "backward"), (minigrad, "grad"), (minigrad, "derive")]  # which look at their arguments first
    for owner, name in switches:
        setattr(owner, name, refused)


if __name__ == "__main__":
    channel = Channel(socket.socket(fileno=int(sys.argv.pop())))
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    refuse_autograd()
    try:
        with threadpool_limits(limits=1):
            run(channel)
    except Broken:  # the parent tells what happened
        os._exit(FAILURE)
