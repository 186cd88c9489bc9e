"""Names: those that are there, what an import brings, and copies of what has a name.

What an import brings is seen in a fresh interpreter alone.
"""

import copy
import inspect
import os
import pickle
import pydoc
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import minigrad
from tests.support import ROOT, stubs
from tests.support.comparison import Function, assert_same

# Names that are there


def test_every_public_name_is_one_of_pytorchs() -> None:
    own = {
        "Value",
        "array",
        "base",
        "base_of_view",
        "counts_versions",
        "node",
        "partners",
        "recorder",
        "stored_node",
        "wrap",
    }
    own |= {"cmp", "derive", "retain_freed_memory"}
    own |= {"detect_anomaly", "grad", "gradcheck", "gradgradcheck"}  # of torch.autograd
    for mine, theirs in ((minigrad, torch), (minigrad.Tensor, torch.Tensor)):
        names = [name for name in dir(mine) if name[0] != "_"]
        public = {name for name in names if not isinstance(getattr(mine, name), ModuleType)}
        assert {name for name in public if not hasattr(theirs, name)} <= own


# What an import brings


def run(program: str) -> str:
    """What a program prints in a fresh interpreter, in which warnings are errors."""
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


IMPORTED = """
import sys
import {}
packages = {{name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__file__", None)}}
print(*packages - {{*sys.stdlib_module_names}})
"""


@pytest.mark.parametrize(
    ("package", "brings"),
    [
        ("minigrad", {"minigrad", "numpy"}),
        ("minigrad.nn", {"minigrad", "numpy"}),
        ("minigrad.optim", {"minigrad", "numpy"}),
        ("nn", {"minigrad", "nn", "numpy"}),
        ("nn.functional", {"minigrad", "nn", "numpy"}),
    ],
)
def test_an_import_brings_nothing_but(package: str, brings: set[str]) -> None:
    already_there = run(IMPORTED.format("sys")).split()  # such as what finds an editable package
    assert {*run(IMPORTED.format(package)).split()} - {*already_there} == brings


LOADED = """
import __future__, copy, heapq, inspect, numpy, pathlib, sys, threading
before = {*sys.modules}
import minigrad
print(*{*sys.modules} - before)
"""

AT_ONCE = """
api api.arguments api.arithmetic api.arrangements api.choices api.comparisons api.creation api.device api.distributions
api.einsum api.extremes api.gathering api.grad_fn api.half api.inplace api.legacy api.limits api.making api.matrices
api.methods api.missing api.norms api.pieces api.pointwise api.printing api.products api.queries api.reductions
api.refusals api.return_types api.running api.sampling api.selection api.shapes api.sorting api.statistics api.storage
core core.dtypes core.graph core.kernels core.methods core.modes core.operators core.ops core.primitive core.promotion
core.record core.tensor core.value core.versions core.views
checks derive derive.derived grad_mode gradients hooks micrograd random walks
"""


def test_an_import_of_minigrad_loads_these_modules_alone() -> None:
    assert {*run(LOADED).split()} == {"minigrad", *(f"minigrad.{name}" for name in AT_ONCE.split())}


LATER = {
    "autograd": "minigrad.autograd",
    "cmp": "minigrad.debug.cmp",
    "cuda": "minigrad.cuda",
    "detect_anomaly": "minigrad.debug.anomaly",
    "gradcheck": "minigrad.debug.gradcheck",
    "gradgradcheck": "minigrad.debug.gradcheck",
    "load": "minigrad.serialization",
    "nn": "minigrad.nn",
    "optim": "minigrad.nn.optim",
    "viz": "minigrad.viz",
    "save": "minigrad.serialization",
    "utils": "minigrad.utils",
}


@pytest.mark.parametrize(("name", "module"), LATER.items())
def test_what_is_loaded_later_is_loaded_by_its_name(name: str, module: str) -> None:
    home = f"getattr({name}, '__module__', {name}.__name__)"
    asked = f"import minigrad, sys; assert {module!r} not in sys.modules; {name} = minigrad.{name}; print({home})"
    assert run(asked) == run(f"from minigrad import {name}; print({home})") == module


SECOND = {"nn": "minigrad.nn", "viz": "minigrad.viz"}
SECOND |= {"minigrad.optim": "minigrad.nn.optim", "nn.optim": "minigrad.nn.optim"}


@pytest.mark.parametrize("first", [*SECOND.keys(), *dict.fromkeys(SECOND.values())])
@pytest.mark.parametrize(("second", "name"), SECOND.items())
def test_a_second_name_is_the_same_module(first: str, second: str, name: str) -> None:
    """Also of each submodule, whichever name was imported first, and as an attribute of minigrad."""
    program = f"""
import importlib, {first}, {second}, {name}, pkgutil, minigrad
assert {second} is {name} is importlib.import_module("{second}") is importlib.import_module("{name}")
for each in pkgutil.walk_packages({name}.__path__, "{name}."):
    own = importlib.import_module(each.name)
    assert importlib.import_module("{second}" + each.name.removeprefix("{name}")) is own
    assert own.__name__ == own.__spec__.name == each.name
print({second}.__name__, {second}.__spec__.name)
"""
    assert run(program) == f"{name} {name}"


def test_the_stubs_say_what_the_package_has() -> None:
    """Where this fails, write them anew: python -m tests.support.stubs"""
    assert stubs.written() == {*stubs.stubs()}
    for path, text in stubs.stubs().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path} is out of date"


@pytest.mark.parametrize("name", ["exp", "sum", "max", "transpose", "softmax", "matmul", "masked_fill", "sin"])
def test_a_function_is_a_method_too(name: str) -> None:
    """One function, which help(), signatures and completion find under both names."""
    function = getattr(minigrad, name)
    assert getattr(minigrad.Tensor, name) is function
    assert name in dir(minigrad.ones(2))
    assert name in dir(minigrad)
    assert name in minigrad.__all__
    assert next(iter(inspect.signature(function).parameters)) == "input"
    shown = pydoc.plain(pydoc.render_doc(minigrad.Tensor))
    assert re.search(rf"{name}\([\s|]*input: ", shown)  # Python 3.13 has a line for each of many parameters


TYPED = """
import minigrad as torch
import minigrad.nn as nn
import minigrad.nn.functional as F
import minigrad.optim as optim
import numpy as np

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = x.exp().sum(0, keepdim=True).view(1, -1)[0]
y += torch.mean(x, dim=0)
loss: torch.Tensor = (x @ x + y.std()).log()
loss.backward()
print(loss.item(), x.grad, len(x), x.T.shape, torch.float64, np.asarray(x.detach()))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.softmax(self.layer(x), dim=0)


optimizer: torch.optim.Optimizer = optim.AdamW(Net().parameters(), lr=0.1)
"""


def test_a_type_checker_knows_every_method(tmp_path: Path) -> None:
    """In a program of a user's: what is right passes strictly, and a method that there is not is named."""
    count, wrong = TYPED.count("\n"), ["x.exq()", "x.sum(dimm=0)", "nn.Lineer(2, 3)", "optim.SGDD([x])"]
    lines = [str(count + i + 1) for i in range(len(wrong))]
    for name, text in {"right.py": TYPED, "wrong.py": TYPED + "\n".join(wrong)}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary", name]
        environment = os.environ | {"MYPYPATH": str(ROOT)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
        told = [line for line in done.stdout.splitlines() if line.startswith(name) and ": error:" in line]
        assert [line.split(":")[1] for line in told] == ([] if name == "right.py" else lines), done.stdout


def test_all_that_is_public_is_listed_and_comes_with_a_star() -> None:
    public = {"Tensor", "derive", "einsum", "tensor", *LATER} - {*minigrad._BESIDE}
    assert public <= {*run("import minigrad; print(*dir(minigrad))").split()}
    star = {*run("from minigrad import *; print(*globals())").split()}
    assert public <= star
    assert not {"Any", "importlib", "np", "warnings", "types", "typing"} & star
    assert not {"TYPE_CHECKING", "contextlib", "ctypes", "importlib", "typing"} & {*dir(minigrad)}


@pytest.mark.parametrize(
    "first",
    [
        "import minigrad",
        "import minigrad.derive, minigrad.api.einsum",
        "from minigrad.derive.derived import Derived",
        "from minigrad.derive.trace import Trace",
        "from minigrad.api.einsum import LETTERS",
        "from minigrad import *",
    ],
)
def test_a_function_is_itself_and_not_the_module_of_its_name(first: str) -> None:
    loss = "minigrad.tensor(2.0, requires_grad=True) * 3"
    program = f"{first}\nimport minigrad, minigrad.derive\nfrom minigrad import derive, einsum"
    told = "derive is minigrad.derive, einsum is minigrad.einsum, callable(derive), callable(einsum)"
    assert run(f"{program}\nminigrad.derive({loss})\nprint({told})") == "True True True True"


AS_TORCH = """
import minigrad, nn, sys
sys.modules |= {"torch": minigrad, "torch.nn": nn, "torch.nn.functional": nn.functional, "torch.optim": nn.optim}
"""

COURSE = {
    "import torch": "torch.ones(2, 3).sum(1), torch.nn.functional.relu(torch.tensor([-1.0, 2.0]))",
    "import torch; import torch.nn.functional as F": "F.softmax(torch.zeros(2), dim=0)",
    "import torch; import torch.nn as nn; from torch.nn import functional as F": "F.relu(nn.Linear(2, 3).weight).shape",
    "import torch; import torch.optim as optim": "optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.1).step()",
    "from torch import nn, tensor": "nn.Tanh()(tensor([0.0]))",
    "import torch; import torch.utils.data": "[*torch.utils.data.random_split(range(4), [1, 3])[0]] != []",
    "from torch.utils.data import random_split": "len(random_split(range(4), [0.5, 0.5])[0])",
    "import torch; import torch.cuda": "torch.cuda.is_available()",
}


@pytest.mark.parametrize(("imports", "expression"), COURSE.items())
def test_minigrad_stands_in_for_torch(imports: str, expression: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = f"{imports}\nprint({expression})"
    exec(program, {})
    assert run(f"{AS_TORCH}\n{program}") == capsys.readouterr().out.strip()


def test_minigrad_imported_as_torch(capsys: pytest.CaptureFixture[str]) -> None:
    program = "print(torch.nn.functional.softmax(torch.zeros(2), dim=0), torch.optim.SGD.__name__, torch.nn.Tanh())"
    exec(program, {"torch": torch})
    assert run(f"import minigrad as torch\n{program}") == capsys.readouterr().out.strip()


# Copies

NAMED = [
    "torch.float32",
    "torch.int64",
    "torch.bool",
    "torch.device('cpu')",
    "torch.Size([2, 3])",
    "torch.ones(2).dtype",
    "torch.ones(2, 3).shape",
    "torch.ones(2).device",
]
DUPLICATES = [copy.copy, copy.deepcopy, lambda original: pickle.loads(pickle.dumps(original))]


@pytest.mark.parametrize("duplicate", DUPLICATES, ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("expression", NAMED)
def test_a_copy_of_a_name_is_the_same(expression: str, duplicate: Function) -> None:
    for library in (minigrad, torch):
        original = eval(expression, {"torch": library})
        twin = duplicate(original)
        assert twin == original
        assert hash(twin) == hash(original)
        assert type(twin) is type(original)
        assert repr(twin) == repr(original)


@pytest.mark.parametrize("duplicate", DUPLICATES, ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_a_copy_of_a_dtype_is_the_dtype_itself(dtype: str, duplicate: Function) -> None:
    for library in (minigrad, torch):
        assert duplicate(getattr(library, dtype)) is getattr(library, dtype)


@pytest.mark.parametrize("duplicate", DUPLICATES[1:], ids=["deepcopy", "pickle"])
def test_a_copy_of_a_tensor_is_independent(duplicate: Function) -> None:
    def scenario(library: Any) -> Any:
        original = library.arange(6, dtype=library.float32).view(2, 3).requires_grad_()
        (original * original).sum().backward()
        twin = duplicate(original)
        with library.no_grad():
            twin += 1
        view = duplicate(original.detach()[0])
        view[0] = 9
        return original, original.grad, twin, twin.is_leaf, view, duplicate(library.tensor([True, False]))

    assert_same(scenario(minigrad), scenario(torch))


def test_a_deep_copy_keeps_what_is_shared() -> None:
    x = minigrad.ones(2, requires_grad=True)
    first, second = copy.deepcopy([x, x])
    assert first is second
    assert first is not x


@pytest.mark.parametrize("duplicate", DUPLICATES[1:], ids=["deepcopy", "pickle"])
def test_a_copy_of_a_generator_goes_on_where_it_was(duplicate: Function) -> None:
    generator = minigrad.Generator().manual_seed(2147483647)
    minigrad.randn(5, generator=generator)
    twin = duplicate(generator)
    assert minigrad.randn(20, generator=twin).tolist() == minigrad.randn(20, generator=generator).tolist()
    assert twin.initial_seed() == generator.initial_seed()
