"""Scope: which modules were running when an operation was recorded. `nn` makes scopes, pictures draw them as frames.

The core stores them in its nodes and knows nothing of modules.
"""

import weakref
from typing import Any, NamedTuple


class Scope(NamedTuple):
    """One call of a module, inside the call of an outer one. Nodes that are recorded meanwhile belong to it."""

    module: weakref.ref[Any]
    kind: type
    outer: "Scope | None"
