"""`minigrad.files.replacing`: files that appear whole or not at all."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import minigrad
from minigrad import files
from minigrad.files import replacing


def put(path: Any, data: bytes) -> None:
    """Write a file."""
    with replacing(path) as file:
        file.write(data)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that holds "old"."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    return path


def test_a_file_is_as_before_until_it_is_complete(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["file"]


class Stop(BaseException):
    """As a KeyboardInterrupt: no Exception."""


@pytest.mark.parametrize("error", [ValueError("no"), Stop(), OSError("words of its own"), OSError(28, "full")])
def test_an_error_changes_nothing(error: BaseException, path: Path) -> None:
    def fail() -> None:
        with replacing(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(type(error)) as caught:
        fail()
    assert str(caught.value) in (str(error), f"[Errno 28] full: '{path}'")
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_step_that_fails_changes_nothing(step: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match=f"No space left on device: '{path}'"):
        put(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == ["file"]


def test_the_data_is_on_the_disk_before_the_file_appears(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    sync, replace = os.fsync, os.replace

    def noted_sync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "data")
        sync(descriptor)

    def noted_replace(*paths: Any) -> None:
        steps.append("appears")
        replace(*paths)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_replace)
    put(path, b"new")
    assert steps == ["data", "appears", "folder"]


@contextmanager
def at_most(bytes_of_a_file: int) -> Iterator[None]:
    """Let no file grow larger, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_of_a_file, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["x.pt", "x.npz"])
@pytest.mark.parametrize("limit", [10, 300, 5000, 39_000])
def test_a_full_disk_leaves_the_old_file(name: str, limit: int, tmp_path: Path) -> None:
    minigrad.save([1], tmp_path / name)
    with pytest.raises(OSError, match=f"File too large: '.*{name}'"), at_most(limit):
        minigrad.save([minigrad.ones(10_000)], tmp_path / name)
    assert minigrad.load(tmp_path / name) == [1]
    assert os.listdir(tmp_path) == [name]


# Links, folders, devices and modes


def test_a_link_stays_and_its_file_is_replaced(path: Path) -> None:
    for name, points_to in (("link", "file"), ("second", "link")):
        (path.parent / name).symlink_to(points_to)
    put(path.parent / "second", b"new")
    assert path.read_bytes() == b"new"
    assert [os.readlink(path.parent / name) for name in ("link", "second")] == ["file", "link"]


def test_a_link_to_nothing_gets_its_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/file")
    put(tmp_path / "link", b"new")
    assert (tmp_path / "folder" / "file").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()
    assert os.listdir(tmp_path / "folder") == ["file"]


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        put(tmp_path / "a", b"new")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_another_name_of_the_old_file_keeps_what_it_had(path: Path) -> None:
    os.link(path, path.parent / "second")
    put(path, b"new")
    assert (path.read_bytes(), (path.parent / "second").read_bytes()) == (b"new", b"old")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666, 0o755])
def test_the_permissions_stay(mode: int, path: Path) -> None:
    path.chmod(mode)
    put(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_setuid_bit_is_dropped(path: Path) -> None:
    path.chmod(0o4755)
    put(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_a_secret_is_secret_while_it_is_written(path: Path) -> None:
    path.chmod(0o600)
    with replacing(path) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_file_has_the_mode_of_any_other(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        put(tmp_path / "file", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_the_owner_stays(path: Path) -> None:
    os.chown(path, 12345, 23456)
    put(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user, who may do less")
def test_what_must_not_be_written_is_refused(path: Path) -> None:
    """A read-only file, and a folder that only lists. A folder that does not list can be written into."""
    script = (
        "import os, sys; from minigrad.files import replacing; os.setgid(65534); os.setuid(65534)\n"
        "try:\n with replacing(sys.argv[1]) as file: file.write(b'new')\n"
        "except OSError as error: print(type(error).__name__, error)"
    )
    for folder in (path.parent, *path.parent.parents):
        if folder.stat().st_uid == 0 and folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o755)
    path.chmod(0o444)
    path.parent.chmod(0o777)
    assert "PermissionError" in (said := run(script, path)), said
    assert "is read-only; give another name, or make it writable" in said
    path.chmod(0o666)
    path.parent.chmod(0o755)
    assert f"Permission denied: '{path}'" in run(script, path)
    assert path.read_bytes() == b"old"
    path.parent.chmod(0o733)
    assert run(script, path) == ""
    assert path.read_bytes() == b"new"


def run(script: str, *arguments: Any) -> str:
    """Run a script in another process and return what it prints."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A device must not become a file; a pipe stands for it here."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"pipe is a device or a pipe, which is not replaced; give the name of a file"):
        put(tmp_path / "pipe", b"new")
    with pytest.raises(IsADirectoryError, match="folder is a folder; give the name of a file"):
        put(tmp_path / "folder", b"new")
    with pytest.raises(FileNotFoundError, match="missing/file'"):
        put(tmp_path / "missing" / "file", b"new")
    with pytest.raises(OSError, match="name too long"):
        put(tmp_path / ("x" * 300), b"new")
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize("name", ["ö" * 120, "x" * 255, "{name}@{process}", "[a](b)*.npz", "\udcff", ".hidden", "a b"])
def test_every_name_is_possible(name: str, tmp_path: Path) -> None:
    leftover = tmp_path / f".{name[:40]}.{ended_process()}-00ff.unfinished"
    leftover.write_bytes(b"half")
    put(tmp_path / name, b"new")
    put(tmp_path / name, b"newer")
    assert os.listdir(tmp_path) == [name]


def test_a_relative_path_is_where_it_was_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with replacing("file") as file:
        monkeypatch.chdir(tmp_path / "folder")
        file.write(b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


# Several at a time, and processes that are killed


def ended_process() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_threads_that_save_the_same_file_leave_one_of_theirs(path: Path) -> None:
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(10):
                put(path, bytes([number]) * 5000)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert path.read_bytes() in [bytes([number]) * 5000 for number in range(4)]
    assert os.listdir(path.parent) == ["file"]
    assert not files._in_work


REPEATED = """
import sys; from minigrad.files import replacing
for _ in range(50):
    with replacing(sys.argv[1]) as file: file.write(sys.argv[2].encode() * 5000)
"""


def test_processes_that_save_the_same_file_leave_one_of_theirs(path: Path) -> None:
    workers = [subprocess.Popen([sys.executable, "-c", REPEATED, path, letter]) for letter in "ab"]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0]
    assert path.read_bytes() in (b"a" * 5000, b"b" * 5000)
    assert os.listdir(path.parent) == ["file"]


BLOCKED = """
import sys; from minigrad.files import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"half"); file.flush(); print("ready", flush=True); sys.stdin.read()
"""


def test_a_killed_process_leaves_the_old_file_and_the_next_one_sweeps(path: Path) -> None:
    command = [sys.executable, "-c", BLOCKED, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        put(path, b"new")
        assert len(os.listdir(path.parent)) == 2, "a file that another process is writing was swept"
        worker.send_signal(signal.SIGKILL)
    assert path.read_bytes() == b"new"
    assert len(os.listdir(path.parent)) == 2
    put(path.parent / "other", b"other")
    assert len(os.listdir(path.parent)) == 3, "what is left of another file was swept"
    put(path, b"newer")
    assert sorted(os.listdir(path.parent)) == ["file", "other"]


def test_the_number_of_this_process_is_no_sign_of_life(path: Path) -> None:
    """The first process of a container always has the same number."""
    (path.parent / f".file.{os.getpid()}-0.unfinished").write_bytes(b"half")
    with replacing(path), replacing(path) as second:
        second.write(b"new")
    assert os.listdir(path.parent) == ["file"]


def test_only_leftovers_are_swept(path: Path) -> None:
    ended = ended_process()
    names = [
        f".file.{ended}-0.unfinished.txt",
        f"file.{ended}-0.unfinished",
        f".files.{ended}-0.unfinished",
        f".file.{ended}-x.unfinished",
        f".file.{'9' * 30}-0.unfinished",
        f".file.{os.getppid()}-0.unfinished",
    ]
    for name in names:
        (path.parent / name).touch()
    (path.parent / f".file.{ended}-1.unfinished").mkdir()
    (path.parent / f".file.{ended}-2.unfinished").touch()
    put(path, b"new")
    assert sorted(os.listdir(path.parent)) == sorted(["file", f".file.{ended}-1.unfinished", *names])
