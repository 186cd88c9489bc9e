"""The work that contenders share: the sizes of the course's network, its data, and the values it starts from."""

import itertools
from typing import NamedTuple

import numpy as np

LEARNING_RATE, MOMENTUM, EPS = 0.1, 0.1, 1e-5
SPELLED_MOMENTUM = 0.001


class Layer(NamedTuple):
    """The weight (in, out) of a linear layer, with a bias, or with the gain and shift of the BatchNorm after it."""

    weight: np.ndarray
    bias: np.ndarray | None
    gain: np.ndarray | None
    shift: np.ndarray | None


class Start(NamedTuple):
    """A batch of contexts and the characters that follow, the table of embeddings, and the layers."""

    X: np.ndarray
    Y: np.ndarray
    table: np.ndarray
    layers: list[Layer]

    @property
    def parameters(self) -> list[np.ndarray]:
        """All that is trained, layer by layer."""
        return [self.table, *(part for layer in self.layers for part in layer if part is not None)]


class Net(NamedTuple):
    """The course's network: embeddings of three characters, and tanh layers with BatchNorm between them and logits."""

    batch: int = 32
    hidden: tuple[int, ...] = (200,)
    normed_logits: bool = False
    vocabulary: int = 27
    block: int = 3
    embedding: int = 10

    def start(self) -> Start:
        """The same random numbers at every call, in float32."""
        random = np.random.default_rng(2147483647)

        def normal(*shape: int) -> np.ndarray:
            return random.standard_normal(shape, np.float32)

        sizes = [self.block * self.embedding, *self.hidden, self.vocabulary]
        layers = []
        for n, m in itertools.pairwise(sizes):
            normed = self.normed_logits or len(layers) < len(self.hidden)
            weight, bias = normal(n, m) / np.float32(n**0.5), normal(m) / 10
            layers.append(Layer(weight, None, normal(m) / 10 + 1, bias) if normed else Layer(weight, bias, None, None))
        X = random.integers(0, self.vocabulary, (self.batch, self.block))
        Y = random.integers(0, self.vocabulary, self.batch)
        return Start(X, Y, normal(self.vocabulary, self.embedding), layers)


NAMES = Net()
DEEP = Net(hidden=(100,) * 5, normed_logits=True)
LARGE = Net(batch=4096, hidden=(1024, 1024))


class Gpt(NamedTuple):
    """The sizes of a small GPT."""

    batch: int = 16
    context: int = 32
    width: int = 64
    heads: int = 4
    blocks: int = 2
    vocabulary: int = 65


CONTEXTS = 182_580  # of the names that the lecture trains with, eight characters each

REPEATS, ROWS, COLUMNS = 100_000, 1_000, 64  # of the indices of the row `index`, and of its table


def indexed() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A table, places in it that are named again and again, and the gradient that arrives at what was found there."""
    random = np.random.default_rng(2147483647)
    table = random.standard_normal((ROWS, COLUMNS), np.float32)
    return table, random.integers(0, ROWS, REPEATS), random.standard_normal((REPEATS, COLUMNS), np.float32)


def points() -> tuple[list[list[float]], list[int]]:
    """50 points in the plane, on two half circles, and the side, 1 or -1, of each."""
    random = np.random.default_rng(2147483647)
    sides = random.choice([-1, 1], 50)
    angles = random.uniform(0, np.pi, 50)
    x = np.where(sides > 0, 1 - np.cos(angles), np.cos(angles))
    y = np.where(sides > 0, 0.5 - np.sin(angles), np.sin(angles))
    return np.stack([x, y], 1).tolist(), sides.tolist()
