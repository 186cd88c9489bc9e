"""Learn what names look like, and make new ones: the course's BatchNorm MLP, from a list of names to samples.

    python examples/train_names.py --names my_names.txt --steps 20000
    python examples/train_names.py --resume                             go on after an interrupt
    python examples/train_names.py --sample 50 --model out/model.npz    more names, without training

Reads the names, trains on 80% of them, reports the loss on those and on another 10%, and prints twenty new names. The
model, the loss curve and a picture of one step's graph are written into a folder. As makemore part 3.
"""

from command_line import FAILURE, SUCCESS, BadInputError, Interrupted, exit_code, positive, rate, reason, seed, share

import argparse
import copy
import hashlib
import itertools
import math
import string
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from names import END, NAMES, contexts, read_names, split
from outputs import Outputs, check_pictures
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import minigrad
import minigrad.nn.functional as F
from minigrad import Tensor, nn, viz
from minigrad.files import replacing

Backward = Callable[[Tensor, Tensor], Tensor]
MODEL, CURVE, GRAPH, CHECKPOINT = "model.npz", "loss.png", "graph.svg", "checkpoint.npz"
MOST_PARAMETERS = 100_000_000

# The options that decide the numbers of a run. To go on with a run, they must be the same.
SETTINGS = (
    *("alphabet", "lower", "block", "embedding", "hidden", "plain"),
    *("steps", "batch", "optimizer", "momentum", "lr", "decay", "derived", "seed"),
)


# Training


class Training:
    """A training run between two steps: the model, the optimizer, the losses so far, and the random numbers."""

    def __init__(self, model: nn.MLP, inputs: Tensor, targets: Tensor, options: argparse.Namespace) -> None:
        self.model, self.inputs, self.targets, self.options = model, inputs, targets, options
        self.losses: list[float] = []
        self.optimizer: nn.optim.Optimizer = (
            nn.optim.AdamW(model.parameters(), lr=options.lr)
            if options.optimizer == "AdamW"
            else nn.optim.SGD(model.parameters(), lr=options.lr, momentum=options.momentum)
        )
        self.backward = (
            derived_backward(model, *self.first_minibatch())
            if options.derived
            else recorded_backward(model, compiled=not options.eager)
        )

    def first_minibatch(self) -> tuple[Tensor, Tensor]:
        """The first contexts, as many as a minibatch has, and the characters that follow."""
        first = minigrad.arange(self.options.batch) % len(self.inputs)
        return self.inputs[first], self.targets[first]

    def run(self, save: Callable[[], object]) -> None:
        """Take the steps that remain, and call `save` after every so many."""
        options, done, running = self.options, len(self.losses), math.nan
        with tqdm(total=options.steps, initial=done, unit="step", disable=options.quiet) as bar:
            for i in range(done, options.steps):
                batch = minigrad.randint(0, len(self.inputs), (options.batch,))
                self.optimizer.zero_grad()
                loss = self.backward(self.inputs[batch], self.targets[batch]).item()
                if not math.isfinite(loss):
                    raise BadInputError(f"--lr {options.lr:g}: the loss is {loss} at step {i}; try a lower rate")
                self.optimizer.param_groups[0]["lr"] = learning_rate(options, i)
                self.optimizer.step()
                self.losses.append(loss)
                if (i + 1) % options.checkpoint == 0 and i + 1 < options.steps:
                    save()
                running = loss if math.isnan(running) else 0.99 * running + 0.01 * loss
                if i % 100 == 0:
                    bar.set_postfix(loss=f"{running:.3f}", refresh=False)
                bar.update()

    def state_dict(self) -> dict[str, Any]:
        """All that another process needs to go on with the same bits."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "losses": minigrad.tensor(self.losses, dtype=minigrad.float64),
            "generator": minigrad.get_rng_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was called."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.losses = state["losses"].tolist()
        minigrad.set_rng_state(state["generator"])


def learning_rate(options: argparse.Namespace, step: int) -> float:
    """The learning rate of a step: it falls along half a cosine wave from `lr` to `decay` times `lr`."""
    remaining = (1 + math.cos(math.pi * step / options.steps)) / 2
    return float(options.lr * (options.decay + (1 - options.decay) * remaining))


def recorded_backward(model: nn.MLP, compiled: bool) -> Backward:
    """A function that computes the loss of a minibatch and runs the backward pass, compiled or not: the bits agree."""

    def loss_of(inputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(model(inputs), targets)

    forward = minigrad.compile(loss_of) if compiled else loss_of

    def backward(inputs: Tensor, targets: Tensor) -> Tensor:
        loss = forward(inputs, targets)
        loss.backward()
        return loss

    return backward


def derived_backward(model: nn.MLP, inputs: Tensor, targets: Tensor) -> Backward:
    """The same on plain arrays, by a function that minigrad derives once from the loss of one minibatch."""
    loss, parameters = F.cross_entropy(model(inputs), targets), [*model.parameters()]
    derived = minigrad.derive(loss, {"model": model, "X": inputs, "Y": targets}, wrt=parameters)
    arrays = {name.removeprefix("d"): p.array for name, p in zip(derived.gradients, parameters, strict=True)}

    def backward(inputs: Tensor, targets: Tensor) -> Tensor:
        value, *gradients = derived(X=inputs, Y=targets, **arrays)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = minigrad.from_numpy(gradient)
        return minigrad.tensor(value)

    return backward


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


# The model, and names from it


def sizes(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `nn.MLP`, for options. BadInputError for a model that is too large."""
    vocabulary, widths = 1 + len(options.alphabet), [options.block * options.embedding, *options.hidden]
    count = vocabulary * options.embedding + sum(n * m for n, m in itertools.pairwise([*widths, vocabulary]))
    if count > MOST_PARAMETERS:
        raise BadInputError(
            f"--hidden, --embedding, --block: the model would have {count:,} parameters; "
            f"this program takes {MOST_PARAMETERS:,}"
        )
    return {
        "vocab_size": vocabulary,
        "block_size": options.block,
        "embedding": options.embedding,
        "hidden": options.hidden,
        "batch_norm": not options.plain,
    }


def model_state(training: Training) -> dict[str, Any]:
    """What the file of the model holds: `nn.MLP(**sizes)` makes a model that can load `model`."""
    options = training.options
    return {"characters": END + options.alphabet, "sizes": sizes(options), "model": training.model.state_dict()}


@minigrad.no_grad()
def sample(model: nn.MLP, characters: str, longest: int = 30) -> str:
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


def sample_from_file(options: argparse.Namespace) -> None:
    """Print names from a model that this program has written. BadInputError if the file holds no such model."""
    saved = loaded(options.model)
    try:
        model = nn.MLP(**saved["sizes"])
        model.load_state_dict(saved["model"])
        characters = saved["characters"]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise BadInputError(f"--model {options.model}: no model that this program wrote: {error}") from None
    minigrad.manual_seed(options.seed)
    print("\n".join(sample(model, characters) for _ in range(options.sample)))


def loaded(path: Path) -> Any:
    """What `minigrad.load` reads. BadInputError if there is no such file, or if it is damaged."""
    try:
        return minigrad.load(path)
    except OSError as error:
        raise BadInputError(reason(error)) from None
    except ValueError as error:
        raise BadInputError(str(error).removeprefix("load: ")) from None


# The job


def run(options: argparse.Namespace, checkpoint: Mapping[str, Any] | None) -> int:
    """Do the whole job, from names to names. Return the exit code: 1 if a picture could not be written."""
    outputs = Outputs(options.out, [MODEL, CURVE, GRAPH, CHECKPOINT], begun=checkpoint is not None)
    outputs.check()
    check_pictures()
    names = read_names(options.names, options.alphabet, lower=options.lower)
    about = {"settings": {name: getattr(options, name) for name in SETTINGS}, "names": digest(names)}
    if options.resume and not checkpoint and outputs[MODEL].exists():
        raise BadInputError(f"--resume: the run in {options.out} is complete; {outputs[MODEL]} is there")
    if checkpoint and checkpoint["names"] != about["names"]:
        raise BadInputError(f"--names {options.names}: {outputs[CHECKPOINT]} was made from other names")
    training, validation = prepared(names, options)
    if checkpoint:
        training.load_state_dict(checkpoint)
        print(f"going on after {len(training.losses)} of {options.steps} steps")
    elif options.resume:
        print(f"there is no {outputs[CHECKPOINT]}, so this run starts at its first step")

    def save() -> None:
        outputs.begin()
        try:
            minigrad.save({**about, **training.state_dict()}, outputs[CHECKPOINT])
        except OSError as error:
            tqdm.write(f"no checkpoint at step {len(training.losses)}: {reason(error)}", file=sys.stderr)

    try:
        training.run(save)
        report(training, validation)
        outputs.begin()
        minigrad.save(model_state(training), outputs[MODEL])
        print(f"wrote {outputs[MODEL]}")
        drawn = [
            outputs.write(CURVE, lambda path: draw_curve(training.losses, path)),
            outputs.write(GRAPH, lambda path: draw_graph(training, path)),
        ]
    except KeyboardInterrupt:
        raise Interrupted(what_is_there(outputs, len(training.losses))) from None
    if not all(drawn):
        return FAILURE
    outputs[CHECKPOINT].unlink(missing_ok=True)
    return SUCCESS


def prepared(names: Sequence[str], options: argparse.Namespace) -> tuple[Training, tuple[Tensor, Tensor]]:
    """The training before its first step, and the contexts for validation. BadInputError for sizes that do not fit."""
    longest = max(map(len, names))
    if options.block > longest:
        raise BadInputError(f"--block {options.block}: the longest name has {longest} characters; no more are needed")
    model_sizes = sizes(options)
    parts = split(names, options.seed)
    (inputs, targets), validation = (contexts(part, END + options.alphabet, options.block) for part in parts[:2])
    if options.batch > len(targets):
        raise BadInputError(f"--batch {options.batch}: there are {len(targets)} characters to train on")
    print(f"{len(names)} names: {len(parts[0])} to train ({len(targets)} characters), {len(parts[1])} to validate")

    minigrad.manual_seed(options.seed)
    model = nn.MLP(**model_sizes)
    for name, parameter in model.named_parameters():
        parameter.name = name
    print(f"{model}\n{sum(p.nelement() for p in model.parameters())} parameters")
    return Training(model, inputs, targets, options), validation


def digest(names: Sequence[str]) -> str:
    """A hash of the names."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def report(training: Training, validation: tuple[Tensor, Tensor]) -> None:
    """Print the losses, new names, and a warning if the model is worse than guessing."""
    options, model, characters = training.options, training.model, END + training.options.alphabet
    if options.derived:
        settle(model, training.inputs, options.batch)
    train_loss = evaluate(model, training.inputs, training.targets)
    print(f"train loss      {train_loss:.4f}")
    print(f"validation loss {evaluate(model, *validation):.4f}")
    print("\n".join(sample(model, characters) for _ in range(options.sample)))
    guess = math.log(len(characters))
    if not train_loss < guess:
        lower = min(options.lr / 10, 0.003 if options.optimizer == "AdamW" else 0.3)
        print(
            f"train_names.py: the training failed: guessing gives a loss of {guess:.4f}; try --lr {lower:g}",
            file=sys.stderr,
        )


def draw_curve(losses: Sequence[float], path: Path) -> None:
    """Write the loss curve."""
    figure = viz.loss_curve(losses)
    figure.axes[0].set_ylabel("loss (nats a character)")
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=150)


def draw_graph(training: Training, path: Path) -> None:
    """Write the graph of one step. A copy of the model takes it, because it changes BatchNorm's running statistics."""
    inputs, targets = training.first_minibatch()
    loss = F.cross_entropy(copy.deepcopy(training.model).train()(inputs), targets)
    loss.backward()
    viz.render(loss, path, names={"loss": loss})


def what_is_there(outputs: Outputs, steps: int) -> str:
    """What an interrupt leaves, and how to go on."""
    there = outputs.written()
    held = f"{outputs.folder} has {', '.join(there)}" if there else "nothing was written"
    return f"{held}, after {steps} steps" + ("; --resume goes on" if CHECKPOINT in there else "")


# Options


def parse(arguments: Sequence[str] | None, settings: Mapping[str, Any] = MappingProxyType({})) -> argparse.Namespace:
    """Parse the options, with `settings` in place of defaults.

    Exit with code 2, and a line that says why, if they make no sense.
    """
    parser = argparse.ArgumentParser(
        description="Learn what names look like, and make new ones.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    data = parser.add_argument_group("names")
    data.add_argument("--names", type=Path, metavar="FILE", default=NAMES, help="one name a line, UTF-8")
    data.add_argument("--alphabet", default=string.ascii_lowercase, help="the characters that names may have")
    data.add_argument("--lower", action="store_true", help="put the names into lower case first")
    data.add_argument("--out", type=Path, metavar="FOLDER", default=Path("out"), help="where to put what is written")
    model = parser.add_argument_group("model")
    model.add_argument("--block", type=positive, default=4, help="how many characters the model sees")
    model.add_argument("--embedding", type=positive, default=10, help="numbers that stand for a character")
    model.add_argument("--hidden", type=positive, nargs="+", default=[200], help="widths of the hidden layers")
    model.add_argument("--plain", action="store_true", help="without BatchNorm")
    training = parser.add_argument_group("training")
    training.add_argument("--steps", type=positive, default=30000, help="minibatches")
    training.add_argument("--batch", type=positive, default=128, help="characters in a minibatch")
    training.add_argument("--optimizer", choices=("SGD", "AdamW"), default="SGD", help="what makes steps of gradients")
    training.add_argument("--momentum", type=share, default=0.0, help="of SGD")
    training.add_argument("--lr", type=rate, default=0.3, help="learning rate at the first step")
    training.add_argument("--decay", type=rate, default=0.01, help="what the rate falls to, as a share of the first")
    how = training.add_mutually_exclusive_group()
    how.add_argument("--eager", action="store_true", help="run each operation by itself, instead of a compiled step")
    how.add_argument("--derived", action="store_true", help="run the function that minigrad.derive writes")
    training.add_argument("--seed", type=seed, default=42, help="decides the split, the first weights and the batches")
    training.add_argument("--checkpoint", type=positive, default=1000, help="steps from one checkpoint to the next")
    training.add_argument("--resume", action="store_true", help="go on with the run in --out that was interrupted")
    training.add_argument("--quiet", action="store_true", help="no progress bar")
    new = parser.add_argument_group("new names")
    new.add_argument("--sample", type=positive, default=20, help="how many new names to print")
    new.add_argument("--model", type=Path, metavar="FILE", help="print names from this model, without training")
    parser.set_defaults(**settings)
    options = parser.parse_args(arguments)
    if options.batch < 2 and not options.plain:
        parser.error("argument --batch: BatchNorm needs at least 2")
    if END in options.alphabet or not options.alphabet:
        parser.error(f"argument --alphabet: needs characters other than {END!r}, which marks the end of a name")
    if len(set(options.alphabet)) < len(options.alphabet):
        parser.error("argument --alphabet: a character is there twice")
    if options.momentum and options.optimizer != "SGD":
        parser.error("argument --momentum: goes with --optimizer SGD")
    return options


def resumed(arguments: Sequence[str] | None, path: Path) -> tuple[argparse.Namespace, Mapping[str, Any]]:
    """The options of the run that goes on, and its checkpoint. BadInputError if an option differs from the run's."""
    checkpoint = loaded(path)
    settings = checkpoint.get("settings") if isinstance(checkpoint, dict) else None
    if not isinstance(settings, dict) or {*settings} != {*SETTINGS}:
        raise BadInputError(f"{path}: no checkpoint that this program wrote")
    options = parse(arguments, settings)
    for name, value in settings.items():
        if getattr(options, name) != value:
            raise BadInputError(f"--{name}: the run of {path} has {value}; leave the option out")
    return options, checkpoint


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with command-line arguments. Return the exit code: 2 for bad input, after a line that says what is wrong."""
    first = parse(arguments)

    def work() -> int:
        options, checkpoint = first, None
        if options.model is not None:
            sample_from_file(options)
            return SUCCESS
        if options.resume and (path := options.out / CHECKPOINT).exists():
            options, checkpoint = resumed(arguments, path)
        minigrad.retain_freed_memory()  # the losses of a whole split take arrays of many megabytes
        with threadpool_limits(limits=1):  # matrices this small are multiplied faster by one thread
            return run(options, checkpoint)

    return exit_code(work, "train_names.py")


if __name__ == "__main__":
    sys.exit(main())
