"""Make the notebooks of the lessons from their texts, with outputs. Write a text, and never a notebook.

    python examples/lessons/make.py                               all notebooks
    python examples/lessons/make.py 2_bigrams                     one of them
    python examples/lessons/make.py --check                       solve every exercise instead, and ask its check
    python examples/lessons/make.py --assignments course/source   write assignments for nbgrader instead

An exercise consists of four cells: the question with its hints, the reader's answer (with the tag "exercise"), its
checks ("check"), and the folded solution ("solution"), whose code takes the answer's place.
"""

import argparse
import ast
import base64
import io
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

try:
    import jupytext
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from nbformat.v4 import new_code_cell
    from PIL import Image
    from traitlets.config import Config
except ModuleNotFoundError as error:
    told = f"make.py: {error}; pip install -e '.[lessons]' installs what it needs"
    raise (SystemExit if __name__ == "__main__" else ModuleNotFoundError)(told) from None

FOLDER = Path(__file__).parent
LESSONS = {path.stem: path for path in sorted(FOLDER.glob("[0-9]_*.py"))}
PATIENCE = 60  # seconds for one cell
OPEN, CORRECT = "○", "✔"  # with which a check's line begins
CODE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[\d;]*m")  # in a traceback, for a terminal
MARKS = "### BEGIN SOLUTION\n{}\n### END SOLUTION"  # nbgrader's


class Exercise(NamedTuple):
    """The cells of an exercise, and the code of its solution."""

    answer: Any
    check: Any
    solution: Any
    code: str


# Reading


def notebook_of(lesson: str) -> Any:
    """The notebook of a lesson's text, without outputs. Its cells have the same ids each time."""
    notebook = jupytext.read(LESSONS[lesson])
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    for i, cell in enumerate(notebook.cells):
        cell.id = f"{lesson}-{i:02}"
    return notebook


def exercises(notebook: Any) -> list[Exercise]:
    """The exercises of a lesson. ValueError if one is not complete."""
    tagged = [(tags[0], cell) for cell in notebook.cells if (tags := cell.metadata.get("tags"))]
    kinds = [kind for kind, _ in tagged]
    if kinds != ["exercise", "check", "solution"] * (len(kinds) // 3):
        raise ValueError(f"the tags are to be exercise, check, solution, again and again; they are {', '.join(kinds)}")
    cells = [cell for _, cell in tagged]
    found = []
    for answer, check, solution in zip(cells[::3], cells[1::3], cells[2::3], strict=True):
        blocks = CODE.findall(solution.source)
        if len(blocks) != 1:
            raise ValueError(f"a solution needs one block of Python, and has {len(blocks)}: {solution.source}")
        found.append(Exercise(answer, check, solution, blocks[0].rstrip()))
    return found


# Running


def executed(notebook: Any, folder: Path = FOLDER) -> Any:
    """The notebook with its outputs. CellExecutionError if a cell raises."""
    options = {"timeout": PATIENCE, "record_timing": False, "resources": {"metadata": {"path": folder}}}
    with tempfile.TemporaryDirectory() as sockets:
        # Two kernels could be given the same port, and a port is open to everybody on the machine. Files are not.
        manager = {"transport": "ipc", "ip": f"{sockets}/kernel"} if os.name == "posix" else {}
        NotebookClient(notebook, config=Config({"KernelManager": manager}), **options).execute()
    notebook.metadata["language_info"] = {"name": "python"}  # and not the version of this Python
    for data in [output.data for output in outputs(notebook) if "data" in output]:
        if "text/plain" in data:
            data["text/plain"] = re.sub(r" (object )?at 0x[0-9a-f]+", "", data["text/plain"])
        if "image/png" in data:
            data["image/png"] = smaller(data["image/png"])
    return notebook


def smaller(png: str) -> str:
    """A picture on white, in 256 colours, which takes a third of the room. It is in base64, as notebooks have it."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        Image.alpha_composite(white, layer).convert("RGB").quantize().save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def outputs(notebook: Any) -> Iterator[Any]:
    """The outputs of all code cells."""
    for cell in notebook.cells:
        yield from cell.get("outputs", ())


def errors(notebook: Any) -> str:
    """What a notebook's cells wrote on stderr."""
    return "".join(output.text for output in outputs(notebook) if output.get("name") == "stderr")


def lines(cell: Any) -> list[str]:
    """The lines that a cell has printed."""
    text = "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
    return text.splitlines()


def solved(lesson: str) -> dict[str, tuple[list[str], list[str]]]:
    """Run a lesson as a reader does who solves every exercise. Return what each check said before and after.

    Its keys are the checks. RuntimeError if a cell writes on stderr.
    """
    notebook = notebook_of(lesson)
    again = []
    for exercise in exercises(notebook):
        answer, check = new_code_cell(exercise.code), new_code_cell(exercise.check.source)
        place = notebook.cells.index(exercise.check) + 1
        notebook.cells[place:place] = [answer, check]
        again.append((exercise.check, check))
    executed(notebook)
    if told := errors(notebook):
        raise RuntimeError(f"{lesson} wrote on stderr: {told}")
    return {first.source: (lines(first), lines(second)) for first, second in again}


# Assignments


def assignment(lesson: str) -> Any:
    """The notebook as a source for nbgrader: the solutions within its marks, and the checks as tests of one point."""
    notebook = notebook_of(lesson)
    for i, (answer, check, solution, code) in enumerate(exercises(notebook), start=1):
        answer.source += "\n" + MARKS.format(code)
        check.source = "\n".join(f"assert {ast.unparse(call)}" for call in ast.parse(check.source).body)
        notebook.cells.remove(solution)
        for cell, name, is_test in ((answer, f"answer-{i}", False), (check, f"check-{i}", True)):
            about = {"schema_version": 3, "grade_id": f"{lesson}-{name}", "task": False}
            about |= {"grade": is_test, "locked": is_test, "solution": not is_test} | ({"points": 1} if is_test else {})
            cell.metadata["nbgrader"] = about
    return notebook


def write_assignment(lesson: str, course: Path) -> Path:
    """Write a lesson's assignment into a folder of a course, with all that it needs. Return its path."""
    folder = course / lesson
    folder.mkdir(parents=True, exist_ok=True)
    for needed in (FOLDER / "lesson.py", FOLDER.parent / "data" / "names.txt"):
        shutil.copyfile(needed, folder / needed.name)
    nbformat.write(assignment(lesson), folder / f"{lesson}.ipynb")
    return folder / f"{lesson}.ipynb"


# The program


def write(lesson: str) -> str:
    """Write a lesson's notebook, with the outputs that it has before its exercises are solved."""
    path = LESSONS[lesson].with_suffix(".ipynb")
    started = time.perf_counter()
    notebook = executed(notebook_of(lesson))
    seconds = time.perf_counter() - started
    nbformat.write(notebook, path)
    return f"{path.name}: {path.stat().st_size / 1000:.0f} kB, {seconds:.1f} seconds{errors(notebook)}"


def checked(lesson: str) -> str:
    """Solve a lesson's exercises. RuntimeError if a check is not open before or not correct after that."""
    said = solved(lesson)
    for check, verdicts in said.items():
        for sign, printed in zip((OPEN, CORRECT), verdicts, strict=True):
            if not printed or not all(line.startswith(sign) for line in printed):
                raise RuntimeError(f"{lesson}: instead of {sign} for each check,\n{check}\nprinted {printed}")
    return f"{lesson}: {len(said)} exercises are open before, and correct after their solutions"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help=f"by default all: {', '.join(LESSONS)}")
    parser.add_argument("--check", action="store_true", help="solve every exercise, and write nothing")
    parser.add_argument("--assignments", type=Path, metavar="FOLDER", help="the folder `source` of an nbgrader course")
    options = parser.parse_args()
    if unknown := {*options.lessons} - LESSONS.keys():
        parser.error(f"no lesson is called {', '.join(sorted(unknown))}; there are {', '.join(LESSONS)}")
    for lesson in options.lessons or LESSONS:
        try:
            if options.assignments:
                print(f"wrote {write_assignment(lesson, options.assignments)}")
            else:
                print(checked(lesson) if options.check else write(lesson), flush=True)
        except (CellExecutionError, RuntimeError, ValueError) as error:
            sys.exit(f"{lesson}: {COLOUR.sub('', str(error))}")


if __name__ == "__main__":
    main()
