"""The core stands by itself: without the rest of the package it records and runs the reverse pass, on numpy alone."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.support import ROOT

PROGRAM = """
import sys
before = {*sys.modules}
import numpy as np
from minigrad.core import graph, ops
from minigrad.core.tensor import wrap
from minigrad.core.value import Value

x, w, b = (wrap(np.array(numbers)) for numbers in ([[1.0, -2.0, 3.0]], [[0.5], [1.0], [-1.0]], [4.0]))
w.requires_grad = b.requires_grad = True
y = ops.tanh(ops.matmul(x, w) + b)
loss = ops.mean(y * y, (0, 1), False)
found = {node.seq: g for node, g, _ in graph.reverse([(loss.node, np.ones(()))])}
print(found[w.node.seq].ravel().tolist(), found[b.node.seq].tolist())
v = Value(3.0)
(v * v).backward()
print(v.grad)
print({name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__file__", None)}
      - {*sys.stdlib_module_names} - {name.partition(".")[0] for name in before})
"""


def test_the_core_works_without_the_rest_of_the_package(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "minigrad" / "core", tmp_path / "minigrad" / "core")
    (tmp_path / "minigrad" / "__init__.py").touch()
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    gradients, of_value, packages = done.stdout.splitlines()
    x, h = np.array([1.0, -2.0, 3.0]), np.tanh(4 + 0.5 - 2 - 3)
    slope = 2 * h * (1 - h * h)
    found = [float(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", gradients)]
    np.testing.assert_allclose(found, [*(slope * x), slope], rtol=1e-12)
    assert of_value == "6.0"
    assert eval(packages) == {"minigrad", "numpy"}


def test_the_core_generates_no_source() -> None:
    for path in (ROOT / "minigrad" / "core").glob("*.py"):
        assert not re.search(r"(?<![\w.])(?:exec|eval|compile)\(", path.read_text(encoding="utf-8")), path
