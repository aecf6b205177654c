"""What several tables of a rulebook have in common: ids, dated values, codes the ledger knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from mileage.ledger.fields import Code

from .tables import Table, meant, read_text
from .values import MAIN_ACCOUNT, SCOPE_MAX, VALUES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mileage.projections.toml_positions import Path

    from .text import Check
    from .whole import Value

__all__ = [
    "check_code",
    "note_unknown_account",
    "read_account",
    "read_codes",
    "read_entries",
    "read_values",
]

_LEDGER_CODE = Code("", "")


class _HasId(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def line(self) -> int: ...


_Entry = TypeVar("_Entry", bound=_HasId)


def read_entries(
    root: Table, key: str, count_max: int, read: Callable[[Check, Path, object], _Entry | None]
) -> tuple[_Entry, ...]:
    """Read all tables of a list such as [[rule]] or [[cap]]; each has an id of its own."""
    entries: list[_Entry] = []
    lines: dict[str, int] = {}
    for path, raw in root.items(key, count_max):
        entry = read(root.check, path, raw)
        if entry is None:
            continue
        entries.append(entry)
        if entry.id in lines:
            predicate = f"has the id of the {key} in line {lines[entry.id]}."
            remedy = f"Give each {key} an id of its own, or write all values into one."
            root.check.error("duplicate-id", (*path, "id"), predicate, remedy)
        elif entry.id:
            lines[entry.id] = entry.line
    return tuple(entries)


def read_values(
    table: Table, read: Callable[[Check, Path, object], Value | None]
) -> tuple[Value, ...]:
    """Read dated values; only those in order of date come out."""
    values: list[Value] = []
    for path, raw in table.items("values", VALUES_MAX):
        value = read(table.check, path, raw)
        if value is None:
            continue
        if values and value.valid_from <= values[-1].valid_from:
            predicate = f"is {value.valid_from}, but the one before is {values[-1].valid_from}."
            remedy = "Write values in order of date, one for each day on which something changes."
            table.check.error("date-order", (*path, "from"), predicate, remedy)
        else:
            values.append(value)
    return tuple(values)


def read_codes(table: Table, key: str) -> tuple[str, ...]:
    """Read a list of codes of ranks or units; the ledger knows which there are."""
    named: list[str] = []
    for path, raw in table.items(key, SCOPE_MAX):
        code = read_text(table.check, path, raw)
        if code in named:
            table.check.error("repeated", path, f"names {code!r} again.", "Name each once.")
        elif code:
            named.append(code)
            check_code(table.check, path, code)
    return tuple(named)


def check_code(check: Check, path: Path, code: str) -> bool:
    """Whether a code is one that a ledger can have; noted if not."""
    try:
        _LEDGER_CODE.check(code)
    except ValueError as error:
        remedy = "Write the code as the ledger knows it."
        check.error("bad-id", path, f"is no code: {error}.", remedy)
        return False
    return True


def read_account(table: Table, accounts: Sequence[str]) -> str:
    """Read which account is meant; the main one unless it is written."""
    if "account" not in table.raw:
        return MAIN_ACCOUNT
    account = table.text("account")
    if account and account not in accounts:
        note_unknown_account(table.check, table.at("account"), account, accounts)
    return account


def note_unknown_account(check: Check, path: Path, account: str, accounts: Sequence[str]) -> None:
    """Note that an account is named that no [[account]] declares."""
    predicate, remedy = f"names no declared account: {account!r}.", meant(account, list(accounts))
    check.error("unknown-account", path, predicate, remedy)
