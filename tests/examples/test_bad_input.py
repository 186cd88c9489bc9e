"""All examples treat bad input alike: one line on stderr, the right exit code, and nothing written by halves.

One table of programs and one of what can be wrong. What only one program refuses is tested with that program.
"""

import importlib
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.font_manager  # noqa: F401  (it may write a cache, which a limit on files would forbid)
import pytest

import minigrad
from tests.support import ROOT
from tests.support.runs import Outcome, contents, finish

EXAMPLES = ROOT / "examples"

# The programs, each with options for a short run
PROGRAMS = {
    "train_names": ["--steps", "30", "--batch", "4", "--block", "2", "--embedding", "2", "--hidden", "4", "--quiet"],
    "gallery": ["--steps", "3"],
    "lecture_figures": ["--steps", "1"],
    "backprop_ninja": ["--steps", "1"],
    "train_data_parallel": ["--steps", "1", "--batch", "4", "--devices", "1"],
}
POSITIVE = ["0", "-1", "1.5", "nan", "abc", ""]
RATE = ["0", "-1", "nan", "inf", "abc", ""]
SEED = ["1.5", "nan", "abc", "", str(2**64)]
NUMBERS = {
    "train_names": {"--steps": POSITIVE, "--batch": POSITIVE, "--lr": RATE, "--seed": SEED},
    "gallery": {"--steps": POSITIVE},
    "lecture_figures": {"--steps": POSITIVE},
    "backprop_ninja": {"--steps": POSITIVE, "--time-limit": RATE, "--seed": SEED},
    "train_data_parallel": {
        "--steps": POSITIVE,
        "--batch": POSITIVE,
        "--devices": POSITIVE,
        "--lr": RATE,
        "--seed": SEED,
    },
}
FOLDERS = {"train_names": ["model.npz", "loss.png", "graph.svg"], "gallery": ["expression.svg", "loss.png"]}  # of --out


Runner = Callable[..., Outcome]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of names that all programs take: as many as the course's."""
    path = tmp_path_factory.mktemp("names") / "names.txt"
    source = random.Random(0)
    path.write_text("\n".join("".join(source.choices("abeln", k=3)) for _ in range(32033)))
    return path


@pytest.fixture
def run(names: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Run a program in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def runner(name: str, *options: str) -> Outcome:
        program: Any = importlib.import_module(name)
        monkeypatch.setattr(sys, "argv", [str(EXAMPLES / f"{name}.py")])
        if name == "gallery":  # two pictures are enough
            monkeypatch.setattr(program, "GRAPHS", {"expression": program.GRAPHS["expression"]})
            monkeypatch.setattr(program, "PAGES", {})
            monkeypatch.setattr(program, "CURVES", {"loss": program.CURVES["loss"]})
        if name == "backprop_ninja" and not {"--check", "--exercise"} & {*options}:
            options = ("--walk", *options)
        try:
            code = program.main(["--names", str(names), *PROGRAMS[name], *options])
        except SystemExit as end:
            code = end.code
        return Outcome(code, *capsys.readouterr())

    return runner


def line_of(name: str, outcome: Outcome, code: int) -> str:
    """The one line that a program writes on stderr, beside argparse's usage and a progress bar, with an exit code."""
    assert outcome.code == code, outcome.errors
    text = re.sub(r"\Ausage: .*\n(?: .*\n)*", "", outcome.errors)
    (line,) = (line for line in text.splitlines() if line.strip() and "%|" not in line)
    assert line.startswith(f"{name}.py: ")
    return line


def skip_without_what_it_needs(name: str) -> None:
    """Skip the test of a program that cannot run here."""
    if name == "train_data_parallel":
        pytest.importorskip("jax")


# Options


@pytest.mark.parametrize("name", PROGRAMS)
def test_without_anything_wrong_there_is_no_complaint(name: str, run: Runner) -> None:
    skip_without_what_it_needs(name)
    outcome = run(name)
    if name == "lecture_figures":  # whose figures are those of other names
        assert outcome.code == 1
        assert "differs" in outcome.output
    else:
        assert outcome.code == 0
    assert [line for line in outcome.errors.splitlines() if line.strip() and "%|" not in line] == []


BAD_NUMBERS = [(name, option, text) for name, of in NUMBERS.items() for option, texts in of.items() for text in texts]


@pytest.mark.parametrize(("name", "option", "text"), BAD_NUMBERS)
def test_a_bad_number(name: str, option: str, text: str, run: Runner, tmp_path: Path) -> None:
    line = line_of(name, run(name, f"{option}={text}"), 2)
    assert f"argument {option}: " in line
    assert text in line
    assert "invalid" not in line
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_unknown_option(name: str, run: Runner) -> None:
    assert "--speed" in line_of(name, run(name, "--speed", "9"), 2)


# Files to read


def endless(path: Path) -> None:
    """Make a file of more bytes than there is memory for, which takes no space on the disk."""
    with path.open("wb") as file:
        file.truncate(2**42)


BAD_FILES: dict[str, Callable[[Path], Any]] = {
    "no such file": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "not UTF-8": lambda path: path.write_bytes(b"anna\nbo\n\xe4nna\n"),
    "binary": lambda path: path.write_bytes(bytes(range(256))),
    "endless": endless,
}
BAD_NAMES: dict[str, Callable[[Path], Any]] = BAD_FILES | {
    "empty": lambda path: path.write_bytes(b""),
    "only a newline": lambda path: path.write_bytes(b"\n"),
    "too few names": lambda path: path.write_bytes(b"anna\nbo\n"),
    "a blank line": lambda path: path.write_bytes(b"anna\n\nbo\n" * 9),
    "a capital letter": lambda path: path.write_bytes(b"anna\nBo\n" * 9),
}
FILES = [(name, "--names", bad) for name in PROGRAMS for bad in BAD_NAMES]
FILES += [("backprop_ninja", "--check", bad) for bad in BAD_FILES]


@pytest.mark.parametrize(("name", "option", "bad"), FILES)
def test_a_file_that_cannot_be_used(name: str, option: str, bad: str, run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "given.txt"
    BAD_NAMES[bad](path)
    outcome = run(name, option, str(path))
    assert str(path) in line_of(name, outcome, 2)
    assert outcome.output == ""
    assert [each for each in tmp_path.rglob("*") if each.is_file() and each != path] == []


@pytest.mark.parametrize("name", ["gallery", "lecture_figures", "backprop_ninja", "train_data_parallel"])
def test_no_option_is_recommended_that_the_program_does_not_have(name: str, run: Runner, tmp_path: Path) -> None:
    (tmp_path / "given.txt").write_text("anna\nBo\n" * 9)
    line = line_of(name, run(name, "--names", str(tmp_path / "given.txt")), 2)
    assert line.endswith("line 2: 'B' in 'Bo' is none of 'abcdefghijklmnopqrstuvwxyz'")


# Files to write


@pytest.mark.parametrize("place", ["file", "file/new", "file/new/newer"])
@pytest.mark.parametrize(("name", "option"), [*((name, "--out") for name in FOLDERS), ("backprop_ninja", "--exercise")])
def test_a_place_that_cannot_be_written_to(name: str, option: str, place: str, run: Runner, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    outcome = run(name, option, place)
    assert f"{option} file" in line_of(name, outcome, 2)
    assert outcome.output == ""
    assert contents(tmp_path) == {"file": b"kept"}


@pytest.mark.parametrize(("name", "file"), [(name, file) for name, files in FOLDERS.items() for file in files])
def test_a_folder_where_a_file_is_to_be_written(name: str, file: str, run: Runner, tmp_path: Path) -> None:
    (tmp_path / "results" / file).mkdir(parents=True)
    (tmp_path / "results" / file / "inside").write_text("kept")
    outcome = run(name, "--out", "results")
    assert f"results/{file}" in line_of(name, outcome, 2)
    assert outcome.output == ""
    assert contents(tmp_path) == {f"results/{file}/inside": b"kept"}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the system refuse, within a block, what makes a file longer, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_full_disk_leaves_what_was_there(name: str, run: Runner, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    for file in FOLDERS[name]:
        (tmp_path / "results" / file).write_text("kept")
    with files_of_at_most(100):
        outcome = run(name, "--out", "results")
    assert "File too large" in line_of(name, outcome, 1)
    kept = {Path(path).name: data for path, data in contents(tmp_path).items()}  # train_names.py puts them aside
    assert kept == dict.fromkeys(FOLDERS[name], b"kept")


def test_a_full_disk_leaves_no_half_of_an_exercise(run: Runner, tmp_path: Path) -> None:
    with files_of_at_most(100):
        outcome = run("backprop_ninja", "--exercise", "mine.py")
    assert line_of("backprop_ninja", outcome, 1) == "backprop_ninja.py: mine.py: File too large"
    assert contents(tmp_path) == {}


# Programs in a process of their own


def start(name: str, *options: str, **settings: Any) -> subprocess.Popen[str]:
    """Start a program as a user does."""
    return subprocess.Popen(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *options],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **settings,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_output_that_nothing_takes() -> None:
    buffered = os.environ | {"PYTHONUNBUFFERED": ""}  # so that nothing is written before the end
    with open("/dev/full", "w") as full:
        outcome = finish(start("backprop_ninja", "--hint", "probs", env=buffered, stdout=full))
    assert "No space left" in line_of("backprop_ninja", outcome, 1)


SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"]


@pytest.mark.parametrize(
    ("name", "number"), [*((name, "SIGINT") for name in PROGRAMS), *(("backprop_ninja", each) for each in SIGNALS[1:])]
)
def test_a_signal_in_the_middle(
    name: str, number: str, run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the first random numbers, which every program draws after it has read the names."""
    skip_without_what_it_needs(name)
    randint, sent = minigrad.randint, []

    def interrupted(*arguments: Any, **options: Any) -> Any:
        if not sent:
            sent.append(number)
            os.kill(os.getpid(), getattr(signal, number))
        return randint(*arguments, **options)

    monkeypatch.setattr(minigrad, "randint", interrupted)
    outcome = run(name)
    assert sent
    assert line_of(name, outcome, 130).startswith(f"{name}.py: interrupted; nothing was written")
    assert contents(tmp_path) == {}


HALF_BUILT = """
import os, signal
from command_line import exit_code
from signals import end_at_a_signal

class Slow:
    def __init__(self):
        os.kill(os.getpid(), signal.SIGINT)
        self.parts = []

    def __del__(self):
        self.parts.clear()

class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

def work():
    if {in_del}:
        Last()
    Slow()

end_at_a_signal()
raise SystemExit(exit_code(work, "slow.py"))
"""


@pytest.mark.parametrize("in_del", [False, True])
def test_a_signal_while_an_object_is_built_or_collected(in_del: bool) -> None:
    """Python cannot raise what `__del__` raises: it would print it, and an interrupt would be lost."""
    command = [sys.executable, "-c", HALF_BUILT.format(in_del=in_del)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "examples")}
    process = subprocess.Popen(command, text=True, stderr=subprocess.PIPE, env=environment)
    assert finish(process) == Outcome(130, "", "slow.py: interrupted; nothing was written\n")


def is_importing(process: subprocess.Popen[str]) -> bool:
    """Whether a process has begun to load numpy."""
    return "_multiarray_umath" in Path(f"/proc/{process.pid}/maps").read_text()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="what a process has loaded is looked up in /proc")
@pytest.mark.parametrize(("name", "number"), [*zip(PROGRAMS, SIGNALS * 2, strict=False), ("backprop_ninja", "SIGTERM")])
def test_a_signal_during_the_imports(name: str, number: str, names: Path, tmp_path: Path) -> None:
    with start(name, "--names", str(names), cwd=tmp_path, stdout=subprocess.PIPE) as process:
        while not is_importing(process):
            time.sleep(0.002)
        process.send_signal(getattr(signal, number))
        outcome = finish(process)
    assert line_of(name, outcome, 130) == f"{name}.py: interrupted; nothing was written"
    assert contents(tmp_path) == {}


def test_a_package_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "tqdm.py").write_text("raise ModuleNotFoundError(\"No module named 'tqdm'\", name='tqdm')")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    outcome = finish(start("gallery", env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE))
    assert "No module named 'tqdm'" in line_of("gallery", outcome, 1)


def test_without_graphviz_nothing_is_begun(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *arguments, **options: None)
    outcome = run("gallery")
    assert "pip install" in line_of("gallery", outcome, 2)
    assert outcome.output == ""
