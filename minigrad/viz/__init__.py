"""`minigrad.viz` is the package `viz` beside minigrad: the same modules, no copies."""

import viz
from minigrad.beside import enter

enter(__name__, viz)
