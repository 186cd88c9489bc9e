"""What a run writes: its files in a folder, beside those of earlier runs in folders of their own, and pictures."""

from command_line import BadInputError, check_folder, reason

import itertools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import minigrad
from minigrad import viz


class Outputs:
    """A folder for files with the names `names`, which belong together. `begun` says whether they are of this run."""

    def __init__(self, folder: Path, names: Sequence[str], begun: bool = False) -> None:
        self.folder, self.names, self.begun = folder, names, begun

    def __getitem__(self, name: str) -> Path:
        """The path of a file."""
        return self.folder / name

    def written(self) -> list[str]:
        """The files of this run that are there."""
        return [name for name in self.names if self.begun and self[name].exists()]

    def check(self) -> None:
        """Check, before the work starts, that all files can be written. BadInputError if one cannot."""
        check_folder("--out", self.folder, self.names)

    def begin(self) -> None:
        """Before this run writes its first file, move the files of an earlier run into a new folder."""
        if self.begun:
            return
        self.begun = True
        if not (old := self.written()):
            return
        earlier = next(path for n in itertools.count(1) if not (path := self.folder / f"earlier-{n}").exists())
        earlier.mkdir()
        for name in reversed(old):
            self[name].replace(earlier / name)
        print(f"the files of an earlier run are now in {earlier}")

    def write(self, name: str, draw: Callable[[Path], object]) -> bool:
        """Let `draw` write a file, and print its path, or why it could not be written. Return whether it was."""
        try:
            draw(self[name])
        except OSError as error:
            print(f"{self[name]} is missing: {reason(error)}", file=sys.stderr)
        except RuntimeError as error:
            print(f"{self[name]} is missing: {error}", file=sys.stderr)
        else:
            print(f"wrote {self[name]}")
            return True
        return False


def check_pictures() -> None:
    """Draw two small pictures, so that nothing is missing after the training. BadInputError if something is."""
    try:
        viz.draw(minigrad.ones(1, requires_grad=True).sum()).pipe("svg")
        viz.loss_curve([1.0])
    except (RuntimeError, ImportError) as error:
        raise BadInputError(f"pictures cannot be drawn: {error}") from None
