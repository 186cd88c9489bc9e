"""The README keeps its word: its example prints what it says, and its commands are the two that are all the set-up."""

import re
import subprocess
import sys

import pytest

from tests.support import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, i: int = 0) -> str:
    """The text of the i-th code block in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)[i]


@pytest.mark.parametrize("i", [0, 1, 2])
def test_an_example_prints_what_the_readme_says(i: int) -> None:
    run = subprocess.run([sys.executable, "-c", block("python", i)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == block("text", i).strip()


def test_the_example_has_ten_lines() -> None:
    assert len([line for line in block("python").splitlines() if line]) <= 10


def test_the_commands_stand_in_blocks_of_their_own() -> None:
    assert block("sh", 0) == "pip install -e '.[examples]' && python examples/train_names.py\n"
    assert block("sh", 1) == "pip install -e '.[test]' && pytest\n"


@pytest.mark.parametrize("path", re.findall(r"`([\w/]+\.(?:py|txt))`", README) + re.findall(r"\]\(([\w/.]+)\)", README))
def test_what_it_names_is_there(path: str) -> None:
    assert (ROOT / path).exists() or (ROOT / "examples" / path).exists() or path == "engine.py"  # micrograd's
