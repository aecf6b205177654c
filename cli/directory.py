"""The people directory: names and employee numbers, apart from the facts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from mileage.ledger import Entry, ImportRefused
from mileage.ledger.names import read_entries
from mileage.projections import erase_people

from .base import Failure, Group, option, pass_session
from .output import Column, show
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .session import Session

__all__ = ["directory_command"]

directory_command = Group(
    name="directory",
    words=Words(
        "이름과 사번을 기록과 따로 둡니다.\n\n기록에는 식별자만 있으므로, 여기를 고치거나"
        " 지워도 점수는 그대로입니다.",
        "Keep names and employee numbers, apart from the facts.\n\nFacts know an id only: what is"
        " changed or erased here changes no figure.",
    ),
    examples=(
        "mileage directory import names.csv",
        "mileage directory search 홍길동",
        "mileage directory erase P00001 --yes",
    ),
)

_COLUMNS = (Column("person"), Column("name", wraps=True), Column("employee_number"))


@directory_command.command(
    "import",
    words=Words(
        "CSV 파일(person, name, employee_number)의 이름을 넣습니다.\n\n잘못된 행이 있으면"
        " 하나도 넣지 않습니다.",
        "Put in the names of a CSV file: person, name, employee_number.\n\nAll of the file, or"
        " nothing when a row is wrong.",
    ),
    examples=[
        "mileage directory import names.csv",
        "mileage directory import names.csv --encoding cp949",
    ],
    tabular="json",
)
@click.argument("file", type=Path)
@option(
    "--encoding", ko="파일의 인코딩 [utf-8]", en="Encoding of the file  [utf-8]", default="utf-8"
)
@pass_session
def import_command(session: Session, file: Path, encoding: str) -> None:
    try:
        entries = read_entries(file, encoding=encoding)
    except ImportRefused as refused:
        for problem in refused.problems:
            click.echo(str(problem), err=True)
        raise Failure(
            session.pick(
                Words(f"{file}: 하나도 넣지 않았습니다", f"{file}: nothing of it is put in")
            )
        ) from None
    with session.ledger() as ledger:
        count = ledger.directory.put(entries)
    if session.format == "json":
        show(session, {"file": file.name, "entries": count})
    else:
        click.echo(session.pick(Words(f"{count:,}명을 넣었습니다", f"{count:,} people put in")))


@directory_command.command(
    "set",
    words=Words("한 사람의 이름과 사번을 넣거나 바꿉니다.", "Put in or change one person's entry."),
    examples=["mileage directory set P00001 --name 홍길동 --employee-number 00012345"],
)
@click.argument("person")
@option("--name", ko="이름", en="Name", required=True)
@option("--employee-number", ko="사번", en="Employee number", default="")
@pass_session
def set_command(session: Session, person: str, name: str, employee_number: str) -> None:
    entry = Entry(person, name, employee_number)
    with session.ledger() as ledger:
        ledger.directory.put([entry])
    _show(session, [entry])


@directory_command.command(
    "show",
    words=Words("사람의 이름과 사번을 보입니다.", "Show people's entries."),
    examples=["mileage directory show P00001 P00002"],
)
@click.argument("people", metavar="PERSON...", nargs=-1, required=True)
@pass_session
def show_command(session: Session, people: tuple[str, ...]) -> None:
    with session.ledger() as ledger:
        found = ledger.directory.find(people)
    _show(session, [found[person] for person in people if person in found])
    if missing := [person for person in people if person not in found]:
        listed = ", ".join(missing)
        raise Failure(
            session.pick(Words(f"{listed}: 이름이 없습니다", f"{listed}: not in the directory"))
        )


@directory_command.command(
    "search",
    words=Words(
        "이름이나 사번의 일부로 찾습니다.",
        "Find people by a part of their name or employee number.",
    ),
    examples=["mileage directory search 홍길동", "mileage directory search 00012"],
)
@click.argument("text")
@pass_session
def search_command(session: Session, text: str) -> None:
    with session.ledger() as ledger:
        _show(session, ledger.directory.search(text))


@directory_command.command(
    "erase",
    words=Words(
        "이름과 사번(이전 사번도)을 지웁니다.\n\n기록과 점수, 인사부서에 보낸 것의 합계는"
        " 그대로입니다. 그 사람의 사번이나 이름이 든 묶음 파일은 다시 쓸 수 없게 됩니다."
        " --yes가 없으면 무엇이 지워질지만 보입니다.",
        "Erase names and employee numbers, former ones too.\n\nFacts and figures stay, and what HR"
        " was told goes on adding up. Files of batches that have their number or name cannot be"
        " written again. Without --yes it only shows what there is.",
    ),
    examples=["mileage directory erase P00001", "mileage directory erase P00001 --yes"],
    tabular="json",
)
@click.argument("people", metavar="PERSON...", nargs=-1, required=True)
@option("--yes", ko="정말로 지움", en="Do erase it", is_flag=True)
@pass_session
def erase_command(session: Session, people: tuple[str, ...], *, yes: bool) -> None:
    with session.ledger() as ledger:
        if not yes:
            _show(session, ledger.directory.find(people).values())
            session.note(
                "아직 지우지 않았습니다: --yes를 붙이면 지웁니다", "nothing is erased without --yes"
            )
            return
        done = erase_people(ledger, people)
    if session.format == "json":
        show(session, {"erased": done.people, "unknown": done.unknown, "batches": done.batches})
    elif done.people:
        listed = ", ".join(done.people)
        click.echo(session.pick(Words(f"{listed}: 지웠습니다", f"{listed}: erased")))
    if done.batches and session.format != "json":
        numbers = ", ".join(map(str, done.batches))
        session.note(
            f"다시 쓸 수 없게 된 묶음: {numbers}",
            f"batches that cannot be written again: {numbers}",
        )
    if done.unknown:
        listed = ", ".join(done.unknown)
        raise Failure(
            session.pick(Words(f"{listed}: 이름이 없습니다", f"{listed}: not in the directory"))
        )


def _show(session: Session, entries: Iterable[Entry]) -> None:
    found: list[dict[str, Any]] = [attrs.asdict(entry) for entry in entries]
    document = {"entries": [{**row, "employee_number": row["employee_number"]} for row in found]}
    none = Words("찾지 못했습니다.", "Nobody found.")
    show(session, document, _COLUMNS, found, empty=none)
