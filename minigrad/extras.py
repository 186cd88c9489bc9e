"""The packages that parts of minigrad need beside numpy, and what an error says where they are missing.

The command names the packages themselves. So it works in a clone and in an installation, and never fetches a package
of another project that has a similar name.
"""

# The extras of setup.cfg that are imported outside of examples and tests.
EXTRAS = {
    "jax": ("jax>=0.8",),
    "tensorboard": ("tensorboardX>=2.6",),
    "viz": ("graphviz>=0.20", "graphviz-pure==0.2.2", "matplotlib>=3.8"),
}


def remedy(extra: str) -> str:
    """Return the command that installs the packages of an extra, and the extra's name."""
    return f"use pip install {' '.join(map(repr, EXTRAS[extra]))} (the extra {extra!r})"
