"""`minigrad.viz` is the package in the folder `viz` beside minigrad."""

from minigrad.beside import load as _load

_load(__name__)
