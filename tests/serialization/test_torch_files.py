"""PyTorch's format: each library reads what the other writes, and a training run moves between them."""

import collections
import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings

import minigrad
import nn
from tests.serialization.contents import DTYPES, assert_same_content, contents, written, written_by_torch
from tests.support.comparison import assert_near, normal, ours, theirs

LIBRARIES: dict[str, Any] = {"minigrad": minigrad, "torch": torch}
OPTIM = {minigrad: nn.optim, torch: torch.optim}


@given(content=contents)
@settings(max_examples=80, deadline=None)
def test_pytorch_reads_what_is_saved(content: Any) -> None:
    assert_same_content(torch.load(written(content), weights_only=True), content)


def test_pytorch_shares_what_is_shared() -> None:
    x = minigrad.ones(2, 2)
    loaded = torch.load(written({"x": x, "again": x, "detached": x.detach()}), weights_only=True)
    assert loaded["x"] is loaded["again"]
    loaded["x"][0, 0] = 5
    assert loaded["detached"][0, 0] == 5


THEIRS: dict[str, Callable[[], Any]] = {
    **{name: lambda name=name: torch.arange(6).to(getattr(torch, name)) for name in DTYPES},
    **{f"{name} itself": lambda name=name: getattr(torch, name) for name in DTYPES},
    "transposed": lambda: torch.arange(6.0).view(2, 3).t(),
    "expanded": lambda: torch.arange(3.0).expand(4, 3),
    "every second": lambda: torch.arange(6.0)[1::2],
    "a number": lambda: torch.tensor(3.5),
    "empty": lambda: torch.zeros(0, 3),
    "empty part": lambda: torch.ones(3)[3:],
    "extremes": lambda: torch.tensor([float("nan"), float("inf"), -0.0, 1e-45]),
    "leaf": lambda: torch.ones(2, requires_grad=True),
    "parameter": lambda: torch.nn.Parameter(torch.ones(2)),
    "frozen parameter": lambda: torch.nn.Parameter(torch.ones(2), requires_grad=False),
    "parameter that is no leaf's constant": lambda: (torch.ones(2, requires_grad=True) * 2).detach(),
    "state dict with metadata": lambda: torch.nn.BatchNorm1d(3).state_dict(),
    "parameters by name": lambda: dict(torch.nn.Linear(2, 3).named_parameters()),
    "ordered dict": lambda: collections.OrderedDict(b=1, a=torch.ones(1)),
    "size": lambda: [torch.Size([2, 3]), torch.Size([])],
    "numbers": lambda: [0, -1, 255, 256, 65536, 2**31, -(2**63), 10**50, 1.5, -0.0, float("inf"), None, True, False],
    "texts": lambda: ["", "a", "größe\0", "\ud800", "x" * 300, "x" * 70000],
    "nested": lambda: {(1, ("a", None)): [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [[]], {}, {"a": {1.5: [0]}}]},
    "many": lambda: {i: [torch.tensor(i), i] for i in range(300)},
}


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("make", THEIRS.values(), ids=THEIRS)
def test_what_pytorch_saves_is_loaded(make: Callable[[], Any], protocol: int) -> None:
    content = make()
    assert_same_content(minigrad.load(written_by_torch(content, pickle_protocol=protocol)), content)


def test_views_that_share_memory_share_it_again() -> None:
    whole = torch.arange(6.0).view(2, 3)
    loaded = minigrad.load(written_by_torch([whole, whole, whole[1], whole.t(), whole[:, 1:]]))
    assert loaded[0] is loaded[1]
    loaded[0].array[1, 2] = 50
    whole[1, 2] = 50
    assert [x.tolist() for x in loaded] == [x.tolist() for x in (whole, whole, whole[1], whole.t(), whole[:, 1:])]


def test_a_change_of_memory_that_is_shared_is_noticed() -> None:
    whole = torch.arange(6.0)
    one, part = minigrad.load(written_by_torch([whole, whole[2:4]]))
    result = (part.requires_grad_() ** 2).sum()
    one.zero_()
    with pytest.raises(RuntimeError, match="changed"):
        result.backward()


def test_the_other_byte_order_is_read() -> None:
    """As a big-endian machine writes it: the same file, but for the order of bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(written_by_torch(torch.arange(3.0))) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            data = {"byteorder": b"big", "0": np.arange(3, dtype=">f4").tobytes()}.get(name.split("/")[-1])
            new.writestr(name, old.read(name) if data is None else data)
    assert minigrad.load(file).tolist() == [0, 1, 2]
    file.seek(0)
    assert torch.load(file, weights_only=True).tolist() == [0, 1, 2]


# A training run


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1, "momentum": 0.9},
    "Adam": {"lr": 0.1, "amsgrad": True},
    "AdamW": {"lr": 0.1},
    "NAdam": {"lr": 0.1},
    "Adamax": {"lr": 0.1},
    "RMSprop": {"lr": 0.1, "momentum": 0.9, "centered": True},
    "Adagrad": {"lr": 0.1},
    "Adadelta": {"lr": 0.1},
}
MAKE = {minigrad: ours, torch: theirs}
BATCHES = [normal(8, 3) for _ in range(8)]


def run_of(library: Any, name: str) -> tuple[Any, Any]:
    model = library.nn.Sequential(
        library.nn.Linear(3, 4, bias=False), library.nn.BatchNorm1d(4), library.nn.Linear(4, 1)
    ).double()
    return model, getattr(OPTIM[library], name)(model.parameters(), **OPTIMIZERS[name])


def train(library: Any, model: Any, optimizer: Any, batches: list[np.ndarray]) -> None:
    for batch in batches:
        optimizer.zero_grad()
        (model(MAKE[library](batch)) ** 2).mean().backward()
        optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(("first", "second"), [("minigrad", "torch"), ("torch", "minigrad")])
def test_a_training_run_moves_to_the_other_library(first: str, second: str, name: str) -> None:
    source, target = LIBRARIES[first], LIBRARIES[second]
    model, optimizer = run_of(source, name)
    train(source, model, optimizer, BATCHES[:4])
    checkpoint = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": 4, "losses": [0.5, 1.5]}
    file = written(checkpoint) if source is minigrad else written_by_torch(checkpoint)
    loaded = torch.load(file, weights_only=True) if target is torch else minigrad.load(file)
    other, other_optimizer = run_of(target, name)
    other.load_state_dict(loaded["model"])
    other_optimizer.load_state_dict(loaded["optimizer"])
    assert (loaded["step"], loaded["losses"]) == (4, [0.5, 1.5])
    train(source, model, optimizer, BATCHES[4:])
    train(target, other, other_optimizer, BATCHES[4:])
    for mine, reference in zip(other.state_dict().values(), model.state_dict().values(), strict=True):
        assert_near(mine, reference, 1e-9)


# What is refused


class Odd:
    """An object of a class of its own."""


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "object": (Odd, "Odd', which is no tensor, number, text or container; save a state_dict"),
    "module": (lambda: torch.nn.Linear(1, 1), r"torch.nn.modules.linear.Linear', which is no tensor.*; save a state"),
    "set": (lambda: {1}, "(set', which is no tensor|EMPTY_SET, which plain data does not need)"),
    "bytes": (lambda: b"abc", "(_codecs.encode', which is no tensor|BYTES, which plain data does not need)"),
    "complex": (lambda: 1j, "complex', which is no tensor"),
    "array": (lambda: np.ones(2), "_reconstruct', which is no tensor"),
    "function": (lambda: print, "print', which is no tensor"),
    "bfloat16": (lambda: torch.ones(2).bfloat16(), r"BFloat16Storage' are not supported; .*\.float\(\)"),
    "complex tensor": (lambda: torch.ones(2, dtype=torch.complex64), "ComplexFloatStorage' are not supported"),
    "uint16": (lambda: torch.ones(2, dtype=torch.uint16), "_rebuild_tensor_v3', which is no tensor"),
    "sparse": (lambda: torch.eye(2).to_sparse(), "_rebuild_sparse_tensor', which is no tensor"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_plain_data_is_refused(make: Callable[[], Any], message: str) -> None:
    for protocol in (2, 4):
        with pytest.raises(ValueError, match=f"load: the open file: .*{message}"):
            minigrad.load(written_by_torch({"x": make()}, pickle_protocol=protocol))


@pytest.mark.filterwarnings("ignore")
def test_old_files_torchscript_and_storages_are_refused() -> None:
    with pytest.raises(ValueError, match=r"PyTorch before 1\.6 wrote it; save it again with a newer PyTorch"):
        minigrad.load(written_by_torch(torch.ones(2), _use_new_zipfile_serialization=False))
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), file)
    with pytest.raises(ValueError, match=r"compressed or encrypted.*; save a state_dict\(\)"):
        minigrad.load(file)
    with pytest.raises(ValueError, match="by itself, which is no tensor"):
        minigrad.load(written_by_torch([torch.FloatStorage([1.0])]))
