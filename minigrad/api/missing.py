"""The errors for PyTorch names that are not supported: they say what to use instead.

The names of `nn` are listed in `nn`, which the core and the API do not import.
"""

from collections.abc import Mapping


def explain(owner: str, name: str, instead: Mapping[str, str]) -> AttributeError:
    """Return the AttributeError for a missing name. `instead` maps names to what to use instead."""
    remedy = (
        f"; use {instead[name]}" if name in instead else ": minigrad has only the part of PyTorch that the course uses"
    )
    return AttributeError(f"{owner} has no attribute {name!r}{remedy}", name=name)


FUNCTIONS = {
    "addmm": "a + b @ c",
    "amax": "max",
    "amin": "min",
    "as_tensor": "tensor",
    "bmm": "@ or matmul",
    "chunk": "tensor_split",
    "concat": "cat",
    "concatenate": "cat",
    "empty": "zeros",
    "empty_like": "zeros_like",
    "from_numpy": "tensor",
    "gather": "x[rows, index]",
    "ge": ">=",
    "gt": ">",
    "hstack": "cat",
    "le": "<=",
    "lt": "<",
    "maximum": "where(a > b, a, b)",
    "minimum": "where(a < b, a, b)",
    "mm": "@ or matmul",
    "mv": "@ or matmul",
    "ne": "!=",
    "norm": "x.square().sum().sqrt()",
    "outer": "a[:, None] * b",
    "rsqrt": "x ** -0.5",
    "triu": "x - x.tril(-1)",
    "vstack": "cat",
}
METHODS = FUNCTIONS | {
    "cuda": "the tensor itself: minigrad has only the CPU",
    "detach_": "detach",
    "div_": "/=",
    "scatter_": "x[rows, index] = values",
    "scatter_add_": "index_add_",
    "sub_": "-=",
    "type": "to",
}
