"""The 2005 plan as data: units, tasks and weights, example rulebooks and an example year."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

__all__ = ["example_year_files", "names_file", "plan", "rulebook_path"]

_EXAMPLE_YEAR = (
    "units",
    "people",
    "proposals",
    "clubs",
    "teams",
    "contests",
    "publicity",
    "courses",
    "awards",
    "learning",
    "tasks",
    "support",
    "evaluation",
    "corrections",
    "decisions",
)


def plan() -> dict[str, Any]:
    """Return the plan of 2005 as parsed TOML; figures such as ``70.3`` are exact decimals."""
    text = (_folder() / "plan-2005.toml").read_text(encoding="utf-8")
    return tomllib.loads(text, parse_float=Decimal)


def rulebook_path(name: str = "smba-2005") -> Path:
    """Return the file of a shipped rulebook.

    Args:
        name: Its file name without ``.toml``: ``smba-2005``, an example of a first year, or
            ``smba-2005-07``, the same with one rule raised from July, or a scheme of another
            organisation as reported, such as ``fire-service``.

    Raises:
        ValueError: No such rulebook is shipped; the message names those that are.
    """
    shipped = {path.stem: path for path in (_folder() / "rulebooks").glob("*.toml")}
    if name not in shipped:
        known = ", ".join(sorted(shipped))
        raise ValueError(f"no rulebook {name!r} is shipped; there are: {known}")
    return shipped[name]


def example_year_files() -> list[Path]:
    """Return the files of the example year 2005 in the order in which they can be imported.

    The year is ``generator.write`` at scale 1/10 with seed 2005; the last file has what was decided
    at the end of it, by what the rulebook ``smba-2005`` proposes on 30 December.
    """
    return [_folder() / "example-year" / f"{name}.csv" for name in _EXAMPLE_YEAR]


def names_file() -> Path:
    """Return the example year's directory: placeholder names and employee numbers."""
    return _folder() / "example-year" / "names.csv"


def _folder() -> Path:
    return Path(str(files(__name__)))
