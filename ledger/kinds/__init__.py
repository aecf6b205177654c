"""The kinds of facts, one module per programme; importing this package registers them all."""

from . import (
    contest,
    course,
    learning_club,
    member,
    office,
    proposal,
    publicity,
    support,
    task,
    unit,
)
from .registry import Activity, Context, Data, Kind, Kinds, Programme, kind, kind_of, kinds

__all__ = [
    "Activity",
    "Context",
    "Data",
    "Kind",
    "Kinds",
    "Programme",
    "contest",
    "course",
    "kind",
    "kind_of",
    "kinds",
    "learning_club",
    "member",
    "office",
    "proposal",
    "publicity",
    "support",
    "task",
    "unit",
]
