"""PyTorch's words as the course writes them: functions, methods, conversions, random numbers, and how results print.

The tables hold expressions of `torch` and of the tensors `x`, `y` and `z`, which run once with each library.
"""

import ast
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from tests.support.comparison import Function, assert_refused, assert_same, compare, normal, ours, random, theirs

LIBRARIES = [(minigrad, ours), (torch, theirs)]
DTYPES = [np.float32, np.float64]
Shape = tuple[int, ...]


def evaluated(expression: str) -> Function:
    """An expression as a function of the library, which it calls `torch`, and of tensors, which it calls x, y and z."""
    return lambda library, *tensors: eval(expression, {"torch": library, **dict(zip("xyz", tensors, strict=False))})


def parts(text: str) -> list[str]:
    """The expressions in a text of them, parted by commas."""
    return [ast.unparse(part) for part in ast.parse(f"[{text}]", mode="eval").body.elts]


def cases(table: dict[Any, str]) -> dict[str, Any]:
    """The `parametrize` arguments that try each line of the table's texts with the key that it stands under."""
    lines = [(key, line.strip()) for key, text in table.items() for line in text.strip().splitlines()]
    return {"argvalues": lines, "ids": [f"{line} of {key}" for key, line in lines]}


# Functions and methods

ELEMENTWISE = """
    torch.clamp(x, -1, 1)
    torch.clamp(x, min=-0.5, max=0.5)
    torch.clamp(x, 1, -1)
    x.clamp(min=0)
    x.clamp(max=0.5)
    x.clamp(0)
    torch.clamp_min(x, 1)
    x.clamp_min(-0.5)
    x.abs().log10()
    torch.log10(x * x + 1)
    x.masked_fill(x > 0, float("-inf"))
    x.masked_fill(x > 0, 1)
    torch.masked_fill(x, x == 0, 2.5)
    torch.where(x > 0, x, -1.0)
    torch.where(x > 0, x, x * 2)
    torch.where(x > 0, 1, 0)
    torch.eq(x, 1), x.eq(x), x == 0, x != 1, x < 1, x <= 1, x > -1, x >= -1, 1 > x, 1 == x
    x.float(), x.double(), x.long(), x.int(), x.bool(), x.cpu()
    torch.cumsum(x, 0)
    x.cumsum(-1)
    x.softmax(0)
    torch.softmax(x, -1)
    x.logsumexp(0)
    torch.logsumexp(x, dim=-1)
    x.logsumexp(-1, keepdim=True)
    x.repeat_interleave(2)
    x.view_as(x * 2)
    x.repeat(2, 1, 1)
    x.repeat((1, 3, 2))
    x.all(), x.any(), torch.all(x > -2), torch.any(x > 5)
    (x > 0).all(0), (x > 0).any(-1), (x > 0).any(0, keepdim=True), (x > 0).all(dim=-1, keepdim=True)
    x.size(), x.shape, x.dim(), x.ndim, x.numel(), x.nelement(), x.shape.numel()
"""

OF_SHAPE = {
    (): """
        x.t()
        x.item(), x.tolist(), float(x.detach()), int(x.detach()), bool(x > 0)
        f"{x:.4f}", f"{x}", f"{x:8.2e}", "{:+.1f}".format(x)
    """,
    (6,): """
        torch.dot(x, x)
        x.dot(x * 2)
        x.cumsum(dim=0)
        torch.unbind(x)
        x.unbind(0)
        torch.split(x, 4)
        x.split([1, 2, 3])
        torch.tensor_split(x, 4)
        x.tensor_split((1, 4))
        x.repeat(3)
        x.repeat(2, 3)
        x.repeat(0)
        torch.repeat_interleave(x, torch.tensor([0, 1, 2, 3, 0, 1]))
        x.repeat_interleave(torch.tensor([0, 1, 2, 3, 0, 1]), dim=0)
        x.t()
        torch.t(x)
        [*x]
        len(x), x.size(0), x.size(-1), x.size(dim=0), [item.item() for item in x]
        2.5 in x, x[0].item() in x, x[1] in x
        f"{x.detach()}", f"{x.shape}", f"{x.dtype}", f"{x.device}"
    """,
    (3, 4): """
        x.t()
        torch.t(x)
        x.T
        x.mT
        torch.unbind(x, 1)
        x.unbind()
        torch.split(x, 2, dim=1)
        torch.split(x, 3, 1)
        torch.split(x, [1, 3], 1)
        x.split(2)
        torch.tensor_split(x, 3, dim=1)
        torch.tensor_split(x, [1, 9], dim=-1)
        torch.tensor_split(x, [-1])
        x.cumsum(0), x.cumsum(1)
        x.repeat(2, 1), x.repeat(1, 2)
        x.repeat_interleave(2, dim=0)
        x.repeat_interleave(3, 1)
        x.repeat_interleave(torch.tensor([2, 0, 1]), 0)
        torch.tril(x)
        x.tril(1)
        torch.tril(x, diagonal=-1)
        x.tril(-9), x.tril(9)
        x.masked_fill(torch.tril(torch.ones(3, 4)) == 0, float("-inf")).softmax(-1)
        x.masked_fill(x[0] > 0, 2)
        x.masked_fill(x[:, :1] > 0, x[0, 0])
        x.softmax(dim=0)
        x.logsumexp((0, 1))
        x.logsumexp([1], keepdim=True)
        x.all(1), x.any(dim=0), torch.all(x > 0, dim=(0, 1)), torch.any(x > 0, (0, 1), True)
        x.view_as(x.T.reshape(6, 2))
        [row.sum() for row in x]
        [*zip(x, x[:, 0])]
    """,
    (2, 3, 4): """
        x.T.sum() if x.ndim == 2 else x.mT
        x.mT @ x
        torch.tril(x)
        x.tril(-1)
        x.unbind(1)
        x.split(3, dim=-1)
        x.tensor_split(2, dim=1)
        x.repeat(1, 2, 3)
        x.repeat_interleave(2, dim=1)
        x.cumsum(1)
        x.logsumexp((0, 2), keepdim=True)
        x.softmax(1)
        (x > 0).all((0, 2)), (x > 0).any((1, 2), keepdim=True)
        x.masked_fill(torch.tril(torch.ones(3, 4)) == 0, 0.0)
        x.view_as(x[0].repeat(2, 1))
    """,
    (0,): "x.unbind(), x.dot(x), x.split(2), x.all(), x.any()",
    (0, 3): "x.unbind(), x.split(2), x.unbind(1), x.cumsum(0), x.all(0), x.any(1), x.t(), x.repeat(2, 2)",
}

OF_INTEGERS = """
    x.clamp(-1, 1), x.clamp(min=0), x.clamp_min(1)
    x.clamp(0.5), x.clamp(max=1.5)
    x.abs().log10(), torch.log10(x * x + 1)
    x.cumsum(0), torch.cumsum(x, -1)
    torch.dot(x[0], x[1])
    x.masked_fill(x == 0, 7), x.tril(), x.t(), x.repeat(2, 2), x.repeat_interleave(2)
    torch.where(x > 0, x, 0), torch.where(x > 0, x, 0.5), torch.where(x > 0, 1, 0)
    x.all(), x.any(), x.all(0), x.any(1)
    x == 1, x.eq(1), x.eq(1.0), torch.eq(x, x.T.T), (x == x).sum()
    x.float(), x.double(), x.int(), x.long(), x.bool(), x.bool().float()
    x.tolist(), x[0, 0].item(), f"{x[0, 0]:d}", 2 in x, 5 in x
    x.to(torch.uint8), x.to(torch.int8), x.to(torch.int16)
    torch.einsum("ij,ij->i", x, x)
    x.unbind(), x.split(1), x.tensor_split(2, dim=1)
"""

OF_BOOLS = """
    x.all(), x.any(), x.all(0), x.any(-1, keepdim=True), x.sum(), x.sum(1)
    x.cumsum(0), x.float(), x.long(), x.double().mean()
    x == True, x.eq(x), x != x
    x.masked_fill(x, False), x.tril(), x.t(), x.repeat(2, 1), x.tolist()
    torch.where(x, 1, 2), torch.where(x, 1.0, 2), torch.where(x, x, False)
"""

OF_SEVERAL = {
    ((5,), (5,), (5,)): """
        torch.dot(x, y) + y.dot(z)
        x.allclose(x * 1), torch.allclose(x, y), torch.allclose(x, x + 1e-9), torch.allclose(x, x * 1.001, rtol=0.01)
        torch.allclose(x, x + 0.01, atol=0.1), torch.allclose(x / 0 * 0, x / 0 * 0, equal_nan=True)
        torch.where(x > y, y, z)
        x.clamp(y.detach())
        x.eq(y), torch.eq(x, y), (x == y).all().item()
        x.masked_fill(y > 0, z[0])
        x.view_as(y)
        [a * b for a, b in zip(x, y)]
        torch.logsumexp(torch.stack([x, y, z]), 0)
    """,
    ((4, 3), (3,), (4, 1)): """
        torch.where(x > z, y, z)
        x == y, x.eq(z), x < y, x >= z
        torch.allclose(x, y), torch.allclose(y * 1, x * 0 + y)
        (x @ y).view_as(z)
        torch.where(y > 0, x, z)
        torch.where(z > 0, x, y)
    """,
}

AT_THE_EDGES = {
    (np.inf, -np.inf, np.nan, 0.0, -0.0): """
        x.clamp(-1, 1), x.clamp(min=0), x.clamp(max=0)
        x.log10()
        x.cumsum(0)
        x.masked_fill(x == 0, 1.0)
        x.all(), x.any(), x.bool()
        x == x, x > 0, x <= 0
        torch.allclose(x, x), torch.allclose(x, x, equal_nan=True)
        float("nan") in x, float("inf") in x
    """,
    ((0.0, -np.inf), (-np.inf, 2.0), (-5.0, 1.0)): """
        x.logsumexp(1)
        x.logsumexp(0)
        x.logsumexp((0, 1))
        x.logsumexp(-1, keepdim=True)
    """,
    ((-np.inf, -np.inf), (0.0, -np.inf), (1e5, 1e5), (-1e5, 1.0)): """
        x.detach().logsumexp(1), x.detach().logsumexp(0), x.detach().logsumexp((0, 1), keepdim=True)
    """,
    ((0.0, -np.inf), (1e5, 1e5), (-1e5, 1.0)): "x.softmax(1)",
    ((np.inf, 0.0), (np.inf, -np.inf)): "x.detach().logsumexp(1), x.detach().logsumexp(0)",
}


def integral(*shape: int) -> np.ndarray:
    """Few different numbers of both signs, so that zeros and bounds occur."""
    return random.integers(-2, 3, shape).astype(float)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (6,), (0,), (3, 4), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("expression", ELEMENTWISE.strip().splitlines(), ids=str.strip)
def test_a_word_for_every_shape(expression: str, shape: Shape, dtype: Any) -> None:
    compare(evaluated(expression.strip()), normal(*shape, dtype=dtype))
    compare(evaluated(expression.strip()), integral(*shape).astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "expression"), **cases(OF_SHAPE))
def test_a_word_for_some_shapes(shape: Shape, expression: str, dtype: Any) -> None:
    compare(evaluated(expression), normal(*shape, dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shapes", "expression"), **cases(OF_SEVERAL))
def test_a_word_for_several_tensors(shapes: tuple[Shape, ...], expression: str, dtype: Any) -> None:
    compare(evaluated(expression), *(normal(*shape, dtype=dtype) for shape in shapes))


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
@pytest.mark.parametrize("expression", OF_INTEGERS.strip().splitlines(), ids=str.strip)
def test_a_word_for_integers(expression: str, dtype: Any) -> None:
    compare(evaluated(expression.strip()), random.integers(0, 5, (3, 4)).astype(dtype))


@pytest.mark.parametrize("expression", OF_BOOLS.strip().splitlines(), ids=str.strip)
def test_a_word_for_bools(expression: str) -> None:
    compare(evaluated(expression.strip()), random.random((3, 4)) > 0.5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("numbers", "expression"), **cases(AT_THE_EDGES))
def test_a_word_at_the_edges_of_its_domain(numbers: Any, expression: str, dtype: Any) -> None:
    compare(evaluated(expression), np.array(numbers, dtype))


HISTOGRAMS = """
    torch.histogram(x, 10)
    torch.histogram(x)
    torch.histogram(x, density=True)
    torch.histogram(x, bins=7, range=(-1.0, 1.0))
    torch.histogram(x, 5, range=(-1.0, 1.0), density=True)
    x.histogram(20).hist, x.histogram(20).bin_edges
    torch.histogram(x * 0, 4)
    torch.histogram(torch.tensor([0.0, 0.5, 1.0, 1.0, 2.0]), 4, range=(0.0, 2.0))
"""


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("expression", HISTOGRAMS.strip().splitlines(), ids=str.strip)
def test_a_histogram(expression: str, dtype: Any) -> None:
    function = evaluated(expression.strip())
    compare(lambda library, x: function(library, x.detach()), normal(20, 50, dtype=dtype))


# Numbers made

MADE = """
    torch.logspace(-3, 0, 1000)
    torch.logspace(0, 2, 5)
    torch.logspace(0, 4, 5, base=2)
    torch.logspace(-1, 1, 3, dtype=torch.float64)
    torch.logspace(0, 3, 1), torch.logspace(0, 3, 0)
    10 ** torch.linspace(-3, 0, 100)
    torch.manual_seed(42), torch.randperm(10)
    torch.manual_seed(42), torch.randperm(1000), torch.randperm(1), torch.randperm(0)
    torch.randperm(20, generator=torch.Generator().manual_seed(2147483647))
    torch.randperm(5, dtype=torch.int32, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(42).initial_seed(), torch.initial_seed()
    torch.manual_seed(-1).initial_seed(), torch.initial_seed(), torch.randn(3)
    torch.manual_seed(7), torch.rand(3), torch.randn(20), torch.randint(0, 9, (4,))
    torch.Generator().manual_seed(7).initial_seed(), torch.Generator().initial_seed()
    torch.multinomial(torch.tensor([0.1, 0.7, 0.2]), 2, generator=torch.Generator().manual_seed(3))
    torch.multinomial(torch.tensor([0.1, 0.7, 0.2]), num_samples=50, replacement=True, generator=torch.Generator())
    torch.manual_seed(1), torch.multinomial(torch.ones(4, 5), 5)
    torch.manual_seed(1), torch.multinomial(torch.ones(4, 5).double(), 9, replacement=True)
    torch.manual_seed(1), torch.multinomial(torch.softmax(torch.arange(27) / 9, 0), 1, True).item()
    torch.zeros(2, device="cpu"), torch.ones(2, 3, device=torch.device("cpu")), torch.arange(3, device="cpu")
    torch.manual_seed(1), torch.randint(5, (2,), device="cpu"), torch.tensor([1.0], device=torch.device("cpu"))
"""


@pytest.mark.parametrize("expression", MADE.strip().splitlines(), ids=str.strip)
def test_numbers_made(expression: str) -> None:
    numbers = [
        [part for part in evaluated(f"[{expression.strip()}]")(library) if not isinstance(part, library.Generator)]
        for library in (minigrad, torch)
    ]
    assert_same(*numbers)


SPLITS = """
    range(10), [3, 7]
    range(10), [10, 0]
    range(100), [80, 10, 10]
    range(10), [0.8, 0.1, 0.1]
    range(11), [0.5, 0.25, 0.25]
    range(7), (0.3, 0.3, 0.4)
    range(5), [1.0]
    list("minigrad"), [2, 2, 4]
    [], [0]
"""


@pytest.mark.parametrize("arguments", SPLITS.strip().splitlines(), ids=str.strip)
def test_a_random_split(arguments: str) -> None:
    function = evaluated(
        f"""[
            [([*part], len(part), [*part.indices]) for part in parts]
            for parts in (
                torch.utils.data.random_split({arguments.strip()}, generator=torch.Generator().manual_seed(42)),
                torch.manual_seed(3) and torch.utils.data.random_split({arguments.strip()}),
            )
        ]"""
    )
    assert_same(function(minigrad), function(torch))


# Conversions, devices, dtypes

CONVERSIONS = """
    x.to(torch.float64), x.to(torch.float32), x.to(torch.int64), x.to(torch.bool), x.to(torch.half)
    x.to(dtype=torch.float64), x.to(dtype=torch.int32)
    x.to("cpu"), x.to(torch.device("cpu")), x.to(device="cpu"), x.to(x.device)
    x.to("cpu", torch.float64), x.to(torch.device("cpu"), torch.int64), x.to("cpu", dtype=torch.double)
    x.to(device="cpu", dtype=torch.float64), x.to(torch.float64, copy=True)
    x.to(y), x.to(y.long()), y.to(x)
    x.to(torch.float32) is x, x.to("cpu") is x, x.cpu() is x, x.float() is x, x.to(x) is x, y.double() is y
    x.to("cpu", non_blocking=True)
    x.double().float().double(), x.long().double(), (x * 3).int().float()
    x.float() * y.float() + x.double() * y
"""


@pytest.mark.parametrize("expression", CONVERSIONS.strip().splitlines(), ids=str.strip)
def test_a_conversion(expression: str) -> None:
    compare(evaluated(expression.strip()), normal(2, 3, dtype=np.float32), normal(2, 3))


SAID = """
    repr(torch.Size([2, 3])), str(torch.Size([2, 3])), repr(torch.Size([])), torch.Size([2, 3]).numel()
    torch.Size([2, 3]) == (2, 3), isinstance(x.shape, tuple), isinstance(x.size(), torch.Size), x.shape == x.size()
    repr(x.shape), f"{x.shape}", repr(x[0, 0].shape), x.shape[0], x.shape[-1], [*x.shape], x.size() == (2, 3)
    x.shape[:1] == (2,), repr(x.shape[1:]), repr(x.shape + (4,)), len(x.shape), x.shape.numel(), 3 in x.shape
    repr(torch.device("cpu")), str(torch.device("cpu")), torch.device("cpu").type, f"{torch.device('cpu')}"
    torch.device("cpu") == torch.device("cpu"), torch.device("cpu") == x.device, torch.device("cpu") == "cpu"
    x.device != torch.device("cpu"), isinstance(x.device, torch.device), {torch.device("cpu"): 1}[x.device]
    "cuda" if torch.cuda.is_available() else "cpu", x.to("cuda" if torch.cuda.is_available() else "cpu").shape
    [repr(kind) for kind in (torch.float16, torch.float32, torch.float64, torch.half, torch.float, torch.double)]
    [repr(kind) for kind in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.int, torch.long)]
    repr(torch.bool), str(torch.float32), f"{torch.int64}", repr(x.dtype), repr(x.long().dtype), repr((x > 0).dtype)
    torch.float is torch.float32, torch.double is torch.float64, torch.long is torch.int64, torch.int is torch.int32
    x.dtype == torch.float32, x.dtype is torch.float32, x.dtype != torch.float64, isinstance(x.dtype, torch.dtype)
    torch.float32 == "float32", torch.float32 == None, {torch.float32: 1}[x.dtype], torch.float32 == torch.int32
    [kind.is_floating_point for kind in (torch.float16, torch.float32, torch.float64, torch.int64, torch.bool)]
    x.dtype.is_floating_point, (x > 0).dtype.is_floating_point
    x.is_leaf, (x * 2).is_leaf, x.detach().requires_grad, x.requires_grad, x.data.requires_grad
    torch.arange(3).dtype == torch.int64, repr(torch.arange(3) / 2), repr(torch.tensor(2.5)), torch.get_default_dtype()
    x.grad is None, x.tolist() == [[0.5, 1.5, 2.5], [3.5, 4.5, 5.5]], len(x), x.ndim, x.nelement()
    [i.item() for i in torch.arange(3)], [number.item() for row in x for number in row], max(len(row) for row in x)
    x.sum() > 1, bool(x.sum() > 1), 1 if x[0, 0] == 0.5 else 2, not x[0, 0], x[0, 0] == 0.5 and x[0, 1] == 1.5
    sum(x[0]).item(), "%.2f" % x[0, 0].item(), f"{x.mean():.4f} {x.sum().item():6.2f} {x[0, 0]}", str(x[0, 0].item())
    f"{x.argmax()}", f"{x.argmax():3d}", f"{x[0].long()}", f"{(x > 1).any()}"
"""


@pytest.mark.parametrize("expression", SAID.strip().splitlines(), ids=str.strip)
def test_what_is_said_of_a_tensor(expression: str) -> None:
    x = (np.arange(6, dtype=np.float32) + 0.5).reshape(2, 3)
    mine, reference = (
        [*evaluated(expression.strip())(*case)] for case in ((minigrad, ours(x, True)), (torch, theirs(x, True)))
    )
    assert list(map(repr, mine)) == list(map(repr, reference))


def test_cuda_is_refused() -> None:
    for make in (
        lambda: minigrad.device("cuda"),
        lambda: minigrad.ones(2).to("cuda:0"),
        lambda: minigrad.ones(2, device="cuda"),
    ):
        with pytest.raises(RuntimeError, match=r"device: there is no 'cuda.*computes on 'cpu' alone"):
            make()


def test_nothing_is_recorded_in_inference_mode() -> None:
    def scenario(library: Any, x: Any) -> Any:
        @library.inference_mode()
        def decorated(x: Any) -> Any:
            return x * 3

        with library.inference_mode():
            within = x * 2
        return [within.requires_grad, decorated(x).requires_grad, (x * 2).requires_grad, within.tolist(), x * 4]

    compare(scenario, normal(3))


# The names that results print

GRAD_FNS = """
    x + 1, x + y, x - 1, x - y, 1 - x, x * 2, x * y, x / 2, x / y, 1 / y, -x, x ** 2, x ** y, 2 ** x, x ** 0.5,
    x @ y.T, x @ y[0], y[0] @ x.T, x[None] @ y.T[None], x[0] @ y[0], x[None] @ y[0], x[0] @ y.T[None],
    torch.dot(x[0], y[0]), x[0].dot(y[0]), torch.einsum("ij,ij->i", x, y), torch.einsum("ij,kj->ik", x, y),
    x.exp(), x.log(), x.log10(), x.sqrt(), x.square(), x.abs(), x.tanh(), x.sigmoid(), x.relu(),
    x.clamp(0, 1), x.clamp(min=0), x.clamp_min(0), abs(x), x.pow(3),
    x.sum(), x.sum(0), x.sum(1, keepdim=True), x.mean(), x.mean(0), x.mean((0, 1)), x.cumsum(0),
    x.var(), x.var(0), x.std(), x.std(1, keepdim=True), x.logsumexp(1),
    x.max(), x.min(), x.max(0).values, x.min(1, keepdim=True).values,
    x[0], x[0, 1], x[:, 0], x[0:1], x[:, 1:], x[1:, 0], x[0, 1:], x[..., 0], x[:], x[...], x[None], x[:, None],
    x[[0, 1]], x[:, [0]], x[torch.tensor([0, 0])], x[x > 0], x[range(2), [0, 1]], x[0, [1, 2]], x[None, [0]],
    x.reshape(3, 2), x.view(6), x.view(-1), x.flatten(), x.view_as(y), x.T.reshape(6), x.T.flatten(),
    x.T, x.t(), x.mT, x.transpose(0, 1), x.permute(1, 0), x[0].t(),
    x.unsqueeze(0), x.squeeze(), x[:1].squeeze(0), x[:1].squeeze(), x[:1].squeeze((0, 1)), x.expand(2, 2, 3),
    torch.cat([x, y]), torch.stack([x, y]), x.clone(), x.repeat(2, 1), x.repeat_interleave(2, 0), x.tril(),
    torch.where(x > 0, x, y), torch.where(x > 0, x, 0.0), x.masked_fill(x > 0, 0.0),
    x.double(), x.to(torch.float64), x.to(torch.float16),
    x.softmax(1), torch.softmax(x, 0), torch.log_softmax(x, 1), x.log_softmax(0),
    torch.unbind(x)[0], x.unbind(1)[1], torch.split(x, 1)[0], x.split([1, 2], 1)[1], x.tensor_split(2)[0], [*x][0],
    torch.nn.functional.cross_entropy(x, torch.tensor([0, 1])), torch.nn.functional.softmax(x, dim=1),
    torch.nn.functional.log_softmax(x, dim=1), torch.nn.functional.relu(x),
    torch.nn.functional.linear(x, y), torch.nn.functional.linear(x, y, y[:, 0]),
"""


@pytest.mark.parametrize("expression", parts(GRAD_FNS))
def test_a_result_prints_the_operation_that_pytorchs_prints(expression: str) -> None:
    array = normal(2, 3, dtype=np.float32)
    mine, reference = (
        evaluated(expression)(library, make(array, True), make(array, True)) for library, make in LIBRARIES
    )
    assert f"grad_fn=<{type(reference.grad_fn).__name__}>" in repr(mine)


# Refusals

REFUSED = {
    ((2, 3), (4,)): """
        x.clamp()
        x.clamp_min("0")
        torch.log10(2.0)
        x.cumsum(2)
        x.cumsum()
        torch.dot(x, y)
        torch.dot(y, y[1:])
        torch.dot(y, y.float())
        torch.dot(y, 2.0)
        torch.allclose(x, y)
        torch.allclose(y, y.float())
        torch.allclose(y, 2.0)
        torch.eq(x, y)
        torch.histogram(x.long().detach(), 4)
        torch.histogram(x.detach(), 0)
        torch.histogram(x.detach(), 4, range=(1.0, -1.0))
        x.logsumexp()
        x.logsumexp(2)
        x.logsumexp((0, 0))
        x.softmax(2)
        x.softmax()
        torch.softmax(x.long(), 0)
        x.unbind(2)
        x[0, 0].unbind()
        x.split(-1)
        x.split(0)
        x.split([1, 2])
        x.split(1, 2)
        x.split(1.5)
        x[0, 0].split(1)
        x.tensor_split(0)
        x.tensor_split(2, 3)
        x[0, 0].tensor_split(1)
        x.repeat(2)
        x.repeat(2, -1)
        x.repeat()
        x.repeat("2")
        x.repeat_interleave(-1)
        x.repeat_interleave(2, 3)
        x.repeat_interleave(torch.tensor([1, 2, 3]), 0)
        x.repeat_interleave(torch.tensor([1.0, 2.0]), 0)
        x.repeat_interleave(torch.tensor([1, -1]), 0)
        x.view_as(y)
        x.view_as((3, 2))
        x[None].t()
        y.mT
        y.tril()
        x[0, 0].tril()
        x.masked_fill(y > 0, 0)
        x.masked_fill(x, 0)
        x.masked_fill(x > 0, "0")
        x.masked_fill(x > 0, y)
        torch.where(x > 0, x, y)
        torch.where(x > 0, x, "0")
        x.all(2)
        x.any((0, 0))
        torch.logspace(0, 1, -1)
        torch.randperm(-1)
        torch.multinomial(x.detach(), 1)
        torch.multinomial(torch.zeros(3), 1)
        torch.multinomial(torch.ones(3), 4)
        torch.multinomial(torch.ones(2, 2, 2), 1)
        torch.device("nowhere")
        x.to("nowhere")
        x.to("float32")
        x.size(2)
        x.item()
        float(x)
        int(x)
        bool(x)
        len(x[0, 0])
        [*x[0, 0]]
        "text" in x
        None in x
        f"{x:.4f}"
        f"{x[0, 0]:d}"
        x < y
        x == y
        torch.utils.data.random_split(range(10), [3, 4])
        torch.utils.data.random_split(range(10), [0.5, 0.6])
        torch.utils.data.random_split(range(10), [1.5, -0.5])
        torch.utils.data.random_split(range(7), [0.3, 0.3, 0.3])
    """,
}


@pytest.mark.parametrize(("shapes", "expression"), **cases(REFUSED))
def test_what_does_not_fit_is_refused(shapes: tuple[Shape, ...], expression: str) -> None:
    assert_refused(evaluated(expression), *(normal(*shape) for shape in shapes))
