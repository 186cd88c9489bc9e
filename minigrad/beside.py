"""The second names of the packages beside minigrad: `minigrad.nn`, `minigrad.optim` and `minigrad.viz`."""

import importlib
import pkgutil
import sys
from pathlib import Path
from types import ModuleType


def enter(name: str, package: ModuleType) -> None:
    """Make `name` and its submodules second names of `package` and of its submodules, in `sys.modules`.

    Raises an ImportError if `package` is another module, which a program has under the same name.
    """
    own = package.__name__
    root = Path(__file__).parents[1] / own.partition(".")[0]
    if root not in Path(package.__file__ or "").parents:
        raise ImportError(
            f"{name}: {own!r} is {package.__file__}, which is not minigrad's; give that file another name"
        )
    for module in pkgutil.walk_packages(getattr(package, "__path__", []), f"{own}."):
        importlib.import_module(module.name)
    for each in [*sys.modules]:
        if each == own or each.startswith(f"{own}."):
            sys.modules[name + each.removeprefix(own)] = sys.modules[each]
