"""minigrad.save and minigrad.load: the round trip, files that appear whole or not at all, and files of other kinds."""

import collections
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import minigrad
import nn
from minigrad.core.tensor import wrap
from tests.serialization.contents import FORMATS, assert_same_content, contents
from tests.support.comparison import normal, ours


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test saves."""
    return tmp_path / "model.npz"


def assert_same_state(mine: dict[str, minigrad.Tensor], expected: dict[str, np.ndarray]) -> None:
    """Require the same names in the same order, and the same arrays to the bit."""
    assert list(mine) == list(expected)
    for name, tensor in mine.items():
        assert type(tensor) is minigrad.Tensor
        assert (tensor.shape, tensor.dtype) == (expected[name].shape, expected[name].dtype), name
        np.testing.assert_array_equal(tensor.numpy(), expected[name], err_msg=name)


ARRAYS = {
    "float32": normal(3, 2, dtype=np.float32),
    "float64": normal(2, 3, 4),
    "extremes": np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324]),
    "int64": np.array([-(2**63), 2**63 - 1]),
    "int32": np.arange(5, dtype=np.int32),
    "bool": np.array([[True, False]]),
    "a number": np.array(7),
    "empty": np.zeros((0, 3), np.float32),
    "transposed": normal(3, 2).T,
    "every second": normal(6)[::2],
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_what_is_saved_is_loaded(array: np.ndarray, path: Path) -> None:
    minigrad.save({"x": ours(array)}, path)
    assert_same_state(minigrad.load(path), {"x": array})


@pytest.mark.parametrize(
    "name", ["weight", "0.weight", "a/b", "file", "allow_pickle", "arr_0", "größe", "x.npy", "self"]
)
def test_every_name_is_kept(name: str, path: Path) -> None:
    minigrad.save({name: ours(normal(2)), "other": ours(normal(3))}, path)
    assert list(minigrad.load(path)) == [name, "other"]


def test_no_tensors_at_all(path: Path) -> None:
    minigrad.save({}, path)
    assert minigrad.load(path) == {}


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("name", ["model.npz", "model", "model.pt", "with spaces.npz"])
def test_the_file_has_the_name_that_was_asked_for(name: str, kind: Callable[[Path], Any], tmp_path: Path) -> None:
    minigrad.save({"x": ours(np.ones(2))}, kind(tmp_path / name))
    assert os.listdir(tmp_path) == [name]
    assert_same_state(minigrad.load(kind(tmp_path / name)), {"x": np.ones(2)})


def test_numpy_reads_it(path: Path) -> None:
    array = normal(3, 2)
    minigrad.save({"0.weight": ours(array)}, path)
    with np.load(path, allow_pickle=False) as archive:
        assert archive.files == ["0.weight", "manifest.json"]
        np.testing.assert_array_equal(archive["0.weight"], array)


def test_a_model_goes_on_where_it_was_saved(path: Path) -> None:
    model, inputs = nn.MLP(5, hidden=4), ours(np.array([[0, 1, 2], [3, 4, 0]]))
    model(inputs)
    minigrad.save(model.state_dict(), path)
    again = nn.MLP(5, hidden=4)
    again.load_state_dict(minigrad.load(path))
    assert_same_state(again.state_dict(), {name: tensor.numpy() for name, tensor in model.state_dict().items()})
    np.testing.assert_array_equal(again.eval()(inputs).detach().numpy(), model.eval()(inputs).detach().numpy())


@pytest.mark.parametrize("name", ["x.npz", "x.pt"])
def test_what_requires_a_gradient_requires_it_again(name: str, tmp_path: Path) -> None:
    """As in PyTorch: `torch.load` returns a leaf."""
    leaf = minigrad.ones(2, requires_grad=True)
    minigrad.save({"leaf": leaf, "result": leaf * 2, "constant": minigrad.ones(2)}, tmp_path / name)
    loaded = minigrad.load(tmp_path / name)
    assert [(x.requires_grad, x.is_leaf) for x in loaded.values()] == [(True, True), (True, True), (False, True)]


def test_a_file_is_replaced(path: Path) -> None:
    minigrad.save({"x": ours(normal(1000))}, path)
    minigrad.save({"y": ours(np.ones(2))}, path)
    assert_same_state(minigrad.load(path), {"y": np.ones(2)})


def test_others_may_read_it_as_any_file(path: Path) -> None:
    ordinary = path.with_name("ordinary")
    ordinary.touch()
    minigrad.save({"x": ours(np.ones(2))}, path)
    assert path.stat().st_mode == ordinary.stat().st_mode


# Whatever a checkpoint may hold


@pytest.mark.parametrize("name", FORMATS)
@given(content=contents)
@settings(max_examples=80, deadline=None)
def test_whatever_is_saved_is_loaded(name: str, content: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        minigrad.save(content, Path(folder) / name)
        loaded = minigrad.load(Path(folder) / name)
    assert_same_content(loaded, content)


@pytest.mark.parametrize("name", FORMATS)
def test_a_tensor_that_is_there_twice_is_one_when_it_is_loaded(name: str, tmp_path: Path) -> None:
    x = minigrad.ones(2)
    minigrad.save({"x": x, "again": [x], "equal": minigrad.ones(2)}, tmp_path / name)
    loaded = minigrad.load(tmp_path / name)
    assert loaded["x"] is loaded["again"][0]
    loaded["x"][0] = 5.0
    assert loaded["equal"].tolist() == [1, 1]


def test_tied_weights_share_memory_again(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    minigrad.save(model.state_dict(), tmp_path / "model.pt")
    loaded = minigrad.load(tmp_path / "model.pt")
    loaded["0.weight"][0, 0] = 5.0
    assert loaded["1.weight"][0, 0] == 5


class Fresh(collections.UserDict[str, Any]):
    """A Mapping whose Tensors live only while they are read, so that one may have the id of the one before."""

    def __getitem__(self, key: str) -> Any:
        return wrap(np.full(3, float(key)))


@pytest.mark.parametrize("name", FORMATS)
def test_tensors_that_are_made_while_they_are_read_are_not_confused(name: str, tmp_path: Path) -> None:
    minigrad.save(Fresh({str(i): None for i in range(20)}), tmp_path / name)
    assert [x.tolist() for x in minigrad.load(tmp_path / name).values()] == [[i] * 3 for i in range(20)]


@pytest.mark.parametrize("name", FORMATS)
def test_equal_states_make_equal_files(name: str, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        minigrad.save({"x": minigrad.arange(5), "y": [1, "a"]}, tmp_path / folder / name)
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_what_contains_itself_is_refused(name: str, tmp_path: Path) -> None:
    loop: list[Any] = []
    loop.append({"inside": loop})
    with pytest.raises(ValueError, match="contains itself, or is nested too deep; save a state_dict"):
        minigrad.save(loop, tmp_path / name)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ({"x": np.ones(2)}, TypeError, "minigrad.from_numpy makes a Tensor"),
        ([np.int64(3)], TypeError, r"\.item\(\) a number"),
        (nn.Linear(2, 2), TypeError, r"save its state_dict\(\)"),
        ({"a": {1, 2}}, TypeError, "save what it is made of"),
        (b"abc", TypeError, "save what it is made of"),
        (1j, TypeError, "save what it is made of"),
        (print, TypeError, "save what it is made of"),
        (object(), TypeError, "save what it is made of"),
        ({minigrad.ones(2): 1}, TypeError, "a key of a dict must be a number, a text"),
        ({tuple(range(2000)): 1}, ValueError, "use a text"),
        (2**2040, ValueError, "2041 bits is too long; save it as a text"),
        ({10**6000: minigrad.ones(2)}, ValueError, "too long; save it as a text"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_what_no_file_can_hold_is_refused_with_a_remedy(
    name: str, content: Any, kind: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=message):
        minigrad.save(content, tmp_path / name)
    assert not [*tmp_path.iterdir()]


# Writing that fails


def unwritable() -> dict[str, minigrad.Tensor]:
    """A state of which a part is written before it turns out that the rest cannot be."""
    return {"good": ours(normal(1000)), "bad": wrap(np.array([lambda: None], dtype=object))}


def test_a_failing_write_leaves_nothing(path: Path) -> None:
    with pytest.raises(Exception, match="not numbers"):
        minigrad.save(unwritable(), path)
    assert os.listdir(path.parent) == []


def test_a_failing_write_leaves_the_file_that_was_there(path: Path) -> None:
    minigrad.save({"x": ours(np.ones(2))}, path)
    before = path.read_bytes()
    with pytest.raises(Exception, match="not numbers"):
        minigrad.save(unwritable(), path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_saving_into_a_missing_folder_or_over_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "missing" / "model.npz", tmp_path / "folder"):
        with pytest.raises(OSError, match=target.name):
            minigrad.save({"x": ours(np.ones(2))}, target)
    assert os.listdir(tmp_path) == ["folder"]
    assert os.listdir(tmp_path / "folder") == []


# Files of other kinds


def write_npy(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.ones(3))


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")


BAD_FILES: dict[str, Callable[[Path], Any]] = {
    "nothing": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("names\n"),
    "zeros": lambda path: path.write_bytes(bytes(1000)),
    "a picture": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100)),
    "one array": write_npy,
    "a zip of something else": write_zip,
    "pickled objects": lambda path: np.savez(path, x=np.array([{}], dtype=object)),
    "texts": lambda path: np.savez(path, x=np.array(["a", "b"])),
}


@pytest.mark.parametrize("write", BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_of_another_kind_is_refused_by_name(write: Callable[[Path], Any], path: Path) -> None:
    write(path)
    with pytest.raises(ValueError, match=r"load: .*model\.npz"):
        minigrad.load(path)


def test_a_missing_file_and_a_folder_are_refused_as_ever(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        minigrad.load(tmp_path / "missing.npz")
    with pytest.raises(IsADirectoryError):
        minigrad.load(tmp_path)


def test_a_training_run_in_a_file(tmp_path: Path) -> None:
    """Nested dicts, lists and tuples of Tensors, numbers and texts come back as they were."""
    model = nn.Linear(2, 1)
    optimizer = nn.optim.AdamW(model.parameters(), lr=0.1, betas=(0.8, 0.9))
    model(minigrad.ones(3, 2)).sum().backward()
    optimizer.step()
    checkpoint = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": 5,
        "notes": ["a", None, 1e-300],
    }
    minigrad.save(checkpoint, tmp_path / "run.pt")
    loaded = minigrad.load(tmp_path / "run.pt", map_location="cpu", weights_only=True)
    assert repr(loaded) == repr(checkpoint)
    assert [*loaded["optimizer"]["state"]] == [0, 1]
    nn.optim.AdamW(nn.Linear(2, 1).parameters()).load_state_dict(loaded["optimizer"])
