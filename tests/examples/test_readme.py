"""The README and `docs` keep their word: examples print what they say, and what they name is there."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.support import ROOT
from tests.support.lines import code_lines

PAGES = {path.relative_to(ROOT).as_posix(): path for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
README, SOURCE = TEXTS["README.md"], TEXTS["docs/source.md"]


def block(language: str, i: int = 0, page: str = "README.md") -> str:
    """The text of the i-th code block in a language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXTS[page], re.DOTALL)[i]


@pytest.mark.parametrize("i", [0, 1, 2])
def test_an_example_prints_what_the_readme_says(i: int) -> None:
    run = subprocess.run([sys.executable, "-c", block("python", i)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == block("text", i).strip()


def test_the_model_of_the_main_job_is_loaded_as_it_says(tmp_path: Path) -> None:
    options = ["--steps", "1", "--batch", "2", "--hidden", "3", "--quiet"]
    subprocess.run([sys.executable, ROOT / "examples" / "train_names.py", *options], cwd=tmp_path, check=True)
    check = "assert model(minigrad.zeros(1, 4, dtype=minigrad.int64)).shape == (1, 27)"
    program = f"{block('python', 0, 'docs/contents.md')}\n{check}"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_the_example_has_ten_lines() -> None:
    assert len([line for line in block("python").splitlines() if line]) <= 10


def test_the_commands_stand_in_blocks_of_their_own() -> None:
    assert block("sh", 0) == "pip install -e '.[examples]' && python examples/train_names.py\n"
    assert block("sh", 1) == "pip install -e '.[test]' && pytest\n"


IMPORTS = re.findall(r"^\| `((?:import|from) [^`]*)` \| `([^`]*)` \|$", TEXTS["docs/course.md"], re.MULTILINE)


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


NAMED = [(page, path) for page, text in TEXTS.items() for path in re.findall(r"`([\w/]+(?:\.py|\.txt|/))`", text)]
LINKS = [(page, link) for page, text in TEXTS.items() for link in re.findall(r"\]\(([\w/.]+)\)", text)]


@pytest.mark.parametrize(("page", "path"), NAMED)
def test_what_they_name_is_there(page: str, path: str) -> None:
    assert (ROOT / path).exists() or (ROOT / "examples" / path).exists()


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_where_they_link_to_is_there(page: str, link: str) -> None:
    assert (PAGES[page].parent / link).exists()


def test_every_page_is_linked_from_the_readme() -> None:
    assert PAGES.keys() - {"README.md"} <= {link for page, link in LINKS if page == "README.md"}


def test_the_film_moves_and_is_small() -> None:
    """If this fails: python -m tests.support.film."""
    path = ROOT / "examples" / "pictures" / "page.gif"
    with Image.open(path) as film:
        assert getattr(film, "n_frames", 1) > 10
        assert film.size[0] == 800
    assert path.stat().st_size < 500_000


def test_the_rows_of_sin_are_those_in_the_source() -> None:
    files = ("minigrad/core/ops.py", "minigrad/api/pointwise.py", "tests/support/table.py")
    for i, file in enumerate(files):
        text = (ROOT / file).read_text(encoding="utf-8")
        for line in block("py", i, "docs/source.md").splitlines():
            assert line.removesuffix('"""') in text  # where an example follows


@pytest.mark.parametrize(("path", "told"), re.findall(r"`(minigrad/core/\w+\.py)` \((\d+) lines\)", SOURCE))
def test_a_file_of_the_core_is_as_long_as_it_says(path: str, told: str) -> None:
    assert code_lines(ROOT / path) == pytest.approx(int(told), rel=0.05, abs=2)


def test_the_core_is_as_long_as_it_says_and_all_of_it_is_in_the_reading_path() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "minigrad" / "core").glob("*.py")}
    told = dict(re.findall(r"`(minigrad/core/\w+\.py)` \((\d+) lines\)", SOURCE))
    assert "1,150 lines" in README
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
