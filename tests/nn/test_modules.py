"""Modules against torch.nn: the layers, their text and state, hooks, walks, conversions, and containers."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import assert_same, compare, leaves, normal, ours, theirs

LIBRARIES = [(minigrad, nn), (torch, torch.nn)]
LAYERS: dict[Any, Any] = {minigrad: nn, torch: torch.nn}

Make = Callable[[Any], Any]  # makes a Module, of `nn` or of `torch.nn`

ELEMENTWISE = [
    *("GELU()", "GELU('tanh')", "SiLU()", "SiLU(inplace=True)", "Sigmoid()", "LeakyReLU()"),
    *("LeakyReLU(0.2,inplace=True)", "ELU()", "ELU(0.5,True)", "CELU()", "CELU(2.0)", "SELU()", "SELU(True)"),
    *(
        "Softplus()",
        "Softplus(2,5)",
        "LogSigmoid()",
        "Hardtanh()",
        "Hardtanh(-2,2,True)",
        "ReLU()",
        "ReLU(inplace=True)",
    ),
    *("ReLU6()", "ReLU6(True)", "Mish()", "Softsign()", "Tanhshrink()", "Tanh()", "Identity()", "Identity(5,name=3)"),
    *("Hardswish()", "Softmax(1)", "Softmax(dim=0)", "Softmin(0)", "LogSoftmax(-1)", "GLU()", "GLU(0)"),
    *("Unflatten(1,(2,-1))", "Unflatten(-1,(2,2))", "RMSNorm(4)", "RMSNorm((2,4),eps=0.1)"),
    *("RMSNorm(4,elementwise_affine=False)", "GroupNorm(2,4)", "GroupNorm(1,4,affine=False)"),
    *("GroupNorm(2,4,eps=0.1,bias=False)", "LayerNorm(4,dtype=FLOAT)", "Linear(4,2,dtype=FLOAT)"),
    *("Linear(4,2,device='cpu')", "BatchNorm1d(4,dtype=FLOAT)", "Dropout(0.0,inplace=True)"),
]


def layer(library: Any, text: str) -> Any:
    """A layer of a library, from its constructor as text."""
    return eval(f"layers.{text}", {"layers": LAYERS[library], "FLOAT": library.float64})


@pytest.mark.parametrize("text", ELEMENTWISE)
def test_a_layer(text: str) -> None:
    """The text, the numbers, the state and the gradients are PyTorch's."""
    assert repr(layer(minigrad, text)) == repr(layer(torch, text))
    shape = (3, 2, 4) if "((2,4)" in text else (3, 4, 5) if "GroupNorm" in text else (4, 4)
    double = "float64" if "FLOAT" in text else "float32"

    def function(library: Any, x: Any) -> Any:
        library.manual_seed(3)
        module = layer(library, text)
        result = module(x * 1)
        return [result, *module.state_dict().values()]

    compare(function, normal(*shape, dtype=double))


LOSSES = [
    *("MSELoss()", "MSELoss(reduction='sum')", "L1Loss()", "SmoothL1Loss()", "SmoothL1Loss(beta=0.2)", "HuberLoss()"),
    *("HuberLoss('sum',2.0)", "KLDivLoss(reduction='batchmean')", "KLDivLoss(reduction='sum',log_target=True)"),
    *("BCELoss()", "BCELoss(reduction='none')", "BCEWithLogitsLoss()", "BCEWithLogitsLoss(reduction='sum')"),
    *("CosineSimilarity()", "CosineSimilarity(0,0.5)", "PairwiseDistance()", "PairwiseDistance(1,keepdim=True)"),
]


@pytest.mark.parametrize("text", LOSSES)
def test_a_loss(text: str) -> None:
    assert repr(layer(minigrad, text)) == repr(layer(torch, text))
    arrays = [np.random.default_rng(seed).uniform(0.1, 0.9, (3, 4)) for seed in (1, 2)]
    compare(lambda library, x, t: layer(library, text)(x, t), *arrays)


def test_losses_with_weights() -> None:
    def function(library: Any, x: Any) -> Any:
        layers, target = LAYERS[library], library.tensor([1, 0, 2])
        weight = library.tensor([1.0, 2.0, 3.0], dtype=library.float64)
        shares = x.detach().sigmoid()
        losses = [
            layers.NLLLoss(weight)(x, target),
            layers.NLLLoss(ignore_index=0, reduction="sum")(x, target),
            layers.CrossEntropyLoss(weight, label_smoothing=0.1)(x, target),
            layers.BCELoss(weight)(x.sigmoid(), shares),
            layers.BCEWithLogitsLoss(weight, pos_weight=weight * 2)(x, shares),
        ]
        return [*losses, *layers.BCEWithLogitsLoss(weight, pos_weight=weight).state_dict().values()]

    compare(function, normal(3, 3))


def test_an_embedding_with_padding() -> None:
    def function(library: Any) -> Any:
        library.manual_seed(2)
        layers = LAYERS[library]
        places = library.tensor([[0, 2, 1], [2, 2, 3]])
        found: list[Any] = []
        for table in (
            layers.Embedding(4, 3, padding_idx=2),
            layers.Embedding(4, 3, padding_idx=-1, dtype=library.float64),
            layers.Embedding.from_pretrained(library.ones(4, 2), freeze=False, padding_idx=0),
            layers.Embedding(4, 2, _weight=library.ones(4, 2)),
        ):
            result = table(places)
            (result * result).sum().backward()
            found += [result, table.weight.grad, repr(table), repr(result.grad_fn)[1:18]]
        frozen = layers.Embedding.from_pretrained(library.ones(4, 2))
        return [*found, frozen.weight.requires_grad, repr(frozen)]

    assert_same(function(minigrad), function(torch))


REFUSED_LAYERS: dict[str, Make] = {
    "a padding beyond the table": lambda layers: layers.Embedding(4, 3, padding_idx=4),
    "groups that do not divide": lambda layers: layers.GroupNorm(3, 4),
    "a pretrained vector": lambda layers: layers.Embedding.from_pretrained(layers.Parameter()),
    "a weight of another shape": lambda layers: layers.Embedding(4, 3, _weight=layers.Linear(4, 4).weight),
    "a device that there is not": lambda layers: layers.Linear(1, 1, device="cuda"),
    "a dtype of integers": lambda layers: layers.Linear(1, 1, dtype=minigrad.int64 if layers is nn else torch.int64),
}


@pytest.mark.parametrize("make", REFUSED_LAYERS.values(), ids=REFUSED_LAYERS)
def test_a_layer_refuses(make: Make) -> None:
    with pytest.raises((ValueError, RuntimeError, AssertionError)):
        make(torch.nn)
    with pytest.raises((ValueError, RuntimeError, IndexError)):
        make(nn)


def test_what_tables_do_not_have_is_refused_with_advice() -> None:
    for settings in ({"max_norm": 1.0}, {"scale_grad_by_freq": True}, {"sparse": True}):
        for make in (
            lambda **s: nn.Embedding(3, 2, **s),
            lambda **s: nn.functional.embedding(minigrad.tensor([1]), minigrad.ones(3, 2), **s),
        ):
            with pytest.raises(NotImplementedError, match=r"mbedding: .*(scale|defaults)"):
                make(**settings)


# Hooks


def hooked(library: Any, register: Callable[[Any, list[Any]], Any]) -> list[Any]:
    """What a model with hooks computes, and what the hooks have noted."""
    noted: list[Any] = []

    class Scaled(LAYERS[library].Module):  # type: ignore[misc]
        def forward(self, x: Any, factor: float = 2.0) -> Any:
            if factor == 0:
                raise ValueError("no factor")
            return x * factor

    model = Scaled()
    register(model, noted)
    for call in (
        lambda: model(library.ones(2)),
        lambda: model(library.ones(2), factor=3.0),
        lambda: model(library.ones(2), 0),
    ):
        try:
            noted.append(call())
        except ValueError as error:
            noted.append(str(error))
    return noted


HOOKS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "before": lambda m, n: m.register_forward_pre_hook(lambda module, args: n.append((module is m, len(args)))),
    "before, that changes": lambda m, n: m.register_forward_pre_hook(lambda module, args: args[0] + 1),
    "before, that changes all": lambda m, n: m.register_forward_pre_hook(lambda module, args: (args[0] + 1, *args[1:])),
    "before, with names": lambda m, n: m.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {**kwargs, "factor": 5.0} if kwargs else kwargs), with_kwargs=True
    ),
    "after": lambda m, n: m.register_forward_hook(lambda module, args, result: n.append((len(args), result))),
    "after, that changes": lambda m, n: m.register_forward_hook(lambda module, args, result: result * 10),
    "after, with names": lambda m, n: m.register_forward_hook(
        lambda module, args, kwargs, result: n.append(sorted(kwargs)), with_kwargs=True
    ),
    "after, always": lambda m, n: m.register_forward_hook(lambda *a: n.append(a[-1] is None), always_call=True),
    "two": lambda m, n: [
        m.register_forward_hook(lambda module, args, result: result + 1),
        m.register_forward_hook(lambda module, args, result: result * 2),
    ],
    "two, the second first": lambda m, n: [
        m.register_forward_hook(lambda module, args, result: result + 1),
        m.register_forward_hook(lambda module, args, result: result * 2, prepend=True),
        m.register_forward_pre_hook(lambda module, args: n.append("later")),
        m.register_forward_pre_hook(lambda module, args: n.append("sooner"), prepend=True),
    ],
    "removed": lambda m, n: m.register_forward_hook(lambda module, args, result: result + 1).remove(),
    "removed twice": lambda m, n: [
        handle := m.register_forward_pre_hook(lambda module, args: n.append(1)),
        handle.remove(),
        handle.remove(),
    ],
}


@pytest.mark.parametrize("register", HOOKS.values(), ids=HOOKS)
def test_hooks_are_pytorchs(register: Callable[[Any, list[Any]], Any]) -> None:
    assert_same(hooked(minigrad, register), hooked(torch, register))


def test_a_hook_in_a_with_block_and_in_a_copy() -> None:
    for library, layers in LIBRARIES:
        model, seen = layers.Linear(2, 1), []
        with model.register_forward_hook(lambda *_, seen=seen: seen.append(1)):
            model(library.ones(1, 2))
            copy.deepcopy(model)(library.ones(1, 2))
        model(library.ones(1, 2))
        assert seen == [1, 1]


def test_a_hook_that_takes_itself_away() -> None:
    model, seen = nn.Linear(2, 1), []
    handle = model.register_forward_hook(lambda *_: (seen.append(1), handle.remove()))
    model(minigrad.ones(1, 2))
    model(minigrad.ones(1, 2))
    assert seen == [1]


def test_what_is_no_hook_is_refused() -> None:
    model = nn.Linear(2, 1)
    with pytest.raises(TypeError, match="register_forward_hook: expected a function"):
        model.register_forward_hook(5)  # type: ignore[arg-type]
    model.register_forward_pre_hook(lambda module, args, kwargs: 5, with_kwargs=True)
    with pytest.raises(RuntimeError, match="Linear: a pre-hook must return"):
        model(minigrad.ones(1, 2))


def test_an_error_after_an_error_warns() -> None:
    def wrong(*_: Any) -> None:
        raise KeyError("second")

    for library, layers in LIBRARIES:
        model = layers.Linear(2, 1)
        model.register_forward_hook(wrong, always_call=True)
        with pytest.warns(UserWarning, match="second"), pytest.raises((RuntimeError, TypeError)):
            model(library.ones(1, 3))


# Walks and state


def nested(layers: Any) -> Any:
    """Modules in Modules; two names for one of them."""
    inner = layers.Sequential(layers.Linear(2, 2), layers.BatchNorm1d(2))
    model = layers.ModuleDict({"a": inner, "b": layers.ModuleList([inner, layers.Linear(2, 1)])})
    model.register_buffer("mask", layers.LayerNorm(2).weight.detach())
    return model


WALKS: dict[str, Callable[[Any], Any]] = {
    "named_parameters": lambda m: [name for name, _ in m.named_parameters("p", remove_duplicate=False)],
    "named_parameters of it alone": lambda m: [name for name, _ in m["a"][0].named_parameters("x.y", False)],
    "parameters": lambda m: [*m.parameters(recurse=False)],
    "named_buffers": lambda m: [name for name, _ in m.named_buffers(prefix="p")],
    "named_buffers, all names": lambda m: [name for name, _ in m.named_buffers(remove_duplicate=False)],
    "buffers": lambda m: len([*m.buffers(recurse=False)]),
    "named_modules": lambda m: [name for name, _ in m.named_modules(prefix="p", remove_duplicate=False)],
    "named_modules but one": lambda m: [name for name, _ in m.named_modules({m["a"]})],
    "state_dict": lambda m: [*m.state_dict(prefix="p.")],
    "state_dict into another": lambda m: [*m.state_dict(destination={"first": 1}, keep_vars=True)],
    "keep_vars": lambda m: m.state_dict(keep_vars=True)["a.0.weight"] is m["a"][0].weight,
    "get_submodule": lambda m: m.get_submodule("b.1") is m["b"][1],
    "get_submodule, itself": lambda m: m.get_submodule("") is m,
    "get_parameter": lambda m: m.get_parameter("a.0.weight") is m["a"][0].weight,
    "get_buffer": lambda m: m.get_buffer("mask") is m.mask,
    "get_submodule, none": lambda m: m.get_submodule("a.7"),
    "get_submodule, a parameter": lambda m: m.get_submodule("a.0.weight"),
    "get_parameter, a buffer": lambda m: m.get_parameter("mask"),
    "get_buffer, a parameter": lambda m: m.get_buffer("a.0.weight"),
    "set_submodule": lambda m: [m.set_submodule("b.1", m["a"]), [name for name, _ in m.named_modules()]],
    "set_submodule, new": lambda m: [m.set_submodule("b.2", m["a"]), len(m["b"])],
    "set_submodule, strictly": lambda m: m.set_submodule("b.2", m["a"], strict=True),
    "set_submodule, a parameter": lambda m: m.set_submodule("a.0.weight", m["a"]),
    "set_submodule, no name": lambda m: m.set_submodule("", m["a"]),
    "set_submodule, no module": lambda m: m.set_submodule("b", 5),
    "register_module": lambda m: [m.register_module("c", m["a"]), len(m)],
    "_get_name": lambda m: m["a"]._get_name(),
    "cpu": lambda m: m.cpu() is m,
    "share_memory": lambda m: m.share_memory() is m,
    "a dict": lambda m: [len(m), "a" in m, "z" in m, [*m], [*m.keys()], [name for name, _ in m.items()]],
    "a dict, less one": lambda m: [m.pop("b")._get_name(), len(m), len([*m.values()])],
    "a dict, cleared": lambda m: [m.clear(), len(m), [*m.state_dict()]],
    "a dict, updated": lambda m: [m.update({"z": m["a"]}), m.update([("y", m["a"])]), [*m]],
    "a dict, an unknown name": lambda m: m["q"],
    "a dict, no module": lambda m: m.update({"q": 5}),
    "a list": lambda m: [m["b"].insert(0, m["a"]) and None, len(m["b"]), m["b"].pop(1)._get_name(), [*m.state_dict()]],
    "a list, changed": lambda m: [m["b"].__setitem__(1, m["a"]), m["b"].__delitem__(0), len(m["b"] + m["b"])],
    "a list, no place": lambda m: m["b"].pop(7),
}


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_walks_are_pytorchs(walk: Callable[[Any], Any]) -> None:
    outcomes = []
    for _, layers in reversed(LIBRARIES):
        try:
            outcomes.append(walk(nested(layers)))
        except (AttributeError, ValueError, KeyError, IndexError, TypeError) as error:
            outcomes.append(type(error))
    assert outcomes[0] == outcomes[1]


def test_a_sequential_can_be_changed() -> None:
    def described(layers: Any) -> list[str]:
        model = layers.Sequential(layers.Linear(1, 2), layers.Tanh(), layers.Linear(2, 1))
        found = []
        for change in (
            lambda m: m.insert(1, layers.ReLU()),
            lambda m: m.pop(0),
            lambda m: m.__delitem__(-1),
            lambda m: m.__setitem__(0, layers.Sigmoid()),
            lambda m: m.extend([layers.Tanh()]),
            lambda m: m.__iadd__(layers.Sequential(layers.SiLU())),
        ):
            change(model)
            found.append(repr(model))
        return [*found, repr(model + model)]

    assert described(nn) == described(torch.nn)


def test_parameters_in_lists_and_dicts() -> None:
    def described(library: Any, layers: Any) -> list[Any]:
        values = layers.ParameterList([library.ones(2, 3), layers.Parameter(library.ones(1)), 5])
        values.append(library.zeros(2))
        values[1] = library.ones(4)
        values += [library.tensor(1.0)]
        named = layers.ParameterDict({"b": library.ones(2), "a": library.ones(1, 2)})
        named["c"] = 7
        found = [
            repr(values),
            repr(named),
            len(values),
            len(named),
            [*named],
            [*named.keys()],
            "a" in named,
            named.get("q", 3),
        ]
        found += [len(values[1:]), [*values.state_dict()], [*named.state_dict()], named.pop("c"), values[-1].item()]
        found += [repr(layers.Sequential(layers.ParameterList([library.ones(2)]))), repr(layers.ParameterList())]
        named.clear()
        for act in (
            lambda: values[9],
            lambda: named["q"],
            lambda: values.extend(3),
            lambda: values(1),
            lambda: named.update(3),
        ):
            try:
                act()
            except (IndexError, KeyError, AttributeError, TypeError, RuntimeError) as error:
                found.append(isinstance(error, LookupError | AttributeError))
        return found

    assert described(minigrad, nn) == described(torch, torch.nn)


def test_a_parameter_without_data() -> None:
    assert repr(nn.Parameter()) == repr(torch.nn.Parameter())
    assert nn.parameter.Parameter is nn.Parameter


def test_load_state_dict_that_assigns() -> None:
    outcomes = []
    for library, layers in LIBRARIES:
        model = layers.Sequential(layers.Linear(2, 1), layers.BatchNorm1d(1))
        model[0].bias.requires_grad_(False)
        state = {name: x.double() if x.dtype == library.float32 else x for name, x in model.state_dict().items()}
        model.load_state_dict(state, assign=True)
        outcomes.append([(str(x.dtype), x.requires_grad, x.is_leaf) for x in model.state_dict(keep_vars=True).values()])
        assert isinstance(model[0].weight, layers.Parameter)
        model[0].weight.data.zero_()
        assert not state["0.weight"].any()  # they share the memory
    assert outcomes[0] == outcomes[1]


def test_a_module_sets_the_mode_of_its_children_by_their_train() -> None:
    outcomes = []
    for _, layers in LIBRARIES:

        class Frozen(layers.Sequential):  # type: ignore[misc, name-defined]
            def train(self, mode: bool = True) -> Any:
                return super().train(False)

        model = layers.Sequential(layers.Dropout(), Frozen(layers.Dropout(), layers.Sequential(layers.Dropout())))
        outcomes.append([[x.training for x in step().modules()] for step in (model.train, model.eval, model.train)])
    assert outcomes[0] == outcomes[1]
    assert True in outcomes[0][0]


@pytest.mark.parametrize("name", ["double", "float", "half"])
def test_a_conversion_takes_gradients_and_buffers_along(name: str) -> None:
    outcomes = []
    for library, layers in LIBRARIES:
        model = layers.Sequential(layers.Linear(2, 3), layers.BatchNorm1d(3))
        parameters = [*model.parameters()]
        model(library.ones(4, 2)).sum().backward()
        assert getattr(model, name)() is model
        assert [*model.parameters()] == parameters or all(
            a is b for a, b in zip(model.parameters(), parameters, strict=True)
        )
        outcomes.append([str(x.dtype) for x in model.state_dict().values()] + [str(x.grad.dtype) for x in parameters])
    assert outcomes[0] == outcomes[1]


def test_type_converts_all() -> None:
    outcomes = []
    for library, layers in LIBRARIES:
        model = layers.BatchNorm1d(2)
        if library is minigrad:
            model.type(library.float64)
        else:
            model.type(library.float64)
        outcomes.append([str(x.dtype) for x in model.state_dict().values()])
    assert outcomes[0] == outcomes[1]
    with pytest.raises(RuntimeError, match="type: "):
        nn.Linear(1, 1).type(minigrad.int64)


def test_there_is_no_cuda() -> None:
    with pytest.raises(RuntimeError, match="'cuda'"):
        nn.Linear(1, 1).cuda()
    with pytest.raises(RuntimeError, match="'cuda'"):
        nn.Linear(1, 1).to("cuda")


def test_running_statistics_can_be_reset() -> None:
    def function(library: Any, x: Any) -> Any:
        layer = LAYERS[library].BatchNorm1d(3, dtype=library.float64)
        layer(x)
        layer.reset_running_stats()
        first = [y.clone() for y in layer.state_dict().values()]
        layer(x)
        layer.reset_parameters()
        return [*first, *layer.state_dict().values()]

    compare(function, normal(5, 3))
    for make, kinds in ((ours, nn), (theirs, torch.nn)):
        (x,) = leaves(make, [normal(2, 4)])
        for text in ("LayerNorm(4)", "GroupNorm(2, 4)", "RMSNorm(4)"):
            layer = eval(f"kinds.{text}", {"kinds": kinds})
            layer.weight.data.fill_(3)
            layer.reset_parameters()
            assert layer.weight.tolist() == [1] * 4
        assert x.shape[1] == 4
