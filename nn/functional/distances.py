"""Norms and distances of vectors that lie along a dim."""

from minigrad.api.arguments import check_floating, dim_of, tensors_of
from minigrad.api.choices import clamp
from minigrad.api.half import in_float32
from minigrad.api.norms import vector_norm
from minigrad.checks import flag_of, number_of
from minigrad.core.tensor import Tensor


@in_float32
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Divide vectors along `dim` by their `p`-norm, or by `eps` if that is larger (`torch.nn.functional.normalize`).

    >>> import minigrad
    >>> normalize(minigrad.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    check_floating("normalize", input)
    axis = dim_of("normalize", input, dim)
    length = vector_norm("normalize", input, p, axis, True)
    return input / clamp(length, number_of("normalize", "eps", eps))


@in_float32
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosines of the angles between vectors along `dim` (`torch.nn.functional.cosine_similarity`).

    The tensors broadcast. Norms below `eps` count as `eps`. Raises a RuntimeError if no dtype is floating.

    >>> import minigrad
    >>> cosine_similarity(minigrad.tensor([[3.0, 4.0]]), minigrad.tensor([[0.0, 2.0]]))
    tensor([0.8000])
    """
    name = "cosine_similarity"
    x1, x2 = tensors_of(name, (x1, x2))
    product = x1 * x2
    check_floating(name, product)
    x1, x2 = x1.to(product.dtype), x2.to(product.dtype)
    axis = dim_of(name, product, dim)
    lengths = [vector_norm(name, x.expand(product.shape), 2, axis, True) for x in (x1, x2)]
    least = number_of(name, "eps", eps)
    # As in PyTorch, the gradient of a norm that counts as `eps` is that of the norm itself.
    first, second = [x + (clamp(x.detach(), least) - x.detach()) for x in lengths]
    return ((x1 / first) * (x2 / second)).sum((axis,) if product.ndim else ())


@in_float32
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """Return the `p`-norm of x1 - x2 + `eps` along the last dim (`torch.nn.functional.pairwise_distance`).

    >>> import minigrad
    >>> pairwise_distance(minigrad.tensor([[3.0, 4.0]]), minigrad.zeros(1, 2))
    tensor([5.0000])
    """
    name = "pairwise_distance"
    x1, x2 = tensors_of(name, (x1, x2))
    difference = x1 - x2 + number_of(name, "eps", eps)
    flag_of(name, "keepdim", keepdim)
    return vector_norm(name, difference, p, -1, keepdim)
