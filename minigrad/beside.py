"""How the packages `nn` and `viz`, which stand beside minigrad, are imported as `minigrad.nn` and `minigrad.viz`.

A program may have an `nn.py` or a `viz.py` of its own, as micrograd has. So these modules are named `minigrad.nn` and
`minigrad.viz`, which no other file can take. `import nn` and `import viz` give the same modules if nothing else has
these short names.
"""

import importlib
import pkgutil
import sys
from importlib.machinery import PathFinder
from pathlib import Path


def load(name: str) -> None:
    """Fill the module `name`, such as `minigrad.nn`, with the code and the submodules of the package beside minigrad.

    Raises a ModuleNotFoundError if that package is not there.
    """
    folder = Path(__file__).parents[1]
    spec = PathFinder.find_spec(name, [str(folder)])
    if spec is None or spec.loader is None:
        own = name.rpartition(".")[2]
        raise ModuleNotFoundError(f"{name}: there is no package {own!r} in {folder}; install minigrad again", name=name)
    module = sys.modules[name]
    vars(module).update(__path__=spec.submodule_search_locations, __file__=spec.origin, __loader__=spec.loader)
    spec.loader.exec_module(module)
    # Only now, because its first spec tells other threads that the module is not complete yet.
    module.__spec__ = spec


def share(name: str, second: str) -> None:
    """Make `second` a second name of the module `name`, and do the same for its submodules: no copies are loaded."""
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(getattr(package, "__path__", []), f"{name}."):
        importlib.import_module(module.name)
    for each in [*sys.modules]:
        if each == name or each.startswith(f"{name}."):
            sys.modules[second + each.removeprefix(name)] = sys.modules[each]
