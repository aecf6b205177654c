"""What a command was asked to work with: the ledger, the language, who records."""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .texts import Lang, Words, pick, usual_lang
from .width import wrap

if TYPE_CHECKING:
    from mileage.ledger import Kinds, Ledger

    from .texts import Bilingual

__all__ = ["Session"]

_NO_ID = re.compile(r"[^0-9A-Za-z가-힣._-]+")


class Session:
    """One run of the command line.

    Attributes:
        format: How answers are printed: ``table``, ``json`` or ``csv``.
    """

    def __init__(self) -> None:
        self.format = "table"
        self._given: dict[str, Any] = {}

    def give(self, name: str, value: Any) -> None:
        """Take up an option; the one nearest to the end of the command line counts."""
        if isinstance(value, tuple):
            value = (*self._given.get(name, ()), *value)
        self._given[name] = value

    @property
    def lang(self) -> Lang:
        """Language of what is shown."""
        given: Lang | None = self._given.get("lang")
        return given or usual_lang()

    @property
    def document_lang(self) -> Lang:
        """Language of a document that others read: Korean unless another was asked for."""
        given: Lang | None = self._given.get("lang")
        return given or ("en" if os.environ.get("MILEAGE_LANG") == "en" else "ko")

    @property
    def path(self) -> Path:
        """The ledger's file."""
        return Path(self._given.get("ledger") or os.environ.get("MILEAGE_LEDGER", "mileage.sqlite"))

    @property
    def by(self) -> str:
        """Id of who records: as given, or the name of the account, made fit for an id."""
        return self._given.get("by") or os.environ.get("MILEAGE_BY") or _account()

    def kinds(self) -> Kinds:
        """All kinds of facts, those of plugins and of modules named included.

        Raises:
            click.UsageError: A module cannot be found or imported.
        """
        from mileage.ledger.kinds import kinds  # noqa: PLC0415 - slow, and not for --help

        kinds.load_plugins()
        named = os.environ.get("MILEAGE_MODULES", "").replace(",", " ").split()
        for name in (*named, *self._given.get("module", ())):
            _import(name)
        return kinds

    def ledger(self, *, read_only: bool = False) -> Ledger:
        """Open the ledger.

        Raises:
            LedgerFileError: It cannot be used.
        """
        from mileage.ledger import Ledger  # noqa: PLC0415 - slow, and not for --help

        return Ledger.open(self.path, kinds=self.kinds(), read_only=read_only)

    def pick(self, words: Bilingual) -> str:
        """The text in the session's language."""
        return pick(words, self.lang)

    def note(self, ko: str, en: str) -> None:
        """Say something on stderr."""
        click.echo(_fitted(self.pick(Words(ko, en))), err=True)

    def warn(self, ko: str, en: str) -> None:
        """Warn on stderr."""
        lead = self.pick(Words("주의:", "warning:"))
        text = _fitted(f"{lead} {self.pick(Words(ko, en))}")
        click.echo(click.style(lead, fg="yellow", bold=True) + text[len(lead) :], err=True)


def _fitted(text: str) -> str:
    """A message broken between words where it goes to a terminal."""
    if not sys.stderr.isatty():
        return text
    return "\n".join(wrap(text, os.get_terminal_size(sys.stderr.fileno()).columns))


def _account() -> str:
    import getpass  # noqa: PLC0415 - only for recording without --by

    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = ""
    return _NO_ID.sub("-", name).strip("-._") or "cli"


def _import(name: str) -> None:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        import_module(name)
    except Exception as error:
        if os.environ.get("MILEAGE_DEBUG"):
            raise
        fault = "" if isinstance(error, ModuleNotFoundError) else f"{type(error).__name__}: "
        raise click.UsageError(f"--module {name}: {fault}{error}") from error
