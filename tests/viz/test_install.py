"""What viz says where a package is missing: a command that installs the packages of the extra in setup.cfg."""

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT
from viz.install import INSTALL


def test_the_command_installs_the_packages_of_the_extra() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    extra = settings["options.extras_require"]["viz"].split()
    assert shlex.split(INSTALL) == ["pip", "install", *extra]


def test_nothing_recommends_a_package_of_minigrads_name_from_the_index() -> None:
    files = [*ROOT.glob("*.md"), *(path for folder in ("minigrad", "nn", "viz", "examples") for path in texts(folder))]
    for path in files:
        assert not re.search(r"pip install (?!-e)['\"]?minigrad", path.read_text(encoding="utf-8")), path


def texts(folder: str) -> list[Path]:
    """The sources, notebooks and pages in a folder."""
    return [path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".pyi", ".md", ".ipynb")]


def without(package: str, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program where a package cannot be imported."""
    program = f"import sys; sys.modules[{package!r}] = None\n{program}"
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("module", ["viz", "viz.dot", "viz.layout", "viz.graph", "viz.curves"])
def test_an_import_without_graphviz_says_what_to_install(module: str) -> None:
    done = without("graphviz", f"import {module}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"ModuleNotFoundError: viz: needs the package graphviz; use {INSTALL}"


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
    assert done.stdout.splitlines() == [f"{name} viz: plots need matplotlib; use {INSTALL}" for name in names]
