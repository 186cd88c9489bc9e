"""derive: it writes what a person would write, which runs with numpy alone and is the engine's to the last bit.

The engine's gradients are compared with PyTorch's elsewhere, and are the measure here. The backward pass of the course,
written by hand, is another one; and the parsed source says whether it is well written.
"""

import ast
import math
import pathlib
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, settings
from hypothesis import given as drawing
from hypothesis import strategies as st

import minigrad
import nn
import nn.functional as F
from minigrad import Value, derive, tensor
from minigrad.core import ops
from nn.scalar import MLP
from tests.support import lecture
from tests.support.comparison import read_only
from tests.support.lecture import LEAVES, RESULTS
from tests.support.programs import (
    CHANGING,
    OF_ONE_DTYPE,
    PURE,
    WITH_MASKS,
    Program,
    namespace,
    one_pass,
    programs,
    step,
)
from tests.support.programs import leaf as leaf_statement
from tests.support.table import SMOOTH, TABLE, few, operand_names

Names = dict[str, Any]
SLOW = ("np.exp(", "np.log(", "np.tanh(", "np.sqrt(", "np.einsum(", "math.exp(", "math.log(", "math.tanh(")
RUFF = shutil.which("ruff", path=pathlib.Path(sys.executable).parent)


def numbers(*shape: int, seed: int = 0, dtype: Any = "float32") -> np.ndarray:
    """Random numbers around 0, the same ones for the same seed."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(dtype)


def leaf(*shape: int, seed: int = 0, dtype: Any = "float32") -> minigrad.Tensor:
    """A leaf that requires a gradient, whose array nobody may write into."""
    return minigrad.Tensor.wrap(read_only(numbers(*shape, seed=seed, dtype=dtype))).requires_grad_()


# What a derived function has to be


def arguments(derived: Any, names: Mapping[str, Any]) -> Names:
    """What a derived function takes, nobody may write into."""
    given = [name for name in derived.parameters if name not in derived.constants]
    return {name: read_only(getattr(names[name], "array", names[name])) for name in given}


def assert_the_engines(derived: Any, loss: minigrad.Tensor, names: Mapping[str, Any], given: Names) -> None:
    """Require of a derived function the engine's loss and gradients, to the last bit, in arrays of their own."""
    loss.backward()
    expected = {f"d{name}": x.grad for name, x in names.items() if f"d{name}" in derived.gradients}
    results = derived(**given)
    assert isinstance(results, tuple)
    assert len(results) == len(derived.gradients) + 1
    for name, result in zip(["loss", *derived.gradients], results, strict=True):
        reference = (loss if name == "loss" else expected[name]).array
        assert isinstance(result, np.ndarray | np.generic), name
        assert (result.shape, result.dtype) == (reference.shape, reference.dtype), name
        np.testing.assert_array_equal(result, reference, err_msg=f"{name} of\n{derived.source}")
    arrays = [result for result in results if isinstance(result, np.ndarray)]
    held = [*given.values(), *derived.constants.values()]
    for i, result in enumerate(arrays):
        assert result.flags.writeable
        assert not any(np.shares_memory(result, other) for other in [*arrays[i + 1 :], *held]), derived.source


def assert_exact(loss: minigrad.Tensor, names: Mapping[str, Any]) -> Any:
    """Derive a loss, and require that it is well written and the engine's to the last bit; the derived function."""
    derived = derive(loss, names=names)
    assert_well_written(derived.source)
    tensors = {name: x for name, x in names.items() if isinstance(x, minigrad.Tensor) and not name.startswith("_")}
    first = {id(x): name for name, x in reversed(tensors.items())}
    leaves = {name for name, x in tensors.items() if x.requires_grad and x.is_leaf and first[id(x)] == name}
    assert {name[1:] for name in derived.gradients} <= leaves
    assert_the_engines(derived, loss, names, arguments(derived, names))
    missing = leaves - {name[1:] for name in derived.gradients}
    assert all(names[name].grad is None for name in missing), f"no gradient of {missing}"
    return derived


def body(source: str) -> list[ast.stmt]:
    """The statements of the function `step`."""
    (function,) = [x for x in ast.parse(source).body if isinstance(x, ast.FunctionDef) and x.name == "step"]
    return function.body


def assigned(source: str) -> list[tuple[str, str]]:
    """The names that are assigned to, in order, each with the text of what it becomes."""
    return [
        (statement.targets[0].id, ast.unparse(statement.value))
        for statement in body(source)
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    ]


def variables(text: str) -> set[str]:
    """The names in an expression, but for numpy's."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)} - {"np"}


def assert_well_written(source: str) -> None:
    """Require that nothing is computed twice or for nothing, and no step is taken that changes nothing."""
    statements = body(source)
    inside = [node for statement in statements for node in ast.walk(statement)]
    loaded = {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    pairs = assigned(source)
    changed = {
        target.id if isinstance(target, ast.Name) else target.value.id  # type: ignore[attr-defined]
        for statement in statements
        if isinstance(statement, ast.AugAssign | ast.Assign)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(statement, ast.AugAssign) or isinstance(target, ast.Subscript)
    }
    dead = [name for name, _ in pairs if name not in loaded]
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    # Two gradients that are equal are two arrays, each a copy.
    computed = [text for name, text in pairs if name not in changed and variables(text) and ".copy()" not in text]
    same = [text for text, count in Counter(computed).items() if count > 1]
    calls = (ast.unparse(node) for node in inside if isinstance(node, ast.Call))
    slow = Counter(text for text in calls if text.startswith(SLOW) and variables(text))
    same += [text for text, count in slow.items() if count > 1]
    assert not dead, f"{dead} not used in\n{source}"
    assert not twice, f"{twice} assigned twice in\n{source}"
    assert not same, f"{same} computed twice in\n{source}"
    for node in inside:
        assert not isinstance(node, ast.BinOp) or not _changes_nothing(node), f"{ast.unparse(node)} in\n{source}"
        assert not isinstance(node, ast.UnaryOp) or not isinstance(node.operand, ast.UnaryOp), ast.unparse(node)
    assert ".sum(())" not in source
    assert max(map(len, source.splitlines())) <= 120, source
    imported = {x.names[0].name for x in ast.parse(source).body if isinstance(x, ast.Import)}
    assert imported <= {"numpy", "math"}


def _changes_nothing(node: ast.BinOp) -> bool:
    """Whether it multiplies by 1, divides by it, or takes the power of it; 1.0 makes numbers of truth values."""
    ones = [isinstance(x, ast.Constant) and x.value == 1 for x in (node.left, node.right)]
    if isinstance(node.op, ast.Mult):
        return any(ones) and not isinstance(node.right, ast.Compare)
    return isinstance(node.op, ast.Div | ast.Pow) and ones[1]


# The course's forward pass, chunk by chunk


def chunked(seed: int = 0, dtype: Any = "float32") -> Names:
    """The forward pass of makemore part 4, for a batch of 32: all of its variables."""
    leaves = {name: leaf(*shape, seed=seed, dtype=dtype) for name, shape in lecture.shapes().items()}
    integers = np.random.default_rng(seed)
    Xb, Yb = tensor(integers.integers(0, 27, (32, 3))), tensor(integers.integers(0, 27, 32))
    return lecture.forward(minigrad, **leaves, Xb=Xb, Yb=Yb)


def backward_by_hand(v: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The first exercise of makemore part 4, in the lecture's order."""
    n = 32
    d = {"logprobs": np.zeros_like(v["logprobs"])}
    d["logprobs"][range(n), v["Yb"]] = -1 / n
    d["probs"] = d["logprobs"] / v["probs"]
    d["counts_sum_inv"] = (v["counts"] * d["probs"]).sum(1, keepdims=True)
    d["counts_sum"] = -(v["counts_sum"] ** -2.0) * d["counts_sum_inv"]
    d["counts"] = v["counts_sum_inv"] * d["probs"] + d["counts_sum"]
    d["norm_logits"] = v["counts"] * d["counts"]
    d["logit_maxes"] = -d["norm_logits"].sum(1, keepdims=True)
    d["logits"] = d["norm_logits"] + np.eye(27)[v["logits"].argmax(1)] * d["logit_maxes"]
    d["h"], d["W2"], d["b2"] = d["logits"] @ v["W2"].T, v["h"].T @ d["logits"], d["logits"].sum(0)
    d["hpreact"] = (1 - v["h"] ** 2) * d["h"]
    d["bngain"] = (v["bnraw"] * d["hpreact"]).sum(0, keepdims=True)
    d["bnraw"], d["bnbias"] = v["bngain"] * d["hpreact"], d["hpreact"].sum(0, keepdims=True)
    d["bnvar_inv"] = (v["bndiff"] * d["bnraw"]).sum(0, keepdims=True)
    d["bnvar"] = -0.5 * (v["bnvar"] + 1e-5) ** -1.5 * d["bnvar_inv"]
    d["bndiff2"] = np.ones((n, 64)) / (n - 1) * d["bnvar"]
    d["bndiff"] = v["bnvar_inv"] * d["bnraw"] + 2 * v["bndiff"] * d["bndiff2"]
    d["bnmeani"] = -d["bndiff"].sum(0, keepdims=True)
    d["hprebn"] = d["bndiff"] + np.ones((n, 64)) / n * d["bnmeani"]
    d["embcat"], d["W1"], d["b1"] = d["hprebn"] @ v["W1"].T, v["embcat"].T @ d["hprebn"], d["hprebn"].sum(0)
    d["emb"] = d["embcat"].reshape(v["emb"].shape)
    d["C"] = np.zeros_like(v["C"])
    np.add.at(d["C"], v["Xb"], d["emb"])
    return d


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_chunked_pass_is_the_engines_to_the_last_bit(dtype: str) -> None:
    names = chunked(dtype=dtype)
    derived = assert_exact(names["loss"], names)
    assert derived.gradients == [f"d{name}" for name in LEAVES]
    assert [*derived.parameters] == [*LEAVES, "Xb", "Yb"]


def test_the_gradients_of_results_are_the_engines_too() -> None:
    names = chunked()
    for name in RESULTS:
        names[name].retain_grad()
    derived = derive(names["loss"], names=names, retain=RESULTS)
    assert derived.gradients == [f"d{name}" for name in LEAVES + RESULTS]
    assert_well_written(derived.source)
    assert_the_engines(derived, names["loss"], names, arguments(derived, names))


def test_one_derivation_serves_every_minibatch() -> None:
    names = chunked()
    derived = derive(names["loss"], names=names)
    for seed in range(1, 4):
        others = chunked(seed)
        assert_the_engines(derived, others["loss"], others, arguments(derived, others))


def test_the_chunked_pass_is_what_one_writes_by_hand() -> None:
    names = chunked(dtype="float64")
    derived = derive(names["loss"], names=names, retain=RESULTS)
    by_hand = backward_by_hand({name: x.array for name, x in names.items()})
    results = dict(zip(derived.gradients, derived(**arguments(derived, names))[1:], strict=True))
    assert {f"d{name}" for name in by_hand} == {*results}
    for name, expected in by_hand.items():
        tolerance = 1e-12 * np.abs(expected).max()
        np.testing.assert_allclose(results[f"d{name}"], expected, rtol=0, atol=tolerance, err_msg=name)


def test_the_chunked_pass_reads_as_the_lecture_goes() -> None:
    names = chunked()
    source = derive(names["loss"], names=names).source
    forward, backward = (part.splitlines() for part in source.split("def step")[1].split("# backward"))
    written = [name for name, _ in assigned(source)]
    known = [name for name in written if name.removeprefix("d") in names]
    own = [name for name in known if name in names]
    assert own == [*RESULTS, "loss"]
    assert known[len(own) :] == [f"d{name}" for name in RESULTS[::-1] + LEAVES[::-1]]
    assert len(set(written) - set(known)) <= 2  # bnvar + 1e-5, which is used twice and has no name, and `sums`
    for line in (
        "h = np.tanh(hpreact)",
        "logits = h @ W2 + b2",
        "bndiff2 = bndiff**2",
        "counts_sum_inv = counts_sum**-1",
    ):
        assert f"    {line}" in forward
    code = [line.partition("  # ")[0].strip() for line in backward]
    for line in (
        "dprobs = dlogprobs / probs",
        "dcounts += dcounts_sum",
        "dh = dlogits @ W2.T",
        "dW2 = h.T @ dlogits",
        "db2 = dlogits.sum(0)",
        "dhpreact = dh * (1 - h**2)",
        "dbnbias = dhpreact.sum(0, keepdims=True)",
        "dembcat = dhprebn @ W1.T",
        "demb = dembcat.reshape(32, 3, 10)",
        "sums = np.zeros((27, 10))",
        "np.add.at(sums, Xb, demb.astype(np.float64))",
        "dC = sums.astype(np.float32)",
        "return loss, dC, dW1, db1, dW2, db2, dbngain, dbnbias",
    ):
        assert line in code


def test_a_comment_says_of_which_line_it_is_the_gradient() -> None:
    names = chunked()
    source = derive(names["loss"], names=names).source
    forward, backward = (part.splitlines() for part in source.split("def step")[1].split("# backward"))
    lines = {line.partition(" = ")[0].strip(): line.strip() for line in forward}
    comments = dict(re.findall(r"^ *d(\w+) = .*?  # (.*)$", "\n".join(backward), re.MULTILINE))
    assert {*comments} == {*LEAVES, *RESULTS}
    for name, comment in comments.items():
        assert comment == (name if name in LEAVES else lines[name])


def test_a_short_one_in_full() -> None:
    x = leaf(3)
    h = x.tanh()
    loss = (h * 3).sum()
    assert derive(loss, names=locals()).source == (
        "import numpy as np\n\n\ndef step(x):\n    # forward\n    h = np.tanh(x)\n    loss = (h * 3).sum()\n\n"
        "    # backward\n    dx = 3.0 * (1 - h**2)  # x\n    return loss, dx\n"
    )


# Primitives


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "shapes"), **few(SMOOTH))
def test_every_primitive_is_the_engines_to_the_last_bit(name: str, shapes: Any, dtype: str) -> None:
    operation = TABLE[name]
    operands = [minigrad.Tensor.wrap(read_only(x)) for x in operation.arrays(shapes, dtype)]
    named = dict(zip(operand_names(name), operands, strict=True))
    for x in operands:
        x.requires_grad_(x.dtype.is_floating_point)
    loss = weighted(operation.call(minigrad, *operands))
    assert_exact(loss, named)


# Functions


CASES = """
    x[[0, 0], [2]] + x[range(2), tensor([[1, 1], [1, 0]])]
    x.softmax(1)
    x.sigmoid() * w
    x.log_softmax(1)
    x.logsumexp(1)
    x.std(0)
    x.var(1)
    x.var()
    x @ w
    w @ w
    w @ x.T
    x.T @ x
    x.view(2, 2, 5) @ x.view(2, 5, 2)
    x.max(0).values
    x.max()
    x.min(1, keepdim=True).values * 2
    w[None].min(0).values
    x[1:3, 2]
    x[-1] * x[0, 1]
    x[[0, 1, 1]]
    x[:, [0, 0, 2]]
    x[[0, 1], [1, 1]]
    x[y, y] + x[range(4), y]
    x[x > 0]
    x[:, None, ..., None]
    minigrad.cat([x, w[None], x])
    minigrad.stack([x, x * 2], 1)
    x.cumsum(1)
    x.abs()
    x.clamp(-1, 1)
    minigrad.where(x > 0, x, w)
    x.masked_fill(x > 1, 0.0)
    (x * x).log10()
    F.gelu(x)
    F.silu(x)
    minigrad.einsum("ij,j->i", x, w)
    minigrad.einsum("ij,kj->ik", x, x)
    minigrad.einsum("ij,ij", x, x)
    x.unbind(1)[2]
    x.split(3)[1]
    x.tensor_split(3)[0]
    x.permute(1, 0) * 2
    x.view(2, 2, 5).mT
    x.view(2, 2, 5).permute(0, 1, 2)
    x.view(2, 2, 5).permute(1, 2, 0) * x.view(2, 2, 5).permute(2, 1, 0)[0, 0, 0]
    x.exp() * x.exp() + x.exp().tanh() - (x @ x.T).sum() / (x @ x.T).exp().sum()
    x.repeat(2, 1)
    x.repeat_interleave(tensor([2]), 1)
    x.double() * 2 + x.float()
    (x * x + 1) ** (w / 2)
    x / w
    x**3 + x**1 + x**0 + x**-1 + x**2.5
    x * 1 + x / 1 - x * -1
    x / 3 + x * 0.1 + x * (1 / 3) + 7e-8 * x
    x * True + x * y[:, None]
    x + (x > 0)
    x.tril()
    F.dropout(x, 0.5)
    F.layer_norm(x, (5,))
    F.batch_norm(x, None, None, training=True)
    F.linear(x, x, x[:, 0])
    F.embedding(tensor([1, 1, 0]), x)
    F.cross_entropy(x, y)
    F.cross_entropy(x, y, label_smoothing=0.1)
    F.cross_entropy(x, y, ignore_index=1)
    F.cross_entropy(x, y, reduction="none")
    F.mse_loss(x, w * x)
    x.expand(2, 4, 5)
    x.mean((0, 1))
    x.sum(())
    x[0:0].sum() + x
    x.square().sum(1, keepdim=True) * x
    x * 0.0 + x * float("inf")
    (x - x).sqrt()
    sum(x)
    x * np.arange(5, dtype=np.float32)
"""


def lines(table: str) -> list[str]:
    """The expressions in a table."""
    return [line.strip() for line in table.strip().splitlines()]


def weighted(result: minigrad.Tensor) -> minigrad.Tensor:
    """A number that depends on all of a result, on each element in its own way."""
    count = result.numel()
    return (result * (minigrad.arange(count).view(result.shape) + 1).to(result.dtype) * 0.1).sum()


def evaluated(expression: str, seed: int, dtype: str) -> Names:
    """Two leaves, integers, and the loss that is made of them."""
    names = {"x": leaf(4, 5, seed=seed, dtype=dtype), "w": leaf(5, seed=seed, dtype=dtype), "y": tensor([0, 1, 1, 3])}
    with np.errstate(all="ignore"):
        return names | {"loss": weighted(eval(expression, globals(), names))}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("expression", lines(CASES))
def test_a_function_is_the_engines_to_the_last_bit(expression: str, dtype: str) -> None:
    names = evaluated(expression, 0, dtype)
    assert_exact(names["loss"], names)


SERVING = """
    x.softmax(1) * w
    x.max(0).values * w
    x.min(1, keepdim=True).values * x
    x.relu() * x.abs()
    x.max() * x.min()
    x.clamp(-0.5, 0.5) * x
    x.clamp_min(0.25).log_softmax(1)
    x.logsumexp(0)
    x.std(1) + (x * 0).std(0).sum()
    x.cumsum(0)[[1, 1, 0]]
    x @ x.T / (x * x).sum(1)
    F.cross_entropy(x, y)
    F.cross_entropy(x, y, label_smoothing=0.1, reduction="sum")
    F.gelu(x) + F.silu(x)
    F.layer_norm(x, (5,))
    F.batch_norm(x, None, None, training=True)
    minigrad.einsum("ij,kj->ik", x, x).exp()
"""


@pytest.mark.parametrize("expression", lines(SERVING))
def test_a_function_serves_other_numbers(expression: str) -> None:
    names = evaluated(expression, 0, "float32")
    derived = derive(names["loss"], names=names)
    others = evaluated(expression, 1, "float32")
    assert_the_engines(derived, others["loss"], others, arguments(derived, others))


def test_a_mask_that_has_a_name_is_given_anew() -> None:
    x = leaf(6)
    mask = x > 0
    derived = derive(minigrad.where(mask, x * x, x).sum(), names=locals())
    assert [*derived.parameters] == ["x", "mask"]
    x = leaf(6, seed=1)
    mask = x > 0
    loss = minigrad.where(mask, x * x, x).sum()
    assert_the_engines(derived, loss, {"x": x}, {"x": x.array, "mask": mask.array})


def test_a_constant_without_a_name_need_not_be_given() -> None:
    x, values = leaf(3), numbers(3, seed=4)
    derived = derive((x * tensor(values)).sum(), names={"x": x})
    (constant,) = derived.constants
    assert [*derived.parameters] == ["x", constant]
    np.testing.assert_array_equal(derived(x=x)[1], values)
    np.testing.assert_array_equal(derived(**{"x": x, constant: values * 2})[1], values * 2)


def test_a_number_to_the_power_of_a_tensor_is_right_but_for_the_last_bit() -> None:
    x = leaf(50)
    loss = (2**x).sum()
    derived = derive(loss, names={"x": x})
    loss.backward()
    result, gradient = derived(x=x)
    assert result == loss.array
    np.testing.assert_allclose(gradient, x.grad.array, rtol=2e-7, atol=0)


# Random programs


def without(table: list[tuple[str, str]], *words: str) -> list[tuple[str, str]]:
    """The statements in which none of some words stands."""
    return [line for line in table if not any(word in line[0] for word in words)]


EXACT = without(PURE, "1.5 **")  # the gradient of 1.5 ** x has another last bit
RECORDED = without(CHANGING, "1.5 **", ".data", "no_grad", "detach()")  # these change what no graph knows of
# What is chosen by comparing, and not recorded, is a constant.
OF_ALL_NUMBERS = without(EXACT, ">", "clamp({y})", "clamp(max", "long()", "indices", "argmin", "[{y}]", "dtype")


def run(program: Program) -> Names:
    """The variables of a program that has gradients; its leaves cannot be written into."""
    names = namespace(minigrad)
    for statement in program:
        assume(step(statement.replace("backward()", "backward(retain_graph=True)"), names) is None)
        for name in "abc":
            if isinstance(names.get(name), minigrad.Tensor):
                names[name].array.flags.writeable = False
                names[name].grad = None
    return {name: x for name, x in names.items() if isinstance(x, minigrad.Tensor)}


def assert_derived(program: Program) -> None:
    """Require of a program what is required of every loss."""
    names = run(program)
    with np.errstate(all="ignore"):
        assert_exact(names["loss"], names)


@settings(max_examples=700)
@drawing(program=programs(EXACT, one_pass, kinds=WITH_MASKS))
def test_a_program(program: Program) -> None:
    assert_derived(program)


@settings(max_examples=700)
@drawing(program=programs(RECORDED, one_pass, kinds=OF_ONE_DTYPE))
def test_a_program_of_views_and_changes_in_place(program: Program) -> None:
    assert_derived(program)


@settings(max_examples=200)
@drawing(program=programs(OF_ALL_NUMBERS, one_pass, kinds=OF_ONE_DTYPE), seed=st.integers(1, 99))
def test_a_program_with_other_numbers(program: Program, seed: int) -> None:
    names = run(program)
    derived = derive(names["loss"], names=names)

    changed = Program(program)
    for i, name in enumerate(name for name in "abc" if name in names):
        shape, dtype = tuple(names[name].shape), str(names[name].array.dtype)
        changed[i] = leaf_statement(name, shape, dtype, np.random.default_rng(seed))
    others = run(changed)
    with np.errstate(all="ignore"):
        assert_the_engines(derived, others["loss"], others, arguments(derived, others))


# Rows that an index names more than once: the engine has a way of its own for few, for many, and for most elements

ROWS: dict[str, Callable[[Any, Any, int], Any]] = {
    "rows": lambda x, places, n: x[places],
    "columns": lambda x, places, n: x[:, places],
    "both": lambda x, places, n: x[places, places % 4],
    "turned": lambda x, places, n: x[places.reshape(2, n // 2).T],
    "of a vector": lambda x, places, n: x[:, 0][places],
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [8, 60, 2000, 6000])
@pytest.mark.parametrize("name", ROWS)
def test_rows_that_are_chosen_more_than_once(name: str, n: int, dtype: Any) -> None:
    table, weights = numbers(9, 9, dtype=dtype), numbers(n * 9, seed=1, dtype=dtype)
    places = np.random.default_rng(n).integers(0, 9, n)

    def loss(library: Any, x: Any, weights: Any, places: Any) -> Any:
        chosen = ROWS[name](x, places, n)
        return (chosen.tanh() * weights[: math.prod(chosen.shape)].reshape(chosen.shape)).sum()

    x, w, i = tensor(table).requires_grad_(), tensor(weights), tensor(places)
    mine = loss(minigrad, x, w, i)
    derived = derive(mine, names={"x": x, "w": w, "i": i})
    given = {"x": x.array, "w": w.array, "i": i.array}
    results = derived(**{name: given[name] for name in derived.parameters if name in given})
    mine.backward()
    assert x.grad is not None
    np.testing.assert_array_equal(results[1], x.grad.array, err_msg=derived.source)
    assert results[1].dtype == dtype
    expected = torch.tensor(table, requires_grad=True)
    loss(torch, expected, torch.tensor(weights), torch.tensor(places)).backward()
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype == "float32" else {"rtol": 1e-11, "atol": 1e-11}
    np.testing.assert_allclose(results[1], expected.grad, **tolerance)  # of up to 6000 numbers in another order
    is_large = name in ("rows", "turned") and n * 9 > 2**14
    assert ("np.add.at(" in derived.source) != is_large or "def put(" in derived.source


# Operations of several steps, layers, and Values


def test_cross_entropy_as_one_operation() -> None:
    logits, Yb = leaf(32, 27), tensor(np.arange(32) % 27)
    loss = F.cross_entropy(logits, Yb)
    derived = assert_exact(loss, locals())
    assert "np.eye(27, dtype=np.float32)[Yb]" in derived.source
    assert [name for name, _ in assigned(derived.source)][-1] == "dlogits"


def test_batch_norm_as_one_operation() -> None:
    hprebn, bngain, bnbias = leaf(32, 64), leaf(64), leaf(64, seed=1)
    hpreact = F.batch_norm(hprebn, None, None, bngain, bnbias, training=True)
    loss = (hpreact * tensor(numbers(32, 64, seed=2))).sum()
    derived = assert_exact(loss, locals())
    assert derived.gradients == ["dhprebn", "dbngain", "dbnbias"]


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Embedding(27, 10),
        nn.Flatten(),
        nn.Linear(30, 20, bias=False),
        nn.BatchNorm1d(20),
        nn.Tanh(),
        nn.Linear(20, 27),
    )


def test_the_whole_network_by_the_names_of_its_parameters() -> None:
    model = network()
    Xb, Yb = tensor(np.arange(96).reshape(32, 3) % 27), tensor(np.arange(32) % 27)
    loss = F.cross_entropy(model(Xb), Yb)
    derived = derive(loss, names={"model": model, "Xb": Xb, "Yb": Yb})
    parameters = {"model_" + name.replace(".", "_"): x for name, x in model.named_parameters()}
    assert {*derived.parameters} == {*parameters, "Xb", "Yb"}
    assert derived.gradients == [f"d{name}" for name in parameters]
    assert_well_written(derived.source)
    assert_the_engines(derived, loss, parameters, arguments(derived, {**parameters, "Xb": Xb, "Yb": Yb}))


def of_values(*data: float) -> tuple[Names, Value]:
    """Values, and one that is made of them by all that Values can do."""
    a, b, c = (Value(x) for x in data)
    e = a * b
    f = (e + c).tanh() + (a**2).exp() / 10 + (b * c).relu() + 3
    loss = f - (a * a + 1).log() * e + 2 / (b**2 + 1) + 2**c + (b * b + 1) ** c - (-a).relu() + 1.5 * (a - 1)
    return {"a": a, "b": b, "c": c, "e": e, "f": f}, loss


def test_values_become_floats() -> None:
    names, loss = of_values(2.0, -3.0, 0.5)
    derived = derive(loss, names=names)
    assert_well_written(derived.source)
    assert "np." not in derived.source
    for data in [(2.0, -3.0, 0.5), (-1.5, 0.25, 2.0), (0.5, -0.5, -0.75)]:
        names, loss = of_values(*data)
        loss.backward()
        results = derived(**dict(zip("abc", data, strict=True)))
        assert all(type(result) is float for result in results)
        found = dict(zip(["loss", *derived.gradients], results, strict=True))
        assert found == {"loss": loss.data, "da": names["a"].grad, "db": names["b"].grad, "dc": names["c"].grad}


def test_a_network_of_values() -> None:
    model = MLP(3, [4, 4, 1])
    loss = sum(((model([Value(x) for x in row]) - 0.5) ** 2 for row in numbers(4, 3).tolist()), Value(0))
    derived = derive(loss, names={}, wrt=model.parameters())
    loss.backward()
    nodes, open_ends = {id(loss): loss}, [loss]
    for value in open_ends:
        open_ends += [x for x in value.inputs if isinstance(x, Value) and nodes.setdefault(id(x), x) is x]
    leaves = sorted((x for x in nodes.values() if not x._op), key=lambda x: x.seq)
    given = dict(zip(derived.parameters, [x.data for x in leaves], strict=True))
    result, *gradients = derived(**given)
    assert result == loss.data
    assert gradients == [x.grad for x in model.parameters()]
    assert_well_written(derived.source)


def test_a_long_chain() -> None:
    x = leaf(2)
    h = x
    for i in range(1500):
        h = (h * 0.999).tanh() if i % 3 else h + x
    assert_the_engines(derive(h.sum(), names={"x": x}), h.sum(), {"x": x}, {"x": x.array})
    value = v = Value(0.5)
    for _ in range(1500):
        v = (v * 0.999).tanh() + value
    v.backward()
    assert derive(v, names={"value": value})(value=0.5) == (v.data, value.grad)


# Arguments


def product() -> tuple[Names, minigrad.Tensor]:
    x, y, c = leaf(2), leaf(2, seed=1), tensor(numbers(2, seed=2))
    h = x * y * c
    loss = (h * h).sum()
    return {"x": x, "y": y, "c": c, "h": h, "loss": loss}, loss


def test_arrays_and_tensors_are_taken() -> None:
    names, loss = product()
    derived = derive(loss, names=names)
    arrays = {name: names[name].detach().array for name in "xyc"}
    for given in (arrays, {name: names[name] for name in "xyc"}, {name: tensor(x) for name, x in arrays.items()}):
        for result, other in zip(derived(**given), derived(**arrays), strict=True):
            assert type(result) is type(other)
            np.testing.assert_array_equal(result, other)


def test_what_is_missing_unknown_or_of_another_shape_is_refused_by_name() -> None:
    names, loss = product()
    derived = derive(loss, names=names)
    x = numbers(2)
    with pytest.raises(TypeError, match=r"y, c missing; it takes x, y, c"):
        derived(x=x)
    with pytest.raises(TypeError, match=r"z unknown; it takes x, y, c"):
        derived(x=x, y=x, c=x, z=x)
    with pytest.raises(ValueError, match=r"c has the shape \(3,\) instead of \(2,\)"):
        derived(x=x, y=x, c=numbers(3))
    with pytest.raises(ValueError, match=r"x has the shape \(\) instead of \(2,\)"):
        derived(x=1.0, y=x, c=x)


@pytest.mark.parametrize(
    ("wrt", "retain", "gradients"),
    [
        (None, [], ["dx", "dy"]),
        (["y", "x"], [], ["dy", "dx"]),
        (["y"], [], ["dy"]),
        (["h"], [], ["dh"]),
        (None, ["h"], ["dx", "dy", "dh"]),
        (["y"], ["h"], ["dy", "dh"]),
        (None, ["x"], ["dx", "dy"]),
    ],
)
def test_wrt_and_retain_say_which_gradients_are_returned(wrt: Any, retain: list[str], gradients: list[str]) -> None:
    names, loss = product()
    names["h"].retain_grad()
    for chosen in (wrt, wrt and [names[name] for name in wrt]):
        derived = derive(loss, names=names, wrt=chosen, retain=retain)
        assert derived.gradients == gradients
        assert repr(derived) == f"<derived: loss, {', '.join(gradients)} = step(x, y, c)>"
        assert_well_written(derived.source)
    assert_the_engines(derived, loss, names, arguments(derived, names))


def test_what_cannot_be_derived_is_refused() -> None:
    names, loss = product()
    for wrong in (3.0, np.zeros(3), None, "loss", [loss]):
        with pytest.raises(TypeError, match=r"^derive: expected a Tensor or a Value, got \w+$"):
            derive(wrong)
    with pytest.raises(ValueError, match=r"^derive: .* requires no gradient"):
        derive(names["c"].sum(), names=names)
    with pytest.raises(ValueError, match=r"^derive: .* of shape \(2,\)"):
        derive(names["h"], names=names)
    for words in ({"wrt": ["absent"]}, {"wrt": ["x", "absent"]}, {"retain": ["absent"]}):
        with pytest.raises(ValueError, match=r"^derive: .*\babsent\b"):
            derive(loss, names=names, **words)
    for wrong in (leaf(2), names["c"], "c", 3):
        with pytest.raises(ValueError, match=r"^derive: .* graph of this loss"):
            derive(loss, names=names, wrt=[wrong])


def test_without_gradients_it_returns_a_tuple_still() -> None:
    names, loss = product()
    derived = derive(loss, names=names, wrt=[])
    assert derived.gradients == []
    (result,) = derived(**arguments(derived, names))
    assert result == loss.array


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
@pytest.mark.parametrize("function", [lambda x: x, lambda x: x.view(()), lambda x: x[...], lambda x: x.view(1, 1).mT])
def test_a_loss_that_is_a_leaf_or_a_view_of_it(
    function: Callable[..., minigrad.Tensor], shape: tuple[int, ...]
) -> None:
    x = leaf(*shape)
    loss = function(x)
    assert_exact(loss, {"x": x, "loss": loss})


def test_lists_are_taken_as_arrays() -> None:
    x = leaf(2)
    derived = derive((x * 2).sum(), names={"x": x})
    loss, gradient = derived(x=[1.0, 2.0])
    assert loss == 6
    np.testing.assert_array_equal(gradient, [2, 2])


def test_a_loss_can_be_derived_after_its_backward_pass() -> None:
    names = chunked()
    before = derive(names["loss"], names=names)
    names["loss"].backward()
    assert derive(names["loss"], names=names).source == before.source


def test_a_constant_is_known_from_the_leaf_whose_memory_it_shares() -> None:
    b = leaf(3)
    f = b.detach()
    assert_exact((b * f).sum(), locals())


def test_deriving_changes_nothing() -> None:
    names, loss = product()
    first = derive(loss, names=names)
    assert derive(loss, names=names).source == first.source
    assert all(x.grad is None for x in (names["x"], names["y"]))
    assert_the_engines(first, loss, names, arguments(first, names))


# Names


def derived_for(name: str, function: Callable[[minigrad.Tensor], minigrad.Tensor]) -> Any:
    """What is derived where a leaf is called `name`, after it has been run."""
    x = leaf(3)
    loss = function(x)
    derived = derive(loss, names={name: x})
    (parameter,) = [each for each in derived.parameters if each not in derived.constants]
    assert_well_written(derived.source)
    assert_the_engines(derived, loss, {derived.gradients[0][1:]: x}, {parameter: x.array})
    return derived


ODD_NAMES = {
    "x": "x",
    "größe": "größe",
    "x_2": "x_2",
    "lambda": "_lambda",
    "None": "_None",
    "match": "match",
    "a b": "a_b",
    "1x": "_1x",
    "x\nimport os": "x_import_os",
    "model.0.weight": "model_0_weight",
    "self": "self",
    "arrays": "arrays",
    "sum": "sum",
    "float": "float",
    "len": "len",
}


@pytest.mark.parametrize(("name", "parameter"), ODD_NAMES.items(), ids=range(len(ODD_NAMES)))
def test_an_odd_name_becomes_one_of_pythons(name: str, parameter: str) -> None:
    assert [*derived_for(name, lambda x: (x * x).sum()).parameters] == [parameter]


@pytest.mark.parametrize(
    "name", ["", "_x", "__debug__", "²", "x²", "①", "ª", "ﬁ", "\U0001d431", "·", "x٢", "loss", "dx", "step"]
)
def test_any_name_will_do(name: str) -> None:
    (parameter,) = derived_for(name, lambda x: (x.exp() * x).sum()).parameters
    assert parameter.isidentifier()


CLASHES: dict[str, Callable[[minigrad.Tensor], minigrad.Tensor]] = {
    "np": lambda x: x.exp().sum(),
    "math": lambda x: x.exp().sum(),
    "range": lambda x: (x[range(3)] * x).sum(),
    "slice": lambda x: (x.cumsum(0) * x).sum(),
    "put": lambda x: (x.view(3, 1)[[0, 2, 2] * 6000] ** 2).sum(),
    "sums": lambda x: (x[[0, 0, 1] * 30] ** 2).sum(),
    "one_hot": lambda x: x.max(),
    "softmax": lambda x: (x.softmax(0) * x).sum(),
    "sigmoid": lambda x: (x.sigmoid() * x).sum(),
    "erf": lambda x: F.gelu(x).sum(),
    "ties": lambda x: x.max(),
    "constant": lambda x: (x * tensor([1.0, 2.0, 3.0])).sum(),
    "sign": lambda x: (x.abs() * x).sum(),
    "abs": lambda x: (x.abs() * x).sum(),
    "product": lambda x: (x * x * x).sum(),
    "tanh": lambda x: (x.tanh() * x).sum(),
}


@pytest.mark.parametrize("name", CLASHES)
def test_a_variable_called_as_something_in_the_source(name: str) -> None:
    derived_for(name, CLASHES[name])


def test_a_value_called_as_something_in_the_source() -> None:
    for name in ("max", "math", "float", "self", "abs"):
        a = Value(2.0)
        derived = derive((a * a).relu().exp(), names={name: a})
        (parameter,) = derived.parameters
        assert derived(**{parameter: 0.0}) == (1.0, 0.0)


def test_names_that_are_one_in_python_are_told_apart() -> None:
    names = {"fi": leaf(2), "ﬁ": leaf(2, seed=1), "a b": leaf(2, seed=2), "a_b": leaf(2, seed=3), "x": leaf(2, seed=4)}
    names |= {"dx": leaf(2, seed=5), "ddx": leaf(2, seed=6), "loss_": leaf(2, seed=7)}
    x, *others = names.values()
    loss = (x * x).sum()
    for i, other in enumerate(others):
        loss = loss + (i + 2) * (other * other * x).sum()
    derived = derive(loss, names=names)
    assert len({*derived.parameters}) == len(names)
    loss.backward()
    given = dict(zip(derived.parameters, [each.array for each in names.values()], strict=True))
    results = derived(**given)
    assert len({*derived.gradients, *derived.parameters}) == 2 * len(names)
    for each, gradient in zip(names.values(), results[1:], strict=True):
        np.testing.assert_array_equal(gradient, each.grad.array)


def test_the_first_of_two_names_counts_and_a_tensors_own_before_them() -> None:
    x, w = leaf(2), leaf(2, seed=1)
    w.name = "weight"
    h = x.exp() * w
    derived = derive((h * h).sum(), names={"x": x, "y": x, "h": h, "k": h, "w": w})
    assert [*derived.parameters] == ["x", "weight"]
    assert "h" in dict(assigned(derived.source))
    assert not re.search(r"\b[kyw]\b", derived.source)


def test_a_private_name_does_not_count() -> None:
    x = leaf(2)
    _h = x.exp()
    loss = (_h * _h).sum()
    derived = assert_exact(loss, {"_h": _h, "x": x, "_": x, "loss": loss})
    assert "_h" not in derived.source


def test_without_names_it_has_some() -> None:
    x, y = leaf(2), leaf(2, seed=1)
    derived = derive((x * y.exp() * 2).sum())
    assert len(derived.parameters) == 2
    assert all(name.isidentifier() for name in derived.parameters)
    assert_well_written(derived.source)


# The source by itself


def sources() -> Iterator[str]:
    """Sources of all kinds."""
    names = chunked()
    yield derive(names["loss"], names=names).source
    yield derive(names["loss"], names=names, retain=RESULTS).source
    names, loss = of_values(2.0, -3.0, 0.5)
    yield derive(loss, names=names).source
    model = network()
    yield derive(F.cross_entropy(model(tensor([[1, 2, 3], [4, 5, 6]])), tensor([0, 1])), names={"model": model}).source
    names, loss = product()
    yield derive(loss, names=names | {"x_is_a_long_name" * 2: names.pop("x"), "y_is_too" * 4: names.pop("y")}).source
    for expression in lines(CASES):
        names = evaluated(expression, 0, "float32")
        yield derive(names["loss"], names=names).source


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.skipif(RUFF is None, reason="ruff is not installed")
def test_the_source_is_formatted_and_has_no_errors(tmp_path: pathlib.Path) -> None:
    for i, source in enumerate(sources()):
        (tmp_path / f"derived_{i}.py").write_text(source, encoding="utf-8")
    for words in (["format", "--diff", "--line-length", "120"], ["check", "--select", "F", "--line-length", "120"]):
        ran = subprocess.run(
            [str(RUFF), *words, "--isolated", "--no-cache", "."], cwd=tmp_path, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def python(code: str, directory: pathlib.Path, **environment: str) -> str:
    """What a fresh interpreter prints that knows nothing of this directory's surroundings."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=directory, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_saved_file_runs_by_itself(tmp_path: pathlib.Path) -> None:
    names = chunked()
    derived = derive(names["loss"], names=names)
    derived.save(tmp_path / "größe.py")
    given = arguments(derived, names)
    np.savez(tmp_path / "given.npz", **given)
    code = """
import sys
import numpy as np
import größe
results = größe.step(**np.load("given.npz"))
np.savez("results.npz", *results)
print([name for name in ("minigrad", "nn", "viz", "torch") if name in sys.modules])
"""
    assert python(code, tmp_path, PYTHONUTF8="1").strip() == "[]"
    loaded = np.load(tmp_path / "results.npz")
    for i, result in enumerate(derived(**given)):
        np.testing.assert_array_equal(loaded[f"arr_{i}"], result)


def test_a_saved_file_of_values_needs_math_alone(tmp_path: pathlib.Path) -> None:
    names, loss = of_values(2.0, -3.0, 0.5)
    derived = derive(loss, names=names)
    derived.save(str(tmp_path / "scalars.py"))
    code = "import sys, scalars; print(repr(scalars.step(2.0, -3.0, 0.5)), 'numpy' in sys.modules)"
    assert python(code, tmp_path).strip() == f"{derived(a=2.0, b=-3.0, c=0.5)} False"


def test_every_process_writes_the_same(tmp_path: pathlib.Path) -> None:
    (tmp_path / "program.py").write_text(
        """
import minigrad as torch, nn, nn.functional as F
from minigrad import Value, derive
torch.manual_seed(0)
model = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(8, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 9))
x, y = torch.randint(0, 9, (4, 2)), torch.randint(0, 9, (4,))
print(derive(F.cross_entropy(model(x), y) + (model(x).softmax(1) ** 2).sum(), names=locals()).source)
a, b = Value(2.0), Value(3.0)
print(derive((a * b + b.exp() - a.tanh()) ** 2 / (a * a + b), names=locals()).source)
"""
    )
    path = str(pathlib.Path(minigrad.__file__).parents[1])  # of the minigrad that is tested, whichever is installed
    first, second = (python("import program", tmp_path, PYTHONPATH=path, PYTHONHASHSEED=seed) for seed in "12")
    assert first == second
    assert first.count("def step(") == 2


@pytest.mark.parametrize("name", ["put", "ties", "softmax", "log_softmax", "logsumexp", "sigmoid", "erf", "one_hot"])
def test_a_function_of_the_table_is_copied_without_documentation(name: str) -> None:
    """The source says what is computed; what the table's functions are for is said where they stand."""
    assert getattr(ops, name).forward.__doc__ is None
    x = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    for loss in (x[[0, 0] * 5000].sum(), x.max(), x.softmax(0)[0, 0], x.sigmoid().sum()):
        assert '"""' not in derive(loss, names={"x": x}).source
