"""Train the names network with every batch shared out over several devices, beside the same training on one.

    python examples/train_data_parallel.py --devices 8

Each device has the whole model, and computes its part of a batch. JAX adds up what the devices have computed: the loss,
the gradients and BatchNorm's statistics are those of the whole batch. So the losses are those of one device, but for
rounding. Without GPUs, the devices are virtual ones of this processor: the program is the same, and no faster.
"""

from command_line import SUCCESS, BadInputError, exit_code, positive, rate, seed

import argparse
import string
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from names import END, NAMES, contexts, read_names, split
from threadpoolctl import threadpool_limits

import minigrad
import minigrad.nn.functional as F
from minigrad import Tensor, nn
from minigrad.extras import remedy

CHARACTERS = END + string.ascii_lowercase
BLOCK, EMBEDDING, HIDDEN = 3, 10, 200


class Training:
    """A model, the optimizer, and the function that computes the loss, compiled with `settings`."""

    def __init__(self, seed: int, lr: float, **settings: Any) -> None:
        minigrad.manual_seed(seed)
        self.model = nn.MLP(len(CHARACTERS), block_size=BLOCK, embedding=EMBEDDING, hidden=HIDDEN)
        self.optimizer = nn.optim.SGD(self.model.parameters(), lr=lr)
        self.loss_of = minigrad.compile(lambda X, Y: F.cross_entropy(self.model(X), Y), **settings)

    def step(self, inputs: Tensor, targets: Tensor) -> float:
        """Take one step, and return the loss before it."""
        loss: Tensor = self.loss_of(inputs, targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def batch_sharding(count: int) -> Any:
    """The sharding of the first dim over so many devices. BadInputError if there are fewer, or no JAX."""
    try:
        import jax
    except ImportError:
        raise BadInputError(f"the package jax is missing; {remedy('jax')}") from None
    if count > 1:
        jax.config.update("jax_num_cpu_devices", count)  # where there is no GPU
    if len(devices := jax.devices()) < count:
        raise BadInputError(f"--devices {count}: JAX finds {len(devices)}")
    return jax.sharding.NamedSharding(jax.make_mesh((count,), ("batch",)), jax.sharding.PartitionSpec("batch"))


def run(options: argparse.Namespace) -> None:
    """Print the losses on several devices and on one, side by side."""
    names = read_names(options.names, string.ascii_lowercase, adjustable=False)
    inputs, targets = contexts(split(names, options.seed)[0], CHARACTERS, BLOCK)
    sharding = batch_sharding(options.devices)
    one = Training(options.seed, options.lr)
    several = Training(options.seed, options.lr, backend="jax", options={"in_shardings": sharding})
    print(f"{'step':>6}   {f'{options.devices} devices':>10}   one device")
    largest = 0.0
    for i in range(options.steps):
        batch = minigrad.randint(0, len(inputs), (options.batch,))
        losses = [training.step(inputs[batch], targets[batch]) for training in (several, one)]
        largest = max(largest, abs(losses[0] - losses[1]))
        if i % max(1, options.steps // 10) == 0 or i == options.steps - 1:
            print(f"{i:>6}   {losses[0]:>10.4f}   {losses[1]:>10.4f}")
    print(f"largest difference of all steps: {largest:.1e}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the options. Exit with code 2, and a line that says why, if they make no sense."""
    parser = argparse.ArgumentParser(
        description="Train on batches that are shared out over several devices.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--names", type=Path, metavar="FILE", default=NAMES, help="one name a line, UTF-8")
    parser.add_argument("--devices", type=positive, default=8, help="GPUs, or virtual devices of this processor")
    parser.add_argument("--steps", type=positive, default=200, help="minibatches")
    parser.add_argument("--batch", type=positive, default=128, help="characters in a minibatch, on all devices")
    parser.add_argument("--lr", type=rate, default=0.1, help="learning rate")
    parser.add_argument("--seed", type=seed, default=42, help="decides the split, the first weights and the batches")
    options = parser.parse_args(arguments)
    if options.batch < 2:
        parser.error("argument --batch: BatchNorm needs at least 2")
    if options.batch % options.devices:
        parser.error(f"argument --batch: {options.batch} is no multiple of --devices {options.devices}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with command-line arguments. Return the exit code: 2 for bad input, after a line that says what is wrong."""
    options = parse(arguments)

    def work() -> int:
        with threadpool_limits(limits=1):  # matrices this small are multiplied faster by one thread
            run(options)
        return SUCCESS

    return exit_code(work, "train_data_parallel.py")


if __name__ == "__main__":
    sys.exit(main())
