"""`minigrad.nn` is the package in the folder `nn` beside minigrad."""

from minigrad.beside import load

load(__name__)
