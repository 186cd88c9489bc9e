"""A program for JAX: the readable source under `jax.jit`, on any device, also with the batch sharded over many.

It has the interface of `Program`. `forward` and `backward` of the source are pure. So the new values of what a function
changes in place come back as results, and are assigned after the call. What checks of arguments read comes back too.
Random numbers are drawn before the call, by numpy as ever.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.checks import shown
from minigrad.compiled.jax_writer import JaxWriter
from minigrad.compiled.layout import Wanted
from minigrad.compiled.program import Program
from minigrad.compiled.recording import Refused
from minigrad.derive.symbols import Symbol
from minigrad.extras import remedy

try:
    import jax
    from jax.sharding import Mesh, NamedSharding, PartitionSpec
except ImportError as error:
    needed = f"compile: the backend 'jax' needs the package jax; {remedy('jax')}"
    raise ModuleNotFoundError(needed, name="jax") from error

FILE = "<compiled for jax>"
ELSEWHERE = "use the backend 'inductor', or compute this step outside of the function"


def with_options(options: Mapping[str, Any]) -> Callable[..., "JaxProgram"]:
    """What makes a program, for the options that `compile` was given."""
    if unknown := [*options.keys() - {"in_shardings"}]:
        raise ValueError(f"compile: the backend 'jax' has the option 'in_shardings', and no {shown(unknown[0])}")
    given = options.get("in_shardings")
    several = [*map(_automatic, given)] if isinstance(given, list | tuple) else _automatic(given)
    return functools.partial(JaxProgram, in_shardings=several)


def _automatic(sharding: Any) -> NamedSharding | None:
    """A sharding after which the compiler decides how each step is sharded. `jax.make_mesh` leaves that to the user."""
    if sharding is None:
        return None
    if not isinstance(sharding, NamedSharding):
        raise TypeError(f"compile: in_shardings: expected a jax.sharding.NamedSharding, got {shown(sharding)}")
    return NamedSharding(Mesh(sharding.mesh.devices, sharding.mesh.axis_names), sharding.spec)


class JaxProgram:
    """The forward and the backward pass. JAX traces both when the program is made; XLA compiles each at its first run.

    `in_shardings` is the option of `compile`. `reads` are the places in `wanted.given` of all arrays that a call takes.
    The numbers of some of these arrays are in `takes` (`forward` takes them), in `drawn_from` (the draws read them), in
    `changed` (the call changes them) and in `saved` (they must not change before the backward pass).
    """

    def __init__(
        self, wanted: Wanted, constants: dict[int, np.ndarray], in_rows: set[int], in_shardings: Any = None
    ) -> None:
        self.draws, self.generators = _drawn(wanted, constants, in_rows)
        try:
            writer = JaxWriter(wanted, constants)
            self.source = writer.write()
        except ValueError as error:  # of `derive`, about a function that cannot be copied
            raise Refused(f"compile: {str(error).removeprefix('derive: ')}; or {ELSEWHERE}") from None
        self.expected = writer.expected
        places = {id(symbol): place for place, symbol in enumerate(wanted.given)}
        changed = [places[id(old)] for old, _ in wanted.effects]
        drawn_from = self.draws.reads if self.draws else []
        self.reads = sorted({*writer.given, *changed, *drawn_from})
        number = {place: i for i, place in enumerate(self.reads)}
        self.takes = [number[place] for place in writer.given]
        self.drawn_from = [number[place] for place in drawn_from]
        self.changed = [number[place] for place in changed]
        self.saved = [number[place] for place in writer.saved if place not in changed]
        each = _shardings(in_shardings, wanted)
        self.shardings = [each[place] if place < len(each) else None for place in writer.given]
        self._jit(writer.space, next(filter(None, each), None))
        self._trace([wanted.given[place] for place in writer.given], wanted)

    def _jit(self, space: dict[str, Any], sharding: NamedSharding | None) -> None:
        """Make the functions that run. All results come back whole; the residuals stay as they are."""
        exec(compile(self.source, FILE, "exec"), space)
        forward = space["forward"]

        def passed(*arrays: Any) -> Any:
            *results, residuals = forward(*arrays)
            return results, tuple(map(jax.numpy.copy, residuals))  # JAX may hand on an array that numpy changes later

        whole = sharding and NamedSharding(sharding.mesh, PartitionSpec())
        self.forward = jax.jit(passed, out_shardings=(whole, None))
        self.backward = jax.jit(space.get("backward", tuple), out_shardings=whole)

    def _trace(self, given: Sequence[Symbol], wanted: Wanted) -> None:
        """Refuse what JAX cannot run, or computes in another dtype."""
        new = [symbol for _, symbol in wanted.effects]
        (outputs, changes, _), residuals = self._traced(self.forward, [*given, *wanted.draws])
        _check([*wanted.outputs, *new], [*outputs, *changes])
        if wanted.seeds:
            _check(wanted.gradients, self._traced(self.backward, [*wanted.seeds, *residuals]))

    def _traced(self, function: Any, arguments: Sequence[Any]) -> Any:
        """The shapes and dtypes of what a function returns."""
        try:
            with jax.enable_x64(True):
                return function.eval_shape(*[jax.ShapeDtypeStruct(x.shape, x.dtype) for x in arguments])
        except Exception as error:
            trace, line = error.__traceback__, 0
            while trace is not None:
                line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == FILE else line
                trace = trace.tb_next
            statement = self.source.split("\n")[line - 1].strip()
            why = str(error).split("\n")[0]
            raise Refused(f"compile: the backend 'jax' cannot run {statement!r}: {why}; {ELSEWHERE}") from error

    def memory(self) -> "Run":
        """What a call needs."""
        return Run(self)


class Run:
    """One call. What its backward pass needs stays on the device, until the call is gone."""

    __slots__ = ("program", "residuals")

    def __init__(self, program: JaxProgram) -> None:
        self.program = program
        self.residuals: Any = ()

    def forward(self, *given: Any) -> Any:
        """The results, and the arrays of numpy that must not change before the backward pass.

        None if a check of arguments reads something else than it did in the first call.
        """
        program = self.program
        states = [generator.get_state() for generator in program.generators] if program.expected else []
        draws: Any = ()
        if program.draws is not None:
            draws, _ = program.draws.memory().forward(*[given[i] for i in program.drawn_from])
        with jax.enable_x64(True):
            arrays = [_placed(given[i], sharding) for i, sharding in zip(program.takes, program.shardings, strict=True)]
            (outputs, changes, checks), self.residuals = program.forward(*arrays, *draws)
        if not all(map(np.array_equal, checks, program.expected)):
            for generator, state in zip(program.generators, states, strict=True):
                generator.set_state(state)
            return None
        for i, new in zip(program.changed, changes, strict=True):
            np.copyto(given[i], new)
        return [np.array(x) for x in outputs], tuple([given[i] for i in program.saved])

    def backward(self, *gradients: Any) -> list[np.ndarray]:
        """The gradients, from those of the results, and from what `forward` returned beside these."""
        *seeds, _ = gradients
        with jax.enable_x64(True):
            return [np.array(g) for g in self.program.backward(*seeds, *self.residuals)]


def _drawn(wanted: Wanted, constants: dict[int, np.ndarray], in_rows: set[int]) -> tuple[Program | None, list[Any]]:
    """A program of numpy that draws the random numbers, and the generators. From here on, the numbers are given."""
    draws = wanted.draws
    if not draws:
        return None, []
    program = Program(
        wanted._replace(guards=[], outputs=draws, shared=[False] * len(draws), effects=[], seeds=[], gradients=[]),
        constants,
        in_rows,
    )
    generators = []
    for draw in draws:
        primitive: Any = draw.primitive
        generators.append(primitive.function.args[0])
        draw.name, draw.primitive, draw.arguments = primitive.name, None, ()
    return program, [*dict.fromkeys(generators)]


def _shardings(in_shardings: Any, wanted: Wanted) -> list[NamedSharding | None]:
    """The sharding of each array among the arguments. ValueError if it does not fit."""
    count = wanted.arguments
    each = [*in_shardings] if isinstance(in_shardings, list | tuple) else [in_shardings] * count
    if len(each) != count:
        raise ValueError(f"compile: in_shardings has {len(each)} shardings, and the arguments have {count} Tensors")
    for symbol, sharding in zip(wanted.given, each, strict=False):
        if sharding is not None:
            try:
                sharding.shard_shape(symbol.shape)
            except ValueError:
                devices = " and ".join(f"{count} devices along {name!r}" for name, count in sharding.mesh.shape.items())
                raise ValueError(
                    f"compile: in_shardings: {symbol.name} of shape {symbol.shape} cannot be sharded by "
                    f"{sharding.spec} over {devices}; a dim must be a multiple of the devices that it is sharded over"
                ) from None
    return each


def _placed(array: np.ndarray, sharding: NamedSharding | None) -> Any:
    """An array on the devices of a sharding; without one, JAX places it."""
    return array if sharding is None else jax.make_array_from_callback(array.shape, sharding, array.__getitem__)


def _check(symbols: Sequence[Any], found: Sequence[Any]) -> None:
    """Require the shapes and dtypes of the function itself."""
    for symbol, x in zip(symbols, found, strict=True):
        if isinstance(symbol, Symbol) and (symbol.shape, symbol.dtype) != (x.shape, x.dtype):
            what = f"{x.dtype} of shape {x.shape}, and numpy {symbol.dtype} of shape {symbol.shape}"
            raise Refused(f"compile: the backend 'jax' computes {what}; {ELSEWHERE}")
