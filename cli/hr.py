"""What HR is given, and what it says to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from mileage.ledger import format_amount
from mileage.projections import Feed, Outbox, ReadModel, acknowledge, changes, find_profile

from .base import DAY, POSITIVE, Group, option, pass_session
from .figures import brought_up
from .hr_profiles import profiles_command
from .output import Column, Shown, show
from .texts import CHANGE_REASONS, Words

if TYPE_CHECKING:
    from datetime import date

    from mileage.projections import Batch, HrLine

    from .session import Session

__all__ = ["hr_command"]

hr_command = Group(
    name="hr",
    words=Words(
        "인사부서에 넘길 묶음을 만들고 봅니다.",
        "Hand over to HR what changed, and take in what HR says to it.",
    ),
    examples=(
        "mileage hr export /srv/hr/inbox",
        "mileage hr ack ack-000001.csv",
        "mileage hr status",
        "mileage hr profiles",
        "mileage hr changes",
    ),
)
ENCODINGS = ("utf-8-sig", "utf-8", "cp949")
FORMATS = ("csv", "xlsx", "jsonl", "parquet")


@hr_command.command(
    "export",
    words=Words(
        "지난 묶음 뒤에 달라진 것을 파일과 명세로 DIR에 씁니다.\n\n점수와 포상, 그리고 결정된"
        " 혜택이 나갑니다: 부여되고, 필요한 경우 승인된 것. 인사부서가 거부한 것은 다시 나갑니다."
        " 명세에는 행 수, 합계, 지문이 있습니다. 달라진 것이 없으면 아무것도 쓰지 않습니다.",
        "Write what changed since the last batch to DIR, as a file with a manifest.\n\nPoints and"
        " awards go out, and entitlements as decided: granted and, where that is asked for,"
        " approved. What HR rejected goes out again. The manifest has the count, the sums and the"
        " digest. When nothing changed, nothing is written.",
    ),
    examples=[
        "mileage hr export out --as-of 2005-12-31",
        "mileage hr export out --profile batch-sheet",
        "mileage hr export out --profile payroll.toml --format csv --encoding cp949",
        "mileage hr export out --again 3",
    ],
    tabular="json",
)
@click.argument("folder", metavar="DIR", type=Path)
@option("--as-of", ko="이날 기준 [오늘]", en="As of this date  [today]", type=DAY)
@option(
    "--profile",
    ko="양식의 이름이나 TOML 파일 [standard] (`mileage hr profiles`)",
    en="Name of a profile, or its TOML file  [standard] (`mileage hr profiles`)",
    metavar="NAME|FILE",
)
@option(
    "--format",
    "form",
    ko="파일 형식 [양식에 따름]",
    en="Format of the file  [that of the profile]",
    type=click.Choice(FORMATS),
)
@option(
    "--encoding",
    ko="CSV의 인코딩 [양식에 따름]",
    en="Encoding of CSV  [that of the profile]",
    type=click.Choice(ENCODINGS),
)
@option(
    "--full",
    ko="달라지지 않은 것도 증감 0으로",
    en="What did not change too, with a delta of 0",
    is_flag=True,
)
@option(
    "--again",
    ko="이 차수의 묶음을 그대로 다시 씀",
    en="Write this batch again, byte for byte",
    type=POSITIVE,
    metavar="N",
)
@pass_session
def export_command(  # noqa: PLR0913 - one for each option
    session: Session,
    folder: Path,
    *,
    as_of: date | None,
    profile: str | None,
    form: str | None,
    encoding: str | None,
    full: bool,
    again: int | None,
) -> None:
    if again is not None and (as_of or profile or form or encoding or full):
        raise click.UsageError(
            "--again writes a batch as it was: leave out --as-of, --profile, --format, --encoding"
            " and --full"
        )
    chosen = find_profile(profile or "standard").written_as(form, encoding)
    with session.ledger() as ledger:
        outbox = Outbox(ledger)
        batch: Batch | None
        if again is not None:
            batch = outbox.write_again(again, folder)
        else:
            with brought_up(session, ledger, as_of, None) as figures:
                day = as_of or ledger.today()
                batch = outbox.cut(figures, folder, as_of=day, profile=chosen, full=full)
    if session.format == "json":
        document = {"batch": _batch_json(batch) if batch else None}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    elif batch is None:
        session.note(
            "지난 묶음 뒤에 달라진 것이 없어 쓰지 않았습니다",
            "nothing changed since the last batch; nothing is written",
        )
    else:
        _show_batches(session, [batch])


@hr_command.command(
    "ack",
    words=Words(
        "묶음에 대한 인사부서의 응답을 받아들입니다.\n\nCSV의 열은 batch, line, status이고 reason,"
        " sha256, rows를 더할 수 있습니다. line이 빈 행은 묶음 전체에 대한 것(received, accepted,"
        " rejected, partial)이고, 있는 행은 그 행에 대한 것(accepted, rejected)입니다. 문제가"
        " 있으면 파일 전체를 받아들이지 않습니다.",
        "Take in what HR says to a batch.\n\nThe columns of the CSV file are batch, line, status"
        " and, as needed, reason, sha256, rows. A row without a line is about the whole batch"
        " (received, accepted, rejected, partial), one with a line about that (accepted,"
        " rejected). With any problem the file is refused whole.",
    ),
    examples=["mileage hr ack ack-000001.csv"],
    tabular="json",
)
@click.argument("file", type=Path)
@pass_session
def ack_command(session: Session, file: Path) -> None:
    with session.ledger() as ledger:
        done = acknowledge(Outbox(ledger), file)
    if session.format == "json":
        document = {"file": str(file), **attrs.asdict(done)}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    click.echo(
        session.pick(
            Words(
                f"{file}: 수락 {done.accepted:,}행, 거부 {done.rejected:,}행,"
                f" 이미 알던 것 {done.repeated:,}행",
                f"{file}: {done.accepted:,} accepted, {done.rejected:,} rejected,"
                f" {done.repeated:,} known before",
            )
        )
    )


@hr_command.command(
    "status",
    words=Words(
        "묶음마다 인사부서의 응답과, 다음 묶음에 나갈 것을 보입니다.",
        "Show what HR said to each batch, and what the next one would carry.",
    ),
    examples=["mileage hr status", "mileage hr status --as-of 2005-12-31 --json"],
)
@option("--as-of", ko="이날 기준 [오늘]", en="As of this date  [today]", type=DAY)
@pass_session
def status_command(session: Session, as_of: date | None) -> None:
    with session.ledger() as ledger, brought_up(session, ledger, as_of, None) as figures:
        status = Outbox(ledger).status(figures, as_of or ledger.today())
    found = [{**attrs.asdict(each), "out": each.out} for each in status.batches]
    due = [_line_json(line) for line in status.due]
    rows = [
        {
            **row,
            "received": Shown(str(row["received"]).lower(), session.pick(_YES[row["received"]])),
        }
        for row in found
    ]
    columns = [
        Column("sequence", number=True),
        Column("as_of"),
        Column("received"),
        *(Column(name, number=True) for name in ("rows", "accepted", "rejected", "out")),
    ]
    none = Words("만든 묶음이 없습니다.", "No batch has been cut.")
    show(session, {"batches": found, "due": due}, columns, rows, empty=none)
    if session.format == "table":
        again = sum(line.reason == "resent" for line in status.due)
        session.note(
            f"다음 묶음에 나갈 것 {len(due):,}행 (거부되어 다시 나가는 것 {again:,}행)",
            f"due in the next batch: {len(due):,} lines, {again:,} of them rejected before",
        )


_YES = {True: Words("예", "yes"), False: Words("아니오", "no")}


def _line_json(line: HrLine) -> dict[str, Any]:
    return {
        "line": line.line,
        **line.key._asdict(),
        "employee_number": line.employee_number,
        "in_period": line.in_period,
        "previous": format_amount(line.previous),
        "new": format_amount(line.new),
        "delta": format_amount(line.delta),
        "reason": line.reason,
        "facts": list(line.facts),
        "supersedes": list(line.supersedes),
    }


@hr_command.command(
    "list",
    words=Words("지금까지 만든 묶음을 보입니다.", "List the batches that were cut."),
    examples=["mileage hr list"],
)
@pass_session
def list_command(session: Session) -> None:
    with session.ledger() as ledger:
        _show_batches(session, Outbox(ledger).batches())


hr_command.add_command(profiles_command)


@hr_command.command(
    "changes",
    words=Words(
        "변동 피드를 보입니다: 누구의 무엇이 얼마에서 얼마로 바뀌었는지, 일어난 순서대로.\n\n"
        "--after에 지난번 마지막 변동의 커서를 주면 그 뒤의 것만 나옵니다. 같은 커서에는 언제나"
        " 같은 변동이 나옵니다. 인사 시스템은 커서를 변동과 한 트랜잭션에 저장하면 됩니다.",
        "Show the change feed: whose entitlement changed from what to what, in order.\n\nWith the"
        " cursor of the last change taken as --after, what comes after it. The same cursor always"
        " gives the same changes; an HR system stores it in one transaction with what it makes of"
        " them.",
    ),
    examples=[
        "mileage hr changes --limit 100 --json",
        "mileage hr changes --after 0123456789abcdef.17.89abcdef01234567",
    ],
)
@option("--after", ko="이 커서 뒤의 것만 [처음부터]", en="After this cursor  [the beginning]")
@option("--limit", ko="이만큼만", en="At most so many", type=POSITIVE, metavar="N")
@pass_session
def changes_command(session: Session, after: str | None, limit: int | None) -> None:
    with session.ledger() as ledger:
        Feed(ledger).check(after)
        with brought_up(session, ledger, None, None), ReadModel(ledger) as model:
            found = [change.as_json() for change in changes(model, after=after, limit=limit)]
    cursor = found[-1]["cursor"] if found else after
    rows = [
        {
            **row,
            "facts": ";".join(map(str, row["facts"])),
            "reason": Shown(row["reason"], session.pick(CHANGE_REASONS[row["reason"]])),
        }
        for row in found
    ]
    columns = [
        Column("sequence", number=True, label=Words("순번", "No.")),
        *(Column(name) for name in ("person", "programme", "code", "for_period")),
        *(Column(name, number=True) for name in ("previous", "new", "delta")),
        Column("reason"),
        Column("facts", wraps=True, optional=True),
        Column("noticed_at", detail=True),
        Column("cursor", detail=True),
    ]
    none = Words("그 뒤에 달라진 것이 없습니다.", "Nothing changed since.")
    show(session, {"changes": found, "cursor": cursor}, columns, rows, empty=none)
    if found and session.format == "table":
        session.note(f"이어서 보려면 --after {cursor}", f"to go on: --after {cursor}")


def _batch_json(batch: Batch) -> dict[str, Any]:
    written = str(batch.file) if batch.file else None
    return {**batch.manifest, "file": written or batch.manifest["file"]}


def _show_batches(session: Session, batches: list[Batch]) -> None:
    found = [_batch_json(batch) for batch in batches]
    rows = [{**row, "digest": Shown(row["sha256"], row["sha256"][:12])} for row in found]
    columns = [
        Column("sequence", number=True),
        Column("as_of"),
        Column("position", number=True, optional=True),
        Column("rows", number=True),
        Column("sum_positive", number=True),
        Column("sum_negative", number=True),
        Column("profile", optional=True, label=Words("양식", "Profile")),
        Column("digest", optional=True),
        Column("file", wraps=True),
    ]
    none = Words("만든 묶음이 없습니다.", "No batch has been cut.")
    show(session, {"batches": found}, columns, rows, empty=none)
