"""People as HR knows them, taken into the ledger and the directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from mileage.ledger import ImportRefused

from .base import COUNT, DAY, Failure, Group, option, pass_session
from .entitlements import NUMBER
from .figures import follow
from .output import Column, Shown, show
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from mileage.ledger.inbound import PeopleImport

    from .session import Session

__all__ = ["people_command"]

people_command = Group(
    name="people",
    words=Words(
        "인사부서의 파일로 임용, 퇴직, 전보, 승진, 휴직, 복직을 기록합니다.",
        "Record who joined, left, moved, was promoted or on leave, from HR's file.",
    ),
    examples=("mileage people import people.csv --dry-run",),
)

LINES_SHOWN = 10
ACTIONS = {
    "joined": Words("임용", "joined"),
    "rehired": Words("재임용", "hired again"),
    "transferred": Words("전보", "moved"),
    "promoted": Words("직급 변경", "other rank"),
    "leave_started": Words("휴직", "on leave"),
    "leave_ended": Words("복직", "back"),
    "left": Words("퇴직", "left"),
    "renamed": Words("성명 변경", "other name"),
    "renumbered": Words("사번 변경", "other number"),
}


class Percent(click.ParamType):  # type: ignore[type-arg]  # generic in later versions
    """A percentage, with or without its sign."""

    name = "percent"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """Read ``5`` or ``5%``."""
        return NUMBER(str(value).strip().removesuffix("%").strip(), param, ctx)  # type: ignore[no-any-return]


@people_command.command(
    "import",
    words=Words(
        "인사 파일(CSV)과 원장을 비교해 달라진 것을 기록합니다.\n\n열은 employee_number(사번),"
        " name(성명), unit(소속), rank(직급), status(상태: 재직·휴직·퇴직),"
        " effective_on(발령일), previous_number(이전사번), person(구성원)이며 사번만 꼭 있어야"
        " 합니다. 파일에 없는 사람은 그대로 두고, --full이면 퇴직한 것으로 봅니다. 잘못된 행이"
        " 있거나 파일이 잘린 것 같으면 하나도 기록하지 않습니다. 사번이 바뀌어 재임용된 사람은"
        " previous_number로 같은 사람임을 알립니다.",
        "Compare HR's file (CSV) with the ledger and record what is different.\n\nThe columns are"
        " employee_number, name, unit, rank, status (serving, leave, left), effective_on,"
        " previous_number, person, or their Korean names; only the number is always needed."
        " Who is not in the file is left alone; with --full they have left. Nothing is recorded"
        " when a row is wrong or the file seems to be cut short. For somebody hired again under"
        " another number, previous_number says that it is the same person.",
    ),
    examples=[
        "mileage people import people.csv --dry-run",
        "mileage people import people.csv --full --on 2005-07-01 --expect-count 1794",
    ],
    by=True,
)
@click.argument("file", type=Path)
@option("--on", ko="파일의 기준일 [오늘]", en="Day of the file  [today]", type=DAY)
@option(
    "--full",
    ko="파일에 없는 재직자는 기준일 전날 퇴직한 것으로",
    en="Who serves and is not in the file left the day before it",
    is_flag=True,
)
@option(
    "--expect-count",
    ko="인사부서가 알린 행 수",
    en="Number of rows that HR states",
    type=COUNT,
    metavar="N",
)
@option(
    "--control-total",
    ko="인사부서가 알린 사번의 합 (사번의 숫자만 읽어 더한 것)",
    en="Sum of the employee numbers that HR states (their digits, read as numbers)",
    type=COUNT,
    metavar="N",
)
@option(
    "--leavers-max",
    ko="퇴직자가 될 수 있는 최대 비율 [5%]",
    en="Most people that may become leavers  [5%]",
    type=Percent(),
    default="5",
    metavar="PERCENT",
)
@option(
    "--ignore",
    ko="읽지 않을 열 (여러 번 쓸 수 있음)",
    en="Column to leave aside; may be given several times",
    multiple=True,
    metavar="COLUMN",
)
@option(
    "--encoding", ko="파일의 인코딩 [utf-8]", en="Encoding of the file  [utf-8]", default="utf-8"
)
@option("--source", ko="출처 [파일 이름]", en="Where the facts come from  [the file's name]")
@option("--dry-run", ko="달라질 것만 보임", en="Only show what would change", is_flag=True)
@pass_session
def import_command(  # noqa: PLR0913 - one for each option
    session: Session,
    file: Path,
    *,
    on: date | None,
    full: bool,
    expect_count: int | None,
    control_total: int | None,
    leavers_max: Decimal,
    ignore: tuple[str, ...],
    encoding: str,
    source: str | None,
    dry_run: bool,
) -> None:
    from mileage.ledger.inbound import import_people  # noqa: PLC0415 - not for --help

    with session.ledger() as ledger:
        try:
            done = import_people(
                ledger,
                file,
                by=session.by,
                on=on,
                full=full,
                encoding=encoding,
                ignored=ignore,
                expect_count=expect_count,
                control_total=control_total,
                leavers_max=leavers_max,
                dry_run=dry_run,
                source=source,
            )
        except ImportRefused as refused:
            for problem in refused.problems:
                click.echo(str(problem), err=True)
            raise Failure(
                session.pick(
                    Words(
                        f"{file}: 하나도 기록하지 않았습니다", f"{file}: nothing of it is recorded"
                    )
                )
            ) from None
        if done.recorded and done.changes:
            follow(session, ledger, build=True)
    _show(session, done, full=full)


def _show(session: Session, done: PeopleImport, *, full: bool) -> None:
    found = [
        {**attrs.asdict(change), "on": change.on.isoformat(), "line": change.line or None}
        for change in done.changes
    ]
    rows = [
        {**row, "action": Shown(row["action"], session.pick(ACTIONS[row["action"]]))}
        for row in found
    ]
    columns = [
        Column("line", number=True),
        *(Column(name) for name in ("on", "action", "person", "employee_number")),
        *(Column("before", optional=True), Column("after")),
    ]
    document = {**attrs.asdict(done), "changes": found}
    none = Words("달라진 것이 없습니다.", "Nothing is different.")
    show(session, document, columns, rows, empty=none)
    if session.format == "table":
        _tell(session, done, full=full)


def _tell(session: Session, done: PeopleImport, *, full: bool) -> None:
    kept = ("기록함", "recorded") if done.recorded else ("기록하지 않음", "nothing is recorded")
    session.note(
        f"{done.rows:,}행, 변동 {len(done.changes):,}건, 재직 {done.serving:,}명 중 퇴직"
        f" {done.leavers:,}명: {kept[0]}",
        f"{done.rows:,} rows, {len(done.changes):,} changes, {done.leavers:,} of"
        f" {done.serving:,} people left: {kept[1]}",
    )
    if done.absent and not full:
        session.note(
            f"재직자 {done.absent:,}명은 파일에 없어 그대로 둡니다 (전체 파일이면 --full)",
            f"{done.absent:,} people who serve are not in the file and are left alone"
            " (--full for a full file)",
        )
    if done.namesakes:
        lines = _lines(done.namesakes)
        session.warn(
            f"새로 임용된 {len(done.namesakes):,}명이 퇴직자와 성명이 같습니다. 같은 사람이면"
            f" previous_number(이전사번)를 쓰십시오: {lines}행",
            f"{len(done.namesakes):,} new people have the name of somebody who left; for the same"
            f" person give previous_number: lines {lines}",
        )
    if done.waiting:
        lines = _lines(done.waiting)
        session.warn(
            f"아직 오지 않은 날의 {len(done.waiting):,}행은 그날 다시 가져오십시오: {lines}행",
            f"{len(done.waiting):,} rows hold from days to come; import them then: lines {lines}",
        )


def _lines(numbers: Sequence[int]) -> str:
    """The first of some lines."""
    return ", ".join(map(str, numbers[:LINES_SHOWN])) + (" …" if len(numbers) > LINES_SHOWN else "")
