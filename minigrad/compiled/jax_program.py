"""A program for JAX: the readable source under `jax.jit`, on any device, also with a batch that is sharded over many.

It has the interface of `Program`. Only `forward` and `backward` of the source run under jit, and both are pure. So the
values that a function changes in place come back as results, and are assigned after the call; what checks of arguments
read comes back too. Random numbers are drawn before the call, by numpy, as ever.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compiled.jax_writer import JaxWriter
from minigrad.compiled.layout import Wanted
from minigrad.compiled.program import Program
from minigrad.compiled.recording import Refused
from minigrad.extras import remedy

try:
    import jax
except ImportError as error:
    raise ModuleNotFoundError(f"compile: the backend 'jax' needs the package jax; {remedy('jax')}") from error

SOURCE = "<compiled for jax>"


class JaxProgram:
    """The forward and the backward pass, as functions that JAX has traced; XLA compiles them when they are first run.

    `in_shardings` says how the arrays of the arguments lie on devices, as in `jax.jit`: one sharding for all, or a list
    with one for each, in which None stands for a copy on each device.
    """

    def __init__(
        self, wanted: Wanted, constants: dict[int, np.ndarray], in_rows: set[int], in_shardings: Any = None
    ) -> None:
        random = wanted._replace(
            guards=[], outputs=wanted.draws, shared=[False] * len(wanted.draws), effects=[], seeds=[], gradients=[]
        )
        self.draws = Program(random, constants, in_rows) if wanted.draws else None
        self.generators = [*dict.fromkeys(draw.primitive.function.args[0] for draw in wanted.draws)]  # type: ignore
        for draw in wanted.draws:  # which are given from here on
            assert draw.primitive
            draw.name, draw.primitive, draw.arguments = draw.primitive.name, None, ()
        places = {id(symbol): place for place, symbol in enumerate(wanted.given)}
        self.changed = [places[id(old)] for old, _ in wanted.effects]
        try:
            self.writer = JaxWriter(wanted, constants)
            self.source = self.writer.write()
        except ValueError as error:
            raise Refused(f"compile: {str(error).removeprefix('derive: ')}; or use the backend 'inductor'") from None
        writer = self.writer
        self.expected = writer.expected
        drawn = self.draws.reads if self.draws else []
        self.reads = sorted({*writer.given, *self.changed, *drawn})
        at = {place: number for number, place in enumerate(self.reads)}
        self.takes = [at[place] for place in writer.given]
        self.drawn = [at[place] for place in drawn]
        self.saved = [at[place] for place in writer.saved if place not in self.changed]
        self.assigned = [at[place] for place in self.changed]
        self._compile(wanted, in_shardings)

    def _compile(self, wanted: Wanted, in_shardings: Any) -> None:
        """Trace both functions, and refuse what JAX cannot trace."""
        with jax.enable_x64(True):
            space = self.writer.space
            exec(compile(self.source, SOURCE, "exec"), space)
            forward = space["forward"]

            def apart(*arrays: Any) -> Any:
                *results, residuals = forward(*arrays)
                return results, tuple(map(jax.numpy.copy, residuals))  # an array of numpy's may change

            given = [wanted.given[place] for place in self.writer.given]
            shardings = _shardings(in_shardings, wanted, self.writer.given)
            everywhere = None
            if in_shardings is not None:
                everywhere = next(x for x in jax.tree.leaves(in_shardings)).with_spec(jax.P())
            self.forward = jax.jit(apart, out_shardings=(everywhere, None))
            self.backward = jax.jit(space["backward"], out_shardings=everywhere) if wanted.seeds else None
            self.shardings = shardings
            specs = [jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s) for x, s in zip(given, shardings, strict=True)]
            specs += [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in wanted.draws]
            results, residuals = self._traced(self.forward, specs)
            self._check([*wanted.outputs, *(new for _, new in wanted.effects)], [*results[0], *results[1]])
            if self.backward is not None:
                seeds = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in wanted.seeds]
                self._check(wanted.gradients, self._traced(self.backward, [*seeds, *residuals]))

    def _traced(self, function: Any, specs: Sequence[Any]) -> Any:
        """What a function returns: shapes and dtypes."""
        try:
            return function.eval_shape(*specs)
        except Exception as error:
            line, trace = "", error.__traceback__
            while trace is not None:
                if trace.tb_frame.f_code.co_filename == SOURCE:
                    line = self.source.splitlines()[trace.tb_lineno - 1].strip()
                trace = trace.tb_next
            raise Refused(
                f"compile: the backend 'jax' cannot run {line!r}: {str(error).splitlines()[0]}; "
                "use the backend 'inductor', or compute this step outside of the function"
            ) from error

    def _check(self, symbols: Sequence[Any], found: Sequence[Any]) -> None:
        """Require the shapes and dtypes of the function itself."""
        for symbol, x in zip(symbols, found, strict=True):
            if (symbol.shape, symbol.dtype) != (x.shape, x.dtype):
                raise Refused(
                    f"compile: the backend 'jax' computes {x.dtype}{list(x.shape)} where numpy computes "
                    f"{symbol.dtype}{list(symbol.shape)}; use the backend 'inductor'"
                )

    def memory(self) -> "Run":
        """A call, which keeps what its backward pass needs on the device."""
        return Run(self)


class Run:
    """One call: its passes, and the residuals between them."""

    __slots__ = ("program", "residuals")

    def __init__(self, program: JaxProgram) -> None:
        self.program = program
        self.residuals: Any = ()

    def forward(self, *given: Any) -> Any:
        """The results, and the arrays of numpy that must not change before the backward pass.

        None if a check of arguments reads something else than in the first call.
        """
        program = self.program
        states = [generator.get_state() for generator in program.generators] if program.expected else []
        draws: Any = ()
        if program.draws is not None:
            draws, _ = program.draws.memory().forward(*[given[i] for i in program.drawn])
        arrays = [_placed(given[i], s) for i, s in zip(program.takes, program.shardings, strict=True)]
        with jax.enable_x64(True):
            (outputs, changes, checks), self.residuals = program.forward(*arrays, *draws)
        if not all(map(np.array_equal, checks, program.expected)):
            for generator, state in zip(program.generators, states, strict=True):
                generator.set_state(state)
            return None
        for i, new in zip(program.assigned, changes, strict=True):
            np.copyto(given[i], new)
        return [np.array(x) for x in outputs], tuple([given[i] for i in program.saved])

    def backward(self, *gradients: Any) -> Any:
        """The gradients of what is given, from those of the results and what `forward` returned beside these."""
        *seeds, _ = gradients
        with jax.enable_x64(True):
            return [np.array(g) for g in self.program.backward(*seeds, *self.residuals)]


def _placed(array: np.ndarray, sharding: Any) -> Any:
    return array if sharding is None else jax.make_array_from_callback(array.shape, sharding, array.__getitem__)


def _shardings(in_shardings: Any, wanted: Wanted, given: list[int]) -> list[Any]:
    """The shardings of the arrays that `forward` takes."""
    count = wanted.arguments
    each = [in_shardings] * count if not isinstance(in_shardings, list | tuple) else [*in_shardings]
    if len(each) != count:
        raise ValueError(f"compile: in_shardings has {len(each)} shardings for {count} Tensors and arrays")
    for symbol, sharding in zip(wanted.given, each, strict=False):
        if sharding is not None:
            try:
                sharding.shard_shape(symbol.shape)
            except ValueError as error:
                raise ValueError(f"compile: in_shardings: {symbol.name} of shape {symbol.shape}: {error}") from None
    return [each[place] if place < count else None for place in given]
