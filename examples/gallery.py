"""A gallery: every kind of picture that viz draws, of a small network that it trains first.

    python examples/gallery.py --out gallery

writes the graphs as SVG, the curves as PNG and the pages as HTML into a folder, in under a minute.
"""

from command_line import Interrupted, check_folder, exit_code, positive

import argparse
import ast
import io
import itertools
import string
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from names import END, NAMES, contexts, read_names
from outputs import check_pictures
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import minigrad
import minigrad.nn.functional as F
from minigrad import Tensor, Value, nn, viz
from minigrad.files import replacing
from minigrad.viz.layout import lay_out

CHARACTERS = END + string.ascii_lowercase
BLOCK, RATE, SEED = 3, 0.1, 2147483647
SHOWN = 1024  # examples, of which the activations and their gradients are shown


def expression() -> viz.Drawing:
    """The lecture's first graph, as micrograd draws it."""
    a, b, c, f = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c"), Value(-2.0, label="f")
    e = a * b
    d = e + c
    L = d * f
    e.label, d.label, L.label = "e", "d", "L"
    L.backward()
    return viz.draw_dot(L)


def neuron() -> viz.Drawing:
    """A neuron of Values. Each arrow is labelled with the local gradient rule."""
    x1, x2, w1, w2, b = (
        Value(2.0, label="x1"),
        Value(0.0, label="x2"),
        Value(-3.0, label="w1"),
        Value(1.0, label="w2"),
        Value(6.8813735, label="b"),
    )
    n = x1 * w1 + x2 * w2 + b
    o = n.tanh()
    n.label, o.label = "n", "o"
    o.backward()
    return viz.draw(o)


def layer() -> viz.Drawing:
    """A layer of Tensors, with the names of the variables, gradients, and values as numbers or colour maps."""
    x = minigrad.randn(8, 4)
    W = minigrad.randn(4, 12, requires_grad=True)
    b = minigrad.zeros(12, requires_grad=True)
    h = (x @ W + b).tanh()
    loss = h.square().mean()
    loss.backward()
    return viz.draw(loss, names=locals())


def both_passes() -> viz.Drawing:
    """The backward pass, which is a graph of operations too, beside the forward pass."""
    w = minigrad.tensor([0.5, -1.0], requires_grad=True)
    x = minigrad.tensor([2.0, 3.0])
    y = (w * x).tanh().sum()
    return viz.draw(y, names=locals(), backward=True)


def batch() -> tuple[Tensor, Tensor]:
    """Random contexts, and the characters that follow them."""
    return minigrad.randint(0, 27, (32, BLOCK)), minigrad.randint(0, 27, (32,))


def network() -> viz.Drawing:
    """The course's network, with the operations in its modules."""
    X, Y = batch()
    model = nn.Sequential(
        *(nn.Embedding(27, 10), nn.Flatten(), nn.Linear(30, 20, bias=False), nn.BatchNorm1d(20), nn.Tanh()),
        nn.Linear(20, 27),
    )
    loss = F.cross_entropy(model(X), Y)
    loss.backward()
    return viz.draw(loss, names=locals())


def layers() -> viz.Drawing:
    """A deep network as a line of layers: modules are folded, and layers that repeat are drawn once."""
    X, Y = batch()
    hidden = [part for _ in range(12) for part in (nn.Linear(100, 100, bias=False), nn.BatchNorm1d(100), nn.Tanh())]
    model = nn.Sequential(nn.Embedding(27, 10), nn.Flatten(), nn.Linear(30, 100), *hidden, nn.Linear(100, 27))
    loss = F.cross_entropy(model(X), Y)
    return viz.draw(loss, names=locals(), depth=1)


def ten_thousand() -> viz.Drawing:
    """A graph of ten thousand operations. Only those nearest to its end are drawn."""
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(5_000):
        x = x * 0.999 + 0.001
    return viz.draw(x.sum(), limit=8)


ROOMS = {  # the packages and folders of the project, and their files
    "examples": ["examples/*.py"],
    "viz": ["viz/**/*.py"],
    "nn": ["nn/**/*.py"],
    "minigrad": ["minigrad/__init__.py", "minigrad/autograd/*.py"],
    "minigrad/compiled": ["minigrad/compiled/*.py"],
    "minigrad/serialization": ["minigrad/serialization/*.py"],
    "minigrad/api": ["minigrad/api/*.py"],
    "minigrad/debug": ["minigrad/debug/*.py"],
    "minigrad/derive": ["minigrad/derive/*.py"],
    "minigrad/gradients": [f"minigrad/{name}.py" for name in ("gradients", "hooks", "grad_mode", "walks", "random")],
    "minigrad/core": ["minigrad/core/*.py"],
    "numpy": [],
}


def rooms() -> viz.Drawing:
    """The packages and folders of this project. Arrows are imports; one that a longer path implies is left out."""
    root = Path(__file__).parents[1]
    files = {room: [path for pattern in patterns for path in root.glob(pattern)] for room, patterns in ROOMS.items()}
    owner = {path.relative_to(root).with_suffix("").as_posix(): room for room, paths in files.items() for path in paths}
    owner |= {room: room for room in ROOMS} | {"minigrad/nn": "nn", "minigrad/viz": "viz"}
    arrows: dict[str, set[str]] = {room: set() for room in ROOMS}
    for room, paths in files.items():
        for path in paths:
            for names in _imported(ast.parse(path.read_text(encoding="utf-8"))):
                arrows[room].add(next((owner[name] for name in names if name in owner), room))
        arrows[room].discard(room)

    def reached(room: str) -> set[str]:
        return arrows[room].union(*map(reached, arrows[room]))

    drawing = viz.Drawing(node_attr={"shape": "box", "style": "rounded,filled", "fillcolor": "#ffffff"})
    drawing.attr(ranksep="0.25", fontname="Helvetica")
    for room in ROOMS:
        fill = "#f6ca75" if room == "minigrad/core" else "#ffffff"
        drawing.node(room, room, fillcolor=fill, fontname="Helvetica")
        for other in sorted(arrows[room] - set().union(*map(reached, arrows[room])), key=[*ROOMS].index):
            drawing.edge(room, other, color="#595959", arrowsize="0.6")
    return drawing


def _imported(tree: ast.AST) -> Iterator[list[str]]:
    """The modules that each import may mean, with slashes: for `from a import b` first `a/b`, then `a`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ([alias.name.replace(".", "/")] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            module = node.module.replace(".", "/")
            yield from ([f"{module}/{alias.name}", module] for alias in node.names)


GRAPHS: dict[str, Callable[[], viz.Drawing]] = {
    "expression": expression,
    "neuron": neuron,
    "layer": layer,
    "both_passes": both_passes,
    "network": network,
    "layers": layers,
    "ten_thousand": ten_thousand,
    "rooms": rooms,
}


def neuron_page() -> viz.Page:
    """The neuron, step by step: first its result, then the gradient of each number."""
    x1, x2, w1, w2, b = (Value(each) for each in (2.0, 0.0, -3.0, 1.0, 6.8813735))
    with minigrad.detect_anomaly(check_nan=False):  # so that the page knows these lines
        n = x1 * w1 + x2 * w2 + b
        o = n.tanh()
    return viz.page(o, names=locals())


def network_page() -> viz.Page:
    """The course's network, step by step, with its modules to fold and to open."""
    X, Y = batch()
    C = nn.Embedding(27, 10)
    model = nn.Sequential(nn.Linear(30, 20, bias=False), nn.BatchNorm1d(20), nn.Tanh(), nn.Linear(20, 27))
    with minigrad.detect_anomaly(check_nan=False):
        emb = C(X)
        logits = model(emb.view(len(X), -1))
        loss = F.cross_entropy(logits, Y)
    return viz.page(loss, names=locals())


PAGES: dict[str, Callable[[], viz.Page]] = {"neuron": neuron_page, "network": network_page}


class Trained(NamedTuple):
    """A deep network after some steps of training: its losses and updates, and contexts with the next characters."""

    model: nn.Sequential
    losses: list[float]
    updates: list[list[float]]
    X: Tensor
    Y: Tensor


def train(names: Sequence[str], steps: int) -> Trained:
    """Train a network that the course's diagnostic plots show."""
    X, Y = contexts(names, CHARACTERS, BLOCK)
    sizes = [BLOCK * 10, 100, 100, 100, 100]
    hidden = [part for n, m in itertools.pairwise(sizes) for part in (nn.Linear(n, m), nn.BatchNorm1d(m), nn.Tanh())]
    model = nn.Sequential(nn.Embedding(27, 10), nn.Flatten(), *hidden, nn.Linear(100, 27))
    optimizer = nn.optim.SGD(model.parameters(), lr=RATE)
    losses, updates = [], []
    for _ in tqdm(range(steps), unit="step"):
        batch = minigrad.randint(0, len(X), (32,))
        loss = F.cross_entropy(model(X[batch]), Y[batch])
        optimizer.zero_grad()
        loss.backward()
        updates.append(viz.update_to_data(model.parameters(), RATE))
        optimizer.step()
        losses.append(loss.item())
    return Trained(model, losses, updates, X, Y)


def bigrams(trained: Trained) -> Any:
    """How often each character follows each other one."""
    X, Y = trained.X, trained.Y
    counts = minigrad.zeros(27 * 27, dtype=minigrad.int64)
    counts.index_add_(0, X[:, -1] * 27 + Y, minigrad.ones_like(Y))
    return viz.bigrams(counts.view(27, 27), CHARACTERS)


def update_ratios(trained: Trained) -> Any:
    """The size of each update, as a share of the size of the weights."""
    matrices = [name for name, p in trained.model.named_parameters() if p.ndim == 2]
    return viz.update_ratios(trained.updates, matrices)


CURVES: dict[str, Callable[[Trained], Any]] = {
    "loss": lambda t: viz.loss_curve(t.losses),
    "activations": lambda t: viz.activations(t.model, t.X[:SHOWN]),
    "gradients": lambda t: viz.gradients(t.model, t.X[:SHOWN], t.Y[:SHOWN], F.cross_entropy),
    "weight_gradients": lambda t: viz.weight_gradients(t.model),
    "updates": update_ratios,
    "embedding": lambda t: viz.embedding(t.model[0].weight, CHARACTERS),
    "bigrams": bigrams,
}


def pictures(names: Sequence[str], steps: int) -> dict[str, bytes]:
    """Draw everything. Return the files by their names."""
    drawn = {f"{name}.svg": lay_out(draw().source, "svg") for name, draw in GRAPHS.items()}
    drawn |= {f"{name}.html": page().html.encode() for name, page in PAGES.items()}
    trained = train(names, steps)
    for name, plot in CURVES.items():
        with io.BytesIO() as file:
            plot(trained).savefig(file, format="png", dpi=100)
            drawn[f"{name}.png"] = file.getvalue()
    return drawn


def write_all(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files into a folder. An interrupt says how many of them are there."""
    written = 0
    try:
        for name, data in files.items():
            with replacing(folder / name) as file:
                file.write(data)
            written += 1
    except KeyboardInterrupt:
        raise Interrupted(f"{written} of {len(files)} files were written into {folder}") from None
    print(f"wrote {written} files into {folder}")


def run(options: argparse.Namespace) -> None:
    """Check what is needed, draw everything, and write it."""
    names = read_names(options.names, string.ascii_lowercase, adjustable=False)
    names_of = {"svg": [*GRAPHS], "html": [*PAGES], "png": [*CURVES]}
    check_folder("--out", options.out, [f"{name}.{kind}" for kind, drawn in names_of.items() for name in drawn])
    check_pictures()
    minigrad.manual_seed(SEED)
    with threadpool_limits(limits=1):  # matrices this small are multiplied faster by one thread
        files = pictures(names, options.steps)
    write_all(files, options.out)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the options. Exit with code 2, and a line that says why, if they make no sense."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", default=Path("gallery"), help="where to put the pictures")
    parser.add_argument("--names", type=Path, metavar="FILE", default=NAMES, help="one name a line")
    parser.add_argument("--steps", type=positive, default=2_000, help="of the training that the curves show")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with command-line arguments. Return the exit code: 2 for bad input, after a line that says what is wrong."""
    options = parse(arguments)
    return exit_code(lambda: run(options), "gallery.py")


if __name__ == "__main__":
    sys.exit(main())
