"""What an error says where an optional package is missing, and every other command that recommends a package."""

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from minigrad.extras import EXTRAS, remedy
from tests.support import ROOT

SETTINGS = configparser.ConfigParser()
SETTINGS.read(ROOT / "setup.cfg")
COMMAND = re.compile(r"pip install ((?:-e )?(?:'[^'{]+'|\"[^\"{]+\"|[\w.\[\]-]+))")  # with the first thing to install


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_command_installs_the_packages_of_the_extra(extra: str) -> None:
    command, _, named = remedy(extra).removeprefix("use ").partition(" (the extra ")
    assert shlex.split(command) == ["pip", "install", *SETTINGS["options.extras_require"][extra].split()]
    assert named == f"{extra!r})"


def test_every_command_installs_this_folder_or_packages_of_the_extras() -> None:
    """Because an index has packages of other projects with the names `minigrad`, `nn` and `viz`."""
    needed = {word for extra in SETTINGS["options.extras_require"].values() for word in extra.split()}
    folder = {".", *(f".[{extra}]" for extra in SETTINGS["options.extras_require"])}
    found = 0
    for path in pages():
        for command in COMMAND.findall(path.read_text(encoding="utf-8")):
            assert shlex.split(command)[-1] in needed | folder, f"{path}: pip install {command}"
            found += 1
    assert found >= 4


def pages() -> list[Path]:
    """The sources, notebooks and texts of the project, without the tests."""
    folders = [ROOT / name for name in ("minigrad", "nn", "viz", "examples", "tests/bench")]
    paths = [path for folder in folders for path in folder.rglob("*")]
    return [*ROOT.glob("*.md"), *(path for path in paths if path.suffix in (".py", ".pyi", ".md", ".ipynb"))]


def without(package: str, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program where a package cannot be imported."""
    program = f"import sys; sys.modules[{package!r}] = None\n{program}"
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("module", ["viz", "minigrad.viz", "viz.dot", "viz.layout", "viz.graph", "viz.curves"])
def test_an_import_without_graphviz_says_what_to_install(module: str) -> None:
    done = without("graphviz", f"import {module}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"ModuleNotFoundError: viz: needs the package graphviz; {remedy('viz')}"


PLOTS = """
import minigrad, nn, viz
assert "box" in viz.draw(minigrad.ones(2)).source
layer, x = nn.Linear(2, 2), minigrad.ones(3, 2)
model = nn.Sequential(layer, nn.Tanh())
outputs = {"0 Tanh": layer(x)}
outputs["0 Tanh"].retain_grad()
outputs["0 Tanh"].sum().backward()
plots = {
    "loss_curve": lambda: viz.loss_curve([1.0, 2.0]),
    "activations": lambda: viz.activations(model, x),
    "gradients": lambda: viz.gradients(outputs),
    "weight_gradients": lambda: viz.weight_gradients(layer),
    "update_ratios": lambda: viz.update_ratios([[-3.0], [-2.0]], ["weight"]),
    "embedding": lambda: viz.embedding(layer.weight, "ab"),
    "bigrams": lambda: viz.bigrams(layer.weight, "ab"),
}
for name, plot in plots.items():
    try:
        plot()
    except ModuleNotFoundError as error:
        print(name, error)
"""


def test_pictures_need_no_matplotlib_and_every_plot_says_what_to_install() -> None:
    done = without("matplotlib", PLOTS)
    assert done.returncode == 0, done.stderr
    names = ["loss_curve", "activations", "gradients", "weight_gradients", "update_ratios", "embedding", "bigrams"]
    assert done.stdout.splitlines() == [f"{name} viz: plots need matplotlib; {remedy('viz')}" for name in names]
