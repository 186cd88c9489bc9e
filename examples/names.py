"""The data of the examples: a list of names, split in three, and as contexts with the characters that follow."""

from command_line import BadInputError, reason

import random
from collections.abc import Sequence
from pathlib import Path

import minigrad
from minigrad import Tensor

END = "."  # stands before the first letter of a name and after its last
NAMES = Path(__file__).parent / "data" / "names.txt"
LONGEST = 100_000_000  # bytes of a file of names


def read_names(
    path: Path, alphabet: str, *, lower: bool = False, at_least: int = 10, adjustable: bool = True
) -> list[str]:
    """The names in a UTF-8 file, one per line; `lower` puts them into lower case.

    BadInputError for a line that is not a name, and for a file of fewer than `at_least` names. If the program is
    `adjustable`, by the options --lower and --alphabet, the error says which of them helps.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInputError(f"{path}, line {line}: not UTF-8 text (byte {data[error.start]:#04x})") from None
    except OSError as error:
        raise BadInputError(reason(error)) from None
    if len(data) > LONGEST:
        raise BadInputError(f"{path}: more than {LONGEST} bytes; this is no list of names")
    if not text:
        raise BadInputError(f"{path}: the file is empty")
    if lower:
        text = text.lower()
    names = text.removesuffix("\n").replace("\r\n", "\n").removesuffix("\r").split("\n")
    for number, name in enumerate(names, start=1):
        if not name.strip():
            raise BadInputError(f"{path}, line {number}: there is nothing in it")
        if strangers := set(name) - set(alphabet):
            stranger = min(strangers)
            remedy = "; --lower makes names lower case" if stranger.lower() in alphabet else "; --alphabet can name it"
            told = f"{path}, line {number}: {stranger!r} in {name!r} is none of {alphabet!r}"
            raise BadInputError(told + remedy * adjustable)
    if len(names) < at_least:
        raise BadInputError(f"{path}: it takes at least {at_least} names, and there are {len(names)}")
    return names


def split(names: Sequence[str], seed: int) -> tuple[list[str], list[str], list[str]]:
    """The names, shuffled and split: 80% for training, 10% for validation, and 10% for tests. It needs ten or more."""
    shuffled = random.Random(seed).sample(names, len(names))
    first, second = int(0.8 * len(names)), int(0.9 * len(names))
    return shuffled[:first], shuffled[first:second], shuffled[second:]


def contexts(names: Sequence[str], characters: str, block_size: int) -> tuple[Tensor, Tensor]:
    """Contexts (n, block_size) and the next characters (n), for all characters and ends of all names."""
    index = {character: i for i, character in enumerate(characters)}
    inputs, targets = [], []
    for name in names:
        context = [0] * block_size
        for character in name + END:
            inputs.append(context)
            targets.append(index[character])
            context = [*context[1:], index[character]]
    return minigrad.tensor(inputs), minigrad.tensor(targets)
