"""Become a backprop ninja: the four exercises of makemore part 4, with an answer to each that the engine derives.

    python examples/backprop_ninja.py                           write my_backprop.py, to fill in by hand ...
    python examples/backprop_ninja.py --check my_backprop.py    ... and grade it, one gradient at a time
    python examples/backprop_ninja.py --hint probs              a hint; --more for a second, --more --more for a third
    python examples/backprop_ninja.py --walk                    walk through the exercises and all their answers

The network, and the names of its variables, are the lecture's; it learns from our names.
"""

from command_line import BadInputError, check_folder, exit_code, positive, rate, seed

import argparse
import ast
import difflib
import inspect
import shlex
import string
import sys
import textwrap
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from grading import changed_by, graded, read
from names import END, NAMES, contexts, read_names, split
from threadpoolctl import threadpool_limits

import minigrad
import minigrad.nn.functional as F
from minigrad import Tensor, cmp, walks
from minigrad.core.ops import reshape
from minigrad.core.primitive import parameter_names
from minigrad.debug.cmp import numbers_of
from minigrad.derive.formula import formula
from minigrad.derive.naming import key, variables
from minigrad.derive.symbols import Symbol
from minigrad.files import replacing

ANSWERS = Path("my_backprop.py")  # where the answers go if no other name is given
CHARACTERS = END + string.ascii_lowercase
BLOCK, EMBEDDING, HIDDEN, BATCH = 3, 10, 64, 32
DAY = 24 * 60 * 60  # seconds
PARAMETERS = ("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")

# The variables to find the gradients of, in the order in which a backward pass comes to them, and in its parts.
PARTS = {
    "The cross entropy, from the loss back to the logits": (
        *("logprobs", "probs", "counts_sum_inv", "counts_sum", "counts", "norm_logits", "logit_maxes", "logits"),
    ),
    "The output layer, and tanh": ("h", "W2", "b2", "hpreact"),
    "BatchNorm, from its gain and shift back to what it normalises": (
        *("bngain", "bnbias", "bnraw", "bnvar_inv", "bnvar", "bndiff2", "bndiff", "bnmeani", "hprebn"),
    ),
    "The hidden layer, and the embedding": ("embcat", "W1", "b1", "emb", "C"),
}
ORDER = tuple(name for part in PARTS.values() for name in part)


# The network


class Data(NamedTuple):
    """The training and validation sets, each as contexts and the characters that follow, and a training minibatch."""

    inputs: Tensor
    targets: Tensor
    val_inputs: Tensor
    val_targets: Tensor
    Xb: Tensor
    Yb: Tensor


def prepared(options: argparse.Namespace) -> tuple[Data, dict[str, Tensor]]:
    """The data, and the parameters that training starts from."""
    names = read_names(options.names, string.ascii_lowercase, adjustable=False)
    parts = split(names, options.seed)
    (inputs, targets), validation = (contexts(part, CHARACTERS, BLOCK) for part in parts[:2])
    minigrad.manual_seed(options.seed)
    start = initial()
    batch = minigrad.randint(0, len(inputs), (BATCH,))
    return Data(inputs, targets, *validation, inputs[batch], targets[batch]), start


def initial() -> dict[str, Tensor]:
    """Random parameters. None is zero or one everywhere, which would hide mistakes in the gradients of others."""
    vocabulary, width = len(CHARACTERS), BLOCK * EMBEDDING
    values = (
        minigrad.randn(vocabulary, EMBEDDING),
        minigrad.randn(width, HIDDEN) * (5 / 3) / width**0.5,
        minigrad.randn(HIDDEN) * 0.1,
        minigrad.randn(HIDDEN, vocabulary) * 0.1,
        minigrad.randn(vocabulary) * 0.1,
        minigrad.randn(1, HIDDEN) * 0.1 + 1,
        minigrad.randn(1, HIDDEN) * 0.1,
    )
    return {name: value.requires_grad_() for name, value in zip(PARAMETERS, values, strict=True)}


def forward(
    C: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor, bngain: Tensor, bnbias: Tensor, Xb: Tensor, Yb: Tensor
) -> dict[str, Tensor]:
    """The loss of a minibatch in the lecture's small steps; returns every variable by its name."""
    n = len(Xb)
    # embedding, and hidden layer
    emb = C[Xb]
    embcat = emb.view(n, -1)
    hprebn = embcat @ W1 + b1
    # BatchNorm, with Bessel's correction: 1/(n-1) in the variance
    bnmeani = 1 / n * hprebn.sum(0, keepdim=True)
    bndiff = hprebn - bnmeani
    bndiff2 = bndiff**2
    bnvar = 1 / (n - 1) * bndiff2.sum(0, keepdim=True)
    bnvar_inv = (bnvar + 1e-5) ** -0.5
    bnraw = bndiff * bnvar_inv
    hpreact = bngain * bnraw + bnbias
    # tanh, and output layer
    h = hpreact.tanh()
    logits = h @ W2 + b2
    # cross entropy
    logit_maxes = logits.max(1, keepdim=True).values
    norm_logits = logits - logit_maxes
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdim=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    logprobs = probs.log()
    loss = -logprobs[range(n), Yb].mean()
    return locals()


def backward(data: Data, start: Mapping[str, Tensor]) -> dict[str, Any]:
    """The variables of a forward pass, each with the gradient that the engine finds for it."""
    variables = forward(**start, Xb=data.Xb, Yb=data.Yb)
    for name in ORDER:
        variables[name].retain_grad()
    variables["loss"].backward(retain_graph=True)
    return variables


# The walk


def say(text: str) -> None:
    """Print a paragraph."""
    print(f"\n{textwrap.fill(text, 110)}")


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n{text}\n{'=' * len(text)}")


def show(source: str) -> None:
    """Print a program, indented."""
    print("\n" + textwrap.indent(textwrap.dedent(source).rstrip(), "    "))


def compare(name: str, gradient: Any, variable: Tensor) -> None:
    """Print a row of `cmp`, indented."""
    print()
    cmp(name, gradient, variable)


def walk(options: argparse.Namespace) -> None:
    """All four exercises."""
    data, start = prepared(options)
    variables = backward(data, start)
    one_step_at_a_time(variables)
    cross_entropy_at_once(variables)
    batch_norm_at_once(variables)
    training(data, start, variables, options)


def one_step_at_a_time(v: Mapping[str, Any]) -> None:
    """Exercise 1."""
    title("Exercise 1: back through every step")
    say(
        "This is the lecture's network, its forward pass cut into steps so small that each has an easy derivative. "
        "To go back, start at the loss, whose gradient is 1, and at every step multiply the gradient that arrives by "
        "the derivative of that step. Two things need care: a variable that is used twice gets the sum of both "
        "gradients, and one that broadcasting repeated gets the sum over all its copies."
    )
    show(statements())
    say(
        "Here is the answer that the engine derives: it gives names to its rules in place of numbers, and writes down "
        "what they make of them. This is numpy and nothing else; read its second half beside the steps above, from the "
        "last step to the first. Its np.add.at adds each row of demb to the row of C that it came from."
    )
    answer = minigrad.derive(v["loss"], names=v, retain=ORDER)
    show(answer.source)
    say("Run on the minibatch, it gives these gradients, compared with those of loss.backward():")
    print()
    gradients = results(answer, v)
    for name in ORDER:
        cmp(name, gradients["d" + name], v[name])
    largest = max(np.abs(gradients[name]).max() for name in ("dlogit_maxes", "db1"))
    say(
        f"Two of them are zero but for rounding, at most {largest:.0e}: a number that is added to all logits of an "
        "example changes no probability, and BatchNorm subtracts whatever b1 adds."
    )


def results(answer: Any, arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Call a derived function with arrays, and return its gradients by their names."""
    _, *gradients = answer(**{name: arrays[name] for name in answer.parameters})
    return dict(zip(answer.gradients, gradients, strict=True))


def cross_entropy_at_once(v: Mapping[str, Any]) -> None:
    """Exercise 2."""
    title("Exercise 2: the cross entropy in one formula")
    say(
        "Eight steps led from the logits to the loss. Put together on paper, nearly everything cancels: the gradient "
        "of the logits is softmax(logits), minus 1 at the right characters, divided by n. The engine has "
        "F.cross_entropy as one operation, whose rule says just that, and so what it derives is short:"
    )
    logits, Yb = v["logits"].detach().requires_grad_(), v["Yb"]
    loss = F.cross_entropy(logits, Yb)
    answer = minigrad.derive(loss, names={"logits": logits, "Yb": Yb, "loss": loss})
    show(answer.source)
    dlogits = results(answer, {"logits": logits, "Yb": Yb})["dlogits"]
    compare("logits", dlogits, v["logits"])
    say(
        f"The first example, whose next character is {CHARACTERS[Yb[0]]!r}. Above the probabilities that the network "
        "gives to each character, below n times the gradient of its logits. They differ by 1 at one place, so the "
        "row sums to 0: what pulls the right character up pushes each other one down, by as much as it was believed in."
    )
    probs = F.softmax(logits, 1)[0].detach().numpy()
    for at in range(0, len(CHARACTERS), 9):
        print("\n              " + "".join(f"{character:>9}" for character in CHARACTERS[at : at + 9]))
        for label, row in ("softmax", probs), ("n * dlogits", dlogits[0] * BATCH):
            print(f"  {label:12}" + "".join(f"{number:9.4f}" for number in row[at : at + 9]))
    print(f"\n  sum of the row of dlogits: {dlogits[0].sum():.1e}")


def batch_norm_at_once(v: Mapping[str, Any]) -> None:
    """Exercise 3."""
    title("Exercise 3: BatchNorm in one formula")
    say(
        "The same for the seven steps from hprebn to hpreact. The lecture divides the variance by n-1 (Bessel's "
        "correction), and its formula on paper has n/(n-1) in one place:"
    )
    n, bngain, bnraw, dhpreact = BATCH, *(numbers_of(x) for x in (v["bngain"], v["bnraw"], v["hpreact"].grad))
    bnvar_inv = numbers_of(v["bnvar_inv"])
    show(inspect.getsource(bessel_gradient).partition('"""\n')[2].replace("return", "dhprebn ="))
    compare("hprebn", bessel_gradient(n, bngain, bnraw, bnvar_inv, dhpreact), v["hprebn"])
    say(
        "F.batch_norm, as PyTorch's, divides by n when it normalises, so its formula has no n/(n-1). Its loss here is "
        "(hpreact * dhpreact).sum(), whose gradient at hpreact is the dhpreact that arrived in exercise 1:"
    )
    hprebn = v["hprebn"].detach().requires_grad_()
    names = {"hprebn": hprebn, "dhpreact": v["hpreact"].grad}
    names |= {name: v[name].detach().view(-1) for name in ("bngain", "bnbias")}
    hpreact = F.batch_norm(hprebn, None, None, names["bngain"], names["bnbias"], training=True)
    loss = (hpreact * names["dhpreact"]).sum()
    answer = minigrad.derive(loss, names=names | {"hpreact": hpreact, "loss": loss})
    show(answer.source)
    dhprebn = results(answer, names)["dhprebn"]
    say("Compared with the engine's way back through the same steps, but with 1/n in the variance:")
    chunked = v["hprebn"].detach().requires_grad_()
    bndiff = chunked - 1 / n * chunked.sum(0, keepdim=True)
    bnvar = 1 / n * (bndiff**2).sum(0, keepdim=True)
    hpreact = names["bngain"] * (bndiff * (bnvar + 1e-5) ** -0.5) + names["bnbias"]
    (hpreact * names["dhpreact"]).sum().backward()
    compare("hprebn", dhprebn, chunked)
    difference, largest = (np.abs(x).max() for x in (dhprebn - numbers_of(v["hprebn"].grad), dhprebn))
    say(
        f"From the dhprebn of exercise 1 it differs, as it should, by up to {difference:.1e} where the largest "
        f"gradient is {largest:.1e}: another variance makes another function, and that has another gradient."
    )


def bessel_gradient(n: int, bngain: Any, bnraw: Any, bnvar_inv: Any, dhpreact: Any) -> Any:
    """The gradient of the input of BatchNorm with Bessel's correction, from the gradient of its result."""
    spread = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - spread)


def training(data: Data, start: Mapping[str, Tensor], v: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Exercise 4."""
    title("Exercise 4: train with it")
    say(
        "Now the backward pass earns its keep. The engine has no part in this any more: the derived function takes "
        "numpy arrays and returns the loss and the gradients of the parameters, and p -= lr * g does the rest."
    )
    step = minigrad.derive(v["loss"], names=v)
    parameters = {name: tensor.detach().numpy().copy() for name, tensor in start.items()}
    inputs, targets = data.inputs.numpy(), data.targets.numpy()
    generator = np.random.default_rng(options.seed % 2**64)
    print(f"\n  validation loss before {validation_loss(parameters, data):.4f}")
    losses = []
    for i in range(options.steps):
        batch = generator.integers(0, len(inputs), BATCH)
        loss, *gradients = step(**parameters, Xb=inputs[batch], Yb=targets[batch])
        lr = 0.1 if i < options.steps / 2 else 0.01
        for name, g in zip(step.gradients, gradients, strict=True):
            parameters[name.removeprefix("d")] -= lr * g
        losses.append(float(loss))
        if (i + 1) % max(options.steps // 10, 1) == 0:
            print(f"  step {i + 1:6d}   train loss {np.mean(losses):.4f}", flush=True)
            losses.clear()
    print(f"  validation loss after  {validation_loss(parameters, data):.4f}")
    say(
        "That was every gradient of a network, from the loss to the embedding, by rules that you can read in an "
        f"evening. Now by your own hand: {command()}"
    )


@minigrad.no_grad()
def validation_loss(parameters: Mapping[str, np.ndarray], data: Data) -> float:
    """The loss over the validation set. BatchNorm uses the mean and the variance of the training set."""
    C, W1, b1, W2, b2, bngain, bnbias = (minigrad.tensor(parameters[name]) for name in PARAMETERS)
    train, validation = (C[X].view(len(X), -1) @ W1 + b1 for X in (data.inputs, data.val_inputs))
    bnraw = (validation - train.mean(0)) / (train.var(0) + 1e-5) ** 0.5
    logits = (bngain * bnraw + bnbias).tanh() @ W2 + b2
    return F.cross_entropy(logits, data.val_targets).item()


# Hints


class Use(NamedTuple):
    """A step that uses a variable, and the formula and the shape of the gradient that comes back through the step."""

    step: str
    gradient: str
    shape: tuple[int, ...]


WORDS = {
    "expand(": "expand(x, shape) repeats x to a shape, as broadcasting does",
    "put(": "put(x, [key]) is zeros, to which x is added at [key], as np.add.at adds",
    "one_hot(": "one_hot(indices) is zeros, with a 1 at each index, here where the maximum is",
}


def uses_of(v: Mapping[str, Any]) -> dict[str, list[Use]]:
    """The uses of every variable. The formulas have the variables' names: the engine's vjps run on symbols."""
    labels, steps = variables(v), {line.partition(" = ")[0]: line for line in statements().splitlines()}
    loss = v["loss"].node

    def value(x: Any) -> Any:
        """The symbol of a variable; a value without a name becomes the operation that made it."""
        if key(x) is None:
            return np.asarray(x).item()
        if key(x) in labels:
            return Symbol(labels[key(x)], x.shape, x.dtype)
        return x.plan.primitive(*map(value, x.inputs), *x.params)

    def parameter(name: str, x: Any) -> Any:
        """A parameter of an operation, with names for the arrays in it."""
        labels.update({id(part): "range(n)" for part in x if _is_range(part)} if isinstance(x, tuple) else {})
        return Symbol(name, x.shape, x.dtype) if isinstance(x, np.ndarray) else x

    uses: dict[str, list[Use]] = defaultdict(list)
    gradients: dict[Any, Any] = {}
    towards: dict[Any, str] = {}  # the variable that each node goes into
    nodes = walks.nodes_between([loss], [x.node for x in v.values() if isinstance(x, Tensor) and x.node])
    for node in sorted(nodes, key=lambda node: -node.seq):
        if node.plan is None:
            continue
        primitive, operands = node.plan.primitive, [value(x) for x in node.inputs]
        if key(node) in labels:
            towards[node] = labels[key(node)]
            gradients[node] = Symbol("d" + towards[node], node.shape, node.dtype)
        known = {"g": gradients[node], "y": value(node)}
        known |= {name: parameter(name, x) for name, x in zip(primitive.params, node.params, strict=True)}
        for name, x in zip(primitive.operands, operands, strict=True):
            known |= {name: x, f"{name}_shape": getattr(x, "shape", ())}
        for place, vjp, *_ in node.plan.steps:
            x, g = node.inputs[place], vjp(*[known[name] for name in parameter_names(vjp)])
            if key(x) in labels:
                shaped = f".view{g.shape}" if g.primitive is reshape else ""
                uses[labels[key(x)]].insert(0, Use(steps[towards[node]], formula(g, labels) + shaped, g.shape))
            else:
                gradients[x], towards[x] = g, towards[node]
    return uses


def _is_range(x: Any) -> bool:
    return isinstance(x, np.ndarray) and np.array_equal(x, np.arange(BATCH))


def hint(options: argparse.Namespace) -> None:
    """Up to three hints for a gradient: its shape, the local gradient rules that lead to it, and how to write it."""
    name = variable(options.hint)
    data, start = prepared(options)
    v = forward(**start, Xb=data.Xb, Yb=data.Yb)
    shape = tuple(v[name].shape)
    print(f"1. d{name} has the shape of {name}, {shape}.")
    if options.more >= 1:
        uses = uses_of(v)[name]
        print(f"2. {name} is used {'once' if len(uses) == 1 else 'twice, and the gradients of both uses add up'}:")
        for use in uses:
            print(f"     {use.step}\n         gives  {use.gradient}")
            if use.shape != shape:
                print(f"         of shape {use.shape}: sum it to {shape}, over the copies that broadcasting made")
        told = [text for word, text in WORDS.items() if any(word in use.gradient for use in uses)]
        told += ["dloss is 1"] * any("dloss" in use.gradient for use in uses)
        print(*(f"     ({text})\n" for text in told), sep="", end="")
    if options.more >= 2:
        print("3. In numpy:")
        for line in assignments(minigrad.derive(v["loss"], names=v, retain=ORDER).source, f"d{name}"):
            print(f"     {line}")
    if options.more < 2:
        print(f"The next hint: {command('--hint', name, *['--more'] * (options.more + 1))}")


def variable(name: str) -> str:
    """The name in `ORDER` that `name` means, with or without a leading d. BadInputError for any other name."""
    found = name if name in ORDER else name.removeprefix("d")
    if found not in ORDER:
        lower = {name.lower(): name for name in ORDER}
        near = difflib.get_close_matches(found.lower(), lower, n=1)
        meant = f"did you mean {lower[near[0]]}?" if near else f"it is one of {', '.join(ORDER)}"
        raise BadInputError(f"--hint {name}: there is no such variable; {meant}")
    return found


def assignments(source: str, name: str) -> list[str]:
    """The statements of a derived function that compute `name`, and the names that these statements use."""
    functions = {node.name: node.body for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    body = functions["step"]
    made = [statement for statement in body if name in changed_by(statement)]
    used = {node.id for statement in made for node in ast.walk(statement) if isinstance(node, ast.Name)}
    known = {name for line in statements().splitlines() for name in (line.split()[0], f"d{line.split()[0]}")}
    return [ast.unparse(s) for s in body if s in made or changed_by(s) & (used - known)]


# The learner's file


def statements() -> str:
    """The statements of the forward pass in this file."""
    lines = inspect.getsource(forward).partition('"""\n')[2].rstrip().splitlines()[:-1]
    return textwrap.dedent("\n".join(lines))


def command(*arguments: str) -> str:
    """The command that runs this program with some arguments, from the current folder."""
    path, here = Path(__file__), Path.cwd()
    near = path.relative_to(here) if path.is_relative_to(here) else path
    return shlex.join(["python", near.as_posix(), *arguments])


def begin(options: argparse.Namespace) -> None:
    """Write the file to fill in, unless it is there, and say how to go on."""
    if ANSWERS.exists() or ANSWERS.is_symlink():
        print(f"{ANSWERS} is there already, and stays as it is.")
    else:
        write_exercise(ANSWERS)
        print(f"Wrote {ANSWERS}: a forward pass in small steps, and {len(ORDER)} gradients that are your turn.")
    print(
        f"""
fill in a gradient or more, and check them:   {command("--check", str(ANSWERS))}
a hint, here for the first gradient:          {command("--hint", ORDER[0])}
all answers, explained:                       {command("--walk")}"""
    )


def exercise(options: argparse.Namespace) -> None:
    """Write the file to fill in, with the name that was given."""
    path = options.exercise
    if path.exists() or path.is_symlink():
        raise BadInputError(f"--exercise {path}: it is there already, and stays as it is; give another name")
    write_exercise(path)
    print(f"Wrote {path}; fill it in, and check it with\n    {command('--check', path.as_posix())}")


def write_exercise(path: Path) -> None:
    """Write a file with the forward pass, and a line for each gradient."""
    check_folder("--exercise", path.parent, make=False)
    commands = command("--check", path.as_posix()), command("--hint", "probs")
    to_check, to_hint = (repr(each)[1:-1].replace('"', '\\"') for each in commands)  # to stand between three quotes
    text = f'''"""Backprop ninja: the backward pass by your own hand.

This is the forward pass, and all of its variables are there when your file runs, as minigrad Tensors:

{textwrap.indent(statements(), "    ")}

Below, replace each None by the gradient of the loss with respect to that variable: dprobs is the gradient of probs.
Take as many lines as you like, in this order or another, with Tensors (minigrad has PyTorch's words) or with arrays
(probs.numpy() is one). Then run

    {to_check}

This compares each gradient with the engine's. If one is missing or wrong, the lines below it go on with the right
numbers: every gradient is judged on its own. When you are stuck,

    {to_hint}

says a little about dprobs, and more with --more.
"""

import numpy as np

import minigrad
import minigrad.nn.functional as F
'''
    for part, names in PARTS.items():
        text += f"\n# {part}\n" + "".join(f"d{name} = None  # your turn\n" for name in names)
    with replacing(path) as file:
        file.write(text.encode())


def check(options: argparse.Namespace) -> int:
    """Run the learner's file and grade its gradients. Return 0 if all of them are right, else 1."""
    source = read(options.check)
    data, start = prepared(options)
    variables = backward(data, start)
    gradients = {name: variables[name] for name in ORDER}
    right, problem = graded(source, options.check, variables, gradients, options.time_limit)
    wrong = [name for name in ORDER if name not in right]
    print(f"\n{problem}" if problem else "")
    if wrong:
        print(f"{len(right)} of {len(ORDER)} are right; next: d{wrong[0]}   (stuck? {command('--hint', wrong[0])})")
    elif problem:
        print(f"{len(right)} of {len(ORDER)} are right, but the file did not pass")
    else:
        print(f"{len(right)} of {len(ORDER)} are right: you are a backprop ninja.")
    return 1 if wrong or problem else 0


# The program


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the options. Exit with code 2, and a line that says why, if they make no sense."""
    parser = argparse.ArgumentParser(
        description="Become a backprop ninja: makemore part 4, and the answers derived.",
        epilog="--check runs the code in FILE, so check only files that you trust. It runs in a process of its own, in "
        "which the engine's backward pass is switched off: work the gradients out by hand. The grading is honest, but "
        "it is made for learning, and not for an exam: whoever wants to cheat can run another program from FILE.",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--exercise", type=Path, metavar="FILE", nargs="?", const=ANSWERS,
        help=f"write a file to fill in (default: {ANSWERS}, as without any option)",
    )  # fmt: skip
    instead.add_argument("--check", type=Path, metavar="FILE", help="run and grade a file that you have filled in")
    instead.add_argument("--hint", metavar="NAME", help="a hint for the gradient of a variable, such as probs")
    instead.add_argument("--walk", action="store_true", help="walk through the exercises and all their answers")
    parser.add_argument("--more", action="count", default=0, help="another hint; twice for all three")
    parser.add_argument(
        "--time-limit",
        type=rate,
        metavar="SECONDS",
        default=60,
        help="of a file that is checked (default: %(default)s)",
    )
    parser.add_argument("--steps", type=positive, default=20_000, help="of training in --walk (default: %(default)s)")
    parser.add_argument("--names", type=Path, metavar="FILE", default=NAMES, help="one name a line (default: ours)")
    parser.add_argument("--seed", type=seed, default=2147483647, help="of all random numbers (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.more and options.hint is None:
        parser.error("argument --more: goes with --hint NAME")
    if options.time_limit > DAY:
        parser.error(f"argument --time-limit: at most a day, which is {DAY} seconds")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with command-line arguments. Return the exit code: 1 if a gradient is wrong, 2 for bad input."""
    options = parse(arguments)

    def work() -> int | None:
        with threadpool_limits(limits=1):  # matrices this small are multiplied faster by one thread
            if options.check is not None:
                return check(options)
            asked = hint if options.hint is not None else walk if options.walk else begin
            return (exercise if options.exercise else asked)(options)

    return exit_code(work, "backprop_ninja.py")


if __name__ == "__main__":
    sys.exit(main())
