"""PyTorch's functions and methods over the core: they check their arguments and apply primitives.

No derivative is defined here. `pointwise.py`, `reductions.py`, `extremes.py`, `distributions.py`, `products.py`,
`einsum.py` and `shapes.py` compute; `selection.py` and `inplace.py` index and modify; `creation.py` makes Tensors.
`methods.py` has the methods that are not functions too. `arguments.py` checks arguments for all of these, `grad_fn.py`
names nodes as PyTorch does, `printing.py` prints as PyTorch does, `device.py` has the CPU, and `missing.py` explains
what to use instead of names that are not supported.
"""
