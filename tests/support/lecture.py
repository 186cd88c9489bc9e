"""The network of the lectures, makemore part 4: an embedding, a layer with BatchNorm and tanh, an output layer, a loss.

`forward` takes it in the lecture's small steps, and `fused` with the functions of nn.functional. Both are functions of
a library and of its tensors.
"""

from typing import Any

from tests.support.comparison import FUNCTIONAL

LEAVES = ["C", "W1", "b1", "W2", "b2", "bngain", "bnbias"]
RESULTS = [
    *("emb", "embcat", "hprebn", "bnmeani", "bndiff", "bndiff2", "bnvar", "bnvar_inv", "bnraw"),
    *("hpreact", "h", "logits", "logit_maxes", "norm_logits", "counts"),
    *("counts_sum", "counts_sum_inv", "probs", "logprobs"),
]


def shapes(classes: int = 27, embedding: int = 10, context: int = 3, hidden: int = 64) -> dict[str, tuple[int, ...]]:
    """The shapes of the parameters, by their names."""
    first = {"C": (classes, embedding), "W1": (context * embedding, hidden), "b1": (hidden,)}
    return {**first, "W2": (hidden, classes), "b2": (classes,), "bngain": (1, hidden), "bnbias": (1, hidden)}


def forward(
    library: Any, C: Any, W1: Any, b1: Any, W2: Any, b2: Any, bngain: Any, bnbias: Any, Xb: Any, Yb: Any, ddof: int = 1
) -> dict[str, Any]:
    """All variables by their names, the loss among them. The variance is divided by n - `ddof`."""
    n = Xb.shape[0]
    emb = C[Xb]
    embcat = emb.view(emb.shape[0], -1)
    hprebn = embcat @ W1 + b1
    bnmeani = 1 / n * hprebn.sum(0, keepdim=True)
    bndiff = hprebn - bnmeani
    bndiff2 = bndiff**2
    bnvar = 1 / (n - ddof) * bndiff2.sum(0, keepdim=True)
    bnvar_inv = (bnvar + 1e-5) ** -0.5
    bnraw = bndiff * bnvar_inv
    hpreact = bngain * bnraw + bnbias
    h = library.tanh(hpreact)
    logits = h @ W2 + b2
    logit_maxes = logits.max(1, keepdim=True).values
    norm_logits = logits - logit_maxes
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdims=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    logprobs = probs.log()
    loss = -logprobs[range(n), Yb].mean()
    return {name: x for name, x in locals().items() if isinstance(x, library.Tensor)}


def fused(library: Any, C: Any, W1: Any, b1: Any, W2: Any, b2: Any, bngain: Any, bnbias: Any, Xb: Any, Yb: Any) -> Any:
    """The loss, where the variance is divided by n."""
    functional = FUNCTIONAL[library]
    hprebn = functional.linear(C[Xb].view(len(Xb), -1), W1.T, b1)
    h = functional.batch_norm(hprebn, None, None, bngain.view(-1), bnbias.view(-1), training=True).tanh()
    return functional.cross_entropy(functional.linear(h, W2.T, b2), Yb)
