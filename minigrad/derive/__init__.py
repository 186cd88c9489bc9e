"""derive: write the forward and the backward pass of a recorded graph as numpy source.

How it works, in the order in which to read the modules:

    symbols.py      a Symbol stands for an array; primitives and vjps applied to Symbols build expressions
    trace.py        runs a recorded graph once more on Symbols, forward and backward
    plain.py        numbers and indices without a class of the user, and their text
    sharing.py      which Symbols are computed in the same way
    expressions.py  numpy text for an operand, a number, an index
    forms.py        how each primitive is spelled, with a default that serves new ones
    copying.py      copies the Python functions of primitives into the source
    source.py       decides which expressions become statements
    program.py      puts the whole function together
    derived.py      the function that is returned

`formula.py` prints Symbols for pictures; `naming.py` names things after the variables that hold them. All but
`derived.py` are imported when something is derived, because they would slow the import of minigrad down.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.core.value import Value
from minigrad.derive.derived import Derived


def derive(
    loss: Any,
    names: Mapping[str, Any] | None = None,
    *,
    wrt: Iterable[Any] | None = None,
    retain: Iterable[str] = (),
) -> Derived:
    """Write the forward and the backward pass of a recorded `loss` as one function in numpy.

    `names`, such as `locals()`, says what its variables are called. The function takes all leaves, and the arrays that
    something was indexed by. It returns the loss, then the gradients of the leaves that require one (or of those in
    `wrt`: Tensors or names), then the gradients of the results named in `retain`.

    The gradients are the engine's, bit for bit, but for three things. The sign of a zero may differ. The last bit may
    differ in the gradient of a number to the power of a Tensor, for which the engine takes a logarithm in float64. It
    may also differ in a sum over an array to which `+=` has added a transposed one, because numpy adds rows and columns
    in different orders.

    What was computed without being recorded, such as a mask `x > 0`, is a constant: it is a parameter too, with a
    default if no variable held it. Rows that an index names more than once are added with `np.add.at`, in float64 if
    there are many, as in the engine. A loss made of Values becomes a function of floats, which needs `math` alone.

    A primitive of your own needs no registration. It is written as a call of its numpy function, or its Python function
    is copied into the source.

    TypeError if `loss` is neither Tensor nor Value. ValueError if it requires no gradient or is not a single number,
    for a name that nothing in its graph has, and for a primitive whose function cannot be copied, such as a lambda.
    RuntimeError if a function that `compile` compiled has computed a part: its steps are not in the graph.

    >>> import minigrad
    >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    >>> h = x.tanh()
    >>> loss = (h * 3).sum()
    >>> print(derive(loss, names=locals()).source)
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def step(x):
        # forward
        h = np.tanh(x)
        loss = (h * 3).sum()
    <BLANKLINE>
        # backward
        dx = 3.0 * (1 - h**2)  # x
        return loss, dx
    <BLANKLINE>
    """
    if not isinstance(loss, Tensor | Value):
        raise TypeError(f"derive: expected a Tensor or a Value, got {type(loss).__name__}")
    if not isinstance(names, Mapping | None):
        raise TypeError(f"derive: names must be a dict such as locals(), got {type(names).__name__}")
    for argument, given in (("wrt", wrt), ("retain", retain)):
        if given is not None and not isinstance(given, Iterable | Value):
            raise TypeError(f"derive: {argument} must be a list of Tensors or names, got {type(given).__name__}")
    if isinstance(loss, Tensor) and (not loss.requires_grad or loss.array.size != 1):
        what = (
            f"one of shape {loss.array.shape}; reduce it to a number, such as with .sum()"
            if loss.requires_grad
            else "one that requires no gradient; create the parameters with requires_grad=True"
        )
        raise ValueError(f"derive: expected a single number that requires a gradient, got {what}")
    from minigrad.derive.program import derived
    from minigrad.derive.trace import Trace

    return derived(Trace(loss, names or {}), wrt, retain)
