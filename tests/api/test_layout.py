"""Memory layout beside PyTorch: strides after random chains of operations, and whether `.view` is possible then."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
import nn
from tests.support.comparison import normal, ours, refusal, theirs

FUNCTIONAL = {minigrad: nn.functional, torch: torch.nn.functional}


def arranged(shape: tuple[int, ...]) -> Iterator[tuple[Any, Any]]:
    """The same numbers in both libraries, in every order of the dims in memory, and with gaps between them."""
    data = normal(*shape).astype(np.float32)
    for order in itertools.permutations(range(len(shape))):
        memory, back = np.ascontiguousarray(data.transpose(order)), tuple(np.argsort(order).tolist())
        yield ours(memory).permute(*back), theirs(memory).permute(*back)
    wide = np.repeat(data, 2, -1)
    yield ours(wide)[..., ::2], theirs(wide)[..., ::2]


def strides(tensor: Any) -> tuple[int, ...]:
    """The strides of the dims along which there is something to step over."""
    return tuple(stride for stride, size in zip(tensor.stride(), tensor.shape, strict=True) if size > 1)


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "elementwise": lambda library, x: (x * 2 + 1).tanh().relu().abs().clamp(0, 1),
    "broadcast": lambda library, x: x + library.ones(x.shape[-1]),
    "where": lambda library, x: library.where(x > 0, x, library.zeros(())),
    "masked_fill": lambda library, x: x.masked_fill(x > 0, 0.5),
    "comparison": lambda library, x: (x > 0).to(library.float32),
    "clone": lambda library, x: x.clone(),
    "contiguous": lambda library, x: x.contiguous(),
    "tril": lambda library, x: x.tril(),
    "sum": lambda library, x: x.sum(0, keepdim=True),
    "mean": lambda library, x: x.mean(-1, keepdim=True) + x,
    "var": lambda library, x: x.var(1, correction=0, keepdim=True),
    "max": lambda library, x: x.max(1, keepdim=True).values,
    "softmax": lambda library, x: x.softmax(-1),
    "log_softmax": lambda library, x: x.log_softmax(0),
    "cumsum": lambda library, x: x.cumsum(1),
    "cat": lambda library, x: library.cat([x, x], 1),
    "stack": lambda library, x: library.stack([x, x], 1)[:, 0],
    "repeat": lambda library, x: x.repeat(*[1] * (x.ndim - 1), 2),
    "repeat_interleave": lambda library, x: x.repeat_interleave(2, 1),
    "rows": lambda library, x: x[[0, -1]],
    "columns": lambda library, x: x[:, [0, -1]],
    "windows": lambda library, x: x[..., library.tensor([[0, -1], [-1, 0]])][..., 0],
    "pairs": lambda library, x: x[[0, -1], [-1, 0]].unsqueeze(1),
    "mask": lambda library, x: x[library.tensor([True] * x.shape[0])],
    "slice": lambda library, x: x[:, ::2],
    "new dim": lambda library, x: x[None, :, [0, -1]][0],
    "transpose": lambda library, x: x.transpose(0, -1),
    "permute": lambda library, x: x.permute(-1, *range(x.ndim - 1)),
    "unbind": lambda library, x: library.stack(x.unbind(1), 0),
    "split": lambda library, x: x.split(1, 1)[0],
    "matmul": lambda library, x: x @ library.ones(x.shape[-1], 3),
    "linear": lambda library, x: FUNCTIONAL[library].linear(x, library.ones(4, x.shape[-1]), library.ones(4)),
    "layer_norm": lambda library, x: FUNCTIONAL[library].layer_norm(x, x.shape[-1:]),
    "gelu": lambda library, x: FUNCTIONAL[library].gelu(x),
    "einsum": lambda library, x: library.einsum("...ij,...kj->...ki", x, x),
    "ones_like": lambda library, x: x * library.ones_like(x),
    "embedding": lambda library, x: FUNCTIONAL[library].embedding((x > 0).long(), library.ones(2, 3))[..., 0],
}


@settings(max_examples=600, derandomize=True)  # a dim of size 1 and an odd stride, at an index, may differ
@given(
    shape=st.lists(st.integers(2, 4), min_size=2, max_size=3).map(tuple),
    names=st.lists(st.sampled_from([*STEPS]), min_size=1, max_size=4),
    choice=st.integers(0, 6),
)
def test_a_chain_has_pytorchs_strides_and_takes_the_views_that_pytorch_takes(
    shape: tuple[int, ...], names: list[str], choice: int
) -> None:
    pairs = [*arranged(shape)]
    mine, reference = pairs[choice % len(pairs)]
    for name in names:
        try:
            reference = STEPS[name](torch, reference)
        except (IndexError, RuntimeError):
            return
        mine = STEPS[name](minigrad, mine)
        assert strides(mine) == strides(reference), names
        assert mine.is_contiguous() == reference.is_contiguous(), names
        np.testing.assert_allclose(mine.detach().numpy(), reference.detach().numpy(), rtol=2e-5, atol=2e-5)
        for sizes in (-1,), (reference.shape[0], -1), (-1, reference.shape[-1]):
            refused = refusal(lambda _, x, sizes=sizes: x.view(*sizes), torch, reference)
            assert type(refusal(lambda _, x, sizes=sizes: x.view(*sizes), minigrad, mine)) is type(refused), names


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4)])
def test_batch_norm_is_contiguous(shape: tuple[int, ...], training: bool) -> None:
    for mine, reference in arranged(shape):
        found, expected = (
            library.nn.functional.batch_norm(x, library.zeros(shape[1]), library.ones(shape[1]), training=training)
            for library, x in ((minigrad, mine), (torch, reference))
        )
        assert strides(found) == strides(expected)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (3, 1, 4)])
def test_the_gradient_of_a_leaf_has_the_layout_of_the_leaf(shape: tuple[int, ...]) -> None:
    for pair in arranged(shape):
        gradients = []
        for library, x in zip((minigrad, torch), pair, strict=True):
            leaf = x.detach().requires_grad_()
            (leaf @ library.ones(shape[-1], 2)).sum().backward()
            leaf.softmax(0)[0].sum().backward()
            gradients.append(leaf.grad)
        assert strides(gradients[0]) == strides(gradients[1])
        np.testing.assert_allclose(gradients[0].numpy(), gradients[1].numpy(), rtol=1e-5, atol=1e-6)


EQUATIONS = """
ij->ji ij->j ijk->kj ijk->ik ij,kj->ik ij,kj->ki
bij,bkj->bik bij,bkj->bki bij,bkj->kbi bij,bkj->ikb bij,bkj->k bij,ckj->kcib bij,ckj->icbk kj,bij->bki kj,bij->bik
abj,cdj->cabd abj,cdj->acdb
"""
SIZES = {"a": 2, "b": 3, "c": 4, "d": 5, "i": 3, "j": 4, "k": 5, "l": 2}


@pytest.mark.parametrize("equation", EQUATIONS.split())
def test_einsum_has_the_layout_that_pytorch_gives_it(equation: str) -> None:
    shapes = [tuple(SIZES[letter] for letter in term) for term in equation.partition("->")[0].split(",")]
    for pairs in itertools.product(*map(arranged, shapes)):
        mine, reference = (
            library.einsum(equation, *tensors)
            for library, tensors in zip((minigrad, torch), zip(*pairs, strict=True), strict=True)
        )
        assert strides(mine) == strides(reference)
        np.testing.assert_allclose(mine.numpy(), reference.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("equation", ["ij,ij->ij", "ij,ij->ji", "ij,kl->lkji", "i,j->ji"])
def test_einsum_without_a_sum_has_the_layout_of_a_product(equation: str) -> None:
    """Operands that lie in memory in different orders are left out: numpy lays out their product in its own way."""
    arrays = [normal(*[SIZES[letter] for letter in term]) for term in equation.partition("->")[0].split(",")]
    mine, reference = minigrad.einsum(equation, *map(ours, arrays)), torch.einsum(equation, *map(theirs, arrays))
    assert strides(mine) == strides(reference)


def test_what_the_layout_says() -> None:
    x = minigrad.ones(2, 3, 4)
    assert x.stride() == (12, 4, 1)
    assert x.stride(-1) == 1
    assert x.mT.stride() == (12, 1, 4)
    assert not x.mT.is_contiguous()
    assert x.contiguous() is x
    assert x.mT.contiguous().stride() == (12, 3, 1)
    with pytest.raises(IndexError, match="stride: dim 3 is out of range"):
        x.stride(3)
