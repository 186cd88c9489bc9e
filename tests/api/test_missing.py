"""Names that minigrad does not have: what the error says, and when. `test_advice.py` follows its advice."""

import copy
import pickle
import pkgutil
import traceback
from typing import Any

import numpy as np
import pytest

import minigrad
import nn
from minigrad.api import missing
from tests.support import torch_names
from tests.support.without_torch import needs_torch

# What the error says


class Net(nn.Module):
    """A user's Module, with a property that asks for what is not there."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(2, 2)

    @property
    def width(self) -> int:
        """Ask for an attribute that the layer does not have."""
        return int(self.hidden.out_feature)

    @property
    def depth(self) -> int:
        """Ask for an attribute that an object of Python's does not have."""
        return int((1).deep)  # type: ignore[attr-defined]


# What has names, under the title that messages give it, and PyTorch's of this kind.
OWNERS: dict[str, tuple[Any, str]] = {
    "minigrad": (minigrad, "torch"),
    "minigrad.Tensor": (minigrad.ones(2), "torch.Tensor"),
    "minigrad.Generator": (minigrad.Generator(), "torch.Generator"),
    "minigrad.dtype": (minigrad.float32, "torch.dtype"),
    "grad_fn": ((minigrad.ones(2, requires_grad=True) * 2).grad_fn, "torch.autograd.graph.Node"),
    "minigrad.amp": (minigrad.amp, "torch.amp"),
    "minigrad.autograd": (minigrad.autograd, "torch.autograd"),
    "minigrad.backends": (minigrad.backends, "torch.backends"),
    "minigrad.cuda": (minigrad.cuda, "torch.cuda"),
    "minigrad.linalg": (minigrad.linalg, "torch.linalg"),
    "minigrad.mps": (minigrad.mps, "torch.mps"),
    "minigrad.testing": (minigrad.testing, "torch.testing"),
    "minigrad.utils": (minigrad.utils, "torch.utils"),
    "minigrad.utils.data": (minigrad.utils.data, "torch.utils.data"),
    "minigrad.nn": (nn, "torch.nn"),
    "minigrad.nn.functional": (nn.functional, "torch.nn.functional"),
    "minigrad.nn.init": (nn.init, "torch.nn.init"),
    "minigrad.nn.optim": (nn.optim, "torch.optim"),
    "minigrad.nn.optim.lr_scheduler": (nn.optim.lr_scheduler, "torch.optim.lr_scheduler"),
    "minigrad.nn.utils": (nn.utils, "torch.nn.utils"),
    "Net": (Net(), "torch.nn.Module"),
    "SGD": (nn.optim.SGD([minigrad.ones(2)]), "torch.optim.Optimizer"),
}
TITLES = pytest.mark.parametrize("title", OWNERS)
# A name that is misspelt, what was meant, and a name of PyTorch's without advice, for each owner.
NAMES = {
    "minigrad": ("onse", "ones", "istft"),
    "minigrad.Tensor": ("reshap", "reshape", "lgamma"),
    "minigrad.Generator": ("manual_sed", "manual_seed", "clone_state"),
    "minigrad.dtype": ("itemsiz", "itemsize", "is_complex"),
    "grad_fn": ("nmae", "name", "register_hook"),
    "minigrad.amp": ("autocats", "autocast", "custom_fwd"),
    "minigrad.backends": ("mkldn", "mkldnn", "opt_einsum"),
    "minigrad.linalg": ("vector_nrm", "vector_norm", "svd"),
    "minigrad.mps": ("manual_sed", "manual_seed", "current_allocated_memory"),
    "minigrad.autograd": ("gradchek", "gradcheck", "forward_ad"),
    "minigrad.cuda": ("is_availabe", "is_available", "memory_summary"),
    "minigrad.testing": ("assert_clos", "assert_close", "make_tensor"),
    "minigrad.utils": ("dta", "data", "checkpoint"),
    "minigrad.utils.data": ("random_spilt", "random_split", "DistributedSampler"),
    "minigrad.nn": ("Lineer", "Linear", "Bilinear"),
    "minigrad.nn.functional": ("crossentropy", "cross_entropy", "bilinear"),
    "minigrad.nn.init": ("kaiming_norml_", "kaiming_normal_", "dirac_"),
    "minigrad.nn.optim": ("AdmaW", "AdamW", "LBFGS"),
    "minigrad.nn.optim.lr_scheduler": ("StepLr", "StepLR", "EPOCH_DEPRECATION_WARNING"),
    "minigrad.nn.utils": ("clip_grad_nrm_", "clip_grad_norm_", "parametrize"),
    "Net": ("hiden", "hidden", "register_full_backward_hook"),
    "SGD": ("zero_grads", "zero_grad", "register_state_dict_pre_hook"),
}


def message(owner: Any, name: str) -> str:
    """What the error says that is raised for a name."""
    with pytest.raises(AttributeError) as caught:
        getattr(owner, name)
    assert caught.value.name == name
    return str(caught.value)


@TITLES
def test_a_misspelt_name_is_answered_with_the_name_that_was_meant(title: str) -> None:
    misspelt, meant, _ = NAMES[title]
    assert hasattr(OWNERS[title][0], meant)
    assert message(OWNERS[title][0], misspelt) == f"{title} has no attribute {misspelt!r}; did you mean {meant!r}?"


@TITLES
def test_a_name_that_only_pytorch_has_is_said_to_be_pytorchs(title: str) -> None:
    (owner, reference), (*_, name) = OWNERS[title], NAMES[title]
    assert hasattr(torch_names.OWNERS[reference], name)
    expected = f"{title} has no attribute {name!r}, which PyTorch has and minigrad does not support yet"
    assert message(owner, name) == expected


LEFT = ["Conv2d", "ConvTranspose1d", "MaxPool2d", "LSTM", "GRUCell", "MultiheadAttention", "BatchNorm2d", "CTCLoss"]


@pytest.mark.parametrize("name", LEFT)
def test_a_layer_that_is_left_to_pytorch_says_so(name: str) -> None:
    reason = "on purpose: PyTorch is the place for it, and a state_dict() moves there unchanged"
    assert message(nn, name) == f"minigrad.nn has no attribute {name!r}, {reason}"


def test_functions_are_left_to_pytorch_too() -> None:
    for name in ("conv2d", "max_pool1d", "interpolate"):
        assert ("on purpose" in message(nn.functional, name)) == (name != "interpolate")
    told = message(nn, "conv2D")
    assert told.startswith("minigrad.nn has no attribute 'conv2D'; did you mean 'Conv2d'? minigrad.nn has no attribute")
    assert told.endswith("moves there unchanged")


@TITLES
@pytest.mark.parametrize("name", ["quux", "_ones", "_reshap", "__wrapped_by__"])
def test_an_unknown_name_and_a_private_one_get_the_plain_message(title: str, name: str) -> None:
    assert message(OWNERS[title][0], name) == f"{title} has no attribute {name!r}"


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("Relu", "ReLU"),
        ("relu", "ReLU"),
        ("linear", "Linear"),
        ("Batchnorm1D", "BatchNorm1d"),
        ("ModulList", "ModuleList"),
    ],
)
def test_a_name_in_the_wrong_case_is_misspelt(misspelt: str, meant: str) -> None:
    assert message(nn, misspelt) == f"minigrad.nn has no attribute {misspelt!r}; did you mean {meant!r}?"


def test_a_misspelt_name_that_only_pytorch_has() -> None:
    assert message(minigrad, "istftt") == (
        "minigrad has no attribute 'istftt'; did you mean 'istft'? "
        "minigrad has no attribute 'istft', which PyTorch has and minigrad does not support yet"
    )


def test_a_module_without_its_parts_has_no_attribute_either() -> None:
    assert "no attribute 'hidden'" in message(Net.__new__(Net), "hidden")


def test_a_subclass_can_extend_what_is_done_for_a_missing_name() -> None:
    class Forwarding(nn.Module):
        def __getattr__(self, name: str) -> Any:
            return name if name.startswith("my_") else super().__getattr__(name)  # type: ignore[misc]

    assert Forwarding().my_own == "my_own"
    assert message(Forwarding(), "trian") == "Forwarding has no attribute 'trian'; did you mean 'train'?"


def test_a_property_shows_its_own_error() -> None:
    with pytest.raises(AttributeError, match=r"^Linear has no attribute 'out_feature'; did you mean"):
        _ = Net().width
    with pytest.raises(AttributeError, match=r"^'int' object has no attribute 'deep'"):
        _ = Net().depth


def test_micrograds_names_point_to_nn_scalar() -> None:
    for name in ("Neuron", "Layer"):
        assert message(nn, name) == f"minigrad.nn has no attribute {name!r}; use minigrad.nn.scalar.{name}"
        assert hasattr(nn.scalar, name)
    for arguments in ((3, [4, 1]), (3, [4, 1], "more")):
        with pytest.raises(TypeError, match=r"^MLP: got \d arguments without names; .* or use nn\.scalar\.MLP"):
            nn.MLP(*arguments)


# When the text is made, and where it goes


@TITLES
def test_who_only_asks_whether_a_name_is_there_waits_for_no_text(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = OWNERS[title][0]
    monkeypatch.delattr(missing.Message, "__str__")
    monkeypatch.delattr(missing, "torch_names")
    assert not hasattr(owner, NAMES[title][0])
    assert getattr(owner, NAMES[title][0], 5) == 5
    if title in ("Net", "minigrad.Tensor", "SGD"):
        pickle.loads(pickle.dumps(copy.deepcopy(copy.copy(owner))))
        np.asarray([1.0]) * np.asarray(minigrad.ones(2))


@TITLES
def test_the_error_is_copied_and_pickled_as_its_text(title: str) -> None:
    misspelt = NAMES[title][0]
    with pytest.raises(AttributeError) as caught:
        getattr(OWNERS[title][0], misspelt)
    for error in (copy.copy(caught.value), copy.deepcopy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert type(error) is AttributeError
        assert str(error) == str(caught.value)
        assert repr(error) == repr(caught.value) == f"AttributeError({str(error)!r})"


@TITLES
def test_a_traceback_gives_the_hint_once(title: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(OWNERS[title][0], NAMES[title][0])
    last = traceback.format_exception(caught.value)[-1]
    assert last == f"AttributeError: {caught.value}\n"
    assert last.lower().count("did you mean") == 1


def test_an_import_of_a_missing_name_is_an_import_error() -> None:
    with pytest.raises(ImportError, match="cannot import name 'softmux'"):
        exec("from minigrad import softmux")


@needs_torch
def test_the_list_of_pytorchs_names_is_pytorchs() -> None:
    assert torch_names.PATH.read_text(encoding="utf-8") == torch_names.text(), "run python -m tests.support.torch_names"
    assert {reference for _, reference in OWNERS.values()} == {*torch_names.OWNERS} == {*missing.torch_names()}


@TITLES
def test_every_name_in_the_list_is_one_that_pytorch_has(title: str) -> None:
    reference = OWNERS[title][1]
    owner = torch_names.OWNERS[reference]
    modules = {module.name for module in pkgutil.iter_modules(getattr(owner, "__path__", []))}
    assert not [name for name in missing.torch_names()[reference] - modules if not hasattr(owner, name)]
