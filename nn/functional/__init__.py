"""The computations of layers as functions of Tensors, without state (`torch.nn.functional`).

The layers, which keep parameters and call these functions, stand beside this package.
"""

from minigrad.api import missing
from minigrad.api.pointwise import sigmoid, tanh

from .activations import (
    celu,
    elu,
    gelu,
    glu,
    gumbel_softmax,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    relu,
    relu6,
    selu,
    silu,
    softmax,
    softmin,
    softplus,
    softsign,
    tanhshrink,
)
from .distances import cosine_similarity, normalize, pairwise_distance
from .layers import dropout, embedding, linear, one_hot, pad, scaled_dot_product_attention
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from .normalization import batch_norm, group_norm, layer_norm, rms_norm

__all__ = [
    "batch_norm", "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu", "cosine_similarity",
    "cross_entropy", "dropout", "elu", "embedding", "gelu", "glu", "group_norm", "gumbel_softmax", "hardsigmoid",
    "hardswish", "hardtanh", "huber_loss", "kl_div", "l1_loss", "layer_norm", "leaky_relu", "linear", "log_softmax",
    "logsigmoid", "mish", "mse_loss", "nll_loss", "normalize", "one_hot", "pad", "pairwise_distance", "relu", "relu6",
    "rms_norm", "scaled_dot_product_attention", "selu", "sigmoid", "silu", "smooth_l1_loss", "softmax", "softmin",
    "softplus", "softsign", "tanh", "tanhshrink"
]  # fmt: skip

# Names of layers for images, for sequences, and for more than one processor.
LEFT_TO_PYTORCH = "conv|pool|fold|rnn|lstm|gru|attention|transformer|sparse|upsample|pixel|[123]d$|lazy|parallel|ctc"

__getattr__ = missing.of_module(__name__, "torch.nn.functional", left=LEFT_TO_PYTORCH)


def __dir__() -> list[str]:
    return __all__
