"""PyTorch's words over the core: functions and methods that check their arguments and apply primitives.

No derivative lives here. `pointwise.py`, `reductions.py`, `extremes.py`, `distributions.py`, `products.py`, `einsum.py`
and `shapes.py` compute; `selection.py` and `inplace.py` index and change; `creation.py` makes Tensors; `methods.py` has
what are methods alone. `arguments.py` reads arguments for all of these, `grad_fn.py` names nodes as PyTorch does,
`printing.py` prints as PyTorch does, and `missing.py` says what to use instead of names that are not here.
"""
