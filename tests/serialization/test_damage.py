"""Files that are damaged, or made to do harm: they are refused, run nothing and take no memory."""

import hashlib
import io
import itertools
import json
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad
from tests.serialization.contents import FORMATS, assert_same_content, written_by_torch
from tests.support.comparison import ours

# Damage


def state() -> dict[str, Any]:
    """What is in a checkpoint, as small as it can be."""
    return {"w": minigrad.tensor([[0.5, 3]]), "step": 5}


@pytest.mark.parametrize("name", FORMATS)
def test_every_flip_of_a_bit_is_refused_or_harmless(name: str, tmp_path: Path) -> None:
    saved, path = state(), tmp_path / name
    minigrad.save(saved, path)
    whole, harmless = bytearray(path.read_bytes()), 0
    for place, bit in itertools.product(range(len(whole)), range(8)):
        whole[place] ^= 1 << bit
        try:
            loaded = minigrad.load(io.BytesIO(whole))
        except ValueError:
            pass
        else:
            assert_same_content(loaded, saved)
            harmless += 1
        whole[place] ^= 1 << bit
    assert harmless < len(whole) * 8 / 2  # dates, versions and other fields of an archive that nobody needs


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_cut_off_is_refused_wherever_it_is(name: str, tmp_path: Path) -> None:
    minigrad.save(state(), tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="load: the open file"):
            minigrad.load(io.BytesIO(whole[:length]))


# Archives


def archive_of(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()


def entries_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refused(data: bytes, message: str) -> None:
    """Require that a file is refused, and soon, before any memory is taken."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=f"(?s)load: the open file.*{message}"):
            minigrad.load(io.BytesIO(data))
        assert tracemalloc.get_traced_memory()[1] < 2_000_000 + 100 * len(data)
    finally:
        tracemalloc.stop()


def saved_as(name: str, content: Any, tmp_path: Path) -> bytes:
    minigrad.save(content, tmp_path / name)
    return (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_compressed_and_encrypted_entries_are_refused(name: str, tmp_path: Path) -> None:
    data = saved_as(name, [minigrad.zeros(1_000_000)], tmp_path)
    refused(archive_of(entries_of(data), zipfile.ZIP_DEFLATED), "is compressed or encrypted")
    central = data.rindex(b"PK\1\2")
    refused(data[: central + 8] + b"\1" + data[central + 9 :], "is compressed or encrypted")


@pytest.mark.parametrize("name", FORMATS)
def test_a_size_out_of_proportion_is_refused_before_memory_is_taken(name: str, tmp_path: Path) -> None:
    data = bytearray(saved_as(name, [minigrad.ones(3)], tmp_path))
    central = data.index(b"PK\1\2")
    data[central + 20 : central + 28] = struct.pack("<II", 2**31, 2**31)
    refused(bytes(data), "2147483.* bytes, but the whole file has .*; it is damaged or a trap")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", FORMATS)
def test_entries_that_are_repeated_or_overlap_are_refused(name: str, tmp_path: Path) -> None:
    data = saved_as(name, {"a": minigrad.ones(3), "b": minigrad.ones(3)}, tmp_path)
    file = io.BytesIO(data)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(archive.namelist()[0], b"again")
    refused(file.getvalue(), "two entries")
    first = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", first + 1)
    overlapping = data[: second + 42] + data[first + 42 : first + 46] + data[second + 46 :]
    refused(overlapping, "")


@pytest.mark.parametrize("name", FORMATS)
def test_an_entry_more_or_less_is_refused(name: str, tmp_path: Path) -> None:
    entries = entries_of(saved_as(name, {"a": minigrad.ones(3), "b": minigrad.ones(2)}, tmp_path))
    needed = [entry for entry in entries if entry.split("/")[-1] not in ("version", "byteorder")]
    assert len(needed) >= 3
    for missing in needed:
        refused(archive_of({entry: data for entry, data in entries.items() if entry != missing}), "")
    refused(archive_of(entries | {"more.npy": b""}), "")


@pytest.mark.parametrize("name", FORMATS)
def test_what_stands_before_an_archive_does_no_harm(name: str, tmp_path: Path) -> None:
    data = saved_as(name, [minigrad.ones(3), 1], tmp_path)
    assert_same_content(minigrad.load(io.BytesIO(b"#!/bin/sh\n" + data)), [minigrad.ones(3), 1])


# numpy's format


def altered(change: Callable[[dict[str, Any], dict[str, bytes]], Any]) -> bytes:
    """An .npz file of a Tensor `x` whose manifest and entries were changed, and whose digests are right."""
    with io.BytesIO() as buffer:
        np.save(buffer, np.ones((2, 3), np.float32))
        data = buffer.getvalue()
    about = {"dtype": "float32", "shape": [2, 3], "requires_grad": False}
    manifest = {"format": "minigrad 1", "tree": ["dict", [["x", ["tensor", "x"]]]], "tensors": {"x": about}}
    entries = {"x.npy": data}
    change(manifest, entries)
    for entry, bytes_of_it in entries.items():
        manifest["tensors"].get(entry[:-4], {})["sha256"] = hashlib.sha256(bytes_of_it).hexdigest()
    return archive_of(entries | {"manifest.json": json.dumps(manifest).encode()})


def holding(array: np.ndarray, dtype: str, **settings: Any) -> Callable[[Any, Any], None]:
    """A change that puts another array in place of `x`, and its name and shape into the manifest."""

    def change(manifest: Any, entries: Any) -> None:
        buffer = io.BytesIO()
        np.save(buffer, array, **settings)
        entries["x.npy"] = buffer.getvalue()
        manifest["tensors"]["x"] |= {"dtype": dtype, "shape": list(array.shape)}

    return change


def header(**changes: Any) -> Callable[[Any, Any], None]:
    """A change of the header of `x`, and of the shape in the manifest."""

    def change(manifest: Any, entries: Any) -> None:
        fields = {"descr": "<f4", "fortran_order": False, "shape": (2, 3)} | changes
        text = f"{fields}\n".encode("latin1")
        entries["x.npy"] = b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + bytes(24)
        manifest["tensors"]["x"]["shape"] = list(fields["shape"])

    return change


BAD: dict[str, Callable[[Any, Any], Any]] = {
    "the other byte order": holding(np.ones(3, ">f4"), "float32"),
    "uint16": holding(np.ones(3, np.uint16), "uint16"),
    "longdouble": holding(np.ones(3, np.longdouble), "longdouble"),
    "float128": holding(np.ones(3, np.longdouble), "float128"),
    "complex": holding(np.ones(3, complex), "complex128"),
    "objects": holding(np.array([{}, print]), "object", allow_pickle=True),
    "texts": holding(np.array(["a"]), "<U1"),
    "dates": holding(np.array(["2020-01-01"], "M8[D]"), "datetime64[D]"),
    "another dtype": lambda manifest, entries: manifest["tensors"]["x"].update(dtype="int32"),
    "another shape": lambda manifest, entries: manifest["tensors"]["x"].update(shape=[3, 2]),
    "a huge shape": header(shape=(2**40, 2**40)),
    "a shape that is too large": header(shape=(2**29,)),
    "a negative shape": header(shape=(-2, -3)),
    "a shape of floats": header(shape=(2.0, 3.0)),
    "gradients of integers": lambda manifest, entries: (
        holding(np.ones(3, np.int64), "int64")(manifest, entries),
        manifest["tensors"]["x"].update(requires_grad=True),
    ),
    "no flag": lambda manifest, entries: manifest["tensors"]["x"].update(requires_grad=1),
    "an unknown tensor": lambda manifest, entries: manifest.update(tree=["tensor", "y"]),
    "an unknown kind": lambda manifest, entries: manifest.update(tree=["set", [1]]),
    "a list as a key": lambda manifest, entries: manifest.update(tree=["dict", [[["list", []], 1]]]),
    "no pairs": lambda manifest, entries: manifest.update(tree=["dict", [1]]),
    "a dict": lambda manifest, entries: manifest.update(tree={"a": 1}),
    "no tree": lambda manifest, entries: manifest.pop("tree"),
    "a later format": lambda manifest, entries: manifest.update(format="minigrad 2"),
    "unknown facts": lambda manifest, entries: manifest["tensors"]["x"].update(code="print()"),
    "depth": lambda manifest, entries: manifest.update(tree=deep()),
}


def deep() -> Any:
    tree: Any = 1
    for _ in range(400):
        tree = ["list", [tree]]
    return ["list", [tree, ["unknown", []]]]


def test_what_is_not_altered_is_loaded() -> None:
    assert_same_content(minigrad.load(io.BytesIO(altered(lambda *_: None))), {"x": minigrad.ones(2, 3)})
    assert_same_content(minigrad.load(io.BytesIO(altered(header(shape=(6,)))))["x"], minigrad.zeros(6))


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_an_npz_file_with_another_content_is_refused(change: Callable[[Any, Any], Any]) -> None:
    refused(altered(change), "")


def test_other_numbers_than_those_of_the_manifest_are_refused(tmp_path: Path) -> None:
    """The checksums of the archive are right, so that only the digest in the manifest tells."""
    one, two = (entries_of(saved_as("x.npz", {"x": minigrad.full((3,), n)}, tmp_path)) for n in (1.0, 2.0))
    refused(archive_of(one | {"x.npy": two["x.npy"]}), "x: the numbers are not those that were saved")


def test_another_npz_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.ones(2))
    with pytest.raises(ValueError, match=r"load: .*x\.npz: .*numpy\.load reads other \.npz files"):
        minigrad.load(tmp_path / "x.npz")


# Pickles


def torch_file(program: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    """A file in PyTorch's format with a pickle of one's own, and a storage "0" of three float32."""
    storages = {"0": np.arange(3, dtype=np.float32).tobytes()} if storages is None else storages
    return archive_of({"a/data.pkl": b"\x80\2" + program} | {f"a/data/{name}": data for name, data in storages.items()})


class Runs:
    """An object whose pickle runs a command."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("way", ["os.system", "exec", "eval", "os.mkdir", "in a state dict"])
def test_no_file_runs_code(way: str, protocol: int, tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    calls = {
        "os.system": Runs(os.system, f"touch '{mark}'"),
        "exec": Runs(exec, f"__import__('os').mkdir({str(mark)!r})"),
        "eval": Runs(eval, f"__import__('os').mkdir({str(mark)!r})"),
        "os.mkdir": Runs(os.mkdir, str(mark)),
        "in a state dict": {"weight": [1, Runs(os.mkdir, str(mark))]},
    }
    data = written_by_torch(calls[way], pickle_protocol=protocol).getvalue()
    refused(data, "which is no tensor, number, text or container")
    assert not mark.exists()
    pickle.loads(entries_of(data)["archive/data.pkl"])  # the crafted pickle does run code where code is run
    assert mark.exists()


STORAGE = b"(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpuK\3tQ"


def tensor_with(
    offset: bytes = b"K\0", size: bytes = b"K\3\x85", stride: bytes = b"K\1\x85", storage: bytes = STORAGE
) -> bytes:
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + size + stride + b"\x89}tR."


def test_the_tensor_that_is_varied_below_is_right() -> None:
    assert minigrad.load(io.BytesIO(torch_file(tensor_with()))).tolist() == [0, 1, 2]
    assert minigrad.load(io.BytesIO(torch_file(tensor_with(b"K\1", b"K\2K\2\x86", b"K\0K\1\x86")))).tolist() == [
        [1, 2],
        [1, 2],
    ]


HUGE = pickle.dumps(10**400, 2)[2:-1]
PROGRAMS: dict[str, bytes] = {
    "beyond the storage": tensor_with(size=b"K\4\x85"),
    "an offset beyond the storage": tensor_with(offset=b"K\1"),
    "a stride beyond the storage": tensor_with(stride=b"K\2\x85"),
    "a negative size": tensor_with(size=b"J\xff\xff\xff\xff\x85"),
    "a negative stride": tensor_with(offset=b"K\2", stride=b"J\xff\xff\xff\xff\x85"),
    "a negative offset": tensor_with(offset=b"J\xff\xff\xff\xff"),
    "a huge size": tensor_with(size=HUGE + b"\x85", stride=b"K\0\x85"),
    "a size of int64": tensor_with(size=b"\x8a\x08" + b"\xff" * 7 + b"\x7f\x85", stride=b"K\0\x85"),
    "strides whose bytes overflow to 0": tensor_with(
        size=b"\x8a\6" + (2**40 + 1).to_bytes(6, "little") + b"\x85", stride=b"J" + struct.pack("<i", 2**22) + b"\x85"
    ),
    "a huge stride": tensor_with(stride=HUGE + b"\x85"),
    "a huge offset": tensor_with(offset=HUGE, size=b"K\0\x85"),
    "a bool as a size": tensor_with(size=b"\x88\x85"),
    "a float as a size": tensor_with(size=b"G" + struct.pack(">d", 3) + b"\x85"),
    "a text as a size": tensor_with(size=b"X\1\0\0\x003\x85"),
    "a list as a shape": tensor_with(size=b"]K\3a"),
    "sizes without strides": tensor_with(stride=b")"),
    "too many dims": tensor_with(size=b"(" + b"K\1" * 100 + b"t", stride=b"(" + b"K\1" * 100 + b"t"),
    "a storage that is a number": tensor_with(storage=b"K\3"),
    "a storage that is missing": tensor_with(storage=STORAGE.replace(b"\x000X", b"\x001X")),
    "a storage of another size": tensor_with(storage=STORAGE.replace(b"K\3tQ", b"K\4tQ")),
    "a storage of a huge size": tensor_with(storage=STORAGE.replace(b"K\3tQ", HUGE + b"tQ")),
    "a storage of a bool": tensor_with(storage=STORAGE.replace(b"K\3tQ", b"\x88tQ")),
    "a storage of another dtype": tensor_with(storage=STORAGE.replace(b"Float", b"Double")),
    "a storage whose dtype is no storage": tensor_with(storage=STORAGE.replace(b"FloatStorage", b"float32")),
    "a storage that is a function": tensor_with(storage=STORAGE.replace(b"ctorch\nFloatStorage\n", b"ctorch\nSize\n")),
    "a storage out of the archive": tensor_with(storage=STORAGE.replace(b"\1\0\0\x000X", b"\6\0\0\x00../../X")),
    "a storage without a name": tensor_with(storage=STORAGE.replace(b"X\1\0\0\x000", b"N")),
    "a key that is no tuple": b"X\5\0\0\0abcdeQ.",
    "a storage by itself": STORAGE + b".",
    "a function by itself": b"]ctorch\nSize\na.",
    "a call of no function": b"K\1)R.",
    "a call of a tensor": tensor_with()[:-1] + b")R.",
    "arguments that are no tuple": b"ctorch\nSize\n]R.",
    "a size of a number": b"ctorch\nSize\nK\1\x85R.",
    "an ordered dict of a list": b"ccollections\nOrderedDict\n]\x85R.",
    "build on a list": b"]}b.",
    "build on a function": b"ctorch\nSize\n}b.",
    "a global that is no text": b"K\1K\2\x93.",
    "an extension": b"\x82\1.",
    "instances": b"(ios\nsystem\n.",
    "new objects": b"cbuiltins\nobject\n)\x81.",
    "an attribute of an attribute": b"X\2\0\0\0osX\5\0\0\0a.b.c\x93.",
    "nothing on the stack": b".",
    "below the mark": b"K\1(\x85.",
    "a mark that is not there": b"t.",
    "an item of no dict": b"]K\1K\2s.",
    "half an item": b"}(K\1u.",
    "a part of no list": b"}K\1a.",
    "a key that cannot be a key": b"}]K\1s.",
    "an object of the memo that is not there": b"h\5.",
    "a memo of nothing": b"q\0.",
    "no end": b"K\1",
    "a long text that is not there": b"\x8d" + b"\xff" * 7 + b"\x7fabc.",
    "a long number that is not there": b"\x8b\xff\xff\xff\x7fabc.",
    "an escape sequence in a name": b"cos\n\x1b[31mred\n.",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_pickle_of_what_is_no_plain_data_is_refused(program: bytes) -> None:
    refused(torch_file(program), "")


def test_a_name_in_a_message_has_no_escape_sequence() -> None:
    with pytest.raises(ValueError, match="x1b") as caught:
        minigrad.load(io.BytesIO(torch_file(b"cos\n\x1b[31m" + b"x" * 10_000 + b"\n.")))
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 300


DOUBLED = b")" + b"q\0h\0\x86" * 60  # a pair of the pair before, 60 times: 2 ** 60 parts
BOMBS: dict[str, bytes] = {
    "a key whose hash takes forever": b"}" + DOUBLED + b"K\1s.",
    "a storage with such a name": tensor_with(storage=STORAGE.replace(b"X\1\0\0\x000", DOUBLED)),
    "a global with such a name": DOUBLED + b"h\0\x93.",
    "a key that is too deep": b"})" + b"\x85" * 20_000 + b"K\1s.",
    "copies of a dict": b"]q\0(" + b"".join(b"M" + struct.pack("<H", i) + b"N\x86" for i in range(10_000)) + b"e0"
    b"ccollections\nOrderedDict\nq\1](" + b"h\1h\0\x85R" * 10_000 + b"e.",
    "copies of a list": b"](" + b"N" * 50_000 + b"eq\x000ctorch\nSize\nq\1](" + b"h\1h\0\x85R" * 10_000 + b"e.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_cannot_take_all_time_or_memory(name: str) -> None:
    refused(torch_file(BOMBS[name]), "")


def test_depth_and_loops_do_no_harm() -> None:
    """They load, as from PyTorch's files. A list of 20,000 lists is freed as any other."""
    deep = minigrad.load(io.BytesIO(torch_file(b"]" * 20_000 + b"a" * 19_999 + b".")))
    for _ in range(19_999):
        (deep,) = deep
    assert deep == []
    loop = minigrad.load(io.BytesIO(torch_file(b"]q\0h\0a.")))
    assert loop[0] is loop


# Pipes, devices and endless files


def test_a_pipe_and_a_device_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    paths = [str(tmp_path / "pipe"), "/dev/zero"]
    script = (
        "import sys, minigrad\n"
        "for path in sys.argv[1:]:\n"
        "    try: minigrad.load(path)\n"
        "    except OSError as error: print(error)"
    )
    command = [sys.executable, "-c", script, *paths]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert said.splitlines() == [f"load: {path} is a device or a pipe; give the name of a file" for path in paths]


@pytest.mark.parametrize("thing", [3, None, b"file", print, ["a"]])
def test_what_is_no_file_is_refused(thing: Any) -> None:
    with pytest.raises(TypeError, match="load: expected the path of a file or an open binary file"):
        minigrad.load(thing)
    with pytest.raises(TypeError, match="save: expected the path of a file or an open binary file"):
        minigrad.save([ours(np.ones(2))], thing)
