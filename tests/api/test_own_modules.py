"""Programs that have modules `nn` and `viz` of their own, such as micrograd's `nn.py`."""

import os
from pathlib import Path

import pytest

from tests.api.test_main import MINIGRAD, PYTHON, run

NN = """
from minigrad import Value

class Neuron:
    def __init__(self, inputs):
        self.w = [Value(0.5) for _ in range(inputs)]

    def __call__(self, x):
        return sum(w * each for w, each in zip(self.w, x)).tanh()

def loss(x):
    return x.log().sum()
"""
VIZ = "def draw_dot(root): return 'a drawing of their own'\n"

IMPORTS = {
    "theirs first": "import nn, viz\nimport minigrad.nn, minigrad.viz, minigrad.optim\n",
    "ours first": "import minigrad.nn, minigrad.viz, minigrad.optim\nimport nn, viz\n",
    "ours by attribute": "import minigrad\nminigrad.nn, minigrad.optim, minigrad.viz\nimport nn, viz\n",
    "ours with from": "from minigrad import nn, optim, viz\nimport minigrad.nn.functional, nn, viz\n",
}
USED = """
import minigrad, sys
import minigrad.nn.functional as F
from minigrad import nn as ours
from minigrad.nn.utils import clip_grad_norm_
from minigrad.optim.lr_scheduler import StepLR
from minigrad.viz.dot import drawing
assert not hasattr(nn, "Linear") and not hasattr(viz, "render") and not hasattr(ours, "Neuron")
assert {name for name in sys.modules if name.partition(".")[0] in ("nn", "viz")} == {"nn", "viz"}
model = ours.Sequential(ours.Linear(2, 3), ours.Tanh())
loss = F.mse_loss(model(minigrad.ones(4, 2)), minigrad.zeros(4, 3))
loss.backward()
minigrad.optim.SGD(model.parameters(), lr=0.1).step()
print(type(model[0]).__module__, isinstance(ours.scalar.Neuron(2), ours.scalar.Module), ours.utils.rnn.__name__)
print("Linear" in minigrad.viz.draw(loss).source, viz.draw_dot(loss), nn.Neuron(2)([1.0, 2.0]).data > 0)
"""
PRINTED = "minigrad.nn.layers True minigrad.nn.utils.rnn\nTrue a drawing of their own True\n"


@pytest.fixture(params=["files", "packages"])
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with `nn` and `viz` of a user's."""
    for name, text in {"nn": NN, "viz": VIZ}.items():
        path = tmp_path / (f"{name}.py" if request.param == "files" else f"{name}/__init__.py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("command", [PYTHON, MINIGRAD], ids=["python", "minigrad"])
@pytest.mark.parametrize("order", IMPORTS)
def test_each_has_its_own_names(order: str, command: list[str], folder: Path) -> None:
    (folder / "program.py").write_text(IMPORTS[order] + USED, encoding="utf-8")
    done = run([*command, "program.py"], folder)
    assert (done.stdout, done.stderr) == (PRINTED, "")


def test_a_program_for_pytorch_has_its_own_names_too(folder: Path) -> None:
    """The program is elsewhere, and minigrad is started from another folder."""
    program = """
import torch, torch.nn, torch.optim, micrograd.nn
import torch.nn.functional as F
import nn
print(torch.nn.Linear(2, 3), F.relu(torch.zeros(1)), torch.optim.SGD.__name__)
print(nn.Neuron(2)([1.0, 2.0]).data > 0, micrograd.nn.Neuron.__module__, nn.Neuron.__module__)
"""
    (folder / "program.py").write_text(program, encoding="utf-8")
    (folder / "elsewhere").mkdir()
    done = run([*MINIGRAD, "../program.py"], folder / "elsewhere")
    layer = "Linear(in_features=2, out_features=3, bias=True) tensor([0.]) SGD"
    assert (done.stdout, done.stderr) == (f"{layer}\nTrue minigrad.nn.scalar nn\n", "")


def test_a_pickle_is_loaded_where_the_short_name_means_something_else(folder: Path) -> None:
    save = "import nn, pickle; pickle.dump(nn.Linear(2, 3), open('layer.pickle', 'wb'))"
    load = "import nn, pickle, minigrad.nn; print(type(pickle.load(open('layer.pickle', 'rb'))) is minigrad.nn.Linear)"
    (folder / "elsewhere").mkdir()
    assert run([*PYTHON, "-c", save], folder / "elsewhere").stderr == ""
    os.replace(folder / "elsewhere" / "layer.pickle", folder / "layer.pickle")
    assert run([*PYTHON, "-c", load], folder).stdout == "True\n"


def test_an_error_names_the_line_of_the_users_nn(folder: Path) -> None:
    program = "import minigrad, nn\nwith minigrad.detect_anomaly(): nn.loss(minigrad.zeros(2))"
    assert "in loss: return x.log().sum()" in run([*PYTHON, "-c", program], folder).stderr.splitlines()[-1]


def test_an_installation_without_the_package_says_so(tmp_path: Path) -> None:
    program = "from minigrad import beside; beside.__file__ = '/nowhere/minigrad/beside.py'; import minigrad.nn"
    told = run([*PYTHON, "-c", program], tmp_path).stderr.splitlines()[-1]
    assert told.startswith("ModuleNotFoundError: minigrad.nn: there is no package 'nn' in ")
