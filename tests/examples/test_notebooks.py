"""The course's notebooks with minigrad in PyTorch's place: they run, and print what they print with PyTorch.

First five notebooks of learners, which stand beside the project and not in it; then the lectures' programs in our own
words, which train on our own names.
"""

import itertools
import random
from collections.abc import Callable
from typing import Any

import matplotlib
import pytest

from tests.support import ROOT
from tests.support.notebooks import Cell, Outcome, cells, difference, run_cells, run_program

matplotlib.use("Agg")

import matplotlib.pyplot as plt

SEEDS = ROOT.parent / "shared" / "seeds"
NAMES = (ROOT / "examples" / "data" / "names.txt").read_text(encoding="utf-8").splitlines()

# How many cells each notebook has, and the labels of those that fail with PyTorch too.
NOTEBOOKS: dict[str, tuple[int, list[str]]] = {
    "000_2bb0bde4d8a64090": (12, []),
    "001_f9cbf46d93aa4520": (44, ["27"]),  # shows a variable of a later cell
    "002_9e30d7104498edde": (4, []),
    "003_de21874dd124a5b3": (7, []),
    "004_4cee2a5b39a5e6c4": (9, []),
}

Program = Callable[[Any, Any], None]


@pytest.fixture(autouse=True)
def figures_closed() -> Any:
    """Close the figures that a notebook left open."""
    yield
    plt.close("all")


def shortened(cell: Cell) -> Cell:
    """A cell whose training, if it takes 10,000 steps and reports each 1,000th, takes 301 and reports each 100th."""
    return cell._replace(code=cell.code.replace("n_steps = 10000", "n_steps = 301").replace("% 1000 ==", "% 100 =="))


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the notebooks are not part of the project")
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook(name: str) -> None:
    notebook = [shortened(cell) for cell in cells(SEEDS / f"{name}.txt")]
    theirs, ours = run_cells(notebook, "PyTorch"), run_cells(notebook, "minigrad")
    failing = [cell.label for cell, outcome in zip(notebook, theirs, strict=True) if outcome.error]
    assert (len(notebook), failing) == NOTEBOOKS[name]
    differences = [difference(*pair) for pair in zip(ours, theirs, strict=True)]
    faults = [f"In [{cell.label}] {fault}" for cell, fault in zip(notebook, differences, strict=True) if fault]
    assert not faults, "\n".join(faults)


# The lectures' programs. Each gets the library and its functional module under the names that a notebook gives them.


def dataset(torch: Any, names: list[str], block_size: int = 3) -> tuple[Any, Any]:
    """The characters of names as indices, and those before each."""
    X, Y = [], []
    for name in names:
        context = [0] * block_size
        for character in name + ".":
            X.append(context)
            Y.append(to_index(character))
            context = [*context[1:], to_index(character)]
    return torch.tensor(X), torch.tensor(Y)


def to_index(character: str) -> int:
    """1 for a to 26 for z, and 0 for the end of a name."""
    return ".abcdefghijklmnopqrstuvwxyz".index(character)


def to_character(index: int) -> str:
    """The character of an index."""
    return ".abcdefghijklmnopqrstuvwxyz"[index]


def bigram_counts(torch: Any, F: Any) -> None:
    """Makemore part 1: count pairs of characters, draw names from the counts, and take their likelihood."""
    N = torch.zeros((27, 27), dtype=torch.int32)
    for name in NAMES[:500]:
        characters = [".", *name, "."]
        for first, second in itertools.pairwise(characters):
            N[to_index(first), to_index(second)] += 1
    print(N.dtype, N.shape, N[0], N[:, 0], N[0].sum(), N[13, 0].item())
    plt.figure(figsize=(16, 16))
    plt.imshow(N, cmap="Blues")
    plt.text(0, 0, N[0, 0].item(), ha="center", va="top", color="gray")

    p = N[0].float()
    p = p / p.sum()
    print(p, p.sum())
    g = torch.Generator().manual_seed(2147483647)
    print(torch.rand(3, generator=g), torch.multinomial(p, num_samples=20, replacement=True, generator=g))

    P = (N + 1).float()
    print(P.sum(1, keepdim=True).shape, P.sum(0, keepdims=True).shape)
    P /= P.sum(1, keepdims=True)
    print(P[0].sum(), P)
    for _ in range(5):
        out, index = [], 0
        while True:
            index = torch.multinomial(P[index], num_samples=1, replacement=True, generator=g).item()
            out.append(to_character(index))
            if index == 0:
                break
        print("".join(out))

    log_likelihood, n = 0.0, 0
    for name in ["andrejq", *NAMES[:3]]:
        characters = [".", *name, "."]
        for first, second in itertools.pairwise(characters):
            prob = P[to_index(first), to_index(second)]
            logprob = torch.log(prob)
            log_likelihood += logprob
            n += 1
            print(f"{first}{second}: {prob:.4f} {logprob:.4f}")
    print(f"{log_likelihood=}", f"{-log_likelihood / n}", (-log_likelihood).item())


def bigram_network(torch: Any, F: Any) -> None:
    """Makemore part 1: the same model as one layer without a bias, trained on one-hot vectors."""
    pairs = [pair for name in NAMES[:300] for pair in zip("." + name, name + ".", strict=True)]
    xs = torch.tensor([to_index(first) for first, _ in pairs])
    ys = torch.tensor([to_index(second) for _, second in pairs])
    num = xs.nelement()
    print("number of examples:", num, xs.dtype, torch.tensor([1, 2]).dtype, torch.Tensor([1, 2]).dtype)

    g = torch.Generator().manual_seed(2147483647)
    W = torch.randn((27, 27), generator=g, requires_grad=True)
    xenc = F.one_hot(xs, num_classes=27).float()
    print(xenc[:5], xenc.dtype, xenc.shape)
    plt.imshow(xenc[:5])
    for k in range(20):
        logits = xenc @ W
        counts = logits.exp()
        probs = counts / counts.sum(1, keepdims=True)
        loss = -probs[torch.arange(num), ys].log().mean() + 0.01 * (W**2).mean()
        print(k, loss.item())
        W.grad = None
        loss.backward()
        W.data += -50 * W.grad
    print(loss, W, W.grad[0], (xenc @ W)[3, 13], probs[0].sum())

    for i in range(5):
        x, y = xs[i].item(), ys[i].item()
        p = probs[i, y]
        logp = torch.log(p)
        print(f"bigram {i + 1}: {to_character(x)}{to_character(y)}", x, y, p.item(), logp.item(), (-logp).item())
    nlls = torch.zeros(5)
    for i in range(5):
        nlls[i] = -torch.log(probs[i, ys[i]])
    print(nlls, nlls.mean().item())

    for _ in range(3):
        out, index = [], 0
        while True:
            xenc = F.one_hot(torch.tensor([index]), num_classes=27).float()
            counts = (xenc @ W).exp()
            p = counts / counts.sum(1, keepdims=True)
            index = torch.multinomial(p, num_samples=1, replacement=True, generator=g).item()
            out.append(to_character(index))
            if index == 0:
                break
        print("".join(out))


def mlp(torch: Any, F: Any) -> None:
    """Makemore part 2: embeddings, ways to put them side by side, a search for the learning rate, training."""
    X, Y = dataset(torch, NAMES[:400])
    g = torch.Generator().manual_seed(2147483647)
    C = torch.randn((27, 2), generator=g)
    W1 = torch.randn((6, 100), generator=g)
    b1 = torch.randn(100, generator=g)
    W2 = torch.randn((100, 27), generator=g)
    b2 = torch.randn(27, generator=g)
    parameters = [C, W1, b1, W2, b2]
    print(X.shape, X.dtype, Y.shape, Y.dtype, sum(p.nelement() for p in parameters))

    print(C[5], F.one_hot(torch.tensor(5), num_classes=27).float() @ C)
    print(C[[5, 6, 7]], C[torch.tensor([5, 6, 7, 7])], C[X].shape, C[X][13, 2], C[1])
    emb = C[X]
    side_by_side = torch.cat([emb[:, 0, :], emb[:, 1, :], emb[:, 2, :]], 1)
    print(side_by_side.shape, (side_by_side == torch.cat(torch.unbind(emb, 1), 1)).all())
    print((emb.view(-1, 6) == side_by_side).all().item(), emb.view(emb.shape[0], 6).shape)
    a = torch.arange(18)
    print(a, a.view(2, 9), a.view(9, 2), a.view(3, 3, 2))

    for p in parameters:
        p.requires_grad = True
    h = torch.tanh(C[X].view(-1, 6) @ W1 + b1)
    logits = h @ W2 + b2
    counts = logits.exp()
    prob = counts / counts.sum(1, keepdims=True)
    print(h, -prob[torch.arange(len(Y)), Y].log().mean(), F.cross_entropy(logits, Y))
    logits = torch.tensor([-100, -3, 0, 100]) - 100
    print(logits.exp() / logits.exp().sum())

    lre = torch.linspace(-3, 0, 100)
    lrs = 10**lre
    print(lrs)
    lri, lossi = [], []
    for i in range(100):
        ix = torch.randint(0, X.shape[0], (32,), generator=g)
        emb = C[X[ix]]
        h = torch.tanh(emb.view(-1, 6) @ W1 + b1)
        logits = h @ W2 + b2
        loss = F.cross_entropy(logits, Y[ix])
        for p in parameters:
            p.grad = None
        loss.backward()
        lr = lrs[i]
        for p in parameters:
            p.data += -lr * p.grad
        lri.append(lre[i])
        lossi.append(loss.log10().item())
    print(lossi[:95])  # at the rates after these, what rounding leaves grows tenfold in each step
    plt.plot(lri, lossi)
    plt.scatter(C[:, 0].data, C[:, 1].data, s=200)
    for i in range(C.shape[0]):
        plt.text(C[i, 0].item(), C[i, 1].item(), to_character(i), ha="center", va="center", color="white")

    for _ in range(3):
        out, context = [], [0] * 3
        while len(out) < 20:
            emb = C[torch.tensor([context])]
            h = torch.tanh(emb.view(1, -1) @ W1 + b1)
            probs = F.softmax(h @ W2 + b2, dim=1)
            index = torch.multinomial(probs, num_samples=1, generator=g).item()
            context = [*context[1:], index]
            out.append(index)
            if index == 0:
                break
        print("".join(to_character(i) for i in out))


def initial_losses(torch: Any, F: Any) -> None:
    """Makemore part 3: what the scale of the weights does to the loss, to tanh and to its inputs."""
    for logits in (torch.tensor([0.0, 0.0, 0.0, 0.0]), torch.randn(4) * 10):
        probs = torch.softmax(logits, dim=0)
        print(logits, probs, -probs[2].log())
    print(-torch.tensor(1 / 27.0).log())

    x = torch.randn(1000, 10)
    w = torch.randn(10, 200) / 10**0.5
    y = x @ w
    print(x.mean(), x.std(), y.mean(), y.std(), (torch.randn(10000) * 0.2).std())
    plt.subplot(121)
    plt.hist(x.view(-1).tolist(), 50, density=True)

    h = torch.tanh(y * 5)
    plt.imshow(h.abs() > 0.99, cmap="gray", interpolation="nearest")
    print((h.abs() > 0.99).float().mean(), (h.abs() > 0.99).sum().item())
    w = torch.nn.init.kaiming_normal_(torch.zeros(200, 10), nonlinearity="tanh")
    print(w.shape, w.std(), torch.nn.init.calculate_gain("tanh"))


def batch_norm(torch: Any, F: Any) -> None:
    """Makemore part 3: BatchNorm by hand, running statistics, calibration, and losses of the splits."""
    names = NAMES[:1000]
    random.Random(42).shuffle(names)
    Xtr, Ytr = dataset(torch, names[:800])
    Xdev, Ydev = dataset(torch, names[800:])
    g = torch.Generator().manual_seed(2147483647)
    C = torch.randn((27, 10), generator=g)
    W1 = torch.randn((30, 100), generator=g) * (5 / 3) / (30**0.5)
    W2 = torch.randn((100, 27), generator=g) * 0.01
    b2 = torch.randn(27, generator=g) * 0
    bngain, bnbias = torch.ones((1, 100)), torch.zeros((1, 100))
    bnmean_running, bnstd_running = torch.zeros((1, 100)), torch.ones((1, 100))
    parameters = [C, W1, W2, b2, bngain, bnbias]
    for p in parameters:
        p.requires_grad = True

    for i in range(100):
        ix = torch.randint(0, Xtr.shape[0], (32,), generator=g)
        Xb, Yb = Xtr[ix], Ytr[ix]
        embcat = C[Xb].view(Xb.shape[0], -1)
        hpreact = embcat @ W1
        bnmeani = hpreact.mean(0, keepdim=True)
        bnstdi = hpreact.std(0, keepdim=True)
        hpreact = bngain * (hpreact - bnmeani) / bnstdi + bnbias
        with torch.no_grad():
            bnmean_running = 0.999 * bnmean_running + 0.001 * bnmeani
            bnstd_running = 0.999 * bnstd_running + 0.001 * bnstdi
        logits = torch.tanh(hpreact) @ W2 + b2
        loss = F.cross_entropy(logits, Yb)
        for p in parameters:
            p.grad = None
        loss.backward()
        lr = 0.1 if i < 80 else 0.01
        for p in parameters:
            p.data += -lr * p.grad
        if i % 20 == 0:
            print(f"{i:7d}/{100:7d}: {loss.item():.4f}")
    print(bnmean_running[0, :6], bnstd_running[0, :6], bngain[0, :6], bnmean_running.requires_grad)

    with torch.no_grad():
        hpreact = C[Xtr].view(Xtr.shape[0], -1) @ W1
        bnmean, bnstd = hpreact.mean(0, keepdim=True), hpreact.std(0, keepdim=True)
    print(torch.allclose(bnmean, bnmean_running, atol=10.0), (bnmean - bnmean_running).abs().max())

    @torch.no_grad()
    def split_loss(split: str) -> None:
        x, y = {"train": (Xtr, Ytr), "val": (Xdev, Ydev)}[split]
        hpreact = C[x].view(x.shape[0], -1) @ W1
        h = torch.tanh(bngain * (hpreact - bnmean) / bnstd + bnbias)
        print(split, F.cross_entropy(h @ W2 + b2, y).item())

    split_loss("train")
    split_loss("val")


def layers(torch: Any, bias: bool = True) -> tuple[Any, Any, Any]:
    """The lectures' own Linear, BatchNorm1d (over two dims, or three) and Tanh."""

    class Linear:
        def __init__(self, fan_in: int, fan_out: int, bias: bool = bias) -> None:
            self.weight = torch.randn((fan_in, fan_out)) / fan_in**0.5
            self.bias = torch.zeros(fan_out) if bias else None

        def __call__(self, x: Any) -> Any:
            self.out = x @ self.weight
            if self.bias is not None:
                self.out += self.bias
            return self.out

        def parameters(self) -> list[Any]:
            return [self.weight] + ([] if self.bias is None else [self.bias])

    class BatchNorm1d:
        def __init__(self, dim: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
            self.eps = eps
            self.momentum = momentum
            self.training = True
            self.gamma = torch.ones(dim)
            self.beta = torch.zeros(dim)
            self.running_mean = torch.zeros(dim)
            self.running_var = torch.ones(dim)

        def __call__(self, x: Any) -> Any:
            if self.training:
                dim = 0 if x.ndim == 2 else (0, 1)
                xmean = x.mean(dim, keepdim=True)
                xvar = x.var(dim, keepdim=True)
            else:
                xmean = self.running_mean
                xvar = self.running_var
            xhat = (x - xmean) / torch.sqrt(xvar + self.eps)
            self.out = self.gamma * xhat + self.beta
            if self.training:
                with torch.no_grad():
                    self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * xmean
                    self.running_var = (1 - self.momentum) * self.running_var + self.momentum * xvar
            return self.out

        def parameters(self) -> list[Any]:
            return [self.gamma, self.beta]

    class Tanh:
        def __call__(self, x: Any) -> Any:
            self.out = torch.tanh(x)
            return self.out

        def parameters(self) -> list[Any]:
            return []

    return Linear, BatchNorm1d, Tanh


def diagnostics(torch: Any, F: Any) -> None:
    """Makemore part 3: a deep network of own layers; activations, gradients and updates, as figures and histograms."""
    X, Y = dataset(torch, NAMES[:300])
    Linear, BatchNorm1d, Tanh = layers(torch)
    g = torch.Generator().manual_seed(2147483647)
    C = torch.randn((27, 10), generator=g)
    network = [Linear(30, 40, bias=False), BatchNorm1d(40), Tanh()]
    network += [part for _ in range(3) for part in (Linear(40, 40, bias=False), BatchNorm1d(40), Tanh())]
    network += [Linear(40, 27), BatchNorm1d(27)]
    with torch.no_grad():
        network[-1].gamma *= 0.1
        for layer in network[:-1]:
            if isinstance(layer, Linear):
                layer.weight *= 5 / 3
    parameters = [C] + [p for layer in network for p in layer.parameters()]
    print(sum(p.nelement() for p in parameters))
    for p in parameters:
        p.requires_grad = True

    ud = []
    for i in range(30):
        ix = torch.randint(0, X.shape[0], (32,), generator=g)
        Xb, Yb = X[ix], Y[ix]
        x = C[Xb].view(Xb.shape[0], -1)
        for layer in network:
            x = layer(x)
        loss = F.cross_entropy(x, Yb)
        for layer in network:
            layer.out.retain_grad()
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data += -0.1 * p.grad
        with torch.no_grad():
            ud.append([(0.1 * p.grad.std() / p.data.std()).log10().item() for p in parameters if p.ndim == 2])
        if i % 10 == 0:
            print(f"{i}: {loss.item():.4f}", ud[-1])

    plt.figure(figsize=(20, 4))
    for i, layer in enumerate(network[:-1]):
        if isinstance(layer, Tanh):
            t = layer.out
            saturated = (t.abs() > 0.97).float().mean() * 100
            print(f"layer {i} ({type(layer).__name__:>10s}): {t.mean():+.2f} ± {t.std():.2f}, {saturated:.2f}%")
            hy, hx = torch.histogram(t, density=True)
            plt.plot(hx[:-1].detach(), hy.detach())
            print(hx.shape, hy.shape, (hy.sum() * (hx[1] - hx[0])).detach())
            hy, hx = torch.histogram(layer.out.grad, density=True)
            plt.plot(hx[:-1].detach(), hy.detach())
    for p in parameters:
        if p.ndim == 2:
            t = p.grad
            ratio = t.std() / p.std()
            print(f"weight {tuple(p.shape)!s:>10s} | mean {t.mean():+f} | std {t.std():e} | ratio {ratio:e}")
    plt.plot([ud[j][0] for j in range(len(ud))])
    plt.legend(["parameter 0"])

    for layer in network:
        layer.training = False
    x = C[X[:4]].view(4, -1)
    for layer in network:
        x = layer(x)
    print(F.softmax(x, dim=1).max(1), x.argmax(dim=1))


def backprop_ninja(torch: Any, F: Any) -> None:
    """Makemore part 4: the gradients of cross entropy and BatchNorm in one formula each, and training with them."""
    X, Y = dataset(torch, NAMES[:300])
    g = torch.Generator().manual_seed(2147483647)
    C = torch.randn((27, 10), generator=g)
    W1 = torch.randn((30, 64), generator=g) * (5 / 3) / (30**0.5)
    b1 = torch.randn(64, generator=g) * 0.1
    W2 = torch.randn((64, 27), generator=g) * 0.1
    b2 = torch.randn(27, generator=g) * 0.1
    bngain = torch.randn((1, 64)) * 0.1 + 1.0
    bnbias = torch.randn((1, 64)) * 0.1
    parameters = [C, W1, b1, W2, b2, bngain, bnbias]
    for p in parameters:
        p.requires_grad = True
    n = 32

    for i in range(40):
        ix = torch.randint(0, X.shape[0], (n,), generator=g)
        Xb, Yb = X[ix], Y[ix]
        emb = C[Xb]
        embcat = emb.view(emb.shape[0], -1)
        hprebn = embcat @ W1 + b1
        bnmean = hprebn.mean(0, keepdim=True)
        bnvar = hprebn.var(0, keepdim=True, unbiased=True)
        bnvar_inv = (bnvar + 1e-5) ** -0.5
        bnraw = (hprebn - bnmean) * bnvar_inv
        hpreact = bngain * bnraw + bnbias
        h = torch.tanh(hpreact)
        logits = h @ W2 + b2
        loss = F.cross_entropy(logits, Yb)
        for p in parameters:
            p.grad = None
        loss.backward()

        dlogits = F.softmax(logits, 1)
        dlogits[range(n), Yb] -= 1
        dlogits /= n
        dh = dlogits @ W2.T
        dW2 = h.T @ dlogits
        db2 = dlogits.sum(0)
        dhpreact = (1.0 - h**2) * dh
        dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
        dbnbias = dhpreact.sum(0, keepdim=True)
        correction = n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
        dhprebn = bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - correction)
        dembcat = dhprebn @ W1.T
        dW1 = embcat.T @ dhprebn
        db1 = dhprebn.sum(0)
        demb = dembcat.view(emb.shape)
        dC = torch.zeros_like(C)
        for k in range(Xb.shape[0]):
            for j in range(Xb.shape[1]):
                dC[Xb[k, j]] += demb[k, j]
        grads = [dC, dW1, db1, dW2, db2, dbngain, dbnbias]
        if i % 10 == 0:
            for p, grad in zip(parameters, grads, strict=True):
                maxdiff = (p.grad - grad).abs().max().item()
                print(tuple(p.shape), torch.allclose(grad, p.grad, rtol=1e-3, atol=1e-6), maxdiff)
            print(loss, dlogits[0], dlogits[0].sum() < 1e-6)
        with torch.no_grad():
            for p, grad in zip(parameters, grads, strict=True):
                p.data += -0.1 * grad
    plt.imshow(dlogits.detach(), cmap="gray")


def wavenet(torch: Any, F: Any) -> None:
    """Makemore part 5: embedding, flattening and a container as own classes; characters joined two by two."""
    Linear, BatchNorm1d, Tanh = layers(torch)

    class Embedding:
        def __init__(self, count: int, dim: int) -> None:
            self.weight = torch.randn((count, dim))

        def __call__(self, ix: Any) -> Any:
            self.out = self.weight[ix]
            return self.out

        def parameters(self) -> list[Any]:
            return [self.weight]

    class FlattenConsecutive:
        def __init__(self, n: int) -> None:
            self.n = n

        def __call__(self, x: Any) -> Any:
            B, T, C = x.shape
            x = x.view(B, T // self.n, C * self.n)
            if x.shape[1] == 1:
                x = x.squeeze(1)
            self.out = x
            return self.out

        def parameters(self) -> list[Any]:
            return []

    class Sequential:
        def __init__(self, layers: list[Any]) -> None:
            self.layers = layers

        def __call__(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer(x)
            self.out = x
            return self.out

        def parameters(self) -> list[Any]:
            return [p for layer in self.layers for p in layer.parameters()]

    e = torch.randn(4, 8, 10)
    explicit = torch.cat([e[:, ::2, :], e[:, 1::2, :]], dim=2)
    print(explicit.shape, (e.view(4, 4, 20) == explicit).all())
    print(e.mean((0, 1), keepdim=True), e.var((0, 1), keepdim=True).shape)
    print((torch.randn(4, 5, 8, 80) @ torch.randn(80, 200) + torch.randn(200)).shape)

    torch.manual_seed(42)
    X, Y = dataset(torch, NAMES[:300], block_size=8)
    hidden = 24
    parts: list[Any] = [Embedding(27, 10)]
    for size in (10, hidden, hidden):
        parts += [FlattenConsecutive(2), Linear(size * 2, hidden, bias=False), BatchNorm1d(hidden), Tanh()]
    model = Sequential([*parts, Linear(hidden, 27)])
    with torch.no_grad():
        model.layers[-1].weight *= 0.1
    parameters = model.parameters()
    print(sum(p.nelement() for p in parameters))
    for p in parameters:
        p.requires_grad = True

    lossi = []
    for i in range(40):
        ix = torch.randint(0, X.shape[0], (32,))
        logits = model(X[ix])
        loss = F.cross_entropy(logits, Y[ix])
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data += -0.1 * p.grad
        lossi.append(loss.log10().item())
        if i % 10 == 0:
            print(f"{i:7d}: {loss.item():.4f}")
    for layer in model.layers:
        print(layer.__class__.__name__, ":", tuple(layer.out.shape))
    print(torch.tensor(lossi).view(-1, 10).mean(1), model.layers[3].running_mean.shape)
    plt.plot(torch.tensor(lossi).view(-1, 10).mean(1))

    for layer in model.layers:
        layer.training = False
    with torch.no_grad():
        print(F.cross_entropy(model(X), Y))
    for _ in range(3):
        out: list[int] = []
        context = [0] * 8
        while len(out) < 20:
            probs = F.softmax(model(torch.tensor([context])), dim=1)
            index = torch.multinomial(probs, num_samples=1).item()
            context = [*context[1:], index]
            out.append(index)
            if index == 0:
                break
        print("".join(to_character(i) for i in out))


def modules(torch: Any, F: Any) -> None:
    """Makemore parts 3 and 5: PyTorch's own layers, whose first weights and training must be the same too."""
    nn = torch.nn
    torch.manual_seed(42)
    X, Y = dataset(torch, NAMES[:300])
    model = nn.Sequential(
        nn.Embedding(27, 10),
        nn.Flatten(),
        nn.Linear(30, 40, bias=False),
        nn.BatchNorm1d(40),
        nn.Tanh(),
        nn.Linear(40, 27),
    )
    print(model, sum(p.nelement() for p in model.parameters()))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for i in range(40):
        ix = torch.randint(0, X.shape[0], (32,))
        loss = F.cross_entropy(model(X[ix]), Y[ix])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if i % 10 == 0:
            print(i, loss.item())
    model.eval()
    with torch.no_grad():
        print(F.cross_entropy(model(X), Y).item())
    print([name for name, _ in model.named_parameters()], model[3].running_mean[:5])


def micrograd(torch: Any, F: Any) -> None:
    """The micrograd lecture: a neuron of single numbers in double precision, and the same of a matrix of weights."""
    x1 = torch.Tensor([2.0]).double()
    x1.requires_grad = True
    x2 = torch.Tensor([0.0]).double()
    x2.requires_grad = True
    w1 = torch.Tensor([-3.0]).double()
    w1.requires_grad = True
    w2 = torch.Tensor([1.0]).double()
    w2.requires_grad = True
    b = torch.Tensor([6.8813735870195432]).double()
    b.requires_grad = True
    n = x1 * w1 + x2 * w2 + b
    o = torch.tanh(n)
    print(o.data.item(), o, n)
    o.backward()
    for name, t in {"x2": x2, "w2": w2, "x1": x1, "w1": w1}.items():
        print(name, t.grad.item(), t.grad, t.dtype)
    print(torch.Tensor([[1, 2, 3], [4, 5, 6]]), torch.Tensor([[1, 2, 3], [4, 5, 6]]).shape)

    a = torch.tensor([-4.0], requires_grad=True)
    b = torch.tensor([2.0], requires_grad=True)
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    g.backward()
    print(g, a.grad, b.grad.item())


PROGRAMS: list[Program] = [
    bigram_counts,
    bigram_network,
    mlp,
    initial_losses,
    batch_norm,
    diagnostics,
    backprop_ninja,
    wavenet,
    modules,
    micrograd,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_lecture(program: Program) -> None:
    reference: Outcome = run_program(program, "PyTorch")
    assert reference.error is None
    assert difference(run_program(program, "minigrad"), reference) is None
