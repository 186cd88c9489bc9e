"""The command that installs what viz needs.

It names the packages themselves, because an index may have another package of minigrad's name.
"""

PACKAGES = ("graphviz>=0.20", "graphviz-pure==0.2.2", "matplotlib>=3.8")  # those of the extra `viz` in setup.cfg
INSTALL = f"pip install {' '.join(map(repr, PACKAGES))}"
