"""The engine: the table of primitives, the recorder, and the reverse pass. It needs numpy alone.

Read `primitive.py`, `ops.py`, `record.py`, `graph.py`, `tensor.py` and `value.py`, in this order. The other files are
what these stand on.
"""

from minigrad.core import tensor, value
