"""minigrad.save and minigrad.load: the round trip, files that appear whole or not at all, and files of other kinds."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad
import nn
from minigrad.core.tensor import wrap
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


# Writing that fails


def unwritable() -> dict[str, minigrad.Tensor]:
    """A state of which a part is written before it turns out that the rest cannot be."""
    return {"good": ours(normal(1000)), "bad": wrap(np.array([lambda: None], dtype=object))}


def test_a_failing_write_leaves_nothing(path: Path) -> None:
    with pytest.raises(Exception, match="pickle"):
        minigrad.save(unwritable(), path)
    assert os.listdir(path.parent) == []


def test_a_failing_write_leaves_the_file_that_was_there(path: Path) -> None:
    minigrad.save({"x": ours(np.ones(2))}, path)
    before = path.read_bytes()
    with pytest.raises(Exception, match="pickle"):
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


def test_a_file_that_is_cut_off_is_refused_wherever_it_is(path: Path) -> None:
    minigrad.save({"x": ours(normal(3)), "y": ours(np.array(2))}, path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"load: .*model\.npz"):
            minigrad.load(path)


def test_a_damaged_file_is_refused_or_read_but_nothing_else(path: Path) -> None:
    """A damaged byte in a place that nobody reads does no harm."""
    minigrad.save({"x": ours(normal(3)), "y": ours(np.array(2))}, path)
    whole, refused = path.read_bytes(), 0
    for place in range(len(whole)):
        for damage in (0x01, 0x80, 0xFF):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ damage]) + whole[place + 1 :])
            try:
                state = minigrad.load(path)
            except ValueError:
                refused += 1
            else:
                assert all(type(tensor.array) is np.ndarray for tensor in state.values())
    assert refused > len(whole)


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


def test_what_is_no_state_is_refused(tmp_path: Path) -> None:
    for thing in ({"a": {1, 2}}, [print], np.ones(2), {"x": np.ones(2)}, nn.Linear(2, 2)):
        with pytest.raises(TypeError, match="save: expected dicts, lists, numbers, texts and Tensors"):
            minigrad.save(thing, tmp_path / "file")
    assert not [*tmp_path.iterdir()]
