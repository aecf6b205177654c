"""Answers on stdout: tables for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .texts import COLUMNS, Words
from .width import clean, pad, width, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .session import Session
    from .texts import Bilingual

__all__ = ["Column", "Node", "even", "print_table", "print_tree", "progress", "show", "to_terminal"]

NOTHING = Words("없습니다.", "Nothing.")
GAP = "  "
NARROWEST = 12


class Column(NamedTuple):
    """One column of an answer.

    Attributes:
        name: Its name in CSV files, and the key of its heading.
        number: Whether it holds numbers or amounts: to the right, and no formula in CSV.
        wraps: Whether a text may go on in the next line where the terminal is narrow.
        optional: Whether it is left out where the terminal is narrow still.
        detail: Whether it stands in CSV files only.
        label: Its heading, where the usual one of that name does not fit.
    """

    name: str
    number: bool = False
    wraps: bool = False
    optional: bool = False
    detail: bool = False
    label: Bilingual | None = None


Row = dict[str, Any]


def to_terminal() -> bool:
    """Whether the answer goes to a terminal."""
    return sys.stdout.isatty()


def show(  # noqa: PLR0913 - an answer in all its forms
    session: Session,
    document: Mapping[str, Any],
    columns: Sequence[Column] = (),
    rows: Sequence[Row] = (),
    *,
    title: str = "",
    empty: Words = NOTHING,
) -> None:
    """Print an answer in the form that was asked for.

    Args:
        session: The session.
        document: The answer as JSON.
        columns: Columns of the table and of the CSV file.
        rows: Their values by name of column; those of a table may be ``ko``/``en`` texts.
        title: Line above the table.
        empty: What a table without rows says, on stderr.
    """
    if session.format == "json":
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    elif session.format == "csv":
        click.echo(_csv(columns, rows), nl=False)
    else:
        if title:
            click.echo(click.style(title, bold=True))
        if rows:
            print_table(session, [column for column in columns if not column.detail], rows)
        else:
            session.note(*empty)


def _csv(columns: Sequence[Column], rows: Iterable[Row]) -> str:
    from mileage.projections.hrfile import harmless  # noqa: PLC0415 - only for --csv

    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(column.name for column in columns)
    for row in rows:
        cells = ((column, _plain(row.get(column.name))) for column in columns)
        writer.writerow(cell if column.number else harmless(cell) for column, cell in cells)
    return out.getvalue()


def _plain(value: Any) -> str:
    """A value as a program reads it: the code where a table shows a name."""
    if isinstance(value, Shown):
        return value.code
    return "" if value is None else str(value)


class Shown(NamedTuple):
    """A value that people read in words and programs by its code."""

    code: str
    text: str


def print_table(session: Session, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    """Print aligned columns; in a pipe in full width, on a terminal within its width.

    Where a terminal is too narrow, texts go on in the next line, then optional columns are left
    out; where even that is not enough, each row is printed as a paragraph.
    """
    cells = {column.name: [_cell(row.get(column.name)) for row in rows] for column in columns}
    filled = [c for c in columns if c.number or any(cells[c.name])]
    for column in filled:
        if column.number:
            cells[column.name] = even(cells[column.name])
    heads = {c.name: clean(session.pick(c.label or COLUMNS[c.name])) for c in filled}
    widths = {c.name: max(map(width, (heads[c.name], *cells[c.name]))) for c in filled}
    fitting: list[Column] | None = filled
    if to_terminal():
        fitting = _fit(filled, widths, _narrowest(filled, heads, cells))
    if fitting is None:
        click.echo(_paragraphs(filled, heads, cells))
        return
    lines = [_line(fitting, heads, widths, bold=True)]
    lines += [
        _line(fitting, {c.name: cells[c.name][index] for c in fitting}, widths)
        for index in range(len(rows))
    ]
    click.echo("\n".join(lines))
    if dropped := [heads[c.name] for c in filled if c not in fitting]:
        what = ", ".join(dropped)
        session.note(
            f"(화면이 좁아 보이지 않는 열: {what}. --csv에는 모두 있음)",
            f"(left out on this narrow terminal: {what}; --csv has all)",
        )


def _cell(value: Any) -> str:
    return clean(value.text if isinstance(value, Shown) else _plain(value))


def even(cells: list[str]) -> list[str]:
    """Put the decimal points of a column below each other, without digits that nobody wrote."""
    parts = [len(cell) - len(cell.partition(".")[0]) for cell in cells]
    room = max(parts, default=0)
    return [cell + " " * (room - part) for cell, part in zip(cells, parts, strict=True)]


def _narrowest(
    columns: Sequence[Column], heads: Mapping[str, str], cells: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """How narrow each column can be without breaking a word."""
    found = {}
    for column in columns:
        texts = (heads[column.name], *cells[column.name])
        if column.wraps:
            texts = tuple(word for text in texts for word in text.split())
        found[column.name] = max(map(width, texts), default=0)
    return found


def _fit(
    columns: Sequence[Column], widths: dict[str, int], narrowest: Mapping[str, int]
) -> list[Column] | None:
    """Choose columns and narrow them so that a line fits; ``None`` where none can."""
    kept, room = list(columns), shutil.get_terminal_size().columns

    def excess(sizes: Mapping[str, int]) -> int:
        return sum(sizes[c.name] + len(GAP) for c in kept) - len(GAP) - room

    for column in reversed([c for c in columns if c.optional]):
        if excess(narrowest) > 0:
            kept.remove(column)
    if excess(narrowest) > 0:
        return None
    while excess(widths) > 0:
        able = [c.name for c in kept if widths[c.name] > narrowest[c.name]]
        widths[max(able, key=lambda name: widths[name])] -= 1
    return kept


def _paragraphs(
    columns: Sequence[Column], heads: Mapping[str, str], cells: Mapping[str, Sequence[str]]
) -> str:
    """Each row as lines of a heading and a value."""
    column = max(map(width, heads.values())) + len(GAP)
    room = max(shutil.get_terminal_size().columns - column, NARROWEST)
    blocks = []
    for index in range(len(cells[columns[0].name])):
        lines = []
        for name in (c.name for c in columns if cells[c.name][index].strip()):
            first, *more = wrap(cells[name][index].strip(), room)
            lines.append(click.style(pad(heads[name], column), bold=True) + first)
            lines += [" " * column + text for text in more]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _line(
    columns: Sequence[Column],
    cells: Mapping[str, str],
    widths: Mapping[str, int],
    *,
    bold: bool = False,
) -> str:
    parts = {
        # The spaces behind an amount keep its point below the others.
        c.name: [cells[c.name]] if c.number else wrap(cells[c.name], widths[c.name])
        for c in columns
    }
    lines = []
    for index in range(max(map(len, parts.values()))):
        texts = []
        for column in columns:
            part = parts[column.name][index] if index < len(parts[column.name]) else ""
            texts.append(pad(part, widths[column.name], right=column.number))
        line = GAP.join(texts).rstrip()
        lines.append(click.style(line, bold=True) if bold else line)
    return "\n".join(lines)


class Node(NamedTuple):
    """A line of a tree and the lines below it."""

    text: str
    below: tuple[Node, ...] = ()


def print_tree(root: Node) -> None:
    """Print a tree; long lines go on below themselves."""
    room = shutil.get_terminal_size().columns if to_terminal() else 10**6
    lines = [click.style(line, bold=True) for line in wrap(clean(root.text), room)]
    _branches(root.below, "", room, lines)
    click.echo("\n".join(lines))


def _branches(nodes: Sequence[Node], lead: str, room: int, lines: list[str]) -> None:
    for number, node in enumerate(nodes, 1):
        last = number == len(nodes)
        first, more = ("└─ ", "   ") if last else ("├─ ", "│  ")
        rest = lead + more + ("│  " if node.below else "")
        texts = wrap(clean(node.text), max(room - width(rest), NARROWEST))
        lines.append(f"{lead}{first}{texts[0]}")
        lines.extend(f"{rest}{text}" for text in texts[1:])
        _branches(node.below, lead + more, room, lines)


def json_value(value: Any) -> Any:  # noqa: PLR0911 - one for each type
    """A value of a fact as JSON: amounts as decimal texts, dates as ISO 8601."""
    match value:
        case None | str():
            return value
        case datetime():
            return value.isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case tuple():
            return [json_value(item) for item in value]
        case _ if hasattr(value, "person") and hasattr(value, "percent"):
            return {"person": value.person, "percent": f"{value.percent:f}"}
        case _:
            return str(value)


@contextmanager
def progress(label: str) -> Iterator[Callable[..., None] | None]:
    """A progress bar on stderr, gone when the work is done; ``None`` without a terminal.

    It tells the time gone by and an estimate of what is left of the stage. What is yielded is
    called with what is done, of how much, and the stage's label if there is one.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - slow, and only for a terminal
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("/"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(label, total=None)
        stage = label

        def tell(done: int, total: int, label: str | None = None) -> None:
            nonlocal stage
            if label and label != stage:  # how fast one stage goes says nothing of the next
                stage = label
                bar.reset(task, description=label, total=total)
            bar.update(task, completed=done, total=total, description=stage)

        yield tell
