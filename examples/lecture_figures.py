"""Train the BatchNorm MLP of makemore part 3 as the lecture does, and compare its losses with the published ones.

    python examples/lecture_figures.py --names names.txt

`names.txt` is the course's own list of names, which is not part of minigrad. The weights, the minibatches and so the
losses follow from one seed: minigrad draws PyTorch's random numbers, and every figure should agree in every digit.
"""

from command_line import FAILURE, SUCCESS, BadInputError, exit_code, positive

import argparse
import random
import string
import sys
from collections.abc import Sequence
from pathlib import Path

from names import END, contexts, read_names
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import minigrad
import minigrad.nn.functional as F
from minigrad import Generator, Tensor, nn

CHARACTERS = END + string.ascii_lowercase
NAMES = 32033  # in the course's list
BLOCK, EMBEDDING, HIDDEN, BATCH = 3, 10, 200, 32
STEPS, SLOWER_FROM = 200_000, 100_000
SEED, SPLIT_SEED = 2147483647, 42

EVERY = 10_000  # steps, of which the lecture prints the minibatch's loss
MINIBATCH_LOSSES = [
    *(3.3239, 2.0322, 2.5675, 2.0125, 2.2446, 1.8897, 2.0785, 2.3681, 2.2918, 2.0238),
    *(2.3673, 2.3132, 1.6414, 1.9311, 2.2231, 2.0027, 2.0997, 2.4949, 2.0199, 2.1707),
]
TRAIN_LOSS, VALIDATION_LOSS = 2.0674, 2.1057


class LectureMLP:
    """Embedded characters, a hidden layer with BatchNorm and tanh, and an output layer, from the lecture's weights."""

    def __init__(self, generator: Generator) -> None:
        inputs = BLOCK * EMBEDDING
        self.embedding = minigrad.randn((len(CHARACTERS), EMBEDDING), generator=generator)
        self.hidden_weight = minigrad.randn((inputs, HIDDEN), generator=generator) * (5 / 3) / inputs**0.5
        self.output_weight = minigrad.randn((HIDDEN, len(CHARACTERS)), generator=generator) * 0.01
        self.output_bias = minigrad.randn(len(CHARACTERS), generator=generator) * 0
        self.gain = minigrad.ones((1, HIDDEN))
        self.shift = minigrad.zeros((1, HIDDEN))
        self.running_mean = minigrad.zeros((1, HIDDEN))
        self.running_std = minigrad.ones((1, HIDDEN))
        for parameter in self.parameters():
            parameter.requires_grad = True

    def parameters(self) -> list[Tensor]:
        """The parameters."""
        return [
            self.embedding,
            self.hidden_weight,
            self.output_weight,
            self.output_bias,
            self.gain,
            self.shift,
        ]

    def __call__(self, inputs: Tensor, training: bool = False) -> Tensor:
        """The logits of the next character. BatchNorm uses the batch in training, else the running statistics."""
        hidden = self.embedding[inputs].view(len(inputs), -1) @ self.hidden_weight
        if training:
            mean, std = hidden.mean(0, keepdim=True), hidden.std(0, keepdim=True)
            with minigrad.no_grad():
                self.running_mean = 0.999 * self.running_mean + 0.001 * mean
                self.running_std = 0.999 * self.running_std + 0.001 * std
        else:
            mean, std = self.running_mean, self.running_std
        activations = minigrad.tanh(self.gain * (hidden - mean) / std + self.shift)
        return activations @ self.output_weight + self.output_bias


def agrees(label: str, published: float, loss: float) -> bool:
    """Print a published figure beside minigrad's. Return whether all digits agree."""
    same = f"{loss:.4f}" == f"{published:.4f}"
    tqdm.write(f"{label:>15}   {published:.4f}   {loss:.4f}" + ("" if same else "   differs"))
    return same


def train(model: LectureMLP, inputs: Tensor, targets: Tensor, generator: Generator, steps: int) -> bool:
    """Train for the first `steps` steps of the lecture. Return whether all losses equal the published ones."""
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    same = True
    for step in tqdm(range(steps), unit="step", leave=False):
        batch = minigrad.randint(0, len(inputs), (BATCH,), generator=generator)
        loss = F.cross_entropy(model(inputs[batch], training=True), targets[batch])
        optimizer.zero_grad()
        loss.backward()
        if step == SLOWER_FROM:
            optimizer.param_groups[0]["lr"] = 0.01
        optimizer.step()
        if step % EVERY == 0:
            same &= agrees(f"step {step}", MINIBATCH_LOSSES[step // EVERY], loss.item())
    return same


@minigrad.no_grad()
def evaluate(model: LectureMLP, inputs: Tensor, targets: Tensor) -> float:
    """The mean loss over all of a split, with the running statistics."""
    return float(F.cross_entropy(model(inputs), targets))


def run(path: Path, steps: int) -> bool:
    """Print the table. Return whether all figures equal the published ones."""
    names = read_names(path, string.ascii_lowercase, adjustable=False)
    if len(names) != NAMES:
        raise BadInputError(f"{path}: {len(names)} names, so this is not the course's list, which has {NAMES}")
    random.Random(SPLIT_SEED).shuffle(names)
    first, second = int(0.8 * NAMES), int(0.9 * NAMES)
    inputs, targets = contexts(names[:first], CHARACTERS, BLOCK)
    val_inputs, val_targets = contexts(names[first:second], CHARACTERS, BLOCK)

    generator = Generator().manual_seed(SEED)
    model = LectureMLP(generator)
    print(f"{'loss':>15}   lecture  minigrad")
    same = train(model, inputs, targets, generator, steps)
    if steps == STEPS:
        same &= agrees("train", TRAIN_LOSS, evaluate(model, inputs, targets))
        same &= agrees("validation", VALIDATION_LOSS, evaluate(model, val_inputs, val_targets))
    return same


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the options. Exit with code 2, and a line that says why, if they make no sense."""
    parser = argparse.ArgumentParser(description="Compare minigrad's losses with those of makemore part 3.")
    parser.add_argument("--names", type=Path, metavar="FILE", required=True, help="the course's names.txt")
    parser.add_argument("--steps", type=positive, default=STEPS, help="stop after as many (default: all %(default)s)")
    options = parser.parse_args(arguments)
    if options.steps > STEPS:
        parser.error(f"argument --steps: the lecture takes {STEPS}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with command-line arguments. Return the exit code: 1 if a figure differs, 2 for bad input."""
    options = parse(arguments)

    def work() -> int:
        minigrad.retain_freed_memory()  # the losses of a whole split take arrays of many megabytes
        with threadpool_limits(limits=1):  # matrices this small are multiplied faster by one thread
            return SUCCESS if run(options.names, options.steps) else FAILURE

    return exit_code(work, "lecture_figures.py")


if __name__ == "__main__":
    sys.exit(main())
