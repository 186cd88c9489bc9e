"""What stands for PyTorch where it is not installed: a test that uses PyTorch is skipped, and all others run.

The test files import PyTorch, and use it in tables, decorators and class bodies too, before any test runs. There an
`Absent` stands for each of its modules, classes and values. Its first use within a test skips this test.
"""

import importlib.util
import os
import sys
from collections.abc import Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pytest

IS_INSTALLED = importlib.util.find_spec("torch") is not None
# For a test that uses PyTorch in another process, or what was made of it before the test.
needs_torch = pytest.mark.skipif(not IS_INSTALLED, reason="PyTorch is not installed")


class Absent(ModuleType):
    """A module of PyTorch, or anything in it. What is made of it while tests are collected is Absent too."""

    def __call__(self, *args: Any, **kwargs: Any) -> "Absent":
        if "PYTEST_CURRENT_TEST" in os.environ:  # which pytest sets while a test runs
            pytest.skip("PyTorch is not installed")
        return Absent(self.__name__)

    def __getattr__(self, name: str) -> "Absent":
        if name.startswith("__"):  # Python and pytest ask any object for these
            raise AttributeError(name)
        return self()

    def __iter__(self) -> Iterator[Any]:
        self()
        return iter(())

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()

    __or__ = __ror__ = __getitem__ = __call__


class Finder(MetaPathFinder, Loader):
    """Finds an Absent for the import of PyTorch and of its submodules."""

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, is_package=True) if fullname.partition(".")[0] == "torch" else None

    def create_module(self, spec: ModuleSpec) -> Absent:
        return Absent(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: an Absent is made complete."""


if not IS_INSTALLED:
    sys.meta_path.append(Finder())
