"""Random programs of several operations in minigrad and in PyTorch: the same values, gradients and refusals.

A program is a list of statements, as a notebook has them. Hypothesis draws them one by one, and PyTorch runs each at
once, so that the dims, shapes and indices of the next are drawn for what is there. A failure prints the program as it
can be pasted after `import torch` (and `weights`, below, which makes the gradient that arrives at each result random).
"""

import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from hypothesis import assume
from hypothesis import strategies as st

import minigrad
from tests.support.comparison import REFUSALS, tensors

Names = dict[str, Any]
Draw = Callable[..., Any]


class Program(list[str]):
    """Statements, which print as one text."""

    def __repr__(self) -> str:
        return "\n" + "\n".join(self) + "\n"


# The right-hand sides of statements. A name in braces is drawn: `x`, `y` and `z` are variables, and the other slots are
# for `x`. What follows a `#` has to stay away from 0, lest a last bit decide which branch is taken.
ARITHMETIC = """
    {x} + {y}
    {x} - {y}
    {x} * {y}
    {x} / ({y} * {y} + 1)
    {x} + {n}
    {n} - {x}
    {n} * {x}
    {n} / ({x} * {x} + 1)
    {x} / {n}
    -{x}
    {x} ** 2
    {x} ** 3
    ({x} * {x} + 1) ** {n}
    ({x} * {x} + 1) ** ({y} / 2)
    1.5 ** {x}
    torch.square({x})
    {x} @ {y}
    {x} @ {x}.mT
    torch.einsum("{equation}", {x}.double(), {y}.double())
    {x}.dot({y})
"""

FUNCTIONS = """
    {x}.exp()
    {x}.tanh()
    {x}.sigmoid()
    ({x} * {x} + 1).log()
    ({x} * {x} + 1).log10()
    ({x} * {x} + 1).sqrt()
    ({x} / 2).relu()                      # {x}
    ({x} / 2).abs()                       # {x}
    {x}.clamp(-0.5, 1)                    # torch.stack([{x} + 0.5, {x} - 1])
    {x}.clamp_min(0.25)                   # {x} - 0.25
    ({x} + {y}).clamp({y})                # {x}
    ({x} + {y}).clamp(max={y})            # {x}
    torch.where({x} > {y}, {y}, {z})      # {x} - {y}
    torch.where({x} > 0, {x}, {n})        # {x}
    {x}.masked_fill({x} > 0, {n})         # {x}
    {x} * ({y} > 0)                       # {y}
    ({x} / 2).softmax({d})
    ({x} / 2).log_softmax({d})
    ({x} / 2).logsumexp({d}, keepdim={keep})
"""

REDUCTIONS = """
    {x}.sum()
    {x}.sum({d}, keepdim={keep})
    {x}.sum({dims})
    {x}.mean()
    {x}.mean({d}, keepdim={keep})
    {x}.mean({dims}, keepdim={keep})
    {x}.var(unbiased={keep})              # {x}.var(unbiased=False)
    {x}.var({d}, keepdim={keep})
    {x}.std({d}, keepdim={keep})          # {x}.std({d})
    {x}.std({dims}, correction=0)         # {x}.std({dims}) * len({dims})
    {x}.max()                             # {x}.flatten().sort().values.diff()
    {x}.min()                             # {x}.flatten().sort().values.diff()
    {x}.max({d}, keepdim={keep}).values   # {x}.sort({d}).values.diff(dim={d}) if {x}.ndim else {x} * 0
    {x}.min({d}).values                   # {x}.sort({d}).values.diff(dim={d}) if {x}.ndim else {x} * 0
    {x}.max({d}, keepdim={keep}).indices  # {x}.sort({d}).values.diff(dim={d}) if {x}.ndim else {x} * 0
    {x}.argmin({d})                       # {x}.sort({d}).values.diff(dim={d}) if {x}.ndim else {x} * 0
    {x}.cumsum({d})
    sum({x})
"""

VIEWS = """
    {x}.view({shape})
    {x}.reshape({shape})
    {x}.flatten()
    {x}.flatten({d})
    {x}.permute({permutation})
    {x}.transpose({d}, {d2})
    {x}.t()
    {x}.T
    {x}.squeeze()
    {x}.squeeze({d})
    {x}.unsqueeze({d})
    {x}[{slices}]
    {x}[{slices}]
    {x}[{slices}]
    {x}.detach()
"""

COPIES = """
    {x}[{key}]
    {x}[{key}]
    {x}[{x} > 0]                          # {x}
    {x}[{y}]
    {x}.clone()
    {x}.expand({sizes})
    {x}.repeat({times})
    {x}.repeat_interleave(torch.tensor([2]), {d})
    {x}.tril({d}) ** 2
    torch.cat([{x}, {y}])
    torch.cat([{x}, {y}, {x}])
    torch.stack([{x}, {y}])
    torch.stack([{x}, {x} / 2], {d})
    torch.stack({x}.unbind({d})[::-1])
    torch.cat({x}.split(2, {d})[::-1], {d})
    {x}.tensor_split(2, {d})[0]
    {x}.float()
    {x}.double()
    {x}.long()                            # {x} - {x}.round()
    {x}.to({y}.dtype)                     # {x} - {x}.round()
"""

CHANGES = """
    {x} += {y}
    {x} -= {y}
    {x} *= {y}
    {x} /= {y} * {y} + 1
    {x} **= 2
    {x} *= {n}
    {x}[{slices}] = {n}
    {x}[{slices}] = {y}
    {x}[{key}] = {y}
    {x}[{slices}] += {y}
    {x}[{slices}] *= {n}
    {x}[{slices}] *= {y}
    {x}[{key}] *= {n}
    {x}[{x} > 0] = {n}                    # {x}
    {x}.add_({y}, alpha={n})
    {x}.mul_({y})
    {x}.zero_()
    {x}.fill_({n})
    {x}.copy_({y})
    {x}.data *= {n}
    {x}.data[{slices}] = {n}
    {x}.detach().mul_({n})
    with torch.no_grad(): {x} *= {n}
    with torch.no_grad(): {x}[{slices}] = {y}
"""


def templates(*tables: str) -> list[tuple[str, str]]:
    """The lines of tables, each with what follows its `#`."""
    lines = [line.partition("#") for table in tables for line in table.strip().splitlines()]
    return [(statement.strip(), away.strip()) for statement, _, away in lines]


EXPRESSIONS = templates(ARITHMETIC, FUNCTIONS, REDUCTIONS, VIEWS, COPIES)
PURE = [("{new} = " + statement, away) for statement, away in EXPRESSIONS]
CHANGING = [
    *[("{new} = " + statement, away) for statement, away in templates(VIEWS, ARITHMETIC, "{x}.exp()\n{x}.tanh()")],
    *2 * templates(CHANGES),
]


DTYPES = st.sampled_from(["float64", "float32"])
WITH_INTS = st.tuples(DTYPES, DTYPES) | st.tuples(DTYPES, DTYPES, st.just("int64"))
WITH_MASKS = WITH_INTS | st.tuples(DTYPES, DTYPES, st.just("bool"))
OF_ONE_DTYPE = DTYPES.map(lambda dtype: (dtype,) * 3)  # what is converted is copied here: its change is not refused


# Drawing a program


def spell(draw: Draw, slot: str, names: Names, slots: dict[str, str], slack: int) -> str:
    """A text for a slot, for the tensor `x`; with a slack of 1, dims and indices may be one too far."""
    if slot in ("x", "y", "z"):
        return draw(st.sampled_from([name for name in names if isinstance(names[name], torch.Tensor)]))
    if slot == "n":
        return draw(st.sampled_from(["2", "-1", "0.5", "-1.5", "3", "1"]))
    if slot == "keep":
        return str(draw(st.booleans()))
    x = names[slots["x"]]
    ndim, shape = x.ndim, list(x.shape)
    reach = max(ndim, 1) + slack
    if slot in ("d", "d2"):
        return str(draw(st.integers(-reach, reach - 1)))
    if slot == "dims":
        return str(tuple(draw(st.lists(st.integers(-reach, reach - 1), max_size=2))))
    if slot == "permutation":
        return str(tuple(draw(st.permutations(range(max(ndim - slack * draw(st.integers(0, 1)), 0))))))
    if slot == "shape":
        count = x.numel() + slack * draw(st.integers(0, 1))
        first = draw(st.sampled_from([n for n in range(1, count + 1) if count % n == 0] or [0]))
        sizes = [first, count // max(first, 1)]
        return ", ".join(map(str, draw(st.sampled_from([[count], [-1], sizes, [first, -1], [1, *sizes], sizes[::-1]]))))
    if slot == "sizes":
        grown = [draw(st.sampled_from([size, -1, *[2 + slack] * (size == 1 or slack)])) for size in shape]
        return ", ".join(map(str, draw(st.sampled_from([[], [2], [1]])) + grown)) or "()"
    if slot == "times":
        return ", ".join(map(str, draw(st.lists(st.integers(0, 2), min_size=max(ndim - slack, 1), max_size=ndim + 1))))
    if slot == "equation":
        letters = "ijkl"[:ndim]
        other = "".join(draw(st.permutations("ijkl")))[: names[slots["y"]].ndim + slack * draw(st.integers(0, 1))]
        output = "".join(draw(st.lists(st.sampled_from(sorted({*letters, *other}) or [""]), unique=True)))
        return f"{letters},{other}" + draw(st.sampled_from(["", "->" + output]))
    assert slot in ("slices", "key"), slot
    parts = []
    for size in shape[: draw(st.integers(0, ndim))] + [2] * slack * draw(st.integers(0, 1)):
        reach = max(size + slack, 1)
        places = st.integers(-reach, reach - 1)
        kinds = ["{}", "{}:", ":{}", "::2", ":", ":" if "..." in parts else "..."] + (
            ["[{}, {}]", "torch.tensor([{}])"] if slot == "key" else []
        )
        kind = draw(st.sampled_from(kinds if size + slack else [":"]))
        distinct = draw(st.lists(places, min_size=2, max_size=2)) if size > 1 else [0, 0]
        if size > 1 and "," in kind and distinct[0] % size == distinct[1] % size:
            kind = "[{}]"  # which of two values stays in one place is left open
        parts.append(kind.format(*distinct))
        parts += draw(st.sampled_from([[], [], [], ["None"]]))
    return ", ".join(parts) or "..."


def leaf(name: str, shape: tuple[int, ...], kind: str, numbers: np.random.Generator) -> str:
    """The statement that makes a leaf."""
    floating = kind.startswith("float")
    values = numbers.normal(size=shape).round(2) if floating else numbers.integers(0, 2, shape).astype(kind)
    made = f"torch.tensor({values.tolist()}, " if values.size else f"torch.zeros({shape}, "
    return f"{name} = {made}dtype=torch.{kind}{', requires_grad=True' * floating})"


@st.composite
def programs(
    draw: Draw,
    table: list[tuple[str, str]],
    ending: Callable[[Draw, Names], list[str]],
    kinds: st.SearchStrategy[tuple[str, ...]],
    slack: int = 0,
    refused: bool = False,
) -> Program:
    """A program, and an ending for its variables; statements that PyTorch refuses are in it only if they are wanted."""
    numbers = np.random.default_rng(draw(st.integers(0, 99)))
    whole = tuple(draw(st.lists(st.sampled_from([2, 3, 1, 0]), max_size=3)))
    program, names = Program(), namespace(torch)
    for name, kind in zip("abc", draw(kinds), strict=False):
        shape = tuple(draw(st.sampled_from([size, size, 1])) for size in whole[draw(st.integers(0, len(whole))) :])
        program.append(leaf(name, shape, kind, numbers))
        step(program[-1], names)
    for statement in ("d = a * 1", "e = b * 1") if table is CHANGING else ():  # leaves are not to be changed
        program.append(statement)
        step(statement, names)
    for new in "fghijklm":
        if not draw(st.integers(0, 7)):
            break
        template, apart = draw(st.sampled_from(table))
        slots = {"new": new}
        for slot in sorted(dict.fromkeys(re.findall(r"{(\w+)}", template + apart)), key=lambda slot: slot not in "xyz"):
            slots.setdefault(slot, spell(draw, slot, names, slots, slack) if slot != "new" else new)
        statement, away = template.format(**slots), apart.format(**slots)
        if not is_away_from_0(away, names):
            continue
        refusal = step(statement, names)
        if refusal and (not refused or "single memory location" in str(refusal)):
            continue
        if new in names and not is_tame(names[new]):
            del names[new]
        else:
            program.append(statement)
    assume(all(is_tame(x) for x in tensors(list(names.values()))))
    return Program([*program, *ending(draw, names)])


def is_away_from_0(expression: str, names: Names) -> bool:
    """Whether rounding cannot take one of the numbers to the other side of 0."""
    away = {**names}
    if not expression or step(f"away = {expression}", away):
        return True  # where this is refused, so is what it is for
    return bool((away["away"].detach().double().abs() > 1e-2).all())


def is_tame(x: Any) -> bool:
    """Whether it is a tensor of numbers of which sums and products make sense, in float32 too."""
    return isinstance(x, torch.Tensor) and bool((x.detach().double().abs() < 100).all())


def total(draw: Draw, names: Names) -> str:
    """A number that depends on a result or two."""
    results = [name for name, x in names.items() if isinstance(x, torch.Tensor) and x.requires_grad][::-1]
    chosen = draw(st.lists(st.sampled_from(results), min_size=1, max_size=2, unique=True))
    return " + ".join(f"({name} * weights({name})).sum()" for name in chosen)


# Running it


def namespace(library: Any) -> Names:
    """What a program finds there: the library, and random numbers in the shape and dtype of a tensor."""

    def weights(x: Any) -> Any:
        numbers = np.random.default_rng(x.numel()).uniform(0.5, 1.5, tuple(x.shape))
        return library.tensor(numbers, dtype=x.dtype)

    return {"torch": library, "weights": weights}


def step(statement: str, names: Names) -> Exception | None:
    """Run a statement; the exception that refuses it, or None."""
    with warnings.catch_warnings():
        if names["torch"] is torch:
            warnings.simplefilter("ignore")
        try:
            exec(statement, names)
        except REFUSALS as error:
            return error
    return None


def assert_alike(program: Program, read_only: bool = False) -> None:
    """Require of every statement the same refusal, and then the same values and gradients of all variables."""
    mine, reference = namespace(minigrad), namespace(torch)
    for statement in program:
        error, expected = step(statement, mine), step(statement, reference)
        if expected is None:
            assert error is None, f"PyTorch does not refuse {statement!r}: {error!r}"
        else:
            kind = next(kind for kind in REFUSALS if isinstance(expected, kind))
            assert isinstance(error, kind), f"{statement!r}: PyTorch raises {expected!r}, not {error!r}"
            if "backward" in statement:
                break  # how far the reverse pass came is left open
        for x in tensors(list(mine.values())) if read_only else ():
            x.array.flags.writeable = False
    else:
        expected = None
    pairs = [(name, mine.get(name), x) for name, x in reference.items() if isinstance(x, torch.Tensor)]
    for name, x, y in pairs:
        assert isinstance(x, minigrad.Tensor), name
        assert x.requires_grad == y.requires_grad, f"{name}.requires_grad is {x.requires_grad}"
        assert x.is_leaf == y.is_leaf, f"{name}.is_leaf is {x.is_leaf}"
    if expected is None:
        pairs += [(f"{name}.grad", x.grad, y.grad) for name, x, y in pairs if y.is_leaf or y.retains_grad]
        given = zip(mine.get("gradients", ()), reference.get("gradients", ()), strict=True)
        pairs += [(f"gradients[{i}]", *pair) for i, pair in enumerate(given)]
    assert_near(pairs)


def assert_near(pairs: list[tuple[str, Any, Any]]) -> None:
    """Require the same of each pair: shape, dtype, need of a gradient, and numbers but for rounding.

    A program's steps multiply what rounding has done before them, and its gradients are products over all steps. So
    half of the digits have to agree, as seen from the largest number around; a wrong rule gets none of them right.
    """
    floating = [y.detach() for _, _, y in pairs if y is not None and y.is_floating_point()]
    largest = max((float(y.abs().max()) for y in floating if y.numel()), default=0.0)
    assume(math.isfinite(largest))
    tolerance = math.sqrt(max((torch.finfo(y.dtype).eps for y in floating), default=0.0)) * max(largest, 1)
    for name, x, y in pairs:
        assert (x is None) == (y is None), f"{name}: PyTorch has {y}, not {x}"
        if y is not None:
            assert (x.array.shape, x.array.dtype) == (y.shape, y.detach().numpy().dtype), name
            np.testing.assert_allclose(x.array, y.detach().numpy(), rtol=0, atol=tolerance, err_msg=name)


# Endings


def two_orders(draw: Draw, names: Names) -> list[str]:
    """A backward pass, and one of the gradients that it left."""
    known = [name for name, x in names.items() if isinstance(x, torch.Tensor) and x.requires_grad]
    leaves = ", ".join(name for name in known if names[name].is_leaf)
    return [
        f"loss = {total(draw, names)}",
        "loss.backward(create_graph=True)",
        f"gradients = [x.grad for x in ({leaves},) if x.grad is not None]",
        f"for x in ({leaves},): x.grad = None",
        "second = sum((g * g * weights(g)).sum() for g in gradients)",
        f"second = second + sum((x * x).sum() for x in ({leaves},))",
        "second.backward()",
    ]


def two_passes(draw: Draw, names: Names) -> list[str]:
    """Backward passes from two results."""
    known = [name for name, x in names.items() if isinstance(x, torch.Tensor) and x.requires_grad]
    passes = [
        [f"loss{i} = {total(draw, names)}", f"loss{i}.backward(retain_graph={draw(st.booleans())})"] for i in range(2)
    ]
    order = [[0, 2, 1, 3], [0, 1, 2, 3], [0, 1, 1]]
    lines = [*passes[0], *passes[1]]
    return [f"{draw(st.sampled_from(known))}.retain_grad()", *(lines[i] for i in draw(st.sampled_from(order)))]


def one_pass(draw: Draw, names: Names) -> list[str]:
    """A backward pass."""
    return [f"loss = {total(draw, names)}", "loss.backward()"]
