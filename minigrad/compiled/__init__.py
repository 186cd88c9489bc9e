"""compile: a function runs once as it is, and from then on as the numpy source that derive's Symbols give.

How it works, in the order in which to read the modules:

    marks.py      marked arrays, which report what numpy computes of them
    calls.py      calls of functions that know arrays alone, as primitives
    changes.py    what a change in place makes of the arrays that share memory
    recording.py  one run of a function, in which every step becomes a Symbol of `derive`
    reach.py      the Tensors and settings from outside that a function depends on
    strides.py    in which layout the results of steps lie
    layout.py     the order of the steps, and which results share memory
    blocks.py     which steps over large arrays are computed together, some rows at a time
    buffers.py    which results share a piece of memory
    statements.py a statement for each step
    loops.py      the statements of the steps that are computed together
    threads.py    the threads that run them
    printer.py    the second printer of Symbols, which writes the source of a program
    program.py    the source with its memory, and the node that its results have in the graph
    jax_writer.py the readable source for JAX, as `derive` writes it
    jax_program.py that source under `jax.jit`, in place of the numpy program
    first.py      the first call of a function: recorded, compiled
    function.py   the function that is returned: which program fits a call
"""

import copy
import functools
from collections.abc import Callable, Mapping
from typing import Any

from minigrad.checks import flag_of, int_of, shown
from minigrad.compiled.function import Compiled
from minigrad.compiled.program import Program

BACKENDS = ("inductor", "eager", "jax")


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] = "inductor",
    mode: str | None = None,
    options: Mapping[str, Any] | None = None,
    disable: bool = False,
    cache_size: int = 8,
) -> Any:
    """Return a function that computes the same, by numpy source that is written for it (`torch.compile`).

    The first call runs the function as it is. What it computed, and the gradients, become a program that writes its
    results into memory made once; `source` of the returned function shows it. Later calls run this program. Their
    results have one node in the graph, so backward passes, `.grad`, optimizers and hooks go on as before. A compiled
    Module is another face of the Module: it has the same parameters, buffers and attributes.

    A program holds for the shapes, layouts, dtypes and flags of the Tensors that it gets and reaches, for grad mode,
    and for all settings that the function reaches: the modes of its modules, numbers in attributes, variables and
    arguments. For others a new program is compiled. After `cache_size` programs, calls that none of them fits run the
    function as it is, as in PyTorch: to compile again for every new shape would take longer. Parameters and buffers are
    read at every call, and running statistics are updated. Random operations draw the numbers that the function would
    draw. Arrays of numpy that the function makes, or that a module of Python holds, are constants.

    The results and gradients have the same bits as those of the function; only NaNs may differ in their signs. If
    gradients arrive at some of several results, zeros arrive at the others, as in PyTorch: what only these depend on
    gets a gradient of zeros in place of None, and zero times an infinite derivative is NaN. The first call takes as
    long as some hundred others. Several threads may call a compiled function. While one makes the first call, others
    must not compute with the same parameters except through compiled functions.

    RuntimeError at the first call, with the line, for what depends on the numbers: a branch on a Tensor, `.item()`,
    `.numpy()`, an index by a mask; for a variable or attribute that is set; and for a backward pass in the function.
    Arguments are checked at every call: for wrong ones, the function itself runs, and raises its error. Gradients of
    gradients are refused in the backward pass. `disable` returns the function itself, as does the backend "eager". The
    other arguments of PyTorch's have no effect: every graph is full, and shapes are never dynamic.

    The backend "jax" runs the same steps under `jax.jit`, on the device that JAX finds, such as a GPU. It needs the
    package jax. `source` is then readable numpy with `jax.numpy` for numpy. Everything above holds, but the last bits:
    XLA adds in another order. What the backward pass needs stays on the device; results and gradients come back as
    arrays of numpy, contiguous. XLA compiles at the second call, and at the first backward pass after it. A step that
    JAX cannot run is refused at the first call, with its statement. The option `in_shardings`, as in `jax.jit`, shards
    Tensors over devices: a `jax.sharding.NamedSharding` for all Tensors among the arguments, or a list with one for
    each, and None for those that every device gets whole. Every device gets parameters whole, and all else that the
    function reaches. With the batch sharded, each device computes its part of a batch, and BatchNorm's statistics,
    the loss and the gradients are those of the whole batch: `examples/train_data_parallel.py`. The devices may be those
    of several processes (`jax.distributed`), which make the same calls.

    TypeError if `model` cannot be called, ValueError for another backend or another option of the backend "jax", and
    ModuleNotFoundError if its package is missing.

    >>> import minigrad
    >>> double = compile(lambda x: (x * 2).tanh())
    >>> x = minigrad.tensor([0.0, 1.0], requires_grad=True)
    >>> double(x)
    tensor([0.0000, 0.9640], grad_fn=<CompiledFunctionBackward>)
    >>> double(x).sum().backward()
    >>> x.grad
    tensor([2.0000, 0.1413])
    """
    if model is None:
        return functools.partial(compile, backend=backend, options=options, disable=disable, cache_size=cache_size)
    if not callable(model):
        raise TypeError(f"compile: expected a function or a Module, got {shown(model)}")
    if backend not in BACKENDS:
        names = f"{', '.join(map(repr, BACKENDS[:-1]))} or {BACKENDS[-1]!r}"
        raise ValueError(f"compile: backend must be {names}, got {shown(backend)}")
    if flag_of("compile", "disable", disable) or backend == "eager":
        return model
    if int_of("compile", cache_size) < 1:
        raise ValueError(f"compile: cache_size must be positive, got {cache_size}")
    program_of: Callable[..., Any] = Program
    if backend == "jax":
        from minigrad.compiled.jax_program import with_options

        program_of = with_options(options or {})
    compiled = Compiled(model, cache_size, program_of)
    if not hasattr(type(model), "named_parameters"):
        return compiled
    return _module(model, compiled, functools.partial(compile, backend=backend, options=options, cache_size=cache_size))


def _module(model: Any, compiled: Compiled, compiler: Callable[[Any], Any]) -> Any:
    """Another face of a Module: it has the same attributes, and calls the compiled Module."""
    kind = type(model)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return compiled(*args, **kwargs)

    def copied(self: Any, memo: dict[int, Any]) -> Any:
        return compiler(copy.deepcopy(model, memo))

    def reduced(self: Any) -> Any:
        return compiler, (model,)

    names: dict[str, Any] = {"__call__": call, "__deepcopy__": copied, "__reduce__": reduced}
    names["__module__"] = kind.__module__
    if not hasattr(model, "source"):
        names["source"] = property(lambda self: compiled.source)
    face: Any = object.__new__(type(kind.__name__, (kind,), names))
    object.__setattr__(face, "__dict__", vars(model))
    return face
