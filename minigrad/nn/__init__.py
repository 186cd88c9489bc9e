"""`minigrad.nn` is the package `nn` beside minigrad, under PyTorch's name for it: the same modules, no copies."""

import nn
from minigrad.beside import enter

enter(__name__, nn)
