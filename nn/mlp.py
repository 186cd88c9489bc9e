"""MLP: the character model of the course's makemore lectures in one call.

It is the one model in this package; `layers.py` has the layers that it consists of.
"""

import itertools
from collections.abc import Sequence
from typing import Any

from minigrad.checks import flag_of, size_of

from . import init
from .activations import Tanh
from .containers import Sequential
from .layers import BatchNorm1d, Embedding, Flatten, Linear
from .module import Module


class MLP(Sequential):
    """A model of the next character: Embedding, then Linear, BatchNorm1d and Tanh for each hidden layer, then Linear.

    The input is (n, block_size) with integers below `vocab_size`, and the output is (n, vocab_size) logits. `hidden` is
    the width of one hidden layer, or a sequence of widths. Without `batch_norm`, the Linear layers have biases instead.

    Initial hidden weights are normal with the gain of tanh. The output weights are a tenth of that, so that an
    untrained model favors no character. The model is that of makemore parts 2 and 3 (Bengio et al., "A Neural
    Probabilistic Language Model", 2003); its state dict fits the same `torch.nn.Sequential`.

    >>> MLP(27, block_size=3, embedding=10, hidden=200)
    MLP(
      (0): Embedding(27, 10)
      (1): Flatten(start_dim=1, end_dim=-1)
      (2): Linear(in_features=30, out_features=200, bias=False)
      (3): BatchNorm1d(200, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
      (4): Tanh()
      (5): Linear(in_features=200, out_features=27, bias=True)
    )
    """

    def __init__(
        self,
        vocab_size: int,
        *sizes: Any,
        block_size: int = 3,
        embedding: int = 10,
        hidden: int | Sequence[int] = 200,
        batch_norm: bool = True,
    ) -> None:
        if sizes:
            raise TypeError(
                f"MLP: got {1 + len(sizes)} arguments without names; name all but vocab_size, or use nn.scalar.MLP for "
                "micrograd's MLP(nin, nouts)"
            )

        flag_of("MLP", "batch_norm", batch_norm)
        block_size, embedding = size_of("MLP", "block_size", block_size), size_of("MLP", "embedding", embedding)
        if not isinstance(hidden, int | tuple | list):
            raise TypeError(f"MLP: hidden must be a width or a list of widths, got {type(hidden).__name__}")
        self.block_size = block_size
        widths = [
            block_size * embedding,
            *([hidden] if isinstance(hidden, int) else hidden),
        ]
        layers: list[Module] = [Embedding(vocab_size, embedding), Flatten()]
        for fan_in, fan_out in itertools.pairwise(widths):
            linear = Linear(fan_in, fan_out, bias=not batch_norm)
            init.kaiming_normal_(linear.weight, nonlinearity="tanh")
            layers += [linear, BatchNorm1d(fan_out), Tanh()] if batch_norm else [linear, Tanh()]
        output = Linear(widths[-1], vocab_size)
        init.kaiming_normal_(output.weight, nonlinearity="tanh").data.mul_(0.1)
        super().__init__(*layers, output)
