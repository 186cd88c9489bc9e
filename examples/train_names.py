"""Learn what names look like, and make new ones: the course's BatchNorm MLP, from a list of names to samples.

    python examples/train_names.py --names my_names.txt --steps 20000

Reads the names, trains on 80% of them, reports the loss on those and on another 10%, prints twenty new names, and
writes the loss curve, a picture of one step's graph and the model into a folder. As makemore part 3.
"""

from command_line import BadInputError, exit_code, positive, rate, seed

import argparse
import math
import string
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from names import END, NAMES, contexts, read_names, split
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import minigrad
import nn
import nn.functional as F
import viz
from minigrad import Tensor

Step = Callable[[Tensor, Tensor, float], Tensor]


def learning_rate(options: argparse.Namespace, step: int) -> float:
    """The learning rate of a step: it falls along half a cosine wave from `lr` to `decay` times `lr`."""
    remaining = (1 + math.cos(math.pi * step / options.steps)) / 2
    return float(options.lr * (options.decay + (1 - options.decay) * remaining))


def recorded_step(model: nn.MLP) -> Step:
    """One training step: record the loss, run the backward pass, and update the parameters."""
    optimizer = nn.optim.SGD(model.parameters(), lr=0)

    def step(inputs: Tensor, targets: Tensor, lr: float) -> Tensor:
        loss = F.cross_entropy(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
        return loss

    return step


def derived_step(model: nn.MLP, loss: Tensor, inputs: Tensor, targets: Tensor) -> Step:
    """The same step on plain arrays, with a function that minigrad derives once from the loss of one minibatch."""
    derived = minigrad.derive(loss, {"model": model, "X": inputs, "Y": targets}, wrt=model.parameters())
    arrays = {name.removeprefix("d"): p.array for name, p in zip(derived.gradients, model.parameters(), strict=True)}

    def step(inputs: Tensor, targets: Tensor, lr: float) -> Tensor:
        value, *gradients = derived(X=inputs, Y=targets, **arrays)
        for array, gradient in zip(arrays.values(), gradients, strict=True):
            array -= lr * gradient
        return minigrad.tensor(value)

    return step


def train(model: nn.MLP, inputs: Tensor, targets: Tensor, options: argparse.Namespace) -> tuple[list[float], Tensor]:
    """Train with minibatches. Return the loss of every step, and the last recorded loss, with its graph."""
    step = recorded_step(model)
    if options.derived:
        first = minigrad.tensor([i % len(inputs) for i in range(options.batch)])
        X, Y = inputs[first], targets[first]
        recorded = F.cross_entropy(model(X), Y)
        step = derived_step(model, recorded, X, Y)
    losses: list[float] = []
    running = math.nan
    with tqdm(range(options.steps), unit="step", disable=options.quiet) as bar:
        for i in bar:
            batch = minigrad.randint(0, len(inputs), (options.batch,))
            loss = step(inputs[batch], targets[batch], learning_rate(options, i))
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise BadInputError(f"--lr {options.lr:g}: the loss is {losses[-1]} at step {i}; a lower rate may help")
            running = losses[-1] if i == 0 else 0.99 * running + 0.01 * losses[-1]
            if i % 100 == 0:
                bar.set_postfix(loss=f"{running:.3f}", refresh=False)
    return losses, recorded if options.derived else loss


@minigrad.no_grad()
def settle(model: nn.MLP, inputs: Tensor, batch: int) -> None:
    """Run BatchNorm on some batches, to set its running statistics. A derived function does not update them."""
    generator = minigrad.Generator()
    for _ in range(200):
        model(inputs[minigrad.randint(0, len(inputs), (batch,), generator=generator)])


@minigrad.no_grad()
def evaluate(model: nn.MLP, inputs: Tensor, targets: Tensor) -> float:
    """The mean loss over a split, with BatchNorm in eval mode."""
    model.eval()
    total = sum(
        F.cross_entropy(model(inputs[i : i + 8192]), targets[i : i + 8192]).item() * len(targets[i : i + 8192])
        for i in range(0, len(targets), 8192)
    )
    return total / len(targets)


@minigrad.no_grad()
def sample(model: nn.MLP, characters: str, longest: int) -> str:
    """Sample a name, one character after the other, from the model's probabilities. It is cut off at `longest`."""
    model.eval()
    context, name = [0] * model.block_size, ""
    while len(name) < longest:
        probabilities = F.softmax(model(minigrad.tensor([context])), dim=1)
        i = int(minigrad.multinomial(probabilities, num_samples=1))
        if characters[i] == END:
            break
        name += characters[i]
        context = [*context[1:], i]
    return name


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the options. Exit with code 2, and a line that says why, if they make no sense."""
    parser = argparse.ArgumentParser(
        description="Learn what names look like, and make new ones.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    data = parser.add_argument_group("names")
    data.add_argument("--names", type=Path, metavar="FILE", default=NAMES, help="one name a line, UTF-8")
    data.add_argument("--alphabet", default=string.ascii_lowercase, help="the characters that names may have")
    data.add_argument("--out", type=Path, metavar="FOLDER", default=Path("out"), help="where to put what is written")
    model = parser.add_argument_group("model")
    model.add_argument("--block", type=positive, default=4, help="how many characters the model sees")
    model.add_argument("--embedding", type=positive, default=10, help="numbers that stand for a character")
    model.add_argument("--hidden", type=positive, nargs="+", default=[200], help="widths of the hidden layers")
    model.add_argument("--plain", action="store_true", help="without BatchNorm")
    training = parser.add_argument_group("training")
    training.add_argument("--steps", type=positive, default=30000, help="minibatches")
    training.add_argument("--batch", type=positive, default=128, help="characters in a minibatch")
    training.add_argument("--lr", type=rate, default=0.3, help="learning rate at the first step")
    training.add_argument("--decay", type=rate, default=0.01, help="what the rate falls to, as a share of the first")
    training.add_argument(
        "--derived", action="store_true", help="on a function that minigrad writes, instead of a graph"
    )
    training.add_argument("--seed", type=seed, default=42, help="decides the split, the first weights and the batches")
    training.add_argument("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_args(arguments)
    if options.batch < 2 and not options.plain:
        parser.error("argument --batch: BatchNorm needs at least 2")
    if END in options.alphabet or not options.alphabet:
        parser.error(f"argument --alphabet: needs characters other than {END!r}, which marks the end of a name")
    if len(set(options.alphabet)) < len(options.alphabet):
        parser.error("argument --alphabet: a character is there twice")
    return options


def run(options: argparse.Namespace) -> None:
    """Do the whole job. The files appear in the folder only when all of them are complete."""
    prepare(options.out)
    names = read_names(options.names, options.alphabet)
    characters = END + options.alphabet
    parts = split(names, options.seed)
    (inputs, targets), (val_inputs, val_targets) = (contexts(part, characters, options.block) for part in parts[:2])
    print(f"{len(names)} names: {len(parts[0])} to train ({len(targets)} characters), {len(parts[1])} to validate")

    minigrad.manual_seed(options.seed)
    model = nn.MLP(
        len(characters),
        block_size=options.block,
        embedding=options.embedding,
        hidden=options.hidden,
        batch_norm=not options.plain,
    )
    for name, parameter in model.named_parameters():
        parameter.name = name
    print(f"{model}\n{sum(p.nelement() for p in model.parameters())} parameters")

    losses, loss = train(model, inputs, targets, options)
    if options.derived:
        settle(model, inputs, options.batch)
    print(f"train loss      {evaluate(model, inputs, targets):.4f}")
    print(f"validation loss {evaluate(model, val_inputs, val_targets):.4f}")
    print("\n".join(sample(model, characters, longest=30) for _ in range(20)))

    with tempfile.TemporaryDirectory(dir=options.out, prefix=".unfinished-") as folder:
        unfinished = Path(folder)
        curve = viz.loss_curve(losses)
        curve.axes[0].set_ylabel("loss (nats a character)")
        curve.savefig(unfinished / "loss.png", dpi=150)
        viz.render(loss, unfinished / "graph.svg", names={"loss": loss})
        minigrad.save(model.state_dict(), unfinished / "model.npz")
        for path in sorted(unfinished.iterdir()):
            path.replace(options.out / path.name)
            print(f"wrote {options.out / path.name}")


def prepare(folder: Path) -> None:
    """Check, before the work starts, that files can be written into `folder`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise BadInputError(f"--out {folder}: {error.strerror or error}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with command-line arguments. Return the exit code: 2 for bad input, after a line that says what is wrong."""
    options = parse(arguments)

    def work() -> None:
        minigrad.retain_freed_memory()  # the losses of a whole split take arrays of many megabytes
        with threadpool_limits(limits=1):  # matrices this small are multiplied faster by one thread
            run(options)

    return exit_code(work, "train_names.py")


if __name__ == "__main__":
    sys.exit(main())
