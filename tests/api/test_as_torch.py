"""`import minigrad.as_torch`: what `import torch` and `import micrograd` bring after it, in fresh interpreters."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.api.test_names import COURSE, run
from tests.support.without_torch import needs_torch

FIRST = "import minigrad.as_torch\n"
HOMES: dict[str, str] = eval(run(f"{FIRST}print(minigrad.as_torch.HOMES)"))  # here PyTorch itself is imported


def failure(program: str) -> str:
    """The last line of the traceback of a program that must fail."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(("name", "home"), HOMES.items())
def test_each_name_imports_the_very_module(name: str, home: str) -> None:
    if not home:
        assert run(f"{FIRST}import {name}; print({name}.__name__, {name}.__path__)") == "micrograd []"
        return
    before = f"import importlib; home = importlib.import_module({home!r}); names = dict(vars(home))\n"
    program = f"""{FIRST}{before}
import sys, {name}
from {name} import __name__ as told
print({name} is home is sys.modules[{name!r}], told == home.__name__ == home.__spec__.name)
print({{name for name, thing in names.items() if vars(home).get(name) is not thing}})
"""
    assert run(program).splitlines() == ["True True", "set()"]


def test_no_module_is_loaded_twice() -> None:
    program = f"""{FIRST}
import sys, {", ".join(HOMES)}
files = [module.__spec__.origin for module in {{*map(id, sys.modules.values())}} and
         {{id(module): module for module in sys.modules.values()}}.values() if getattr(module, "__spec__", None)]
own = [file for file in files if file and file.endswith(".py")]
print(len(own) - len({{*own}}))
"""
    assert run(program) == "0"


@pytest.mark.parametrize(("imports", "expression"), COURSE.items())
def test_a_program_prints_what_it_prints_with_pytorch(
    imports: str, expression: str, capsys: pytest.CaptureFixture[str]
) -> None:
    program = f"{imports}\nprint({expression})"
    exec(program, {})
    assert run(f"{FIRST}{program}") == capsys.readouterr().out.strip()


def test_micrograds_programs_run() -> None:
    program = """
from micrograd.engine import Value
from micrograd.nn import MLP, Layer, Module, Neuron
import micrograd.nn, torch.nn, nn.scalar
a = Value(-4.0)
(a * a).backward()
print(a.grad, MLP(2, [2, 1]), issubclass(MLP, Module), micrograd.nn is nn.scalar, torch.nn is nn)
"""
    told = "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]"
    assert run(FIRST + program) == f"-8.0 {told} True True True"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("torch.distributed", "remove its import, or run with PyTorch"),
        ("torch.random", "next to it there are torch.amp, torch.autograd"),
        ("torch.checks", "minigrad has no module for it"),
        ("torch.nn.quantized", "torch.nn.functional"),
        ("torch.utils.checkpoint", "torch.utils.data"),
        ("torch.utils.data.distributed", "torch.utils.data.sampler"),
        ("micrograd.extras", "micrograd.engine"),
        ("torchvision", "works on PyTorch's own tensors"),
        ("torchvision.transforms", "works on PyTorch's own tensors"),
    ],
)
def test_a_module_that_is_not_there_is_named(name: str, told: str) -> None:
    """Also where minigrad has a file of that name, which is not what PyTorch's module is."""
    message = failure(f"{FIRST}import {name}")
    assert message.startswith(f"ModuleNotFoundError: {name.partition('.')[0]}")
    assert told in message
    tried = f"{FIRST}try:\n    import {name}\nexcept ImportError as error:\n    print(error.name)"
    assert name.startswith(run(tried))


@pytest.mark.parametrize("package", ["torch", "micrograd"])
def test_the_real_one_and_minigrad_are_not_mixed(package: str) -> None:
    """Where it was imported before; a module that only has the name stands for it, which imports faster."""
    real = f"import sys, types; {package} = sys.modules[{package!r}] = types.ModuleType({package!r})\n"
    real += f"{package}.__file__ = '/there/{package}.py'\n"
    message = failure(real + FIRST)
    assert message.startswith(f"ImportError: minigrad.as_torch: {package} is imported already, from /there/{package}")
    assert "restart Python" in message
    again = (
        f"{real}import minigrad\ntry:\n    {FIRST}except ImportError:\n    print({package} is sys.modules[{package!r}])"
    )
    assert run(again) == "True"


@needs_torch
def test_the_real_torch_is_told() -> None:
    assert "torch is imported already" in failure("import torch\n" + FIRST)


def test_twice_is_harmless() -> None:
    program = """
import importlib, sys, torch, torch.utils
importlib.reload(sys.modules["minigrad.as_torch"])
import minigrad, minigrad.as_torch, torch as again
minigrad.as_torch.load_ipython_extension(None)
print(again is torch is minigrad, [type(each).__name__ for each in sys.meta_path].count("AsTorch"))
import torch.optim
print(torch.optim is minigrad.optim)
"""
    assert run(FIRST + FIRST + program).split() == ["True", "1", "True"]


def test_minigrad_that_stands_in_already_is_no_other_torch() -> None:
    assert run(f"import minigrad, sys\nsys.modules['torch'] = minigrad\n{FIRST}import torch.nn; print(torch.nn.Tanh())")


def test_it_changes_nothing_else() -> None:
    """Other modules are found as before, and minigrad alone does not do this."""
    assert run(f"{FIRST}import sys, json, numpy.linalg; print('torch' in sys.modules, numpy.linalg.__name__)") == (
        "False numpy.linalg"
    )
    assert run("import minigrad, nn, sys; print('minigrad.as_torch' in sys.modules)") == "False"
    assert find_spec("torch") is not None
