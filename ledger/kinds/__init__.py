"""The kinds of facts, one module per programme; importing this package registers them all."""

from . import contest, learning_club, member, office, proposal, unit
from .registry import Activity, Context, Data, Kind, Kinds, Programme, kind, kind_of, kinds

__all__ = [
    "Activity",
    "Context",
    "Data",
    "Kind",
    "Kinds",
    "Programme",
    "contest",
    "kind",
    "kind_of",
    "kinds",
    "learning_club",
    "member",
    "office",
    "proposal",
    "unit",
]
