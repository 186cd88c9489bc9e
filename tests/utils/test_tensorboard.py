"""SummaryWriter: what it writes is read back, and where tensorboardX is not installed it says so."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event

import minigrad
from minigrad.extras import remedy
from minigrad.utils.tensorboard import SummaryWriter


def events(folder: Path) -> list[Event]:
    """The events in the files of a folder: each has its length in 8 bytes, a checksum in 4, itself, and another."""
    found = []
    for path in sorted(folder.rglob("events*")):
        rest = path.read_bytes()
        while rest:
            length = int.from_bytes(rest[:8], "little")
            found.append(Event.FromString(rest[12 : 12 + length]))
            rest = rest[16 + length :]
    return found


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    w = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with SummaryWriter(log_dir=str(tmp_path)) as writer:
        writer.add_scalar("loss", w.mean(), 3)
        writer.add_scalar("loss", scalar_value=0.5, global_step=4)
        writer.add_scalars("both", {"train": w.sum(), "dev": 1.0}, 5)
        writer.add_histogram("weights", w, 6)
        writer.add_image("picture", minigrad.zeros(3, 4, 5), 7)
        writer.add_hparams({"lr": 0.1}, {"loss": w.mean()})
    values = [(value, event.step) for event in events(tmp_path) for value in event.summary.value]
    scalars = [(value.tag, value.simple_value, step) for value, step in values if value.HasField("simple_value")]
    assert {("loss", 2.5, 3), ("loss", 0.5, 4), ("both", 10.0, 5), ("both", 1.0, 5)} <= {*scalars}
    (histogram,) = [value.histo for value, step in values if value.tag == "weights" and step == 6]
    assert (histogram.min, histogram.max, histogram.num, histogram.sum) == (1, 4, 4, 10)
    (picture,) = [value.image for value, step in values if value.tag == "picture" and step == 7]
    assert (picture.height, picture.width) == (4, 5)


def test_numbers_of_other_kinds_are_left_as_they_are(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path), comment="x", flush_secs=10) as writer:
        for i, x in enumerate([1, 1.5, np.float32(2.0), minigrad.tensor([2.5])]):
            writer.add_scalar("x", x, i)
    read = [value.simple_value for event in events(tmp_path) for value in event.summary.value]
    assert read == [1.0, 1.5, 2.0, 2.5]


@pytest.mark.parametrize(
    "statement", ["import minigrad.utils.tensorboard", "from torch.utils.tensorboard import SummaryWriter"]
)
def test_without_tensorboardX_it_says_what_to_install(statement: str) -> None:
    program = f"import sys, minigrad.as_torch\nsys.modules['tensorboardX'] = None\n{statement}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    expected = f"minigrad.utils.tensorboard: SummaryWriter needs the package tensorboardX; {remedy('tensorboard')}"
    assert done.stderr.splitlines()[-1] == f"ImportError: {expected}"
