"""What to say of the names of PyTorch's that are not here."""

from collections.abc import Mapping


def explain(owner: str, name: str, instead: Mapping[str, str]) -> AttributeError:
    """The error for a missing name: that it is missing, and what to use instead where `instead` knows it."""
    remedy = f"; use {instead[name]}" if name in instead else ": it has the part of PyTorch that the course uses"
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
    "contiguous": "the tensor itself: reshape copies where it must",
    "cuda": "the tensor itself: there is the CPU alone",
    "detach_": "detach",
    "div_": "/=",
    "scatter_": "x[rows, index] = values",
    "scatter_add_": "index_add_",
    "sub_": "-=",
    "type": "to",
}
