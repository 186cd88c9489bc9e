"""What a program asks of the libraries that PyTorch computes with (`torch.backends`). minigrad computes with numpy.

Their settings can be read and set, and change nothing.
"""

from minigrad.api import missing
from minigrad.backends import cuda, cudnn, mkl, mkldnn, mps, openmp

__getattr__ = missing.of_module(__name__, "torch.backends")
