"""The kinds of facts, one module per programme; importing this package registers them all.

A module put into this folder is registered by being there: nothing else names it.
"""

from importlib import import_module
from pkgutil import iter_modules

from .registry import Activity, Context, Data, Kind, Kinds, Programme, kind, kind_of, kinds

__all__ = [
    "Activity",
    "Context",
    "Data",
    "Kind",
    "Kinds",
    "Programme",
    "kind",
    "kind_of",
    "kinds",
]

for _name in sorted(module.name for module in iter_modules(__path__)):
    import_module(f"{__name__}.{_name}")
