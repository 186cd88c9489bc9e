"""MLP: the course's character model in one call."""

import itertools
from collections.abc import Sequence

from nn import init
from nn.layers import BatchNorm1d, Embedding, Flatten, Linear, Tanh
from nn.module import Module, Sequential


class MLP(Sequential):
    """Characters in, logits of the next one out: embedding, layers of Linear, BatchNorm1d and Tanh, output layer.

    Input is (n, block_size) of integers below `vocab_size`, output (n, vocab_size). `hidden` is the width of the hidden
    layer, or a sequence of widths. Without `batch_norm` the Linears have biases instead. Hidden weights begin normal
    with tanh's gain, and the output layer's a tenth of that, so that at first no character is favoured. The model of
    makemore parts 2 and 3 (Bengio et al., "A Neural Probabilistic Language Model", 2003); its state dict is that of
    the same `torch.nn.Sequential`.

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
        *,
        block_size: int = 3,
        embedding: int = 10,
        hidden: int | Sequence[int] = 200,
        batch_norm: bool = True,
    ) -> None:
        self.block_size = block_size
        widths = [block_size * embedding, *([hidden] if isinstance(hidden, int) else hidden)]
        layers: list[Module] = [Embedding(vocab_size, embedding), Flatten()]
        for fan_in, fan_out in itertools.pairwise(widths):
            linear = Linear(fan_in, fan_out, bias=not batch_norm)
            init.kaiming_normal_(linear.weight, nonlinearity="tanh")
            layers += [linear, BatchNorm1d(fan_out), Tanh()] if batch_norm else [linear, Tanh()]
        output = Linear(widths[-1], vocab_size)
        init.kaiming_normal_(output.weight, nonlinearity="tanh").data.mul_(0.1)
        super().__init__(*layers, output)
