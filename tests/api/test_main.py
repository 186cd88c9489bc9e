"""`python -m minigrad program.py`: the program runs as Python runs it, and with minigrad in PyTorch's place."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

PYTHON, MINIGRAD = [sys.executable], [sys.executable, "-m", "minigrad"]

HERE = """
'''What it is for.'''
from __future__ import annotations
import os, sys
names = {name: thing for name, thing in sorted(vars().items()) if name != "__loader__"}
print({name: thing for name, thing in names.items() if isinstance(thing, str | dict | None)}, sys.argv)
print(__name__, __doc__, sys.path[0], sys.modules["__main__"].__dict__ is globals(), annotations.compiler_flag)
x: undefined = 3
print(__annotations__, __builtins__.len([1]), __debug__)
"""

# Programs, and what each is about. Plain Python and minigrad have to print the same, and to end in the same way.
PROGRAMS = {
    "names": HERE,
    "arguments": "import sys\nprint(sys.argv[1:], sys.stdin.read())",
    "an argument parser": "import argparse\np = argparse.ArgumentParser()\np.parse_args()",
    "a module beside": "import beside\nprint(beside.__file__)",
    "pickles": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A, A.__module__)",
    "exit": "import sys\nsys.exit(3)",
    "exit with a text": "import sys\nsys.exit('no more')",
    "exit without a status": "import sys\nprint(1)\nsys.exit()",
    "exit in a hook": "import sys\nsys.excepthook = lambda *_: sys.exit(7)\n1 / 0",
    "an exception": "def f(x):\n    return 1 / x\n\n\nprint('before')\nf(0)",
    "a chain": "def f():\n    try:\n        {}[1]\n    except KeyError as e:\n        raise ValueError from e\n\n\nf()",
    "a context": "try:\n    {}[1]\nexcept KeyError:\n    int('x')",
    "a group": "raise ExceptionGroup('both', [ValueError(1), TypeError(2)])",
    "recursion": "def f():\n    f()\n\n\nf()",
    "an exception in a module": "import faulty",
    "a syntax error": "print(1)\nx = = 2",
    "a syntax error in a module": "import wrong",
    "latin-1": "# coding: latin-1\nprint(ascii('é'))",
    "an interrupt": "raise KeyboardInterrupt",
    "a signal": "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(20)",
    "at exit": "import atexit\nx = [1]\natexit.register(lambda: print('end', x, __name__))\nprint('middle')\n1 / 0",
    "a hook": "import sys\nsys.excepthook = lambda kind, error, tb: print(kind, tb.tb_frame.f_code.co_name)\n1 / 0",
    "threads": """
import threading, time, sys
def work():
    time.sleep(0.1)
    print("done", x, sys.modules["__main__"].x)
x = 5
threading.Thread(target=work).start()
raise ValueError
""",
    "a thread that fails": "import threading\nthreading.Thread(target=lambda: 1 / 0, name='T').start()",
    "processes": """
import multiprocessing
def square(x): return x * x
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool: print(pool.map(square, [1, 2, 3]))
""",
    "standard error": "import sys\nprint('one')\nprint('two', file=sys.stderr)",
    "inspection": "import inspect\ndef f(): return 1\nprint(inspect.getsource(f), inspect.stack()[0].filename)",
    "warnings": "import warnings\nwarnings.warn('careful')\nwarnings.warn('old', DeprecationWarning)",
    "a generator left": "def f():\n    try:\n        yield\n    finally:\n        print('closed')\nx = f()\nnext(x)",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with modules for the programs."""
    (tmp_path / "sub").mkdir()
    texts = {
        "beside": "",
        "faulty": "def f():\n    1 / 0\n\n\nf()\n",
        "wrong": "x = = 1\n",
        "__init__": "print('init')",
    }
    for name, text in texts.items():
        (tmp_path / "sub" / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


def run(command: list[str], folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command, and return what it printed and how it ended."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, input=text, timeout=60)


def told(done: subprocess.CompletedProcess[str]) -> str:
    """The errors that a command printed, without who says that a file is not there, and how deep a recursion went."""
    text = done.stderr.replace(f"{PYTHON[0]}: can't", "python -m minigrad: can't")
    return re.sub(r"repeated \d+ more times", "repeated", text)


def assert_alike(arguments: list[str], folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Require the same output, errors and end of plain Python and of minigrad; return what minigrad did."""
    theirs, ours = run([*PYTHON, *arguments], folder, text), run([*MINIGRAD, *arguments], folder, text)
    assert ours.stdout == theirs.stdout
    assert told(ours) == told(theirs)
    assert ours.returncode == theirs.returncode
    return ours


@pytest.mark.parametrize("about", PROGRAMS)
def test_a_program_runs_as_python_runs_it(about: str, folder: Path) -> None:
    path = folder / "sub" / "program.py"
    path.write_bytes(PROGRAMS[about].encode("latin-1" if "latin" in about else "utf-8"))
    assert_alike(
        [str(path.relative_to(folder)), "-x", "--help", "-m", "a b"][: 5 if "arg" in about else 1], folder, "in"
    )


@pytest.mark.parametrize(
    "about", ["names", "exit", "an exception", "a chain", "an interrupt", "a syntax error", "pickles"]
)
def test_code_and_the_standard_input_too(about: str, folder: Path) -> None:
    assert_alike(["-c", PROGRAMS[about], "a", "-c"], folder)
    assert_alike(["-", "b"], folder, PROGRAMS[about])


def test_an_interrupt_ends_it_by_the_signal(folder: Path) -> None:
    assert run([*MINIGRAD, "-c", PROGRAMS["an interrupt"]], folder).returncode == -signal.SIGINT


@pytest.mark.parametrize("module", ["sub.program", "sub", "sub.beside"])
def test_a_module_runs_as_python_runs_it(module: str, folder: Path) -> None:
    told = "print(__name__, __spec__.name, __package__, __file__, sys.argv, sys.path[0], sys.modules['__main__'].x)"
    for name in ("program", "__main__"):
        path = folder / "sub" / f"{name}.py"
        path.write_text(f"import sys\nfrom . import beside\nx = 3\n{told}\nsys.exit(4)", encoding="utf-8")
    assert_alike(["-m", module, "-x", "--help"], folder)


def test_a_traceback_of_a_module_shows_its_own_frames(folder: Path) -> None:
    done = run([*MINIGRAD, "-m", "sub.faulty"], folder)
    assert done.returncode == 1
    assert [line.split(", ")[1:] for line in done.stderr.splitlines() if "File" in line] == [
        ["line 5", "in <module>"],
        ["line 2", "in f"],
    ]


@pytest.mark.parametrize("path", ["missing.py", "sub/missing.py"])
def test_a_program_that_is_not_there(path: str, folder: Path) -> None:
    assert assert_alike([path], folder).returncode == 2


@pytest.mark.parametrize("name", ["missing", "missing.part", "sub.missing"])
def test_a_module_that_is_not_there(name: str, folder: Path) -> None:
    done = run([*MINIGRAD, "-m", name], folder)
    assert done.returncode == 1
    assert done.stderr.startswith("python -m minigrad: ")
    assert done.stderr.removeprefix("python -m minigrad: ") == run([*PYTHON, "-m", name], folder).stderr.removeprefix(
        f"{PYTHON[0]}: "
    )


@pytest.mark.parametrize("arguments", [[], ["-x"], ["-m"], ["-c"]])
def test_a_command_that_is_none(arguments: list[str], folder: Path) -> None:
    done = run([*MINIGRAD, *arguments], folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("python -m minigrad: expected a program, got ")


def test_help(folder: Path) -> None:
    for option in ("-h", "--help"):
        done = run([*MINIGRAD, option], folder)
        assert done.returncode == 0
        assert "usage: python -m minigrad program.py [arguments]" in done.stdout


def test_torch_is_minigrad_in_all_ways_to_run(folder: Path) -> None:
    text = "import sys, torch, torch.nn as nn\nprint(torch.__name__, nn.Tanh.__module__)"
    (folder / "program.py").write_text(text, encoding="utf-8")
    for arguments in (["program.py"], ["-m", "program"], ["-c", text], ["-"]):
        assert run([*MINIGRAD, *arguments], folder, text).stdout == "minigrad minigrad.nn.activations\n"


def test_minigrad_is_found_where_only_the_current_folder_has_it(folder: Path) -> None:
    """As in a clone that is not installed; `-m` looks in the current folder first, and the program's replaces it."""
    (folder / "program.py").write_text("import torch.nn as nn\nprint(nn.__name__)", encoding="utf-8")
    arguments = [*MINIGRAD[1:], str(folder / "program.py")]
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("minigrad.nn\n", "")
