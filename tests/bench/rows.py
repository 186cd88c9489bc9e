"""The rows of the benchmark: the work, who does it, and what minigrad is to reach beside whom."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from . import by_hand, others, same_words
from .data import CONTEXTS, DEEP, LARGE, NAMES, Gpt, Net, indexed
from .same_words import Step, library

Number = Callable[[Any], float]
Contender = Callable[[], tuple[Step, Number]]

OURS, HAND, TORCH, COMPILED = "minigrad", "numpy by hand", "torch eager", "torch.compile"
EAGER, JAX = "minigrad eager", "jax jitted"
RETAINED = "minigrad, freed memory retained"


class Row(NamedTuple):
    """One piece of work. A contender gives a step, and what makes a number of that step's result.

    `targets` are, for other contenders, what minigrad's measure over theirs is to reach at most, and `budget` what the
    measure itself is to reach. `counts` has how many operations a step is, where the measure is of one of them.
    """

    name: str
    work: str
    contenders: Mapping[str, Contender]
    targets: Mapping[str, float]
    threads: int = 1
    measure: str = "seconds"
    counts: Mapping[str, int] = {}
    budget: float | None = None


def _item(result: Any) -> float:
    """A single number, whatever holds it."""
    return float(result.item()) if hasattr(result, "item") else float(result)


def _squares(gradient: Any) -> float:
    """The sum of the squares of a gradient."""
    return float(np.square(np.asarray(gradient, np.float64)).sum())


def _by_modules(name: str, net: Net, compiled: bool = False) -> Contender:
    return lambda: (same_words.modules(library(name), net, compiled), _item)


def _retained(net: Net) -> Contender:
    """minigrad in a process whose C library keeps the memory of freed arrays (`minigrad.retain_freed_memory`)."""

    def make() -> tuple[Step, Number]:
        library("minigrad").torch.retain_freed_memory()
        return same_words.modules(library("minigrad"), net), _item

    return make


def _by_hand(net: Net, **settings: bool) -> Contender:
    return lambda: (by_hand.Hand(net, **settings).step, _item)


def _net(name: str, work: str, net: Net, targets: Mapping[str, float], **settings: Any) -> Row:
    contenders = {OURS: _by_modules("minigrad", net), HAND: _by_hand(net), TORCH: _by_modules("torch", net)}
    return Row(name, work, contenders | settings.pop("more", {}), targets, **settings)


def _compiled(name: str, work: str, net: Net, targets: Mapping[str, float], **settings: Any) -> Row:
    """A row of the compiled step, beside the same step as it is."""
    contenders = {
        OURS: _by_modules("minigrad", net, compiled=True),
        EAGER: _by_modules("minigrad", net),
        HAND: _by_hand(net),
        TORCH: _by_modules("torch", net),
        COMPILED: _by_modules("torch", net, compiled=True),
    }
    return Row(name, work, contenders | settings.pop("more", {}), targets, **settings)


def _thrice(make: Callable[[same_words.Library, bool], Step]) -> dict[str, Contender]:
    """The same code with minigrad, compiled and as it is, and with torch."""
    return {
        OURS: lambda: (make(library("minigrad"), True), _item),
        EAGER: lambda: (make(library("minigrad"), False), _item),
        TORCH: lambda: (make(library("torch"), False), _item),
        COMPILED: lambda: (make(library("torch"), True), _item),
    }


def _pair(make: Callable[[same_words.Library], Step], number: Number = _item) -> dict[str, Contender]:
    """The same code with minigrad and with torch."""
    return {
        OURS: lambda: (make(library("minigrad")), number),
        TORCH: lambda: (make(library("torch")), number),
    }


def _add_at() -> tuple[Step, Number]:
    data = indexed()
    return lambda: by_hand.add_at(*data), _squares


def _demo(values: str, networks: str) -> Contender:
    return lambda: (others.demo(import_module(values).Value, import_module(networks).MLP), _item)


def _import(name: str) -> Contender:
    """The seconds that an import takes in a fresh interpreter."""
    text = f"import time; start = time.perf_counter(); import {name}; print(time.perf_counter() - start)"

    def step() -> float:
        done = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
        return float(done.stdout)

    return lambda: (step, lambda seconds: 0.0)


LONG, SHORT = 1_000_000, 10_000
SHORT_CHAIN = f"minigrad, {SHORT:,}"


def _chain(name: str, length: int) -> Contender:
    return lambda: (same_words.chain(library(name), length), _item)


_CHAINS = {OURS: _chain("minigrad", LONG), SHORT_CHAIN: _chain("minigrad", SHORT), TORCH: _chain("torch", LONG)}
_COUNTS = {OURS: LONG, SHORT_CHAIN: SHORT, TORCH: LONG}

_TABLE = [
    _net(
        "names",
        "the course's step through nn and optim",
        NAMES,
        {HAND: 1.15, TORCH: 0.45},
        more={
            COMPILED: _by_modules("torch", NAMES, compiled=True),
            "jax jitted": lambda: (others.with_jax(NAMES), _item),
            "autograd": lambda: (others.with_autograd(NAMES), _item),
            "mygrad": lambda: (others.with_mygrad(NAMES), _item),
        },
    ),
    Row(
        "spelled",
        "the same with bare tensors, BatchNorm written out",
        {**_pair(lambda lib: same_words.bare(lib, NAMES)[1]), HAND: _by_hand(NAMES, spelled=True)},
        {HAND: 1.6, TORCH: 0.7},
    ),
    Row(
        "chunked",
        "the 26 variables of backprop ninja, every gradient retained",
        _pair(lambda lib: same_words.chunked(lib, NAMES._replace(hidden=(64,)))),
        {TORCH: 0.6},
    ),
    Row(
        "derived",
        "the function that derive writes for names, with the update",
        {
            OURS: lambda: (others.derived(NAMES), _item),
            HAND: _by_hand(NAMES, statistics=False),
            "jax jitted": lambda: (others.with_jax(NAMES, statistics=False), _item),
        },
        {HAND: 1.0},
    ),
    Row(
        "planned",
        "the program that compile writes for names, on arrays, with the update",
        {
            OURS: lambda: (others.planned(NAMES), _item),
            HAND: _by_hand(NAMES),
            JAX: lambda: (others.with_jax(NAMES), _item),
        },
        {HAND: 0.75},
    ),
    _compiled(
        "compiled",
        "the step of names, compiled",
        NAMES,
        {HAND: 1.0, JAX: 1.0, TORCH: 0.33},
        more={JAX: lambda: (others.with_jax(NAMES), _item)},
    ),
    _compiled("compiled-deep", "the step of deep, compiled", DEEP, {TORCH: 0.55}),
    _compiled("compiled-large", "the step of large, compiled, two threads", LARGE, {TORCH: 1.0}, threads=2),
    Row(
        "compiled-gpt",
        "a step of two blocks of attention, 64 wide, batch 16, context 32, compiled",
        _thrice(lambda lib, compiled: same_words.gpt(lib, Gpt(), compiled)),
        {TORCH: 0.85},
    ),
    Row(
        "evaluate",
        "the WaveNet-like net over 182,580 contexts at once, without gradients, compiled, two threads",
        _thrice(lambda lib, compiled: same_words.wavenet(lib, CONTEXTS, compiled)),
        {TORCH: 1.0},
        threads=2,
    ),
    _net("deep", "five hidden layers of 100, BatchNorm after each linear", DEEP, {TORCH: 0.6}),
    _net(
        "large",
        "batch 4096, two layers of 1024, two threads",
        LARGE,
        {TORCH: 1.0},
        threads=2,
        more={RETAINED: _retained(LARGE)},
    ),
    Row(
        "scalar",
        "micrograd's demo, 2-16-16-1 on 50 points",
        {OURS: _demo("minigrad", "nn.scalar"), "micrograd": _demo("micrograd.engine", "micrograd.nn")},
        {"micrograd": 0.2},
    ),
    Row(
        "index",
        "back through C[ix], 100,000 repeated indices",
        {**_pair(same_words.indexing, _squares), "np.add.at": _add_at},
        {"np.add.at": 0.5},
    ),
    Row("chain", "an operation in a chain of 1,000,000", _CHAINS, {SHORT_CHAIN: 1.3}, counts=_COUNTS),
    Row(
        "chain memory",
        "memory of an operation in that chain",
        {name: _CHAINS[name] for name in (OURS, TORCH)},
        {},
        measure="bytes",
        counts=_COUNTS,
        budget=600,
    ),
    _compiled("compiled-memory", "peak memory of compiled-large", LARGE, {EAGER: 1.0}, threads=2, measure="bytes"),
    _net("memory", "peak memory of the row large", LARGE, {TORCH: 1.0}, threads=2, measure="bytes"),
    Row(
        "import",
        "import in a fresh interpreter",
        {OURS: _import("minigrad"), "numpy": _import("numpy")},
        {"numpy": 1.15},
        measure="told",
    ),
]

# How time grows with each of the network's sizes, the others left as they are in `names`.
GROWTH = {
    "batch": {n: Net(batch=n) for n in (32, 256, 2048)},
    "width": {n: Net(hidden=(n,)) for n in (50, 200, 800)},
    "depth": {n: Net(hidden=(200,) * n) for n in (1, 3, 9)},
}


def _growing(net: Net) -> dict[str, Contender]:
    return {
        RETAINED: _retained(net),
        "minigrad, compiled": _by_modules("minigrad", net, compiled=True),
        JAX: lambda: (others.with_jax(net), _item),
    }


GROWING = [
    _net(f"{size} {n}", f"names with {size} {n}", net, {}, more=_growing(net))
    for size, nets in GROWTH.items()
    for n, net in nets.items()
]

ROWS = {row.name: row for row in _TABLE}
EVERY = ROWS | {row.name: row for row in GROWING}
