"""The source distribution has all that a clone has, and the wheel has the packages, complete and alone."""

import email
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support import ROOT

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a clone knows which files belong to it")
BUILD = "import sys, setuptools.build_meta as backend; print(getattr(backend, sys.argv[1])(sys.argv[2]))"
OF_THE_CLONE = {".ci/matrix", ".ci/run", ".gitignore"}


def build(kind: str, source: Path, folder: Path) -> Path:
    """Build a distribution of the project in `source` as pip does, and return the file."""
    command = [sys.executable, "-c", BUILD, f"build_{kind}", str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def files() -> set[str]:
    """The files of the clone that are there, of those that git knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.rstrip("\0").split("\0") if (ROOT / name).exists()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, files: set[str]) -> tuple[set[str], zipfile.ZipFile]:
    """The files of the source distribution, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("built")
    for name in files:
        copy = folder / "clone" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy)
    with tarfile.open(build("sdist", folder / "clone", folder)) as sdist:
        sdist.extractall(folder / "sdist", filter="data")
    (unpacked,) = (folder / "sdist").iterdir()
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    return names, zipfile.ZipFile(build("wheel", unpacked, folder))


def test_the_source_distribution_has_the_files_of_a_clone(
    built: tuple[set[str], zipfile.ZipFile], files: set[str]
) -> None:
    written = {name for name in built[0] if name.startswith("minigrad_engine.egg-info/")} | {"PKG-INFO"}
    assert built[0] - written == files - OF_THE_CLONE


def test_the_wheel_has_the_packages_and_nothing_else(built: tuple[set[str], zipfile.ZipFile], files: set[str]) -> None:
    names = {name for name in built[1].namelist() if ".dist-info/" not in name}
    assert names == {name for name in files if name.startswith(("minigrad/", "nn/", "viz/"))}


def test_the_metadata_says_what_is_installed(built: tuple[set[str], zipfile.ZipFile]) -> None:
    (path,) = (name for name in built[1].namelist() if name.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(built[1].read(path))
    (version,) = re.findall(r'__version__ = "(.+)"', (ROOT / "minigrad" / "__init__.py").read_text(encoding="utf-8"))
    assert (metadata["Name"], metadata["Version"]) == ("minigrad-engine", version)
    assert metadata["Author"] == "The minigrad developers"
    assert metadata.get_payload(decode=True) == (ROOT / "README.md").read_bytes()
    assert metadata.get_all("Home-page") is metadata.get_all("Project-URL") is None
    assert [each[:5] for each in metadata.get_all("Requires-Dist", []) if "extra ==" not in each] == ["numpy"]
