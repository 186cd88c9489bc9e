"""The README keeps its word: its example prints what it says, and its commands are the two that are all the set-up."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.lines import code_lines

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, i: int = 0) -> str:
    """The text of the i-th code block in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)[i]


@pytest.mark.parametrize("i", [0, 1, 2])
def test_an_example_prints_what_the_readme_says(i: int) -> None:
    run = subprocess.run([sys.executable, "-c", block("python", i)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == block("text", i).strip()


def test_the_model_of_the_main_job_is_loaded_as_it_says(tmp_path: Path) -> None:
    options = ["--steps", "1", "--batch", "2", "--hidden", "3", "--quiet"]
    subprocess.run([sys.executable, ROOT / "examples" / "train_names.py", *options], cwd=tmp_path, check=True)
    check = "assert model(minigrad.zeros(1, 4, dtype=minigrad.int64)).shape == (1, 27)"
    subprocess.run([sys.executable, "-c", f"{block('python', 3)}\n{check}"], cwd=tmp_path, check=True)


def test_the_example_has_ten_lines() -> None:
    assert len([line for line in block("python").splitlines() if line]) <= 10


def test_the_commands_stand_in_blocks_of_their_own() -> None:
    assert block("sh", 0) == "pip install -e '.[examples]' && python examples/train_names.py\n"
    assert block("sh", 1) == "pip install -e '.[test]' && pytest\n"


IMPORTS = re.findall(r"^\| `((?:import|from) [^`]*)` \| `([^`]*)` \|$", README, re.MULTILINE)


def test_the_import_lines_of_the_table_bring_the_same() -> None:
    assert len(IMPORTS) == 8
    program = f"""
import minigrad.as_torch
for theirs, ours in {IMPORTS}:
    brought = [], []
    for line, things in zip((theirs, ours), brought):
        names = {{}}
        exec(line, {{"__builtins__": __builtins__}}, names)
        things += names.items()
    assert brought[0] and len(brought[0]) == len(brought[1]), (theirs, ours)
    for (name, thing), (own, mine) in zip(*brought):
        assert name == own and thing is mine, (theirs, ours)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("path", re.findall(r"`([\w/]+\.(?:py|txt))`", README) + re.findall(r"\]\(([\w/.]+)\)", README))
def test_what_it_names_is_there(path: str) -> None:
    assert (ROOT / path).exists() or (ROOT / "examples" / path).exists()


@pytest.mark.parametrize(("path", "told"), re.findall(r"`(minigrad/core/\w+\.py)` \((\d+) lines\)", README))
def test_a_file_of_the_core_is_as_long_as_it_says(path: str, told: str) -> None:
    assert code_lines(ROOT / path) == pytest.approx(int(told), rel=0.05, abs=2)


def test_the_core_is_as_long_as_it_says_and_all_of_it_is_in_the_reading_path() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "minigrad" / "core").glob("*.py")}
    told = dict(re.findall(r"`(minigrad/core/\w+\.py)` \((\d+) lines\)", README))
    assert files - {"minigrad/core/__init__.py"} == told.keys()
    assert sum(code_lines(ROOT / path) for path in files) == pytest.approx(1150, rel=0.02)


def test_no_file_of_the_packages_is_too_long_to_find_the_way_in() -> None:
    files = [path for package in ("minigrad", "nn", "viz") for path in (ROOT / package).rglob("*.py")]
    assert max(map(code_lines, files)) <= 400


def test_the_picture_of_the_rooms_is_drawn_from_the_import_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails: python examples/gallery.py, and copy rooms.svg to examples/pictures."""
    monkeypatch.syspath_prepend(ROOT / "examples")
    arrows = re.findall(r"([\w/]+) -> ([\w/]+)", importlib.import_module("gallery").rooms().source.replace('"', ""))
    picture = (ROOT / "examples" / "pictures" / "rooms.svg").read_text(encoding="utf-8")
    drawn = re.findall(r"<title>([\w/]+)&#45;&gt;([\w/]+)</title>", picture)
    assert sorted(drawn) == sorted(arrows)
    assert ("minigrad/core", "numpy") in arrows
