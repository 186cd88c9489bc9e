"""`minigrad.nn` is the package in the folder `nn` beside minigrad."""

from minigrad.beside import load as _load

_load(__name__)
