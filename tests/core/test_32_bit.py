"""On a 32-bit platform, a browser for one, numpy's default integer and its index are int32: PyTorch's are int64.

numpy is made to behave so in a process of its own, where a program must print what it prints elsewhere.
"""

import subprocess
import sys

from tests.support import ROOT

# numpy's functions and methods as a 32-bit build has them. The methods belong to a class written in C; its dict, which
# Python does not let a program change, is found through the garbage collector.
NARROW = """
import ctypes, gc
import numpy as np

methods = gc.get_referents(np.ndarray.__dict__)[0]
real = {name: getattr(np.ndarray, name) for name in ("argmax", "argmin", "argsort", "take", "astype")}
functions = {name: getattr(np, name) for name in ("array", "asarray", "arange", "argsort", "repeat", "bincount")}

def narrow(x):
    return functions["asarray"](x).astype(np.int32) if functions["asarray"](x).dtype == np.int64 else x

def indices(name):
    return lambda x, *args, **kwargs: narrow(real[name](x, *args, **kwargs))

def take(x, indices, *args, **kwargs):
    assert functions["asarray"](indices).dtype != np.int64, "Cannot cast array data from int64 to int32, rule 'safe'"
    return real["take"](x, indices, *args, **kwargs)

def holds_arrays(x):
    return any(map(holds_arrays, x)) if isinstance(x, (list, tuple)) else hasattr(x, "dtype") or hasattr(x, "array")

def made(name):
    def make(x, *args, **kwargs):
        result = functions[name](x, *args, **kwargs)
        typed = "dtype" in kwargs or args and name != "arange"
        return result if typed or holds_arrays(x) or abs(result).max(initial=0) >= 2**31 else narrow(result)
    return make

def counts(name):
    def count(x, n=None, *args, **kwargs):
        checked = functions["asarray"](x if name == "bincount" else n)
        assert checked.dtype != np.int64 or isinstance(n, int), "Cannot cast array data from int64 to int32"
        return functions[name](x, n, *args, **kwargs)
    return count

methods.update(take=take, **{name: indices(name) for name in ("argmax", "argmin", "argsort")})
ctypes.pythonapi.PyType_Modified(ctypes.py_object(np.ndarray))
np.array, np.arange = made("array"), made("arange")
np.argsort = lambda *args, **kwargs: narrow(functions["argsort"](*args, **kwargs))
np.repeat = counts("repeat")
np.intp = np.int32
assert np.array([1]).dtype == np.arange(3).dtype == np.ones(2).argmax().dtype == np.int32
"""

PROGRAM = """
import minigrad as torch
import nn
import nn.functional as F

g = torch.Generator().manual_seed(0)
x = torch.tensor([[0, 1], [2, 0]])
print(x.dtype, x.sum().dtype, x.cumsum(0).dtype, torch.arange(3).dtype, torch.tensor(5).dtype, (x + 1).dtype)
print(torch.tensor([0, 2**40]), torch.arange(0, 2**33, 2**32), torch.full((1,), 3).dtype)
scores = torch.randn(4, 5, generator=g)
print(scores.argmax(), scores.argmax(1).dtype, scores.argmin(0), scores.max(1), scores.min(0, keepdim=True).indices)
C = torch.randn(5, 3, generator=g).requires_grad_()
X = torch.tensor([[0, 1, 1], [4, 0, 2]])
y = C[X].view(2, -1)
(y * y).sum().backward()
print(y.tolist(), C.grad.tolist())
print(C[:, [2, 0]].tolist(), C[[0, 1], [1, 1]].tolist(), C[torch.tensor([True, False, True, False, False])].tolist())
print(torch.randperm(6, generator=g), torch.randint(9, (3,), generator=g))
print(torch.multinomial(torch.ones(4), 2, generator=g), torch.multinomial(torch.ones(4), 9, True, generator=g))
print(torch.tensor([1, 2]).repeat_interleave(torch.tensor([2, 1])), F.one_hot(x).dtype)
logits = torch.randn(6, 4, generator=g).requires_grad_()
F.cross_entropy(logits, torch.tensor([0, 3, 1, 1, 2, 0])).backward()
print(logits.grad.tolist())
E = torch.randn(50, 30, generator=g).requires_grad_()
E[torch.randint(50, (400, 3), generator=g)].sum().backward()  # many rows, which are sorted
E[:, torch.randint(30, (40,), generator=g)].square().sum().backward()
print(E.grad.tolist())
torch.manual_seed(1)
net = nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.Linear(12, 3), nn.BatchNorm1d(3), nn.Tanh())
net(X).sum().backward()
print(net[3].num_batches_tracked, [p.grad.tolist() for p in net.parameters()])
"""


def test_a_program_prints_the_same_on_a_32_bit_platform() -> None:
    printed = []
    for prelude in ("", NARROW):
        command = [sys.executable, "-c", prelude + PROGRAM]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    assert printed[0] == printed[1]
    assert "torch.int64 torch.int64 torch.int64 torch.int64 torch.int64 torch.int64" in printed[0]
