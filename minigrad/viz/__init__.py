"""`minigrad.viz` is the package in the folder `viz` beside minigrad."""

from minigrad.beside import load

load(__name__)
